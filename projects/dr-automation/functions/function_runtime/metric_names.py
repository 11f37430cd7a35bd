"""The metrics that the functions publish for each other and for alarms: their names, and how finely they are kept."""

from __future__ import annotations

REACHABLE = "DatabaseReachable"
"""Whether the database answers, as Route 53's checks and alarms read it: of standard resolution, they read no other."""
ANSWERS = "DatabaseAnswers"
"""The same for the controller, as finely as it is probed. Those that follow are as fine."""
SESSION = "SessionOutcome"
"""How the probe's session ended, as a `SessionOutcome`."""
COMMITTED = "CommittedAt"
"""The heartbeat that the probe has committed, by the database's clock, in seconds since 1970: only a writer has any."""
HEARTBEAT = "HeartbeatAt"
"""The newest heartbeat that a replica has received, by its writer's clock, in seconds since 1970."""
RECEIVED_POSITION = "ReceivedPosition"
REPLAYED_POSITION = "ReplayedPosition"
"""How far the replica has received and replayed the writer's log, in bytes."""
STREAM_MESSAGE = "StreamMessageAt"
"""When the replica's receiver last heard from its sender, in seconds since 1970; no sample where none runs."""
PROBE_LATENCY = "ProbeLatency"
WITNESS_SEES = "WitnessSeesDatabase"
WRITER_WORD = "WriterWord"
"""A site's controller's word on which site is the writer (`failover.latch`)."""
FENCED_WRITERS = "FencedWriters"
UNFENCED_WRITERS = "UnfencedWriters"
TWO_WRITERS = "TwoWriters"
NEWEST_COPY_AGE = "NewestCopyAge"
COPIES_IN_FLIGHT = "CopiesInFlight"
COPY_FAILURES = "CopyFailures"
COPY_BYTES = "CopyBytes"

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html#high-resolution-metrics
STANDARD_RESOLUTION_SECONDS = 60
READ_BY_ROUTE_53 = frozenset({REACHABLE, WRITER_WORD})
"""Their alarms' data go to health checks, which read no high-resolution metrics.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-types.html
"""


def is_high_resolution(metric: str, period_seconds: float) -> bool:
    """Whether a metric that is read in this period must be kept more finely than by the minute, and may be."""
    return period_seconds < STANDARD_RESOLUTION_SECONDS and metric not in READ_BY_ROUTE_53
