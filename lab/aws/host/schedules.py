"""EventBridge schedules in seconds, where AWS has minutes: drills of the same programs are faster."""

from __future__ import annotations

import re

from ministack.services import eventbridge  # type: ignore[import-untyped]

_SWEEP_SECONDS = 0.2
_SECONDS = re.compile(r"^rate\((\d+) seconds?\)$")
_RATE = re.compile(r"^rate\([1-9]\d*\s+(second|seconds|minute|minutes|hour|hours|day|days)\)$")


def install() -> None:
    """Accept ``rate(N seconds)`` and check the schedules five times a second. Targets are called in threads."""
    parse = eventbridge._parse_rate_seconds

    def parse_rate_seconds(expression: str) -> int | None:
        match = _SECONDS.match(expression)
        if match:
            return int(match.group(1))
        seconds: int | None = parse(expression)
        return seconds

    eventbridge._RATE_RE = _RATE
    eventbridge._parse_rate_seconds = parse_rate_seconds
    eventbridge._SCHEDULER_TICK_INTERVAL = _SWEEP_SECONDS
