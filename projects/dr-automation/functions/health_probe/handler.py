"""The probe's entry: one run asks both databases several times and prints each reading as a metric."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from function_runtime.embedded_metrics import emit
from function_runtime.metric_names import PROBE_LATENCY, REACHABLE
from health_probe.rounds import Reading, readings
from health_probe.settings import ProbeSettings

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
        publish(reading, settings)
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


def publish(reading: Reading, settings: ProbeSettings) -> None:
    """Print the reading in the embedded metric format, at once.

    Not at the end of the run: the failover reads these metrics while the run goes on. Through standard output because
    the probe sits in a network without a way to any AWS API.
    """
    dimensions = {"Database": reading.database, "Observer": settings.observer}
    values: dict[str, float | tuple[float, MetricUnit]] = {REACHABLE: int(reading.result.ready)}
    if reading.result.ready:
        # The time it takes not to answer is the timeout and says nothing.
        values[PROBE_LATENCY] = (round(reading.result.latency_ms, 3), MetricUnit.Milliseconds)
    emit(settings.metric_namespace, dimensions, values, settings.probe_interval_seconds)
