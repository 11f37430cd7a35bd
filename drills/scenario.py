"""What a scenario consists of: something that breaks, and what the system must then do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from drills.stage import Stage

# The recovery objective of 15 minutes, at 12 seconds of AWS for one of the lab.
RTO_LIMIT_SECONDS = 75.0
# The lease of a run that was killed, and a schedule.
KILLED_RUN_SECONDS = 25.0


class DrillOutcome(StrEnum):
    """What the system did."""

    FAILED_OVER = "failed_over"
    """The other site's database became the writer."""
    HELD = "held"
    """The writer stayed where it was, and nobody was alerted."""
    ALERTED = "alerted"
    """The writer stayed where it was, and people were alerted."""
    RESTORED = "restored"
    """Both databases were lost, people were alerted, and one of them restored a snapshot."""


@dataclass(frozen=True)
class Scenario:
    """One rehearsed failure.

    Attributes:
        name: its name on the command line and in reports.
        summary: what breaks, in one sentence.
        expected: what the system must do.
        run: breaks something and waits; clients are writing when it is called.
        rto_limit_seconds: how long the outage may last where a failover is expected, at the lab's settings.
        back_within_seconds: how soon after the promotion, or after the name's move where it goes by name, every client
            with documented settings must write again, and none may hang; None where that is not judged.
        outcomes: everything the system may do; the expected outcome is always added.
        demands_fence: whether the old writer must really be fenced: an attempt on record is not enough.
        restored_rows: how many rows a table of the scenario's own must have after a restore; None where it has none.
        configuration: stack settings of the lab it runs in, by key; settings from the command line win.
        is_prepared: whether the database of that lab is prepared for probes that log in.
        has_small_disks: whether its servers have disks that can be filled; it is skipped where none can be made.
    """

    name: str
    summary: str
    expected: DrillOutcome
    run: Callable[[Stage], None]
    rto_limit_seconds: float = 0.0
    back_within_seconds: float | None = None
    outcomes: frozenset[DrillOutcome] = frozenset()
    demands_fence: bool = False
    restored_rows: int | None = None
    configuration: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_prepared: bool = True
    has_small_disks: bool = False

    def __post_init__(self) -> None:
        """Add the expected outcome to the outcomes."""
        object.__setattr__(self, "outcomes", self.outcomes | {self.expected})
