"""The Route 53 health checks (R6). They follow alarms, because Route 53 cannot reach a private database itself.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from automation_layer.alarms import Alarms
from shared.naming import Names
from shared.providers import on

LAYER = "dr-automation"


class HealthChecks(pulumi.ComponentResource):
    """Three checks, each referenced by a record.

    Without data each keeps its last known status, so no name moves.

    Attributes:
        writer: healthy while the primary site is the writer.
        primary: healthy while the primary database answers (R6).
        replica: healthy while the recovery site's database answers.
    """

    writer: aws.route53.HealthCheck
    primary: aws.route53.HealthCheck
    replica: aws.route53.HealthCheck

    def __init__(self, names: Names, alarms: Alarms, region: str, provider: aws.Provider) -> None:
        super().__init__("postgres-dr:automation:HealthChecks", names.of("health-checks", LAYER))
        self._names = names
        self._region = region
        self._options = on(provider, parent=self)
        self.writer = self._check("writer-is-primary", alarms.latch)
        self.primary = self._check("primary-answers", alarms.trigger)
        self.replica = self._check("replica-answers", alarms.replica_unreachable)
        self.register_outputs({})

    def _check(self, what: str, alarm: aws.cloudwatch.MetricAlarm) -> aws.route53.HealthCheck:
        name = self._names.of(what, LAYER)
        return aws.route53.HealthCheck(
            name,
            type="CLOUDWATCH_METRIC",
            cloudwatch_alarm_name=alarm.name,
            cloudwatch_alarm_region=self._region,
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
            opts=self._options,
        )


def _text(value: float | str | None) -> str:
    # A whole number crosses the engine's wire as a float; 1 and 1.0 must not look like a change.
    return f"{value:g}" if isinstance(value, int | float) else str(value)
