"""The metrics that the functions publish for each other and for alarms: their names, and how finely they are kept."""

from __future__ import annotations

REACHABLE = "DatabaseReachable"
PROBE_LATENCY = "ProbeLatency"
WITNESS_SEES = "WitnessSeesDatabase"
WRITER_SITE = "WriterSite"
FENCED_WRITERS = "FencedWriters"
UNFENCED_WRITERS = "UnfencedWriters"
TWO_WRITERS = "TwoWriters"
NEWEST_COPY_AGE = "NewestCopyAge"
COPIES_IN_FLIGHT = "CopiesInFlight"
COPY_FAILURES = "CopyFailures"
COPY_BYTES = "CopyBytes"

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html#high-resolution-metrics
STANDARD_RESOLUTION_SECONDS = 60


def is_high_resolution(period_seconds: float) -> bool:
    """Whether a metric that is read in this period must be kept more finely than by the minute."""
    return period_seconds < STANDARD_RESOLUTION_SECONDS
