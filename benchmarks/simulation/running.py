"""Play all the classes on all the processors there are; what is found does not depend on how many these are."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache

from benchmarks.simulation import deaths, lives, partly, returns, shortfalls
from benchmarks.simulation.losses import BOTH_WAYS, LOSSY, Losses
from benchmarks.simulation.lossy_days import DAYS, DAYS_AT_ONCE, Found, simulate
from benchmarks.simulation.lossy_days import SEED as DAYS_SEED
from benchmarks.simulation.playing import Case
from benchmarks.simulation.setting import Setting
from benchmarks.simulation.tally import Tally, tally

AT_ONCE = 100
LOSSES = (LOSSY, BOTH_WAYS)


@cache
def cases() -> tuple[Case, ...]:
    """Every class of events."""
    return (
        *lives.doors(),
        *lives.hangs(),
        *lives.ways(),
        *deaths.deaths(),
        *deaths.deaths_at_work(),
        *returns.blackouts(),
        *returns.works_of_rds(),
        *partly.partial_outages(),
        *partly.words_of_rds(),
        *shortfalls.lags(),
        *shortfalls.silences(),
    )


def play_all(setting: Setting, runs: int) -> tuple[dict[str, Tally], dict[str, Found]]:
    """So many runs of each class, by its name, and the lossy days, by the name of what is lost."""
    tallies, days = {case.name: Tally() for case in cases()}, {losses.name: Found() for losses in LOSSES}
    # Not forked: the programs that the settings are read from may have left threads.
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        some_days = [
            pool.submit(_some_days, setting, losses, number)
            for losses in LOSSES
            for number in range(DAYS // DAYS_AT_ONCE)
        ]
        some_runs = [pool.submit(_some_runs, setting, *part) for part in _parts(runs)]
        for played in some_days:
            name, found = played.result()
            days[name].add(found)
        for some in some_runs:
            name, counted = some.result()
            tallies[name].add(counted)
    return tallies, days


def _parts(runs: int) -> Iterator[tuple[int, int, int]]:
    for number in range(len(cases())):
        for first in range(0, runs, AT_ONCE):
            yield number, first, min(runs, first + AT_ONCE)


def _some_runs(setting: Setting, number: int, first: int, after: int) -> tuple[str, Tally]:
    case = cases()[number]
    return case.name, tally(setting, case, range(first, after))


def _some_days(setting: Setting, losses: Losses, number: int) -> tuple[str, Found]:
    chance = random.Random(f"{DAYS_SEED} {losses.name} {number}")  # noqa: S311 - no secret
    return losses.name, simulate(chance, setting, losses, DAYS_AT_ONCE)
