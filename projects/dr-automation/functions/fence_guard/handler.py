"""The fence-guard's entry: one run, at the clock's tick."""

from __future__ import annotations

import os
from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from fence_guard.finding import Finding, Memory
from fence_guard.guard import Guard
from fence_guard.settings import GuardSettings
from function_runtime.clients import AwsClients
from function_runtime.clock import SystemClock
from function_runtime.embedded_metrics import emit
from function_runtime.metric_names import FENCED_WRITERS, TWO_WRITERS, UNFENCED_WRITERS

logger = Logger()


@cache
def _clients(home: str) -> AwsClients:
    return AwsClients(home)


@cache
def _memory() -> Memory:
    """One for the life of the process."""
    return Memory()


def handle(event: object, context: LambdaContext) -> dict[str, str]:
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
    finding = Guard(_clients(settings.region), settings, SystemClock(), _memory()).once()
    publish(finding, settings)
    logger.info("Guarded", code=finding.code, reason=finding.text, site=settings.site)
    if finding.error is not None:
        raise finding.error
    return {"code": finding.code, "reason": finding.text}


def publish(finding: Finding, settings: GuardSettings) -> None:
    """Publish what alarms and the dashboard watch: writers fenced, not fenced, and two of them."""
    values = {
        FENCED_WRITERS: int(finding.newly_fenced),
        UNFENCED_WRITERS: int(finding.unfenced),
        TWO_WRITERS: int(finding.two_writers),
    }
    emit(settings.metric_namespace, {"Site": settings.site}, values, settings.metric_period_seconds)
