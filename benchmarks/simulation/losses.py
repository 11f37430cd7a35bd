"""Probes that are lost although every database is healthy: one by one, and in bursts.

A burst is Gilbert and Elliott's bad state: a path is in it or not, for exponentially distributed times, and loses most
probes in it. https://doi.org/10.1002/j.1538-7305.1960.tb03959.x and https://doi.org/10.1002/j.1538-7305.1963.tb00955.x
"""

from __future__ import annotations

import bisect
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class Bursts:
    """How often something is in its bad state, and for how long on average."""

    per_day: float
    mean_seconds: float


@dataclass(frozen=True)
class Losses:
    """How many probes are lost, and when.

    Attributes:
        name: for people.
        loss: share of probes lost at any time, each by itself.
        loss_in_burst: the same within a burst.
        link: bursts of the way from the recovery site's probe to the primary's database.
        own: of the way from the primary site's probe to the same database.
        probe: of the recovery site's probe itself, which then reaches neither database.
        both: of whatever both ways to the primary's database share.
        reboots: of the primary's database, which RDS reports (the mean is not used).
        busy: whether clients write all the time.
    """

    name: str
    loss: float
    loss_in_burst: float
    link: Bursts
    own: Bursts
    probe: Bursts
    both: Bursts
    reboots: Bursts
    busy: bool


# Far worse than a peering between two regions is; a link that is gone for 10 minutes each month, a reboot each week.
LOSSY = Losses(
    name="lossy probes",
    loss=0.01,
    loss_in_burst=0.95,
    link=Bursts(1.0, 60.0),
    own=Bursts(1 / 7, 30.0),
    probe=Bursts(1 / 7, 60.0),
    both=Bursts(0.0, 0.0),
    reboots=Bursts(1 / 7, 0.0),
    busy=True,
)
# What no rule on probes can tell from a dead writer: nobody reaches it for minutes. Its stream shows that it lives.
BOTH_WAYS = Losses(
    name="both ways lost at once",
    loss=0.01,
    loss_in_burst=0.95,
    link=Bursts(0.0, 0.0),
    own=Bursts(0.0, 0.0),
    probe=Bursts(0.0, 0.0),
    both=Bursts(1 / 30, 60.0),
    reboots=Bursts(0.0, 0.0),
    busy=False,
)


@dataclass(frozen=True)
class Burst:
    """One burst; seconds."""

    begins: float
    ends: float


class History:
    """All bursts of one thing, in order and apart."""

    def __init__(self, bursts: Sequence[Burst]) -> None:
        self.bursts = bursts
        self._begins = [burst.begins for burst in bursts]

    @classmethod
    def of(cls, chance: random.Random, bursts: Bursts, seconds: float) -> History:
        """A history of so many seconds."""
        found: list[Burst] = []
        at = 0.0
        while bursts.per_day > 0:
            at += chance.expovariate(bursts.per_day / DAY_SECONDS)
            if at >= seconds:
                break
            ends = at + chance.expovariate(1 / bursts.mean_seconds)
            found.append(Burst(at, ends))
            at = ends
        return cls(found)

    @classmethod
    def joined(cls, bursts: Iterable[Burst]) -> History:
        """A history of bursts that may overlap."""
        found: list[Burst] = []
        for each in sorted(bursts, key=lambda burst: burst.begins):
            if found and each.begins <= found[-1].ends:
                found[-1] = Burst(found[-1].begins, max(found[-1].ends, each.ends))
            else:
                found.append(each)
        return cls(found)

    @classmethod
    def once(cls, begins: float, ends: float = math.inf) -> History:
        """One burst; without an end it goes on."""
        return cls([Burst(begins, ends)])

    def covers(self, at: float) -> bool:
        """Whether a burst goes on."""
        index = bisect.bisect_right(self._begins, at) - 1
        return index >= 0 and at < self.bursts[index].ends

    def begin(self, at: float) -> float:
        """When the burst began that goes on at a moment; that moment where none does."""
        index = bisect.bisect_right(self._begins, at) - 1
        return self._begins[index] if index >= 0 and at < self.bursts[index].ends else at

    def last_end(self, at: float) -> float:
        """When the last burst ends that began before a moment; minus infinity where none has."""
        index = bisect.bisect_left(self._begins, at) - 1
        return self.bursts[index].ends if index >= 0 else -math.inf

    def within(self, begins: float, ends: float) -> History:
        """What lies between two moments, at least in part, counted from the first."""
        first = max(0, bisect.bisect_right(self._begins, begins) - 1)
        last = bisect.bisect_left(self._begins, ends)
        found = [Burst(each.begins - begins, each.ends - begins) for each in self.bursts[first:last]]
        return History([each for each in found if each.ends > 0])


NEVER = History([])


def whole_periods_lost(chance: random.Random, share: float, periods: float) -> Iterator[int]:
    """The numbers of those periods in which all probes happen to be lost one by one, found without going through all.

    Args:
        chance: where chance comes from.
        share: of periods that are lost so.
        periods: how many there are.
    """
    number = -1
    while share > 0:
        # How many trials it takes until one succeeds, of which each does so with this share.
        number += 1 + int(math.log(1 - chance.random()) / math.log1p(-share))
        if number >= periods:
            return
        yield number
