"""Simulated time: seconds from the beginning of a minute, as moments; and a clock that only waiting moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Protocol

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def moment(seconds: float) -> datetime:
    """The moment so many seconds after START."""
    return START + timedelta(seconds=seconds)


def seconds_of(at: datetime) -> float:
    """The reverse of `moment`."""
    return (at - START).total_seconds()


@cache
def period_start(number: int, period_seconds: int) -> datetime:
    """When the period of that number begins; periods lie on the clock's own marks."""
    return moment(number * period_seconds)


class Timed(Protocol):
    """Something with a time of its own."""

    now: datetime

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class Clock:
    """Its clock, as the functions want one."""

    def __init__(self, of: Timed) -> None:
        self._of = of

    def now(self) -> datetime:
        """Now, in the simulated time."""
        return self._of.now

    def sleep(self, seconds: float) -> None:
        """Wait, in the simulated time."""
        self._of.sleep(seconds)
