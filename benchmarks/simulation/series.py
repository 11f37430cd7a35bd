"""What CloudWatch shows at a moment: samples by period, each visible only some time after it was taken."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush

from benchmarks.simulation.durations import PROBE_METRIC_DELAY, RDS_METRIC_DELAY, SCHEDULE_LATENESS, Spread
from benchmarks.simulation.timeline import period_start
from function_runtime.readings import Datapoint, Series

# How long a probe takes that is answered.
ANSWER_SECONDS = 0.05


@dataclass(frozen=True)
class ProbeRhythm:
    """How the probes are timed; seconds.

    Attributes:
        schedule_seconds: from one run to the next.
        probes: in a run.
        interval_seconds: from one to the next.
        timeout_seconds: what a probe takes that is not answered.
        period_seconds: of the metric.
        lookback_seconds: how far back it is read.
    """

    schedule_seconds: int
    probes: int
    interval_seconds: float
    timeout_seconds: float
    period_seconds: int
    lookback_seconds: float


class Samples:
    """A metric. Questions must be asked in the order of time.

    Args:
        period_seconds: how finely it is read.
        lookback_seconds: how far back it is read.
    """

    def __init__(self, period_seconds: int, lookback_seconds: float) -> None:
        self._period_seconds = period_seconds
        self._lookback_seconds = lookback_seconds
        self._waiting: list[tuple[float, float, float]] = []
        self._points: dict[int, Datapoint] = {}

    def add(self, taken_at: float, value: float, visible_at: float) -> None:
        """A sample that can be read from some time on."""
        heappush(self._waiting, (visible_at, taken_at, value))

    def fill(self, first_period: int, periods: int, value: float, samples: int) -> None:
        """Whole periods of one value that can be read already."""
        for number in range(first_period, first_period + periods):
            start = period_start(number, self._period_seconds)
            self._points[number] = Datapoint(start, value, value, samples)

    def at(self, now: float) -> Series:
        """What can be read now."""
        points = self._points
        while self._waiting and self._waiting[0][0] <= now:
            _, taken_at, value = heappop(self._waiting)
            number = int(taken_at // self._period_seconds)
            before = points.get(number)
            start = period_start(number, self._period_seconds)
            if before is None:
                points[number] = Datapoint(start, value, value, 1)
            else:
                points[number] = Datapoint(
                    start, max(before.maximum, value), min(before.minimum, value), before.samples + 1
                )
        first = int((now - self._lookback_seconds) // self._period_seconds)
        return tuple(points[number] for number in sorted(points) if number >= first)


class Probes:
    """One observer's probes of one database.

    Args:
        chance: where chance comes from.
        rhythm: how the probes are timed.
        phase: when in its schedule a run begins.
        since: no run before this; what was before is healthy.
        reaches: whether a probe at that time is answered.
    """

    def __init__(
        self,
        chance: random.Random,
        rhythm: ProbeRhythm,
        phase: float,
        since: float,
        reaches: Callable[[float], bool],
    ) -> None:
        self._chance, self._rhythm, self._reaches = chance, rhythm, reaches
        self._samples = Samples(rhythm.period_seconds, rhythm.lookback_seconds)
        self._next_run = phase + rhythm.schedule_seconds * ((since - phase) // rhythm.schedule_seconds + 1)
        healthy = int(rhythm.lookback_seconds // rhythm.period_seconds)
        first = int(self._next_run // rhythm.period_seconds)
        self._samples.fill(first - healthy, healthy, 1.0, rhythm.probes)

    def at(self, now: float) -> Series:
        """What can be read now."""
        rhythm, chance = self._rhythm, self._chance
        while self._next_run <= now:
            begins = self._next_run + SCHEDULE_LATENESS.draw(chance)
            for number in range(rhythm.probes):
                asked_at = begins + number * rhythm.interval_seconds
                answered = self._reaches(asked_at)
                ends = asked_at + (ANSWER_SECONDS if answered else rhythm.timeout_seconds)
                self._samples.add(ends, float(answered), ends + PROBE_METRIC_DELAY.draw(chance))
            self._next_run += rhythm.schedule_seconds
        return self._samples.at(now)


class ReplicaLag:
    """RDS's sample of each minute. It climbs from the writer's death on.

    Args:
        chance: where chance comes from.
        since: what was before is as it is then.
        dies_at: the writer's death; infinity for one that lives.
        behind: how far the replica is behind a living writer.
        lookback_seconds: how far back it is read.
    """

    PERIOD_SECONDS = 60

    def __init__(
        self, chance: random.Random, since: float, dies_at: float, behind: Spread, lookback_seconds: float
    ) -> None:
        self._chance, self._dies_at, self._behind = chance, dies_at, behind
        self._samples = Samples(self.PERIOD_SECONDS, lookback_seconds)
        self._next = int(since // self.PERIOD_SECONDS)
        healthy = int(lookback_seconds // self.PERIOD_SECONDS)
        self._samples.fill(self._next - healthy, healthy, behind.draw(chance), 1)

    def at(self, now: float) -> Series:
        """What can be read now."""
        while self._next * self.PERIOD_SECONDS <= now:
            taken_at = self._next * self.PERIOD_SECONDS + self.PERIOD_SECONDS / 2
            value = self._behind.draw(self._chance) + max(0.0, taken_at - self._dies_at)
            ends = (self._next + 1) * self.PERIOD_SECONDS
            self._samples.add(taken_at, value, ends + RDS_METRIC_DELAY.draw(self._chance))
            self._next += 1
        return self._samples.at(now)
