"""What a scenario is: something that breaks, and what the system must then do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from drills.stage import Stage


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
        outcomes: what else is as good; always holds what is expected, whether it was given or not.
        demands_fence: the old writer must really be fenced in the end: an attempt on record is not enough.
        configuration: stack settings of the lab it is played in, by key; what the person gives wins.
    """

    name: str
    summary: str
    expected: DrillOutcome
    run: Callable[[Stage], None]
    rto_limit_seconds: float
    outcomes: frozenset[DrillOutcome] = frozenset()
    demands_fence: bool = False
    configuration: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        """Complete the outcomes with the expected one."""
        object.__setattr__(self, "outcomes", self.outcomes | {self.expected})
