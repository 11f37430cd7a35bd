"""How long a snapshot copier plans with many snapshots, and how many calls a run makes of few and of many."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from aws_in_memory.aws import Aws
from aws_in_memory.deployed import COPIER_ENVIRONMENT, ENVIRONMENT, copy
from benchmarks.measurement import Measurement
from function_runtime.sites import Site
from snapshot_copier.plan import COPIED_BY_TAG, NAME_TAG, Seen, plan
from snapshot_copier.settings import CopierSettings
from snapshot_copier.snapshots import Snapshot

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MANY = 5000
TARGET_SECONDS = 1.0


def measure() -> list[Measurement]:
    """Planning with 5,000 snapshots, and the calls of a run with 10 and with 5,000."""
    rules = CopierSettings.from_environment(COPIER_ENVIRONMENT[Site.RECOVERY]).rules
    source = [_snapshot(f"rds:database-primary-{number}", number) for number in range(MANY // 2)]
    here = [_snapshot(f"copy-database-primary-{number}", number, rules.copied_by) for number in range(MANY // 2)]
    started = time.perf_counter()
    found = plan(Seen(NOW, source, here), rules)
    seconds = time.perf_counter() - started
    return [
        Measurement(
            f"planning with {MANY} snapshots", seconds, "s", TARGET_SECONDS, f"{len(found.delete)} copies to delete"
        ),
        *(_calls(count) for count in (10, MANY)),
    ]


def _calls(count: int) -> Measurement:
    aws = Aws(ENVIRONMENT)
    for number in range(count):
        aws.rds[Site.RECOVERY].take("somebody-elses", "manual", f"by-hand-{number}")
    copy(aws)
    listed = aws.called.count("rds.describe_db_snapshots")
    return Measurement(
        f"API calls of a run with {count} snapshots", len(aws.called), "calls", None, f"{listed} pages of 100 snapshots"
    )


def _snapshot(identifier: str, hours: int, copied_by: str | None = None) -> Snapshot:
    tags = {} if copied_by is None else {COPIED_BY_TAG: copied_by, NAME_TAG: identifier}
    taken_at = NOW - timedelta(hours=hours)
    return Snapshot(identifier, f"arn:{identifier}", "database-primary", "available", taken_at, "arn:key", 100, 1, tags)
