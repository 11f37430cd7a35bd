"""What RDS's agent does on each server: measure it, and write heartbeats, so that an idle replica shows no lag."""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import psycopg

from lab.postgres import PostgresServer

_KEPT_SAMPLES = 30
# Measured in the middle of each period, so that each has one sample.
_MEASURED_AT = 0.5
# How often in a period it is tried to reach a server that is down.
_TRIES_PER_PERIOD = 10

_HEARTBEAT = "INSERT INTO heartbeat VALUES (1, now()) ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at"

# ReplicaLag as RDS defines it:
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PostgreSQL.Replication.ReadReplicas.Monitor.html
_MEASURE = """
SELECT pg_is_in_recovery() AS is_replica,
       (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND usename <> 'rdsadmin')::float8 AS connections,
       extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8 AS lag_seconds,
       CASE WHEN NOT pg_is_in_recovery() THEN
         (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) FROM pg_replication_slots)
       END::float8 AS oldest_slot_bytes,
       (SELECT sum(size) FROM pg_ls_waldir())::float8 AS wal_bytes,
       (SELECT sum(pg_database_size(oid)) FROM pg_database)::float8 AS database_bytes
"""


@dataclass(frozen=True)
class Metric:
    """One value of one `AWS/RDS` metric."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class Sample:
    """What was measured at one time."""

    taken_at: datetime.datetime
    metrics: tuple[Metric, ...]


class ServerAgent:
    """Measures one server periodically, in a thread of its own: a server that hangs delays no other."""

    def __init__(
        self,
        server: PostgresServer,
        allocated_bytes: Callable[[], int],
        period_seconds: float,
        heartbeat_seconds: float,
    ) -> None:
        """Start measuring.

        Args:
            server: the server.
            allocated_bytes: tells the instance's allocated storage.
            period_seconds: how often it is measured.
            heartbeat_seconds: how often a heartbeat is written to a writer.
        """
        self._server = server
        self._allocated_bytes = allocated_bytes
        self._period_seconds = period_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._ended = threading.Event()
        self._samples: deque[Sample] = deque(maxlen=_KEPT_SAMPLES)
        self._processes: dict[int, psutil.Process] = {}
        self._beating = threading.Thread()
        threading.Thread(target=self._measure, name=f"rds-agent-{server.name}", daemon=True).start()

    def take(self) -> list[Sample]:
        """What was measured since the last call, oldest first."""
        taken = []
        while self._samples:
            taken.append(self._samples.popleft())
        return taken

    def end(self) -> None:
        """Stop measuring; a query that hangs ends with its server."""
        self._ended.set()

    def _measure(self) -> None:
        while not self._ended.is_set():
            # Down or starting: nothing is measured, so the metric has missing data.
            with contextlib.suppress(psycopg.Error, OSError):
                if self._server.expected_running:
                    self._measure_while_connected()
            self._ended.wait(self._period_seconds / _TRIES_PER_PERIOD)

    def _measure_while_connected(self) -> None:
        last_beat = float("-inf")
        with self._server.connect() as connection:
            connection.execute("SET statement_timeout = '1s'")
            while not self._ended.wait(_seconds_to_tick(self._period_seconds, _MEASURED_AT)):
                row = connection.execute(_MEASURE).fetchone()
                if row is None:
                    return
                is_replica, connections, lag_seconds, slot_bytes, wal_bytes, database_bytes = row
                metrics = self._metrics(is_replica, connections, lag_seconds, slot_bytes, wal_bytes, database_bytes)
                self._samples.append(Sample(datetime.datetime.now(datetime.UTC), tuple(metrics)))
                if not is_replica and time.monotonic() - last_beat >= self._heartbeat_seconds:
                    last_beat = time.monotonic()
                    self._beat()

    def _beat(self) -> None:
        """Write a heartbeat beside the measurements, which go on where commits hang; then there is no second one."""

        def write() -> None:
            with contextlib.suppress(psycopg.Error), self._server.connect() as connection:
                connection.execute(_HEARTBEAT)

        if not self._beating.is_alive():
            self._beating = threading.Thread(target=write, name=f"rds-heartbeat-{self._server.name}", daemon=True)
            self._beating.start()

    def _metrics(
        self,
        is_replica: bool,  # noqa: FBT001 - a column
        connections: float,
        lag_seconds: float | None,
        slot_bytes: float | None,
        wal_bytes: float,
        database_bytes: float,
    ) -> list[Metric]:
        disk = self._server.disk
        used_bytes = database_bytes + wal_bytes
        free_bytes = max(0.0, self._allocated_bytes() - used_bytes) if disk is None else disk.free_bytes()
        metrics = [
            Metric("DatabaseConnections", connections, "Count"),
            Metric("TransactionLogsDiskUsage", wal_bytes, "Bytes"),
            Metric("FreeStorageSpace", free_bytes, "Bytes"),
            Metric("CPUUtilization", self._cpu_percent(), "Percent"),
        ]
        if is_replica:
            # -1 is RDS's "replication is not active": nothing was replayed since the start.
            metrics.append(Metric("ReplicaLag", -1.0 if lag_seconds is None else max(0.0, lag_seconds), "Seconds"))
        elif slot_bytes is not None:
            metrics.append(Metric("OldestReplicationSlotLag", slot_bytes, "Bytes"))
        return metrics

    def _cpu_percent(self) -> float:
        """CPU time of the server's processes since the last measurement, as a share of the whole machine."""
        total = 0.0
        alive: dict[int, psutil.Process] = {}
        for process in self._server.processes():
            known = self._processes.get(process.pid, process)
            alive[process.pid] = known
            try:
                total += known.cpu_percent(None)
            except psutil.NoSuchProcess:
                continue
        self._processes = alive
        return min(100.0, total / (psutil.cpu_count() or 1))


def _seconds_to_tick(period_seconds: float, part: float) -> float:
    """Seconds until the clock's period has next passed to this part of it (0 to 1)."""
    position = (time.time() / period_seconds - part) % 1.0
    return (1.0 - position) * period_seconds
