"""What both databases are configured with. One list for both sites, so that they cannot differ. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import SettingsError


@dataclass(frozen=True)
class Parameter:
    """One DB parameter.

    Attributes:
        name: as PostgreSQL or RDS calls it.
        value: in PostgreSQL's base unit.
        apply_method: all of the layer's own are dynamic, and a change takes effect without a restart. What a stack adds
            may be static, and waits for a restart.
    """

    name: str
    value: str
    apply_method: str = "immediate"


# A replica says at least three times within the timeout how far it is.
REPORTS_IN_TIMEOUT = 3
LONGEST_REPORT_INTERVAL_SECONDS = 10


def database_parameters(
    *,
    max_slot_wal_keep_size_megabytes: int,
    slow_statement_milliseconds: int,
    replication_timeout_seconds: int,
    further: Sequence[Parameter] = (),
) -> tuple[Parameter, ...]:
    """The parameters of primary and replica.

    What a standby must have at least as large as its primary (``max_connections``, ``max_wal_senders``,
    ``max_worker_processes``, ``max_prepared_transactions``, ``max_locks_per_transaction``) is not set at all: RDS
    derives the first from the instance class, which both share, and the others have the same defaults.
    https://www.postgresql.org/docs/14/hot-standby.html#HOT-STANDBY-ADMIN

    Args:
        max_slot_wal_keep_size_megabytes: WAL a lagging replica may pin on the primary.
        slow_statement_milliseconds: from which duration statements are logged; -1 for none.
        replication_timeout_seconds: after so much silence either end of the replication takes the other for gone.
        further: what a stack adds.

    Raises:
        SettingsError: a stack adds one of the layer's own.
    """
    report_interval_seconds = min(LONGEST_REPORT_INTERVAL_SECONDS, replication_timeout_seconds // REPORTS_IN_TIMEOUT)
    own = (
        # C1: a connection without TLS is refused.
        Parameter("rds.force_ssl", "1"),
        # A cross-region replica lives on a slot, and PostgreSQL keeps WAL for a slot without limit: a replica that is
        # gone would fill the primary's disk.
        Parameter("max_slot_wal_keep_size", str(max_slot_wal_keep_size_megabytes)),
        # Whether the replica still hears from the writer is evidence for a failover. pg_stat_wal_receiver stays
        # "streaming" for this timeout after the writer's host has vanished, and while the writer is idle only the
        # receiver's own ping, after half of it, makes the writer say something: the sender's keepalive waits for half
        # of its timeout without any word from the replica, which reports before that.
        # https://www.postgresql.org/docs/14/runtime-config-replication.html#GUC-WAL-RECEIVER-TIMEOUT
        # In milliseconds, but for the interval in seconds.
        Parameter("wal_receiver_timeout", str(replication_timeout_seconds * 1000)),
        Parameter("wal_sender_timeout", str(replication_timeout_seconds * 1000)),
        Parameter("wal_receiver_status_interval", str(report_interval_seconds)),
        # C2: what a reader on the replica may delay replay by. A query in the way is cancelled after 30 s, and the
        # replica never asks its primary to keep dead rows for it: it is there to take over, not to report.
        Parameter("max_standby_streaming_delay", "30000"),
        Parameter("max_standby_archive_delay", "30000"),
        Parameter("hot_standby_feedback", "0"),
        Parameter("log_min_duration_statement", str(slow_statement_milliseconds)),
        Parameter("log_statement", "ddl"),
        Parameter("log_lock_waits", "1"),
        # In kB: sorts and joins that spill 10 MB or more to disk.
        Parameter("log_temp_files", "10240"),
        # In milliseconds: vacuum runs that take 10 s or more.
        Parameter("log_autovacuum_min_duration", "10000"),
        Parameter("log_checkpoints", "1"),
    )
    for parameter in further:
        if parameter.name in {each.name for each in own}:
            raise SettingsError(
                "furtherParameters",
                parameter.name,
                "the layer sets it itself: take it out of the list",
            )
    return (*own, *further)
