"""The Route 53 health checks (R6). They follow alarms, because Route 53 cannot reach a private database itself.

A new check starts healthy, which would send a name to its first record: each keeps its identity for life.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from automation_layer.alarms import Alarms
from automation_layer.settings import AutomationSettings
from shared.providers import on
from shared.sites import Site

LAYER = "dr-automation"


class HealthChecks(pulumi.ComponentResource):
    """What the names' records hang on. Without data each check keeps its last known status, so no name moves.

    Which site is the writer is a vote of three on what the controllers say. Under the reader's check stand the same
    three and twice the one on the recovery site's database: four of these five are healthy where two of the three are
    and the database answers. A calculated check under a calculated one is not documented, and a child that is named
    twice is one child, so the check is made twice.

    Attributes:
        writer_is_in_primary: healthy while the primary site is the writer.
        standby_is_in_recovery: healthy while the primary site is the writer and the recovery site's database answers.
        primary_answers: healthy while the primary site's database answers (R6).
    """

    writer_is_in_primary: aws.route53.HealthCheck
    standby_is_in_recovery: aws.route53.HealthCheck
    primary_answers: aws.route53.HealthCheck

    def __init__(self, settings: AutomationSettings, alarms: Mapping[Site, Alarms], provider: aws.Provider) -> None:
        self._names = settings.environment.names
        super().__init__("postgres-dr:automation:HealthChecks", self._names.of("health-checks", LAYER))
        self._regions = settings.environment.regions
        self._options = on(provider, parent=self, protect=settings.environment.protected)
        words = [
            self._of_alarm(f"{site}-word-below-{threshold}", site, alarm)
            for site in Site
            for threshold, alarm in alarms[site].words.items()
        ]
        # Each database as the other site sees it, which is there to say so when the site is lost.
        self.primary_answers = self._of_alarm("primary-answers", Site.RECOVERY, alarms[Site.RECOVERY].answers)
        recovery_answers = [
            self._of_alarm("recovery-answers", Site.PRIMARY, alarms[Site.PRIMARY].answers, once="replica-answers"),
            self._of_alarm("recovery-answers-again", Site.PRIMARY, alarms[Site.PRIMARY].answers),
        ]
        self.writer_is_in_primary = self._calculated("writer-is-in-primary", words, 2)
        self.standby_is_in_recovery = self._calculated("standby-is-in-recovery", [*words, *recovery_answers], 4)
        self.register_outputs({})

    def _of_alarm(
        self, what: str, site: Site, alarm: aws.cloudwatch.MetricAlarm, once: str | None = None
    ) -> aws.route53.HealthCheck:
        """A check that follows an alarm.

        Args:
            what: its name.
            site: the alarm's site.
            alarm: what it follows.
            once: the name under which it was deployed earlier.
        """
        name = self._names.of(what, LAYER)
        aliases = [] if once is None else [pulumi.Alias(name=self._names.of(once, LAYER))]
        return aws.route53.HealthCheck(
            name,
            type="CLOUDWATCH_METRIC",
            cloudwatch_alarm_name=alarm.name,
            cloudwatch_alarm_region=self._regions[site],
            insufficient_data_health_status="LastKnownStatus",
            # The check copies the alarm's configuration when it is made and does not follow it by itself.
            triggers={
                "comparison": alarm.comparison_operator.apply(_text),
                "evaluation_periods": alarm.evaluation_periods.apply(_text),
                "period": alarm.period.apply(_text),
                "threshold": alarm.threshold.apply(_text),
                "treat_missing_data": alarm.treat_missing_data.apply(_text),
            },
            tags={"Name": name},
            opts=pulumi.ResourceOptions.merge(self._options, pulumi.ResourceOptions(aliases=aliases)),
        )

    def _calculated(
        self, what: str, children: Sequence[aws.route53.HealthCheck], threshold: int
    ) -> aws.route53.HealthCheck:
        """A check that is healthy while at least so many of its children are."""
        name = self._names.of(what, LAYER)
        return aws.route53.HealthCheck(
            name,
            type="CALCULATED",
            child_healthchecks=[child.id for child in children],
            child_health_threshold=threshold,
            tags={"Name": name},
            opts=self._options,
        )


def _text(value: float | str | None) -> str:
    # A whole number crosses the engine's wire as a float; 1 and 1.0 must not look like a change.
    return f"{value:g}" if isinstance(value, int | float) else str(value)
