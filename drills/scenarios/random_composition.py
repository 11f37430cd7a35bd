"""Which faults a random drill is made of, when they begin, and what the system must then do. Pure: the seed decides.

The rule for the outcome:

- With a deadly fault the system fails over, whatever else is broken at the same time: no fault that is drawn with it
  hides that the writer is dead.
- Without one the writer stays where it is. People are alerted; if a reboot is among the faults they need not be,
  because the reboot may hide the others while it lasts.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from drills.faults import (
    FLAP_ANSWERS_SECONDS,
    FLAP_FROZEN_SECONDS,
    FLAPS,
    KILLABLE_PHASES,
    OUTAGE_SECONDS,
)
from drills.scenario import KILLED_RUN_SECONDS, RTO_LIMIT_SECONDS, DrillOutcome
from function_runtime.incident import Phase

DEADLY_SHARE = 2 / 3
MAX_FAULTS = 3
FLAPPING_SECONDS = FLAPS * (FLAP_FROZEN_SECONDS + FLAP_ANSWERS_SECONDS)
LATEST_START_SECONDS = 6.0
# What is written between a cut of the link and the writer's death is lost with the writer: keep it short.
LONGEST_CUT_BEFORE_DEATH_SECONDS = 2.0


class Fault(StrEnum):
    """What a random drill is made of."""

    CRASH = "crash"
    FREEZE = "freeze"
    DARK_REGION = "dark region"
    LOST_TRIGGER = "lost trigger"
    KILLED_CONTROLLER = "killed controller"
    FLAPPING = "flapping"
    LINK_CUT = "link cut"
    BROKEN_PROBES = "broken probes"
    REBOOT = "reboot"


DEADLY = (Fault.CRASH, Fault.FREEZE, Fault.DARK_REGION)
WITH_DEADLY = (Fault.LOST_TRIGGER, Fault.KILLED_CONTROLLER, Fault.FLAPPING, Fault.LINK_CUT)
HARMLESS = (Fault.FLAPPING, Fault.LINK_CUT, Fault.BROKEN_PROBES, Fault.REBOOT)
LASTING = (Fault.LINK_CUT, Fault.BROKEN_PROBES)


@dataclass(frozen=True)
class Part:
    """One fault of a random drill.

    Attributes:
        fault: which.
        at_seconds: when it begins, from the start of the drill.
        lasts_seconds: how long; 0 for what is not undone, or ends by itself.
        phase: for a killed controller, the incident's phase at which it is killed, whenever that comes.
    """

    fault: Fault
    at_seconds: float
    lasts_seconds: float = 0.0
    phase: Phase | None = None

    def __str__(self) -> str:
        if self.phase is not None:
            return f"{self.fault} at {self.phase}"
        lasts = f" for {self.lasts_seconds:g} s" if self.lasts_seconds else ""
        return f"{self.fault} at {self.at_seconds:g} s{lasts}"


@dataclass(frozen=True)
class Composition:
    """The faults of one random drill, in the order in which they begin."""

    parts: tuple[Part, ...]

    @property
    def faults(self) -> frozenset[Fault]:
        """Which faults these are."""
        return frozenset(part.fault for part in self.parts)

    @property
    def is_deadly(self) -> bool:
        """Whether the writer is lost for good."""
        return not self.faults.isdisjoint(DEADLY)

    @property
    def outcomes(self) -> frozenset[DrillOutcome]:
        """What the system may do; see the rule in the module's docstring."""
        if self.is_deadly:
            return frozenset({DrillOutcome.FAILED_OVER})
        if Fault.REBOOT in self.faults:
            return frozenset({DrillOutcome.HELD, DrillOutcome.ALERTED})
        return frozenset({DrillOutcome.ALERTED})

    @property
    def expected(self) -> DrillOutcome:
        """The most likely of the outcomes."""
        if self.is_deadly:
            return DrillOutcome.FAILED_OVER
        return DrillOutcome.HELD if self.faults == {Fault.REBOOT} else DrillOutcome.ALERTED

    @property
    def rto_limit_seconds(self) -> float:
        """How long the outage may last where a failover is expected."""
        return RTO_LIMIT_SECONDS + (KILLED_RUN_SECONDS if Fault.KILLED_CONTROLLER in self.faults else 0.0)

    def __str__(self) -> str:
        return ", ".join(str(part) for part in self.parts)


def compose(seed: int, index: int) -> Composition:
    """Draw one to three faults and when they begin.

    Args:
        seed: the seed of the series; the same seed and index always give the same drill.
        index: the drill's number in the series.
    """
    drawn = random.Random(f"{seed}/{index}")  # noqa: S311 - nothing secret: the same seed must give the same drill
    parts = _deadly(drawn) if drawn.random() < DEADLY_SHARE else _harmless(drawn)
    return Composition(tuple(sorted(parts, key=lambda part: part.at_seconds)))


def _deadly(drawn: random.Random) -> list[Part]:
    """First what prepares the writer's death, then the death, then a kill of the controller when its phase comes."""
    death = drawn.choice(DEADLY)
    companions = drawn.sample(WITH_DEADLY, drawn.randrange(MAX_FAULTS))
    death_at = _seconds(drawn, LONGEST_CUT_BEFORE_DEATH_SECONDS, LATEST_START_SECONDS)
    if Fault.FLAPPING in companions:
        death_at = round(death_at + FLAPPING_SECONDS, 1)
    parts = [Part(death, death_at)]
    for companion in companions:
        if companion is Fault.KILLED_CONTROLLER:
            parts.append(Part(companion, death_at, phase=drawn.choice(KILLABLE_PHASES)))
        elif companion is Fault.LINK_CUT:
            before = _seconds(drawn, 0.1, LONGEST_CUT_BEFORE_DEATH_SECONDS)
            parts.append(Part(companion, round(death_at - before, 1)))
        else:
            parts.append(Part(companion, 0.0))
    return parts


def _harmless(drawn: random.Random) -> list[Part]:
    """Faults that may overlap; each lasts long enough to be noticed."""
    faults = drawn.sample(HARMLESS, 1 + drawn.randrange(MAX_FAULTS))
    parts = []
    for fault in faults:
        at_seconds = _seconds(drawn, 0.0, LATEST_START_SECONDS)
        lasts_seconds = _seconds(drawn, 3 * OUTAGE_SECONDS, 5 * OUTAGE_SECONDS) if fault in LASTING else 0.0
        parts.append(Part(fault, at_seconds, lasts_seconds))
    return parts


def _seconds(drawn: random.Random, least: float, most: float) -> float:
    return round(drawn.uniform(least, most), 1)
