"""What is deployed in it: the functions' settings, and their runs. All is read by the second; an outage takes three."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from aws_in_memory.aws import Aws
from aws_in_memory.clock import START, Clock
from failover.run import Run
from failover.settings import Settings
from fence_guard.finding import Finding, Memory
from fence_guard.guard import Guard
from fence_guard.settings import GuardSettings
from function_runtime.sites import Site
from snapshot_copier.copier import Copier
from snapshot_copier.copier import Finding as Copied
from snapshot_copier.settings import CopierSettings

REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
ENVIRONMENT = {
    "METRIC_NAMESPACE": "PostgresDR/test",
    "ENVIRONMENT_SUFFIX": "test",
    "PRIMARY_REGION": REGIONS[Site.PRIMARY],
    "RECOVERY_REGION": REGIONS[Site.RECOVERY],
    "REFERENCE_REGION": "ap-northeast-1",
    "SITE": "recovery",
    "PRIMARY_INSTANCE_ID": "database-primary",
    "RECOVERY_INSTANCE_ID": "database-recovery",
    "PRIMARY_DATABASE_GROUP_ID": "sg-database-primary",
    "RECOVERY_DATABASE_GROUP_ID": "sg-database-recovery",
    "PRIMARY_QUARANTINE_GROUP_ID": "sg-quarantine-primary",
    "RECOVERY_QUARANTINE_GROUP_ID": "sg-quarantine-recovery",
    "PRIMARY_PROBE_FUNCTION": "probe-primary",
    "RECOVERY_PROBE_FUNCTION": "probe-recovery",
    "PRIMARY_STATE_TABLE": "state-primary",
    "RECOVERY_STATE_TABLE": "state-recovery",
    "FAILURES_TOPIC_ARN": "arn:failures",
    "OTHER_FAILURES_TOPIC_ARN": "arn:failures-primary",
    "RECOVERIES_TOPIC_ARN": "arn:recoveries",
    "PRIMARY_WORD_ALARMS": "primary-below-1",
    "RECOVERY_WORD_ALARMS": "recovery-below-1,recovery-below-2",
    "HANDOVER_MARGIN_SECONDS": "2",
    "MASTER_SECRET_ID": "master",
    "WRITER_NAME": "writer.db.internal",
    "MODE": "automatic",
    "OUTAGE_SECONDS": "3",
    "METRIC_PERIOD_SECONDS": "1",
    "MAX_DATA_LOSS_SECONDS": "10",
    "COOL_DOWN_SECONDS": "60",
    "FENCE_TIMEOUT_SECONDS": "5",
    "PLANNED_FENCE_TIMEOUT_SECONDS": "240",
    "POLL_INTERVAL_SECONDS": "1",
    "RUN_BUDGET_SECONDS": "60",
    "PROMOTED_BACKUP_RETENTION_DAYS": "7",
    "VERIFY_TIMEOUT_SECONDS": "10",
    "NAME_TTL_SECONDS": "1",
    "DARK_WITHOUT_WITNESS": "failover",
    "WRITER_HUNG": "ask",
    "MAINTENANCE_OVERDUE": "ask",
    "REPLICATION_TIMEOUT_SECONDS": "1",
    "DASHBOARD_URL": "https://console.aws.example/dashboard",
    "RUNBOOK_URL": "https://docs.example/runbook",
}
# The durations on AWS: the defaults of Pulumi.yaml.
DEFAULTS = {
    "OUTAGE_SECONDS": "120",
    "METRIC_PERIOD_SECONDS": "60",
    "LAG_PERIOD_SECONDS": "60",
    "MAX_DATA_LOSS_SECONDS": "60",
    "COOL_DOWN_SECONDS": "3600",
    "FENCE_TIMEOUT_SECONDS": "20",
    "POLL_INTERVAL_SECONDS": "5",
    "RUN_BUDGET_SECONDS": "270",
    "REPLICATION_TIMEOUT_SECONDS": "30",
}
ENVIRONMENTS = {
    Site.RECOVERY: ENVIRONMENT,
    Site.PRIMARY: {
        **ENVIRONMENT,
        "SITE": "primary",
        "FAILURES_TOPIC_ARN": "arn:failures-primary",
        "OTHER_FAILURES_TOPIC_ARN": "arn:failures",
        "RECOVERIES_TOPIC_ARN": "arn:recoveries-primary",
    },
}
SETTINGS_OF = {site: Settings.from_environment(ENVIRONMENTS[site]) for site in Site}
SETTINGS = SETTINGS_OF[Site.RECOVERY]
COPIER_ENVIRONMENT = {
    site: {
        **ENVIRONMENTS[site],
        "PRIMARY_INSTANCE_ARN": "arn:database-primary",
        "RECOVERY_INSTANCE_ARN": "arn:database-recovery",
        "DATA_KEY_ARN": f"arn:key-{REGIONS[site]}",
        "RETENTION_DAYS": "7",
        "STUCK_HOURS": "12",
        "EXPORT_DAYS": "7",
        "EXPORT_BUCKET": "backups",
        "EXPORT_ROLE_ARN": "arn:export",
    }
    for site in Site
}
GUARD_ENVIRONMENT = {
    site: {
        **ENVIRONMENTS[site],
        "INSTANCE_ID": ENVIRONMENT[f"{site.name}_INSTANCE_ID"],
        "QUARANTINE_GROUP_ID": ENVIRONMENT[f"{site.name}_QUARANTINE_GROUP_ID"],
        "OTHER_INSTANCE_ID": ENVIRONMENT[f"{site.other.name}_INSTANCE_ID"],
        "OTHER_QUARANTINE_GROUP_ID": ENVIRONMENT[f"{site.other.name}_QUARANTINE_GROUP_ID"],
        "INSPECTION_GROUP_ID": f"sg-inspection-{site}",
        "GUARD_SECONDS": "40",
        "POLL_INTERVAL_SECONDS": "5",
    }
    for site in Site
}
GUARD_SETTINGS = {site: GuardSettings.from_environment(GUARD_ENVIRONMENT[site]) for site in Site}
SIX_SECONDS_LATER = START + timedelta(seconds=6)


def healthy(
    now: datetime = SIX_SECONDS_LATER,
    *,
    lag_seconds: float = 0.0,
    slot_lag_bytes: float | None = None,
    dark: Iterable[Site] = (),
    writer: Site = Site.PRIMARY,
) -> Aws:
    """Both databases are well.

    Args:
        now: the time.
        lag_seconds: how far the replica is behind.
        slot_lag_bytes: what it has yet to get, as the writer says.
        dark: the sites whose regions answer nothing.
        writer: the site whose database is the writer.
    """
    aws = Aws(ENVIRONMENT, now, writer)
    aws.standby.lag_seconds, aws.writer.slot_lag_bytes = lag_seconds, slot_lag_bytes
    aws.dark |= {REGIONS[site] for site in dark}
    return aws


def writer_dead(
    now: datetime = SIX_SECONDS_LATER,
    *,
    lag_seconds: float = 0.0,
    slot_lag_bytes: float | None = None,
    dark: Iterable[Site] = (),
    writer: Site = Site.PRIMARY,
) -> Aws:
    """The writer's database dies at START: by default two outages' time ago."""
    aws = healthy(now, lag_seconds=lag_seconds, slot_lag_bytes=slot_lag_bytes, dark=dark, writer=writer)
    aws.writer.dies(START)
    return aws


def unprepared(aws: Aws) -> Aws:
    """Nobody has prepared the databases for probes that log in."""
    for instance in aws.instances.values():
        instance.prepared = False
    return aws


def run(aws: Aws, run_id: str = "run", settings: Settings | None = None) -> dict[str, str]:
    """One run of a controller: of the one that has the authority in the beginning, where no settings are given."""
    return Run(aws, SETTINGS_OF[aws.home] if settings is None else settings, Clock(aws), run_id).once()


def guard(aws: Aws, site: Site = Site.PRIMARY, memory: Memory | None = None) -> Finding:
    """One run of a site's fence-guard; a new process where no memory is given.

    Raises:
        Exception: what makes the run a failed one, as its handler raises it.
    """
    finding = Guard(aws, GUARD_SETTINGS[site], Clock(aws), Memory() if memory is None else memory).once()
    if finding.error is not None:
        raise finding.error
    return finding


def copy(aws: Aws, site: Site = Site.RECOVERY) -> Copied:
    """One run of a site's snapshot copier."""
    return Copier(aws, CopierSettings.from_environment(COPIER_ENVIRONMENT[site]), Clock(aws)).once()
