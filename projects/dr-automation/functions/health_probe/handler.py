"""The probe's entry: one run asks both databases several times and prints each reading as metrics."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from function_runtime.embedded_metrics import emit
from function_runtime.metric_names import (
    ANSWERS,
    HEARTBEAT,
    PROBE_LATENCY,
    REACHABLE,
    RECEIVED_POSITION,
    REPLAYED_POSITION,
    SESSION,
    STREAM_MESSAGE,
)
from function_runtime.session_outcome import SessionOutcome
from health_probe.login_token import Keys
from health_probe.probe import ProbeResult
from health_probe.rounds import Reading, readings
from health_probe.session import Login, SessionResult
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
    keys = Keys.from_environment(os.environ)
    summary: dict[str, Counter[str]] = {site: Counter() for site in settings.databases}
    for reading in readings(
        {site: Login(target, settings.observer, keys) for site, target in settings.databases.items()},
        count=settings.probes_per_run,
        interval_seconds=settings.probe_interval_seconds,
        timeout_seconds=settings.probe_timeout_seconds,
    ):
        publish(reading, settings)
        summary[reading.database][reading.result.handshake.reason] += 1
        warn(reading, settings)
    return {site: dict(counts) for site, counts in summary.items()}


def publish(reading: Reading, settings: ProbeSettings) -> None:
    """Print the reading in the embedded metric format, at once.

    Not at the end of the run: the failover reads these metrics while the run goes on. Through standard output because
    the probe sits in a network without a way to any AWS API.
    """
    dimensions = {"Database": reading.database, "Observer": settings.observer}
    emit(settings.metric_namespace, dimensions, _values(reading.result), settings.probe_interval_seconds)


def _values(result: ProbeResult) -> dict[str, float | tuple[float, MetricUnit]]:
    answers = int(result.handshake.ready)
    values: dict[str, float | tuple[float, MetricUnit]] = {REACHABLE: answers, ANSWERS: answers}
    if result.handshake.ready:
        # The time it takes not to answer is the timeout and says nothing.
        values[PROBE_LATENCY] = (round(result.handshake.latency_ms, 3), MetricUnit.Milliseconds)
    if result.session is not None:
        values.update(_found(result.session))
    return values


def _found(session: SessionResult) -> dict[str, float | tuple[float, MetricUnit]]:
    """What a session found, but for what it did not find."""
    found = {
        HEARTBEAT: (session.heartbeat_at, MetricUnit.Seconds),
        RECEIVED_POSITION: (session.received_position, MetricUnit.Bytes),
        REPLAYED_POSITION: (session.replayed_position, MetricUnit.Bytes),
        STREAM_MESSAGE: (session.stream_message_at, MetricUnit.Seconds),
    }
    return {
        SESSION: int(session.outcome),
        **{name: (value, unit) for name, (value, unit) in found.items() if value is not None},
    }


def warn(reading: Reading, settings: ProbeSettings) -> None:
    """Log what is wrong with a database, or with the probe's way into it."""
    handshake, session = reading.result.handshake, reading.result.session
    if not handshake.ready:
        logger.warning(
            "Database not reachable",
            database=reading.database,
            observer=settings.observer,
            reason=handshake.reason,
            detail=handshake.detail,
            latency_ms=round(handshake.latency_ms, 1),
        )
    elif session is not None and session.outcome is not SessionOutcome.WORKS:
        logger.warning(
            "Session in the database did not work",
            database=reading.database,
            observer=settings.observer,
            outcome=session.outcome.name.lower(),
            detail=session.detail,
        )
