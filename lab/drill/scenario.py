"""What a scenario is: something that breaks, and what the system must then do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from lab.drill.stage import Stage


class DrillOutcome(StrEnum):
    """What the system did."""

    FAILED_OVER = "failed_over"
    """The other site's database became the writer."""
    HELD = "held"
    """It stayed where it was and called nobody."""
    ALERTED = "alerted"
    """It stayed where it was and called people."""


@dataclass(frozen=True)
class Scenario:
    """One rehearsed failure.

    Attributes:
        name: how it is called on the command line.
        summary: what breaks, as one sentence for people.
        expected: what the system must do.
        run: breaks something and waits; the stage is set, the client is writing.
        rto_limit_seconds: where a failover is expected, how long the outage may be at the lab's settings.
    """

    name: str
    summary: str
    expected: DrillOutcome
    run: Callable[[Stage], None]
    rto_limit_seconds: float
