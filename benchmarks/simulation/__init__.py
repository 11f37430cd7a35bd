"""What AWS's own durations make of the controller: 10,000 incidents, and 10,000 days on which nothing is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.measurement import Measurement
from benchmarks.simulation import incidents, lossy_days
from benchmarks.simulation.setting import setting

TARGET_SECONDS = 30.0


def measure(say: Callable[[str], None]) -> list[Measurement]:
    """Both simulations, with the production defaults; the time to find those out is not theirs.

    Args:
        say: is told the distribution of the RTO.
    """
    setting()
    started = time.perf_counter()
    found = [*incidents.measure(say), *lossy_days.measure()]
    return [*found, Measurement("simulation", time.perf_counter() - started, "s", TARGET_SECONDS)]
