"""A metric as CloudWatch shows it, kept so that the same question a minute later costs little.

As `aws_in_memory.metric`, for what is asked millions of times: the samples come in the order in which they are taken,
what can be read and is followed by nothing that cannot be read yet is never put together again, and of what is long ago
a minute in which nothing changed is one datapoint with all its samples.
"""

from __future__ import annotations

from collections import deque

from aws_in_memory.clock import period_start
from function_runtime.readings import MAXIMUM, MINIMUM, SAMPLES, Datapoint, Series

MINUTE = 60
# The controller looks at single samples no further back.
LONG_AGO_SECONDS = 300.0


class Observed:
    """A metric. Samples must be added, and questions asked, in the order of time.

    Args:
        period_seconds: the resolution in which it is read.
        lookback_seconds: how far back; the first period is whole.
        grows: whether the value only grows, so that of what is long ago nothing but the last matters.
        is_exact: whether what is long ago is kept as it is.
    """

    def __init__(
        self, period_seconds: int, lookback_seconds: float, *, grows: bool = False, is_exact: bool = False
    ) -> None:
        self._period_seconds, self._lookback_seconds, self._grows = period_seconds, lookback_seconds, grows
        self._is_exact = is_exact
        self._joined_until = 0
        self._settled: list[Datapoint] = []
        self._numbers: list[int] = []
        self._first = 0
        self._waiting: deque[tuple[float, int, float, int]] = deque()

    def add(self, taken_at: float, value: float, visible_at: float, count: int = 1) -> None:
        """Equal samples, which can be read from some time on."""
        self._waiting.append((visible_at, int(taken_at // self._period_seconds), value, count))

    def at(self, now: float) -> Series:
        """What can be read at a moment, in seconds from START."""
        settled, numbers, waiting = self._settled, self._numbers, self._waiting
        while waiting and waiting[0][0] <= now:
            _, number, value, count = waiting.popleft()
            if numbers and numbers[-1] == number:
                settled[-1] = _joined(settled[-1], value, count)
            else:
                numbers.append(number)
                settled.append(Datapoint(period_start(number, self._period_seconds), value, value, count))
        if not self._is_exact:
            self._join(int((now - LONG_AGO_SECONDS) // MINUTE))
        first = int((now - self._lookback_seconds) // self._period_seconds)
        while self._first < len(numbers) and numbers[self._first] < first:
            self._first += 1
        points = settled[self._first :]
        last = numbers[-1] if points else None
        for visible_at, number, value, count in waiting:
            if visible_at > now or number < first:
                continue
            if number == last:
                points[-1] = _joined(points[-1], value, count)
            else:
                points.append(Datapoint(period_start(number, self._period_seconds), value, value, count))
                last = number
        return tuple(points)

    def _join(self, minute: int) -> None:
        """Make one datapoint of each minute before that one."""
        settled, numbers, period = self._settled, self._numbers, self._period_seconds
        begins = self._joined_until
        while begins < len(numbers) and (of := numbers[begins] * period // MINUTE) < minute:
            ends = begins + 1
            while ends < len(numbers) and numbers[ends] * period // MINUTE == of:
                ends += 1
            points = settled[begins:ends]
            high, low = max(map(MAXIMUM, points)), min(map(MINIMUM, points))
            if ends - begins > 1 and (self._grows or high == low):
                settled[begins:ends] = [Datapoint(points[0].start, high, low, sum(map(SAMPLES, points)))]
                numbers[begins:ends] = [numbers[begins]]
                ends = begins + 1
            begins = ends
        self._joined_until = begins


def _joined(point: Datapoint, value: float, count: int) -> Datapoint:
    return Datapoint(point.start, max(point.maximum, value), min(point.minimum, value), point.samples + count)
