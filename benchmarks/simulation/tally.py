"""What the runs of a class come to: failovers that were wrong, missing or late, and how long everything took."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.measurement import Measurement
from benchmarks.simulation.carrying_through import Carried
from benchmarks.simulation.playing import TAKEN_BACK, Case, Expected, Played, play
from benchmarks.simulation.setting import Setting

SEED = 4
# So many runs of each class are checked to read nothing that AWS cannot give.
CHECKED = 5


@dataclass
class Tally:
    """Of some runs of one class.

    Attributes:
        runs: how many.
        wrong: failovers that must not be, that lost more than was said, or whose writer took writes when it was looked
            at last.
        taken_back: failovers that the look before the promotion ended.
        missed: runs in which what must follow did not.
        late: runs in which it came too late.
        told: after how long people were told, where they were; in seconds, as all that follow.
        moved: for each failover the fault, its detection, and what followed.
        codes: how many runs told people of each decision.
    """

    runs: int = 0
    wrong: int = 0
    taken_back: int = 0
    missed: int = 0
    late: int = 0
    told: list[float] = field(default_factory=list)
    moved: list[tuple[float, float, Carried]] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """More runs of the same class."""
        self.runs += other.runs
        self.wrong += other.wrong
        self.taken_back += other.taken_back
        self.missed += other.missed
        self.late += other.late
        self.told += other.told
        self.moved += other.moved
        self.codes += other.codes

    def count(self, case: Case, played: Played) -> None:
        """One more run."""
        self.runs += 1
        may_move = case.expected in (Expected.FAIL_OVER, Expected.ACT, Expected.EITHER)
        self.wrong += played.detected is not None and (not may_move or played.loses_more or played.replaced_a_living)
        self.taken_back += played.last_code == TAKEN_BACK
        told = played.told_after_seconds(questions_only=case.expected in (Expected.ASK, Expected.ACT))
        followed = math.inf if played.detected is None else played.detected - played.fault
        if case.expected is Expected.ACT:
            followed = min(followed, told)
        elif not may_move:
            followed = told
        if case.expected not in (Expected.STAY, Expected.EITHER):
            self.missed += math.isinf(followed)
            self.late += case.within_seconds < followed < math.inf
        if math.isfinite(told):
            self.told.append(told)
        if played.detected is not None and played.carried is not None:
            self.moved.append((played.fault, played.detected, played.carried))
        self.codes.update({f"{each.code}?" if each.is_question else each.code for each in played.told})

    @property
    def rto(self) -> list[float]:
        """From the fault to the last client that goes by the writer's name."""
        return [carried.by_name - fault for fault, _, carried in self.moved]

    def measurement(self, case: Case) -> Measurement:
        """As one line."""
        parts = [f"of {self.runs} to {case.expected}"]
        if math.isfinite(case.within_seconds):
            parts.append(f"missed {self.missed}, late {self.late} (over {case.within_seconds:.0f} s)")
        if self.told:
            parts.append(f"told p50 {share(self.told, 0.5):.0f}, max {max(self.told):.0f} s")
        if self.moved:
            detected = [each - fault for fault, each, _ in self.moved]
            parts.append(f"{len(self.moved)} failovers")
            parts.append(f"detected p50 {share(detected, 0.5):.0f}, p99 {share(detected, 0.99):.0f} s")
            parts.append(f"RTO p50 {share(self.rto, 0.5):.0f}, p99 {share(self.rto, 0.99):.0f} s")
        if self.taken_back:
            parts.append(f"{self.taken_back} taken back before the promotion")
        if self.codes:
            parts.append(", ".join(f"{count} {code}" for code, count in self.codes.most_common()))
        return Measurement(f"wrong: {case.name}", self.wrong, "", 0.0, "; ".join(parts))


def share(values: Sequence[float], of: float) -> float:
    """The value that this share of the values does not exceed."""
    return sorted(values)[max(0, math.ceil(of * len(values)) - 1)]


def tally(setting: Setting, case: Case, numbers: range) -> Tally:
    """Play the runs of these numbers; a run is the same whichever others are played."""
    found = Tally()
    for number in numbers:
        chance = random.Random(f"{SEED} {case.name} {number}")  # noqa: S311 - no secret
        found.count(case, play(chance, setting, case, is_checked=number < CHECKED))
    return found
