"""What a minute of AWS is in the lab, and how late its metrics come: one second stands for twelve.

What AWS does by the minute, the lab does every 5 seconds. The stack `lab` divides the product's own durations in about
the same way, and rounds so that the controller never sees more, or sooner, of an outage than it does on AWS.
`tests/lab/test_ratios.py` compares the two.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

MINUTE_SECONDS = 5
"""RDS publishes a sample of each metric, standard resolution keeps a datum, and an alarm is evaluated, once in it."""


@dataclass(frozen=True)
class Delay:
    """How long it takes until a metric can be read; triangular, in seconds.

    Attributes:
        shortest: the least.
        most_frequent: the most frequent.
        longest: the most.
    """

    shortest: float
    most_frequent: float
    longest: float

    def draw(self) -> float:
        """One of them."""
        return random.triangular(self.shortest, self.longest, self.most_frequent)  # noqa: S311 - nothing secret


# AWS documents no bound for either; the simulation's assumptions are in `aws_in_memory.durations`.
RDS_METRIC_DELAY = Delay(0.5, 2.0, 5.0)
"""From the end of the minute that a sample of RDS is of."""
LOG_METRIC_DELAY = Delay(0.25, 1.0, 5.0)
"""From a line in a function's log until the metrics in it can be read."""
