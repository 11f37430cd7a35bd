"""The alarms on the automation itself, so that a broken failover is noticed before it is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from observability_layer.alarm import ABOVE, BELOW, Condition, alarm
from observability_layer.settings import ObservabilitySettings
from shared.contracts import AutomationContract
from shared.errors import SettingsError
from shared.providers import witness_provider
from shared.sites import Site

NAMESPACE = "AWS/Lambda"
# It is in no site, so its alarm carries the layer's name.
WITNESS_PLACE = "observability"


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
    """The failover function fails, is throttled or is silent; a probe, a fence-guard or the witness fails.

    Attributes:
        alarms: those of each site.
        witness: the one in the witness's region, None where there is no witness.
    """

    alarms: Mapping[Site, Sequence[aws.cloudwatch.MetricAlarm]]
    witness: aws.cloudwatch.MetricAlarm | None

    def __init__(
        self, settings: ObservabilitySettings, args: AutomationAlarmsArgs, providers: Mapping[Site, aws.Provider]
    ) -> None:
        names = settings.environment.names
        super().__init__("postgres-dr:observability:AutomationAlarms", names.of("automation-alarms", "observability"))
        automation = args.automation
        failover = automation.failover_function_name
        conditions = {
            Site.PRIMARY: [
                _failing(settings, "probe", "Errors", automation.primary_probe_function_name),
                _failing(settings, "fence-guard", "Errors", automation.primary_fence_guard_function_name),
                _unfenced(settings, automation.metric_namespace, Site.PRIMARY),
                _failing(settings, "snapshot-copier", "Errors", automation.primary_snapshot_copier_function_name),
                _copy_too_old(settings, automation.metric_namespace, Site.PRIMARY),
            ],
            Site.RECOVERY: [
                _failing(settings, "probe", "Errors", automation.recovery_probe_function_name),
                _failing(settings, "fence-guard", "Errors", automation.recovery_fence_guard_function_name),
                _unfenced(settings, automation.metric_namespace, Site.RECOVERY),
                _failing(settings, "snapshot-copier", "Errors", automation.recovery_snapshot_copier_function_name),
                _copy_too_old(settings, automation.metric_namespace, Site.RECOVERY),
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
        self.witness = None
        if settings.environment.witness_region is not None:
            self.witness = alarm(
                names,
                WITNESS_PLACE,
                _failing(settings, "witness", "Errors", automation.witness_function_name.apply(_present)),
                # An alarm can only tell a topic of its own region, and there is none: the dashboard shows it.
                (),
                witness_provider(settings.environment, settings.environment.witness_region),
                self,
            )
        self.register_outputs({})


def _present(function_name: str) -> str:
    if not function_name:
        raise SettingsError(
            "witnessRegion",
            "(set)",
            "deploy dr-automation first: it has no witness yet",
        )
    return function_name


def _unfenced(settings: ObservabilitySettings, metric_namespace: pulumi.Output[str], site: Site) -> Condition:
    return Condition(
        what="old-writer-unfenced",
        description=f"The {site} site's database is no longer the writer, takes writes, and could not be fenced: shut "
        "it by hand (its fence-guard's log says why it could not).",
        namespace=metric_namespace,
        metric="UnfencedWriters",
        dimensions={"Site": site},
        statistic="Maximum",
        comparison=ABOVE,
        threshold=0,
        period_seconds=settings.alarm_period_seconds,
        periods=1,
        # The guard may be gone with its region: then nothing is known, and its errors are another alarm's.
        missing_data="ignore",
    )


def _copy_too_old(settings: ObservabilitySettings, metric_namespace: pulumi.Output[str], site: Site) -> Condition:
    return Condition(
        what="snapshot-copy-too-old",
        description=f"The newest good copy of the writer's snapshots in the {site} site is older than "
        f"{settings.copy_age_hours} hours, or there is none: nox -s status says what could be restored.",
        namespace=metric_namespace,
        metric="NewestCopyAge",
        dimensions={"Site": site},
        statistic="Maximum",
        comparison=ABOVE,
        threshold=settings.copy_age_hours * 3600,
        # A copier runs every quarter of an hour; one missed run is no news.
        period_seconds=max(settings.alarm_period_seconds, 900),
        periods=2,
        # Nothing is published in the writer's own site; a copier that fails is another alarm's.
        missing_data="notBreaching",
    )


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
        # A single failed run is repaired by the next one.
        periods_to_alarm=2,
        missing_data="notBreaching",
    )


def _silent(settings: ObservabilitySettings, metric_namespace: pulumi.Output[str]) -> Condition:
    # The metric Invocations counts failed runs as well; this metric is published at the end of each complete run.
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
