"""The alarms of the automation itself: trigger, latch, reachability of the replica. All in the recovery site.

An alarm sees metrics of its own region only and is lost with it, so none of them may be in the primary site's region.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from automation_layer.settings import AutomationSettings
from automation_layer.topics import Topics
from function_runtime.metric_names import REACHABLE, WRITER_SITE
from shared.providers import on
from shared.sites import Site

LATCH_DIMENSIONS = {"Latch": "writer"}


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
    """Three alarms.

    Attributes:
        trigger: the primary answers no probe from the recovery site; missing data counts as no answer.
        latch: the recovery site is the writer. Missing data changes nothing; only the failover function's metric does.
        replica_unreachable: the recovery site's database does not answer its own site.
    """

    trigger: aws.cloudwatch.MetricAlarm
    latch: aws.cloudwatch.MetricAlarm
    replica_unreachable: aws.cloudwatch.MetricAlarm

    def __init__(self, settings: AutomationSettings, topics: Topics, provider: aws.Provider) -> None:
        super().__init__("postgres-dr:automation:Alarms", settings.environment.names.of("alarms", Site.RECOVERY))
        self._settings = settings
        self._options = on(provider, parent=self)
        periods = settings.timings.trigger_evaluation_periods
        self.trigger = self._alarm(
            "primary-unreachable",
            "No probe from the recovery site reaches the primary database: wakes the failover function",
            _unreachable(Site.PRIMARY, periods, missing_data="breaching"),
            actions=[topics.trigger.arn],
        )
        self.latch = self._alarm(
            "writer-latch",
            "The recovery site is the writer: moves the writer's name. Reset by the planned switch-back only",
            MetricCondition(
                WRITER_SITE, LATCH_DIMENSIONS, "GreaterThanOrEqualToThreshold", 1, 1, missing_data="ignore"
            ),
            actions=[],
        )
        self.replica_unreachable = self._alarm(
            "replica-unreachable",
            "No probe from the recovery site reaches the recovery site's database: a failover would not help",
            # Missing data of this probe already fires the trigger alarm.
            _unreachable(Site.RECOVERY, periods, missing_data="missing"),
            actions=[topics.failures.arn],
        )
        self.register_outputs({})

    def _alarm(
        self, what: str, description: str, condition: MetricCondition, actions: list[pulumi.Input[str]]
    ) -> aws.cloudwatch.MetricAlarm:
        name = self._settings.environment.names.of(what, Site.RECOVERY)
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


def _unreachable(database: Site, periods: int, *, missing_data: str) -> MetricCondition:
    return MetricCondition(
        REACHABLE,
        {"Database": database, "Observer": Site.RECOVERY},
        "LessThanThreshold",
        1,
        periods,
        missing_data,
    )
