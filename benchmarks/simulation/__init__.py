"""What becomes of everything that can happen to the writer, thousands of times each, with AWS's own durations.

The controller looks through the real `interpret` and `decide`, at the production defaults, at probes, metrics and
answers that are as late as AWS makes them; when it fails over, `carrying_through` adds the steps. The fault, the
probes, the schedules and the alarm come at random phases to each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.measurement import Measurement
from benchmarks.simulation import incidents, lossy_days
from benchmarks.simulation.running import LOSSES, cases, play_all
from benchmarks.simulation.setting import setting

RUNS = 2000
TARGET_SECONDS = 600.0


def measure(say: Callable[[str], None], runs: int = RUNS) -> list[Measurement]:
    """All classes and the lossy days; the time to find the production defaults out is not theirs.

    Args:
        say: is told the distribution of the RTO.
        runs: of each class.
    """
    at = setting()
    started = time.perf_counter()
    tallies, days = play_all(at, runs)
    seconds = time.perf_counter() - started
    found = [tallies[case.name].measurement(case) for case in cases()]
    for losses in LOSSES:
        found += lossy_days.measurements(losses, lossy_days.DAYS, days[losses.name])
    found += incidents.measurements(tallies, say)
    return [*found, Measurement("simulation", seconds, "s", TARGET_SECONDS, f"{runs} runs of each class")]
