"""Simulated time: seconds from the beginning of a minute, as the controller's moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def moment(seconds: float) -> datetime:
    """The moment so many seconds after the simulation's beginning."""
    return START + timedelta(seconds=seconds)


@cache
def period_start(number: int, period_seconds: int) -> datetime:
    """When the period of that number begins; periods lie on the clock's own marks."""
    return START + timedelta(seconds=number * period_seconds)
