"""The probe's entry: one run asks both databases several times and prints each reading as metrics.

Or it is asked for one probe of one database, and answers with what that finds.
"""

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
    COMMITTED,
    HEARTBEAT,
    PROBE_LATENCY,
    REACHABLE,
    RECEIVED_POSITION,
    REPLAYED_POSITION,
    SESSION,
    STREAM_MESSAGE,
)
from function_runtime.probe_answer import ProbeAnswer, database_of
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from health_probe.login_token import Keys
from health_probe.probe import ProbeResult, probe
from health_probe.rounds import Reading, readings
from health_probe.session import Login, SessionResult
from health_probe.settings import ProbeSettings

logger = Logger()


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Probe both databases for one run, or one of them once.

    Args:
        event: the schedule's event, or the question for one probe (`function_runtime.probe_answer`).
        context: the run's context.

    Returns:
        For each database how many probes ended with which reason; or what the one probe found.

    Raises:
        ProbeEventError: the event is neither.
        SettingError: the function's environment is wrong. A dead database raises nothing.
    """
    only = database_of(event)
    settings = ProbeSettings.from_environment(os.environ)
    keys = Keys.from_environment(os.environ)
    logins = {site: Login(target, settings.observer, keys) for site, target in settings.databases.items()}
    if only is not None:
        return _once(only, logins[only], settings).as_item()
    summary: dict[str, Counter[str]] = {site: Counter() for site in settings.databases}
    for reading in readings(
        logins,
        count=settings.probes_per_run,
        interval_seconds=settings.probe_interval_seconds,
        timeout_seconds=settings.probe_timeout_seconds,
    ):
        publish(reading, settings)
        summary[reading.database][reading.result.handshake.reason] += 1
        warn(reading, settings)
    return {site: dict(counts) for site, counts in summary.items()}


def _once(database: Site, login: Login, settings: ProbeSettings) -> ProbeAnswer:
    """One probe, published as any other."""
    reading = Reading(database, probe(login, settings.probe_timeout_seconds))
    publish(reading, settings)
    warn(reading, settings)
    handshake, session = reading.result.handshake, reading.result.session
    return ProbeAnswer(
        observer=settings.observer,
        database=database,
        answers=handshake.ready,
        handshake=handshake.reason,
        session=None if session is None else session.outcome,
        has_committed=session is not None and session.committed_at is not None,
        detail=handshake.detail if session is None else session.detail,
    )


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
        COMMITTED: (session.committed_at, MetricUnit.Seconds),
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
