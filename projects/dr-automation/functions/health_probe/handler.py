"""The probe's entry: one run asks both databases several times and prints each reading as a metric."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricResolution, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from health_probe.rounds import Reading, readings
from health_probe.settings import ProbeSettings

REACHABLE_METRIC = "DatabaseReachable"
LATENCY_METRIC = "ProbeLatency"
STANDARD_RESOLUTION_SECONDS = 60

logger = Logger()


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, dict[str, int]]:
    """Probe both databases for one run.

    Args:
        event: the schedule's event; what it says does not matter.
        context: the run's context.

    Returns:
        For each database how many probes ended with which reason.

    Raises:
        SettingError: the function's environment is wrong. A dead database raises nothing.
    """
    settings = ProbeSettings.from_environment(os.environ)
    summary: dict[str, Counter[str]] = {site: Counter() for site in settings.databases}
    for reading in readings(
        settings.databases,
        count=settings.probes_per_run,
        interval_seconds=settings.probe_interval_seconds,
        timeout_seconds=settings.probe_timeout_seconds,
    ):
        emit(reading, settings)
        summary[reading.database][reading.result.reason] += 1
        if not reading.result.ready:
            logger.warning(
                "Database not reachable",
                database=reading.database,
                observer=settings.observer,
                reason=reading.result.reason,
                detail=reading.result.detail,
                latency_ms=round(reading.result.latency_ms, 1),
            )
    return {site: dict(counts) for site, counts in summary.items()}


def emit(reading: Reading, settings: ProbeSettings) -> None:
    """Print the reading in the embedded metric format, at once.

    Not at the end of the run: the failover reads these metrics while the run goes on. Through standard output because
    the probe sits in a network without a way to any AWS API.
    """
    # Without a service name, or Powertools adds it as a third dimension and nobody finds the metric.
    metrics = EphemeralMetrics(namespace=settings.metric_namespace, service="")
    metrics.add_dimension("Database", reading.database)
    metrics.add_dimension("Observer", settings.observer)
    high = settings.probe_interval_seconds < STANDARD_RESOLUTION_SECONDS
    resolution = MetricResolution.High if high else MetricResolution.Standard
    metrics.add_metric(REACHABLE_METRIC, MetricUnit.Count, int(reading.result.ready), resolution)
    if reading.result.ready:
        # The time it takes not to answer is the timeout and says nothing.
        metrics.add_metric(LATENCY_METRIC, MetricUnit.Milliseconds, round(reading.result.latency_ms, 3), resolution)
    metrics.flush_metrics()
