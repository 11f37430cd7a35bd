"""Random drills as data: which faults, when, and what the system must do about them. Pure: a seed decides it all.

The rule of the outcome:

- With a deadly fault the system fails over, whatever else is broken at the same time: no companion that is drawn for it
  takes away the evidence of the death.
- Without one the writer stays where it is. People are told, unless a reboot is among the faults: what it hides while it
  lasts may pass without a word.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from drills.controller_kills import KILLABLE_PHASES
from drills.scenario import DrillOutcome
from drills.timings import FLAP_ANSWERS_SECONDS, FLAP_FROZEN_SECONDS, OUTAGE_SECONDS

DEADLY_SHARE = 2 / 3
MAX_FAULTS = 3
FLAPS = 4
FLAPPING_SECONDS = FLAPS * (FLAP_FROZEN_SECONDS + FLAP_ANSWERS_SECONDS)
REBOOT_SECONDS = 2.5 * OUTAGE_SECONDS
LATEST_START_SECONDS = 6.0
# What is written while the link is cut and the writer still lives is lost with it: not much, then.
LONGEST_CUT_BEFORE_DEATH_SECONDS = 2.0
RTO_LIMIT_SECONDS = 60.0
# A killed run holds its lease for 20 s more.
RTO_OF_A_KILL_SECONDS = 30.0


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
COMPANIONS = (Fault.LOST_TRIGGER, Fault.KILLED_CONTROLLER, Fault.FLAPPING, Fault.LINK_CUT)
HARMLESS = (Fault.FLAPPING, Fault.LINK_CUT, Fault.BROKEN_PROBES, Fault.REBOOT)


@dataclass(frozen=True)
class Part:
    """One fault of a random drill.

    Attributes:
        fault: which.
        at_seconds: when it begins, from the first one of the drill.
        lasts_seconds: how long; 0 for what is not taken back, or ends by itself.
        phase: of a killed controller, the incident's phase at which it is killed, whenever that comes.
    """

    fault: Fault
    at_seconds: float
    lasts_seconds: float = 0.0
    phase: str = ""

    def __str__(self) -> str:
        if self.phase:
            return f"{self.fault} ({self.phase})"
        lasts = f" for {self.lasts_seconds:g} s" if self.lasts_seconds else ""
        return f"{self.fault} at {self.at_seconds:g} s{lasts}"


@dataclass(frozen=True)
class Composition:
    """One random drill.

    Attributes:
        seed: of the series.
        index: of the drill in it, from 1.
        parts: its faults, in the order in which they begin.
    """

    seed: int
    index: int
    parts: tuple[Part, ...]

    @property
    def faults(self) -> frozenset[Fault]:
        """Which faults it is made of."""
        return frozenset(part.fault for part in self.parts)

    @property
    def is_deadly(self) -> bool:
        """Whether the writer is gone for good."""
        return not self.faults.isdisjoint(DEADLY)

    @property
    def outcomes(self) -> frozenset[DrillOutcome]:
        """What the system may do; see the rule at the top."""
        if self.is_deadly:
            return frozenset({DrillOutcome.FAILED_OVER})
        if Fault.REBOOT in self.faults:
            return frozenset({DrillOutcome.HELD, DrillOutcome.ALERTED})
        return frozenset({DrillOutcome.ALERTED})

    @property
    def expected(self) -> DrillOutcome:
        """What is most to be expected of the outcomes."""
        if self.is_deadly:
            return DrillOutcome.FAILED_OVER
        return DrillOutcome.HELD if self.faults == {Fault.REBOOT} else DrillOutcome.ALERTED

    @property
    def demands_fence(self) -> bool:
        """Whether the old writer lives on and RDS can reach it: then an attempt to fence it is not enough."""
        return Fault.FREEZE in self.faults

    @property
    def rto_limit_seconds(self) -> float:
        """How long the outage may be; 0 where no failover is expected."""
        if not self.is_deadly:
            return 0.0
        return RTO_LIMIT_SECONDS + (RTO_OF_A_KILL_SECONDS if Fault.KILLED_CONTROLLER in self.faults else 0.0)

    def __str__(self) -> str:
        return ", ".join(str(part) for part in self.parts)


def compose(seed: int, index: int) -> Composition:
    """Draw one drill: one to three faults and when they begin.

    Args:
        seed: of the series; the same seed and index give the same drill, always.
        index: of the drill in the series.
    """
    drawn = random.Random(f"{seed}/{index}")  # noqa: S311 - nothing secret: the same seed must give the same drill
    parts = _deadly(drawn) if drawn.random() < DEADLY_SHARE else _harmless(drawn)
    return Composition(seed, index, tuple(sorted(parts, key=lambda part: part.at_seconds)))


def _deadly(drawn: random.Random) -> list[Part]:
    """What prepares comes first, then the death, and a killed controller whenever its phase comes."""
    death = drawn.choice(DEADLY)
    companions = drawn.sample(COMPANIONS, drawn.randrange(MAX_FAULTS))
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
    """Any of them, overlapping as it comes; each lasts long enough to be noticed."""
    faults = drawn.sample(HARMLESS, 1 + drawn.randrange(MAX_FAULTS))
    return [Part(fault, _seconds(drawn, 0.0, LATEST_START_SECONDS), _duration(drawn, fault)) for fault in faults]


def _duration(drawn: random.Random, fault: Fault) -> float:
    if fault in (Fault.LINK_CUT, Fault.BROKEN_PROBES):
        return _seconds(drawn, 3 * OUTAGE_SECONDS, 5 * OUTAGE_SECONDS)
    return 0.0


def _seconds(drawn: random.Random, least: float, most: float) -> float:
    return round(drawn.uniform(least, most), 1)
