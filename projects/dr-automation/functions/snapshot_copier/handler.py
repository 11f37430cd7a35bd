"""The snapshot copier's entry: one run, by its schedule."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from function_runtime.clients import AwsClients
from function_runtime.clock import SystemClock
from function_runtime.embedded_metrics import emit
from function_runtime.metric_names import COPIES_IN_FLIGHT, COPY_BYTES, COPY_FAILURES, NEWEST_COPY_AGE
from snapshot_copier.copier import Copier, Finding
from snapshot_copier.settings import CopierSettings

logger = Logger()

# The age that is published where there is no good copy at all: older than any bound.
NO_COPY_SECONDS = 10 * 365 * 86_400.0


@cache
def _clients(home: str) -> AwsClients:
    return AwsClients(home)


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One run of the copier.

    Args:
        event: the schedule's event; what it says does not matter.
        context: the run's context; its request id names the run.

    Returns:
        What was done and what is wrong: ``{"done": [...], "problems": [...]}``.

    Raises:
        SettingError: the function's environment is wrong.
        Exception: whatever a needed service refuses. Lambda counts it as an error, and the next run tries again.
    """
    settings = CopierSettings.from_environment(os.environ)
    logger.append_keys(run_id=context.aws_request_id)
    clock = SystemClock()
    finding = Copier(_clients(settings.region), settings, clock).once()
    publish(finding, settings, clock.now())
    said = {"done": list(finding.done), "problems": [each.text for each in finding.problems]}
    logger.info("Copied", said=said, source_answers=finding.source_answers, site=settings.site)
    return said


def publish(finding: Finding, settings: CopierSettings, now: datetime) -> None:
    """Publish what alarms and the dashboard watch; an age only where the writer is in the other site."""
    values: dict[str, float | tuple[float, MetricUnit]] = {
        COPIES_IN_FLIGHT: len(finding.plan.in_flight),
        COPY_FAILURES: len(finding.problems),
        COPY_BYTES: (finding.plan.good_bytes, MetricUnit.Bytes),
    }
    if finding.source_answers is not None:
        newest = finding.plan.newest
        taken_at = None if newest is None else newest.taken_at
        age_seconds = NO_COPY_SECONDS if taken_at is None else (now - taken_at).total_seconds()
        values[NEWEST_COPY_AGE] = (age_seconds, MetricUnit.Seconds)
    emit(settings.metric_namespace, {"Site": settings.site}, values, settings.metric_period_seconds)
