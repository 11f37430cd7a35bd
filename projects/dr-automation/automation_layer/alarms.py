"""The alarms of the automation itself in one site: trigger, reachability of its own database, the controller's word.

An alarm sees metrics of its own region only and is lost with it, so each site has them.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from automation_layer.settings import AutomationSettings
from automation_layer.topics import Topics
from function_runtime.metric_names import REACHABLE, WRITER_WORD
from shared.providers import on
from shared.sites import Site

WORD_THRESHOLDS = {Site.PRIMARY: (1,), Site.RECOVERY: (1, 2)}
"""What each site's word is compared with. It speaks for the primary site's database where it is below.

The primary site's controller says 0 or 1, the recovery site's 0, 1 or 2 (`failover.latch`).
"""


@dataclass(frozen=True)
class MetricCondition:
    """A condition on one metric: statistic Maximum, standard alarm.

    Route 53 health checks support no metric math, no extended statistics and no M-out-of-N alarms.
    """

    metric: str
    dimensions: dict[str, str]
    comparison: str
    threshold: int
    periods: int
    missing_data: str


class Alarms(pulumi.ComponentResource):
    """The alarms of a site.

    Attributes:
        trigger: the other site's database answers no probe from here: wakes the controller. Missing data counts as no
            answer.
        answers: the same for Route 53. Missing data changes nothing: a site that has fallen silent knows nothing of the
            other one.
        unreachable: the site's own database answers no probe from here; people are told.
        words: the site's word is not below a threshold, by threshold. Missing data changes nothing.
    """

    trigger: aws.cloudwatch.MetricAlarm
    answers: aws.cloudwatch.MetricAlarm
    unreachable: aws.cloudwatch.MetricAlarm
    words: dict[int, aws.cloudwatch.MetricAlarm]

    def __init__(self, settings: AutomationSettings, site: Site, topics: Topics, provider: aws.Provider) -> None:
        super().__init__("postgres-dr:automation:Alarms", settings.environment.names.of("alarms", site))
        self._settings = settings
        self._site = site
        self._options = on(provider, parent=self)
        self.trigger = self._alarm(
            f"{site.other}-unreachable",
            f"No probe from the {site} site reaches the {site.other} site's database: wakes its controller",
            self._unreachable(site.other, missing_data="breaching"),
            actions=[topics.trigger.arn],
        )
        self.answers = self._alarm(
            f"{site.other}-answers",
            f"OK while probes from the {site} site reach the {site.other} site's database: Route 53 follows it",
            self._unreachable(site.other, missing_data="ignore"),
            actions=[],
        )
        self.unreachable = self._alarm(
            f"{site}-unreachable",
            f"No probe from the {site} site reaches the {site} site's database: as a standby it could not take over",
            # Missing data of this probe already fires the trigger alarm.
            self._unreachable(site, missing_data="missing"),
            actions=[topics.failures.arn],
        )
        self.words = {
            threshold: self._alarm(
                f"word-below-{threshold}",
                f"OK while the {site} site's controller's word on the writer is below {threshold}: Route 53 follows it",
                MetricCondition(
                    WRITER_WORD, {"Site": site}, "GreaterThanOrEqualToThreshold", threshold, 1, missing_data="ignore"
                ),
                actions=[],
            )
            for threshold in WORD_THRESHOLDS[site]
        }
        self.register_outputs({})

    def _unreachable(self, database: Site, *, missing_data: str) -> MetricCondition:
        return MetricCondition(
            REACHABLE,
            {"Database": database, "Observer": self._site},
            "LessThanThreshold",
            1,
            self._settings.timings.trigger_evaluation_periods,
            missing_data,
        )

    def _alarm(
        self, what: str, description: str, condition: MetricCondition, actions: list[pulumi.Input[str]]
    ) -> aws.cloudwatch.MetricAlarm:
        name = self._settings.environment.names.of(what, self._site)
        return aws.cloudwatch.MetricAlarm(
            name,
            name=name,
            alarm_description=description,
            namespace=self._settings.metric_namespace,
            metric_name=condition.metric,
            dimensions=condition.dimensions,
            statistic="Maximum",
            period=self._settings.timings.alarm_period_seconds,
            evaluation_periods=condition.periods,
            datapoints_to_alarm=condition.periods,
            comparison_operator=condition.comparison,
            threshold=condition.threshold,
            treat_missing_data=condition.missing_data,
            alarm_actions=actions,
            opts=self._options,
        )


def word_alarm_names(settings: AutomationSettings, site: Site) -> list[str]:
    """The names of a site's word alarms, the lowest threshold first."""
    return [settings.environment.names.of(f"word-below-{threshold}", site) for threshold in WORD_THRESHOLDS[site]]
