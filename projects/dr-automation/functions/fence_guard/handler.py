"""The fence-guard's entry: one run, at the clock's tick."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricResolution, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from failover.clients import AwsClients
from fence_guard.guard import Finding, Guard
from fence_guard.settings import GuardSettings
from function_runtime.clock import SystemClock

FENCED_METRIC = "FencedWriters"
UNFENCED_METRIC = "UnfencedWriters"

logger = Logger()


@cache
def _clients(home: str) -> AwsClients:
    return AwsClients(home)


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:
    """One run of the guard.

    Args:
        event: the schedule's event; what it says does not matter.
        context: the run's context; its request id names the run.

    Returns:
        What was found or done, and why: ``{"code": ..., "reason": ...}``.

    Raises:
        SettingError: the function's environment is wrong.
        Exception: whatever a needed service refuses. Lambda counts it as an error, and the next run tries again.
    """
    settings = GuardSettings.from_environment(os.environ)
    logger.append_keys(run_id=context.aws_request_id)
    finding = Guard(_clients(settings.region), settings, SystemClock()).once()
    emit(finding, settings)
    logger.info("Guarded", code=finding.code, reason=finding.text, site=settings.site)
    return {"code": finding.code, "reason": finding.text}


def emit(finding: Finding, settings: GuardSettings) -> None:
    """Print what alarms and the dashboard watch, in the embedded metric format: writers fenced, and not fenced."""
    # Without a service name, or Powertools adds it as a further dimension and nobody finds the metric.
    metrics = EphemeralMetrics(namespace=settings.metric_namespace, service="")
    metrics.add_dimension("Site", settings.site)
    resolution = MetricResolution.High if settings.high_resolution else MetricResolution.Standard
    metrics.add_metric(FENCED_METRIC, MetricUnit.Count, int(finding.newly_fenced), resolution)
    metrics.add_metric(UNFENCED_METRIC, MetricUnit.Count, int(finding.unfenced), resolution)
    metrics.flush_metrics()
