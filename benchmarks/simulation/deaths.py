"""The writer is gone, or RDS works on it."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.simulation.losses import History
from benchmarks.simulation.making import (
    ASKED,
    ASKED_OVERDUE,
    LATE,
    MINUTE,
    MOVED,
    MOVED_OR_ASKED,
    MOVED_OVERDUE,
    Happening,
    Must,
    So,
    clocks_apart,
    each_load,
    set_to_fail_over,
    since,
)
from benchmarks.simulation.playing import Case, Expected

CRASH, DARK = "crash, {}", "region dark, {}"
RTO_CASES = {
    word: tuple(word_of.format(load) for load in ("busy", "idle"))
    for word, word_of in {"crash": CRASH, "region dark": DARK}.items()
}
"""The incidents that the recovery objective is measured with, by their kind."""


def deaths() -> tuple[Case, ...]:
    """Crashes, lost hosts, dark regions."""
    late = Must(Expected.FAIL_OVER, 10 * MINUTE, 20 * MINUTE)
    return (
        *each_load(CRASH, MOVED, _crash()),
        *each_load(DARK, MOVED, _dark()),
        *each_load("crash, {}, witness", MOVED, _crash(has_witness=True)),
        *each_load(
            "crash, {}, clocks apart", MOVED, lambda chance, fault: _crash(**clocks_apart(chance))(chance, fault)
        ),
        *each_load("crash, {}, metrics late", late, _crash(**LATE)),
        *each_load("crash just after the stream restarted, {}", MOVED, _crash_after_restart),
        *each_load("host lost, {}, unprepared", MOVED_OR_ASKED, _crash(prepared=False, vanishes=True)),
        *each_load("process dead, {}, unprepared", ASKED, _crash(prepared=False, vanishes=False)),
        *each_load("region dark, {}, unprepared", MOVED_OR_ASKED, _dark(prepared=False)),
        *each_load("host lost, {}, logins refused", MOVED_OR_ASKED, _host_lost_to_the_blind),
    )


def deaths_at_work() -> tuple[Case, ...]:
    """While RDS works on it, or on the replica."""
    found = [
        *each_load("crash in backing-up, {}", MOVED, _crash_in("backing-up")),
        *each_load("crash, replica in storage-optimization, {}", MOVED, _replica_in_storage_optimization),
    ]
    for word in ("rebooting", "modifying"):
        found += each_load(f"crash in {word}, {{}}", ASKED_OVERDUE, _crash_in(word))
        found += each_load(f"crash in {word}, {{}}, set to fail over", MOVED_OVERDUE, _crash_in(word), set_to_fail_over)
    return tuple(found)


def _crash(**so: Any) -> Happening:
    """The process dies, or with it its host."""
    return lambda chance, fault: {"down": History.once(fault), "vanishes": chance.random() < 0.5, **so}


def _dark(**so: Any) -> Happening:
    return lambda _, fault: {"dark": History.once(fault), **so}


def _crash_after_restart(chance: random.Random, fault: float) -> So:
    ends = fault - chance.uniform(0, 20)
    restart = {"cut": History.once(ends - chance.uniform(0.1, 30), ends), "cut_is_noticed": True}
    return {**_crash()(chance, fault), **restart}


def _host_lost_to_the_blind(chance: random.Random, fault: float) -> So:
    return {"down": History.once(fault), "vanishes": True, "refused": History.once(fault - 10 * MINUTE)}


def _crash_in(word: str) -> Happening:
    def happens(chance: random.Random, fault: float) -> So:
        begins = fault - chance.uniform(0, MINUTE if word == "backing-up" else 5)
        return {**_crash()(chance, fault), "status": since(begins, word)}

    return happens


def _replica_in_storage_optimization(chance: random.Random, fault: float) -> So:
    return {**_crash()(chance, fault), "standby_status": since(fault - 10 * MINUTE, "storage-optimization")}
