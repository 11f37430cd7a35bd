"""The dashboard: on one page, who the writer is, whether both sites answer, what a failover would lose, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from observability_layer.settings import ObservabilitySettings
from observability_layer.widgets import Series, Widget, alarm_states, graph, laid_out, text
from shared.contracts import AutomationContract, DataContract
from shared.naming import DASHBOARD
from shared.providers import on
from shared.sites import Site

RDS = "AWS/RDS"
LAMBDA = "AWS/Lambda"
FENCED = "FencedWriters"
UNFENCED = "UnfencedWriters"


@dataclass(frozen=True)
class DashboardArgs:
    """What the dashboard shows.

    Attributes:
        data: both sites' databases.
        automation: probes, failover, metrics.
        alarm_arns: alarms of each site, the most important first.
        witness_alarm_arns: alarms of the witness's region; none where there is no witness.
    """

    data: DataContract
    automation: AutomationContract
    alarm_arns: Mapping[Site, Sequence[pulumi.Input[str]]]
    witness_alarm_arns: Sequence[pulumi.Input[str]]


class Dashboard(pulumi.ComponentResource):
    """One dashboard in the recovery site, with the metrics of both regions.

    Attributes:
        name: its name.
    """

    name: pulumi.Output[str]

    def __init__(self, settings: ObservabilitySettings, args: DashboardArgs, provider: aws.Provider) -> None:
        name = settings.environment.names.of(DASHBOARD, Site.RECOVERY)
        super().__init__("postgres-dr:observability:Dashboard", name)
        body = pulumi.Output.json_dumps({"widgets": laid_out(_rows(settings, args)), "start": "-PT3H"})
        dashboard = aws.cloudwatch.Dashboard(
            name, dashboard_name=name, dashboard_body=body, opts=on(provider, parent=self)
        )
        self.name = dashboard.dashboard_name
        self.register_outputs({})


def _rows(settings: ObservabilitySettings, args: DashboardArgs) -> list[list[Widget]]:
    regions = settings.environment.regions
    home = regions[Site.RECOVERY]
    return [
        [text(_heading(settings, args), height=4)],
        [
            alarm_states(f"Alarms in the {site} site ({regions[site]})", args.alarm_arns[site], regions[site])
            for site in (Site.RECOVERY, Site.PRIMARY)
        ]
        + _witness_alarms(settings, args),
        [
            graph(
                "Words on the writer: 0 = primary; recovery: 1 of primary, 2 of recovery, whose 1 leaves it to primary",
                home,
                [_word(settings, args, site) for site in Site],
                low=0,
                high=2,
            ),
            graph(
                "Database answers: 1 = yes, 0 = no",
                home,
                [_reachable(settings, args, database, observer) for database in Site for observer in Site]
                + _witnessed(settings, args),
                low=0,
                high=1,
            ),
            graph(
                "Fence-guards: old writers fenced, and not fenced though they had to be",
                home,
                [_guarded(settings, args, metric, site) for site in Site for metric in (FENCED, UNFENCED)],
                low=0,
                high=1,
            ),
        ],
        [
            graph(
                "Age of the newest good copy of a snapshot, in seconds",
                home,
                [_guarded(settings, args, "NewestCopyAge", site) for site in Site],
                low=0,
                limit=("people are told", settings.copy_age_hours * 3600),
            ),
            graph(
                "Snapshot copies: in flight, and failures",
                home,
                [
                    _guarded(settings, args, metric, site)
                    for site in Site
                    for metric in ("CopiesInFlight", "CopyFailures")
                ],
                low=0,
            ),
        ],
        [
            graph(
                "Replication lag in seconds (idle primaries climb to 300)",
                home,
                [_database("ReplicaLag", "Maximum", Site.RECOVERY, settings, args)],
                low=0,
                limit=("bound of C2", settings.thresholds.lag_seconds),
            ),
            graph(
                "WAL held back for the replica, in bytes",
                home,
                [
                    _database("OldestReplicationSlotLag", "Maximum", Site.PRIMARY, settings, args),
                    _database("TransactionLogsDiskUsage", "Maximum", Site.PRIMARY, settings, args),
                ],
                low=0,
                limit=("alarm", settings.thresholds.slot_lag_bytes),
            ),
        ],
        [
            _both("CPU in percent", "CPUUtilization", "Average", settings, args),
            _both("Connections", "DatabaseConnections", "Maximum", settings, args),
            _both("Free storage in bytes", "FreeStorageSpace", "Minimum", settings, args),
            _both("Freeable memory in bytes", "FreeableMemory", "Minimum", settings, args),
        ],
        [
            graph(
                "Failover functions: runs, errors, throttles",
                home,
                [
                    _function(metric, "Sum", args.automation.at(site).failover_function_name, regions[site])
                    for site in Site
                    for metric in ("Invocations", "Errors", "Throttles")
                ],
                low=0,
            ),
            graph(
                "Failover functions: longest run in ms (limit 300,000)",
                home,
                [
                    _function("Duration", "Maximum", args.automation.at(site).failover_function_name, regions[site])
                    for site in Site
                ],
                low=0,
            ),
            graph(
                "Probes, fence-guards and witness: errors",
                home,
                [
                    *(
                        _function("Errors", "Sum", name, regions[site])
                        for site in Site
                        for name in (
                            args.automation.at(site).probe_function_name,
                            args.automation.at(site).fence_guard_function_name,
                        )
                    ),
                    *_witness_errors(settings, args),
                ],
                low=0,
            ),
        ],
    ]


def _heading(settings: ObservabilitySettings, args: DashboardArgs) -> pulumi.Output[str]:
    regions = settings.environment.regions
    return pulumi.Output.format(
        "# PostgreSQL disaster recovery: {0}\n"
        "Primary site **{1}** (`{2}`), recovery site **{3}** (`{4}`). Clients write to **{5}**.\n\n"
        "Read from the top: an alarm, who the writer is, who answers, what a failover would lose. The decisions and "
        "their reasons are in the logs of `{6}` and `{7}`, the incidents in tables `{8}` and `{9}`.",
        settings.environment.suffix,
        regions[Site.PRIMARY],
        args.data.primary.database_id,
        regions[Site.RECOVERY],
        args.data.recovery.database_id,
        args.automation.writer_name,
        *(args.automation.at(site).failover_function_name for site in Site),
        *(args.automation.at(site).state_table_name for site in Site),
    )


def _word(settings: ObservabilitySettings, args: DashboardArgs, site: Site) -> Series:
    return Series(
        args.automation.metric_namespace,
        "WriterWord",
        {"Site": site},
        "Maximum",
        settings.environment.regions[site],
        f"{site}'s word",
    )


def _reachable(settings: ObservabilitySettings, args: DashboardArgs, database: Site, observer: Site) -> Series:
    return Series(
        args.automation.metric_namespace,
        "DatabaseReachable",
        {"Database": database, "Observer": observer},
        "Maximum",
        settings.environment.regions[observer],
        f"{database} seen from {observer}",
    )


def _witnessed(settings: ObservabilitySettings, args: DashboardArgs) -> list[Series]:
    if settings.environment.witness_region is None:
        return []
    return [
        Series(
            args.automation.metric_namespace,
            "WitnessSeesDatabase",
            {"Database": database},
            "Maximum",
            settings.environment.witness_region,
            f"{database} seen by the witness",
        )
        for database in Site
    ]


def _witness_alarms(settings: ObservabilitySettings, args: DashboardArgs) -> list[Widget]:
    region = settings.environment.witness_region
    return (
        [] if region is None else [alarm_states(f"Alarms of the witness ({region})", args.witness_alarm_arns, region)]
    )


def _witness_errors(settings: ObservabilitySettings, args: DashboardArgs) -> list[Series]:
    if settings.environment.witness_region is None:
        return []
    return [_function("Errors", "Sum", args.automation.witness_function_name, settings.environment.witness_region)]


def _guarded(settings: ObservabilitySettings, args: DashboardArgs, metric: str, site: Site) -> Series:
    return Series(
        args.automation.metric_namespace,
        metric,
        {"Site": site},
        "Maximum",
        settings.environment.regions[site],
        f"{site} {metric}",
    )


def _database(metric: str, statistic: str, site: Site, settings: ObservabilitySettings, args: DashboardArgs) -> Series:
    return Series(
        RDS,
        metric,
        {"DBInstanceIdentifier": args.data.at(site).database_id},
        statistic,
        settings.environment.regions[site],
        f"{site} {metric}",
    )


def _both(title: str, metric: str, statistic: str, settings: ObservabilitySettings, args: DashboardArgs) -> Widget:
    series = [_database(metric, statistic, site, settings, args) for site in Site]
    return graph(title, settings.environment.regions[Site.RECOVERY], series, low=0)


def _function(metric: str, statistic: str, name: pulumi.Output[str], region: str) -> Series:
    label = pulumi.Output.concat(name, " ", metric)
    return Series(LAMBDA, metric, {"FunctionName": name}, statistic, region, label)
