"""How long things take in the lab's RDS."""

from __future__ import annotations

from dataclasses import dataclass

from lab.minute import MINUTE_SECONDS, RDS_METRIC_DELAY, Delay


@dataclass(frozen=True)
class Timings:
    """Durations where the lab has nothing to wait for. AWS needs minutes for each.

    Attributes:
        backup_seconds: how long an instance is `backing-up`.
        modify_seconds: how long it is `modifying`.
        promotion_seconds: from PromoteReadReplica to the server's promotion.
        shutdown_seconds: how long a reboot waits for the server to shut down before it is killed.
        heartbeat_seconds: how often RDS's agent writes to an idle writer (AWS: about 5 minutes; the same part of them).
        measure_seconds: how often metrics are measured and published (AWS: 60).
        metric_delay: how long after the end of such a period its sample can be read.
        watch_seconds: how often RDS looks whether a server has crashed, or has started again.
    """

    backup_seconds: float = 0.5
    modify_seconds: float = 0.3
    promotion_seconds: float = 1.0
    shutdown_seconds: float = 3.0
    heartbeat_seconds: float = 5.0 * MINUTE_SECONDS
    measure_seconds: float = MINUTE_SECONDS
    metric_delay: Delay = RDS_METRIC_DELAY
    watch_seconds: float = 0.25
