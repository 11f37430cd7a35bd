"""Moments: wall clock to compare with what the system recorded, monotonic clock to measure how long things took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks.

    Attributes:
        wall: seconds since 1970 (UTC), the clock that the system's records use.
        monotonic: seconds of a clock that never steps, for durations.
    """

    wall: float
    monotonic: float

    @classmethod
    def now(cls) -> Instant:
        """This moment."""
        return cls(wall=time.time(), monotonic=time.monotonic())

    def seconds_since(self, earlier: Instant) -> float:
        """Seconds from the earlier moment to this one; negative where it was later."""
        return self.monotonic - earlier.monotonic


def iso(wall: float) -> str:
    """Wall-clock seconds as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
