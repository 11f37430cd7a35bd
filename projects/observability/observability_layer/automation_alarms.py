"""The alarms on the automation itself: nobody may find out in a disaster that the failover has not run for weeks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from observability_layer.alarm import ABOVE, BELOW, Condition, alarm
from observability_layer.settings import ObservabilitySettings
from shared.contracts import AutomationContract
from shared.sites import Site

NAMESPACE = "AWS/Lambda"


@dataclass(frozen=True)
class AutomationAlarmsArgs:
    """What the alarms watch and whom they tell.

    Attributes:
        automation: the layer watched.
        topic_arns: topics of each site.
    """

    automation: AutomationContract
    topic_arns: Mapping[Site, Sequence[pulumi.Input[str]]]


class AutomationAlarms(pulumi.ComponentResource):
    """The failover function fails, is throttled or is silent; a probe fails.

    Attributes:
        alarms: those of each site.
    """

    alarms: Mapping[Site, Sequence[aws.cloudwatch.MetricAlarm]]

    def __init__(
        self, settings: ObservabilitySettings, args: AutomationAlarmsArgs, providers: Mapping[Site, aws.Provider]
    ) -> None:
        names = settings.stack.names
        super().__init__("postgres-dr:observability:AutomationAlarms", names.of("automation-alarms", "observability"))
        automation = args.automation
        failover = automation.failover_function_name
        conditions = {
            Site.PRIMARY: [_failing(settings, "probe", "Errors", automation.primary_probe_function_name)],
            Site.RECOVERY: [
                _failing(settings, "probe", "Errors", automation.recovery_probe_function_name),
                _failing(settings, "failover", "Errors", failover),
                _failing(settings, "failover", "Throttles", failover),
                _silent(settings, automation.metric_namespace),
            ],
        }
        self.alarms = {
            site: [
                alarm(names, site, condition, args.topic_arns[site], providers[site], self)
                for condition in conditions[site]
            ]
            for site in Site
        }
        self.register_outputs({})


def _failing(settings: ObservabilitySettings, what: str, metric: str, function_name: pulumi.Output[str]) -> Condition:
    return Condition(
        what=f"{what}-{metric.lower()}",
        description=f"{metric} of the {what} function in two of three periods: its log says why.",
        namespace=NAMESPACE,
        metric=metric,
        dimensions={"FunctionName": function_name},
        statistic="Sum",
        comparison=ABOVE,
        threshold=0,
        period_seconds=settings.alarm_period_seconds,
        periods=3,
        # One failed run is what the next tick repairs.
        periods_to_alarm=2,
        missing_data="notBreaching",
    )


def _silent(settings: ObservabilitySettings, metric_namespace: pulumi.Output[str]) -> Condition:
    # Invocations would count runs that die on the way; this metric is the last thing every good run does.
    return Condition(
        what="failover-silent",
        description="No run of the failover function has come to its end lately: there is no automatic failover now.",
        namespace=metric_namespace,
        metric="WriterSite",
        dimensions={"Latch": "writer"},
        statistic="SampleCount",
        comparison=BELOW,
        threshold=1,
        period_seconds=settings.alarm_period_seconds,
        periods=5,
        missing_data="breaching",
    )
