"""A metric as CloudWatch shows it: samples by period, each visible only some time after it was taken."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush

from aws_in_memory.clock import period_start
from aws_in_memory.durations import AT_ONCE, Spread
from function_runtime.readings import Datapoint, Series

# How long a probe takes that is answered.
ANSWER_SECONDS = 0.05


class Metric(ABC):
    """A metric. Questions must be asked in the order of time."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, float, float, int]] = []
        self._visible: list[tuple[float, float, int]] = []
        # By the period it is read in: how many of the visible samples its datapoints hold, and these by their number.
        self._read: dict[int, tuple[int, dict[int, Datapoint]]] = {}

    def at(self, now: float, period_seconds: int, lookback_seconds: float) -> Series:
        """What can be read at a moment, in seconds from START.

        Args:
            now: the moment.
            period_seconds: the resolution.
            lookback_seconds: how far back; the first period is whole.
        """
        self._take_samples(now)
        while self._waiting and self._waiting[0][0] <= now:
            self._visible.append(heappop(self._waiting)[1:])
        included, points = self._read.get(period_seconds, (0, {}))
        for taken_at, value, count in self._visible[included:]:
            number = int(taken_at // period_seconds)
            before = points.get(number)
            if before is None:
                points[number] = Datapoint(period_start(number, period_seconds), value, value, count)
            else:
                points[number] = Datapoint(
                    before.start, max(before.maximum, value), min(before.minimum, value), before.samples + count
                )
        self._read[period_seconds] = len(self._visible), points
        first = int((now - lookback_seconds) // period_seconds)
        return tuple(points[number] for number in range(first, int(now // period_seconds) + 1) if number in points)

    def _add(self, taken_at: float, value: float, visible_at: float, count: int = 1) -> None:
        """Equal samples, which can be read from some time on."""
        heappush(self._waiting, (visible_at, taken_at, value, count))

    @abstractmethod
    def _take_samples(self, now: float) -> None:
        """Add what is sampled until now."""


@dataclass(frozen=True)
class Rhythm:
    """How probes are timed; seconds.

    Attributes:
        schedule_seconds: from one run to the next.
        probes: in a run.
        interval_seconds: from one to the next.
        timeout_seconds: what a probe takes that is not answered.
        lateness: how late a run begins.
        delay: from a probe's end until its sample can be read.
    """

    schedule_seconds: float
    probes: int
    interval_seconds: float
    timeout_seconds: float
    lateness: Spread = AT_ONCE
    delay: Spread = AT_ONCE


class Probes(Metric):
    """One observer's probes of one database: 1 where one is answered.

    Args:
        chance: where chance comes from.
        rhythm: how the probes are timed.
        phase: when in its schedule a run begins.
        since: no run before this.
        reaches: whether a probe at that time is answered.
        healthy_seconds: all probes so long before ``since`` were answered.
    """

    def __init__(
        self,
        chance: random.Random,
        rhythm: Rhythm,
        phase: float,
        since: float,
        reaches: Callable[[float], bool],
        healthy_seconds: float = 0.0,
    ) -> None:
        super().__init__()
        self._chance, self._rhythm, self._reaches = chance, rhythm, reaches
        schedule = rhythm.schedule_seconds
        self._next_run = phase + schedule * ((since - phase) // schedule + 1)
        for number in range(1, int(healthy_seconds // schedule) + 1):
            ran_at = self._next_run - number * schedule
            value = self._found(ran_at, answered=True)
            if value is not None:
                self._add(ran_at, value, since, rhythm.probes)

    def _found(self, asked_at: float, *, answered: bool) -> float | None:
        """What a probe publishes, None where that is nothing."""
        return float(answered)

    def _take_samples(self, now: float) -> None:
        rhythm, chance = self._rhythm, self._chance
        while self._next_run <= now:
            begins = self._next_run + rhythm.lateness.draw(chance)
            for number in range(rhythm.probes):
                asked_at = begins + number * rhythm.interval_seconds
                answered = self._reaches(asked_at)
                ends = asked_at + (ANSWER_SECONDS if answered else rhythm.timeout_seconds)
                value, delay = self._found(asked_at, answered=answered), rhythm.delay.draw(chance)
                if value is not None:
                    self._add(ends, value, ends + delay)
            self._next_run += rhythm.schedule_seconds


class Sessions(Probes):
    """What the same probes find in their sessions; nothing where a probe is not answered.

    Args:
        chance, rhythm, phase, since, reaches, healthy_seconds: as for `Probes`.
        value: what a session at that time finds, None where that is nothing.
    """

    def __init__(
        self,
        chance: random.Random,
        rhythm: Rhythm,
        phase: float,
        since: float,
        reaches: Callable[[float], bool],
        value: Callable[[float], float | None],
        healthy_seconds: float = 0.0,
    ) -> None:
        self._value = value
        super().__init__(chance, rhythm, phase, since, reaches, healthy_seconds)

    def _found(self, asked_at: float, *, answered: bool) -> float | None:
        return self._value(asked_at) if answered else None


class Sampled(Metric):
    """A value of which a service publishes one sample in each period, as RDS does each minute.

    Args:
        chance: where chance comes from.
        since: the first period is the one that this lies in.
        value: the value at a time, None where there is none.
        period_seconds: from one sample to the next.
        delay: from a period's end until its sample can be read.
        healthy_seconds: so long before ``since`` it was as it is then.
    """

    def __init__(
        self,
        chance: random.Random,
        since: float,
        value: Callable[[float], float | None],
        period_seconds: int = 60,
        delay: Spread = AT_ONCE,
        healthy_seconds: float = 0.0,
    ) -> None:
        super().__init__()
        self._chance, self._value, self._period_seconds, self._delay = chance, value, period_seconds, delay
        self._next = int(since // period_seconds)
        then = value(since) if healthy_seconds else None
        for number in range(self._next - int(healthy_seconds // period_seconds), self._next):
            if then is not None:
                self._add(number * period_seconds, then, since)

    def _take_samples(self, now: float) -> None:
        period = self._period_seconds
        while self._next * period <= now:
            taken_at = (self._next + 0.5) * period
            value = self._value(taken_at)
            if value is not None:
                self._add(taken_at, value, (self._next + 1) * period + self._delay.draw(self._chance))
            self._next += 1
