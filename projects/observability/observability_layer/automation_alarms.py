"""The alarms on the automation itself, so that a broken failover is noticed before it is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi
import pulumi_aws as aws

from observability_layer.alarm import ABOVE, BELOW, Condition, alarm
from observability_layer.settings import ObservabilitySettings
from shared.cloudwatch import STANDARD_PERIOD_SECONDS
from shared.contracts import AutomationContract
from shared.errors import SettingsError
from shared.providers import witness_provider
from shared.sites import Site

NAMESPACE = "AWS/Lambda"
# It is in no site, so its alarm carries the layer's name.
WITNESS_PLACE = "observability"
# A copier is run every quarter of an hour.
COPIER_PERIOD_SECONDS = 900


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
    """A function fails or is silent, the failover is throttled, and what the functions themselves found out of order.

    Attributes:
        alarms: those of each site.
        witness: those in the witness's region, none where there is no witness.
    """

    alarms: Mapping[Site, Sequence[aws.cloudwatch.MetricAlarm]]
    witness: Sequence[aws.cloudwatch.MetricAlarm]

    def __init__(
        self, settings: ObservabilitySettings, args: AutomationAlarmsArgs, providers: Mapping[Site, aws.Provider]
    ) -> None:
        names = settings.environment.names
        super().__init__("postgres-dr:observability:AutomationAlarms", names.of("automation-alarms", "observability"))
        automation = args.automation
        self.alarms = {
            site: [
                alarm(names, site, condition, args.topic_arns[site], providers[site], self)
                for condition in _of_site(settings, automation, site)
            ]
            for site in Site
        }
        self.witness = []
        if settings.environment.witness_region is not None:
            provider = witness_provider(settings.environment, settings.environment.witness_region)
            self.witness = [
                # An alarm can only tell a topic of its own region, and there is none: the dashboard shows them.
                alarm(names, WITNESS_PLACE, condition, (), provider, self)
                for condition in _of_witness(settings, automation.witness_function_name.apply(_present))
            ]
        self.register_outputs({})


def _of_site(settings: ObservabilitySettings, automation: AutomationContract, site: Site) -> list[Condition]:
    """What both sites have."""
    of_the_site = automation.at(site)
    failover, probe = of_the_site.failover_function_name, of_the_site.probe_function_name
    guard, copier = of_the_site.fence_guard_function_name, of_the_site.snapshot_copier_function_name
    return [
        _two_writers(settings, automation.metric_namespace, site),
        _failing(settings, "probe", "Errors", probe),
        _silent(
            settings,
            "probe",
            probe,
            f"The {site} site's probe does not run: from there nobody sees any more whether the databases answer, and "
            "every decision on a failover lacks that. Deploy dr-automation again.",
        ),
        _failing(settings, "fence-guard", "Errors", guard),
        _silent(
            settings,
            "fence-guard",
            guard,
            f"The {site} site's fence-guard does not run: an old writer that comes back there would not be shut. "
            "Deploy dr-automation again.",
        ),
        _unfenced(settings, automation.metric_namespace, site),
        _failing(settings, "snapshot-copier", "Errors", copier),
        _copier_silent(settings, copier, site),
        _copy_too_old(settings, automation.metric_namespace, site),
        _failing(settings, "failover", "Errors", failover),
        _failing(settings, "failover", "Throttles", failover),
        _no_complete_run(settings, automation.metric_namespace, site),
    ]


def _of_witness(settings: ObservabilitySettings, function_name: pulumi.Output[str]) -> list[Condition]:
    return [
        _failing(settings, "witness", "Errors", function_name),
        _silent(
            settings,
            "witness",
            function_name,
            "The witness does not run: nothing tells a region that is down from one that only cannot be reached, and "
            "the setting darkWithoutWitness decides. Deploy dr-automation again.",
        ),
    ]


def _present(function_name: str) -> str:
    if not function_name:
        raise SettingsError(
            "witnessRegion",
            "(set)",
            "deploy dr-automation first: it has no witness yet",
        )
    return function_name


def _two_writers(settings: ObservabilitySettings, metric_namespace: pulumi.Output[str], site: Site) -> Condition:
    return Condition(
        what="two-writers",
        description="Both sites' databases take writes. Which one is the writer is on record: nox -s status. Stop the "
        "clients of the other one (runbook: two-writers).",
        namespace=metric_namespace,
        metric="TwoWriters",
        dimensions={"Site": site},
        statistic="Maximum",
        comparison=ABOVE,
        threshold=0,
        period_seconds=settings.alarm_period_seconds,
        periods=1,
        # A guard may be gone with its region: then nothing is known, and that it fails or is silent is another alarm's.
        missing_data="ignore",
    )


def _unfenced(settings: ObservabilitySettings, metric_namespace: pulumi.Output[str], site: Site) -> Condition:
    return replace(
        _two_writers(settings, metric_namespace, site),
        what="old-writer-unfenced",
        description=f"The {site} site's database is no longer the writer, takes writes, and could not be fenced: shut "
        "it by hand (its fence-guard's log says why it could not).",
        metric="UnfencedWriters",
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
        # One missed run is no news.
        period_seconds=max(settings.alarm_period_seconds, COPIER_PERIOD_SECONDS),
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


def _silent(
    settings: ObservabilitySettings, what: str, function_name: pulumi.Output[str], description: str
) -> Condition:
    """A function that is run each minute is not run any more."""
    return Condition(
        what=f"{what}-silent",
        description=description,
        namespace=NAMESPACE,
        # It counts failed runs as well, which are another alarm's.
        metric="Invocations",
        dimensions={"FunctionName": function_name},
        statistic="Sum",
        comparison=BELOW,
        threshold=1,
        period_seconds=settings.alarm_period_seconds,
        periods=5,
        # Lambda publishes nothing for a function that is not run.
        missing_data="breaching",
    )


def _copier_silent(settings: ObservabilitySettings, function_name: pulumi.Output[str], site: Site) -> Condition:
    description = (
        f"The {site} site's snapshot copier does not run: nothing is copied or exported there, and what could be "
        "restored grows older. Deploy dr-automation again."
    )
    in_minutes = settings.alarm_period_seconds >= STANDARD_PERIOD_SECONDS
    return replace(
        _silent(settings, "snapshot-copier", function_name, description),
        # In the lab, where a second stands for twelve, a copier is run as often as the others.
        period_seconds=COPIER_PERIOD_SECONDS if in_minutes else settings.alarm_period_seconds,
        # copyScheduleSeconds is an hour at most: even then one missed run is no news.
        periods=9,
    )


def _no_complete_run(settings: ObservabilitySettings, metric_namespace: pulumi.Output[str], site: Site) -> Condition:
    # The metric Invocations counts failed runs as well; this metric is published at the end of each complete run.
    return Condition(
        what="failover-silent",
        description=f"No run of the {site} site's failover function has come to its end lately: while it has the "
        "authority (nox -s status), there is no automatic failover.",
        namespace=metric_namespace,
        metric="WriterWord",
        dimensions={"Site": site},
        statistic="SampleCount",
        comparison=BELOW,
        threshold=1,
        period_seconds=settings.alarm_period_seconds,
        periods=5,
        missing_data="breaching",
    )
