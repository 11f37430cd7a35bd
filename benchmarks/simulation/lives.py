"""The writer lives, and cannot be reached, or lets nobody commit, or is reached badly."""

from __future__ import annotations

import random

from benchmarks.simulation.losses import Burst, History
from benchmarks.simulation.making import (
    ASKED,
    LATE,
    LEFT_ALONE,
    LONG_SECONDS,
    MINUTE,
    MOVED,
    TOLD,
    TOLD_NOT_READY,
    Happening,
    So,
    before,
    clocks_apart,
    each_load,
    outage,
    set_to_fail_over,
    since,
)
from benchmarks.simulation.playing import Case
from function_runtime.session_outcome import SessionOutcome

PROBES = 5


def doors() -> tuple[Case, ...]:
    """A group, a rule or a name was changed: nobody new gets in, open connections and replication live on."""
    told_for_long, told_late = TOLD._replace(lasts_seconds=LONG_SECONDS), TOLD._replace(within_seconds=10 * MINUTE)
    return (
        *each_load("door shut, {}", told_for_long, _door()),
        *each_load("door shut, {}, witness", told_for_long, _door(has_witness=True)),
        *each_load("door shut, {}, unprepared", told_for_long, _door(prepared=False)),
        *each_load("door shut, {}, unprepared, witness", told_for_long, _door(prepared=False, has_witness=True)),
        *each_load("door shut, {}, stream restarts", told_for_long, _door_and_restarts),
        *each_load("door shut, {}, metrics late", told_late, _door(**LATE)),
        *each_load(
            "door shut, {}, clocks apart", TOLD, lambda chance, fault: _door(**clocks_apart(chance))(chance, fault)
        ),
    )


def hangs() -> tuple[Case, ...]:
    """It answers, and nobody can commit."""
    return (
        *each_load("writer hangs, {}", ASKED, _hung),
        *each_load("writer hangs, {}, set to fail over", MOVED, _hung, set_to_fail_over),
        *each_load("writer hangs for 30 to 100 s, {}, set to fail over", LEFT_ALONE, _stutters, set_to_fail_over),
        *each_load("storage full, {}, set to fail over", TOLD, _full, set_to_fail_over),
        *each_load("storage full, {}, unprepared", TOLD_NOT_READY, lambda *at: {**_full(*at), "prepared": False}),
        *each_load("read-only, {}, set to fail over", TOLD, _read_only, set_to_fail_over),
    )


def ways() -> tuple[Case, ...]:
    """Ways to it are lost, for good or now and then."""
    return (
        *each_load("4 of 5 probes lost, {}", TOLD_NOT_READY, _one_of_five),
        *each_load("4 of 5 probes lost by chance, {}", TOLD_NOT_READY, _one_of_five_by_chance),
        *each_load("link lost, {}", TOLD, lambda _, fault: {"link": before(fault)}),
        *each_load("link and stream lost, {}", TOLD, _link_and_stream),
        *each_load("link and stream lost, {}, own probe silent", TOLD, _link_and_stream_of_a_silent_site),
        *each_load("link and stream blink, {}", LEFT_ALONE, _blinks),
        *each_load("writer crashes again and again, {}", LEFT_ALONE, _crashes_again_and_again),
        *each_load("both ways lost, {}", TOLD, lambda _, fault: {"link": before(fault), "own": before(fault)}),
    )


def _door(**so: object) -> Happening:
    return lambda _, fault: {"shut": History.once(fault), **so}


def _door_and_restarts(chance: random.Random, fault: float) -> So:
    """The replica's receiver starts anew around the fault, and once more at any time."""
    times = sorted((fault + chance.uniform(-60, 180), fault + chance.uniform(200, LONG_SECONDS)))
    cuts = History([Burst(at, at + chance.uniform(0.1, 10)) for at in times])
    return {"shut": History.once(fault), "cut": cuts, "cut_is_noticed": chance.random() < 0.5}


def _hung(chance: random.Random, fault: float) -> So:
    return {"blocked": History.once(fault)}


def _stutters(chance: random.Random, fault: float) -> So:
    return {"blocked": outage(chance, fault, 30, 100)}


def _full(chance: random.Random, fault: float) -> So:
    return {
        "blocked": History.once(fault),
        "blocked_outcome": SessionOutcome.FULL,
        "own_writes_end": fault,
        "status": since(fault + chance.uniform(0, 2 * MINUTE), "storage-full"),
    }


def _read_only(chance: random.Random, fault: float) -> So:
    return {"blocked": History.once(fault), "blocked_outcome": SessionOutcome.READ_ONLY}


def _one_of_five(chance: random.Random, fault: float) -> So:
    asked = [chance.randrange(PROBES)]

    def passes(at: float) -> bool:
        asked[0] += at >= fault
        return at < fault or asked[0] % PROBES == 0

    return {"link": passes}


def _one_of_five_by_chance(chance: random.Random, fault: float) -> So:
    return {"link": lambda at: at < fault or chance.random() < 1 / PROBES}


def _link_and_stream(chance: random.Random, fault: float) -> So:
    return {"link": before(fault), "cut": History.once(fault), "cut_is_noticed": chance.random() < 0.5}


def _link_and_stream_of_a_silent_site(chance: random.Random, fault: float) -> So:
    return {**_link_and_stream(chance, fault), "silent_there_from": fault - chance.uniform(-60, 240)}


def _again_and_again(
    chance: random.Random, fault: float, goes: tuple[float, float], stays: tuple[float, float]
) -> History:
    bursts, at = [], fault
    while at < fault + LONG_SECONDS:
        bursts.append(Burst(at, at + chance.uniform(*goes)))
        at = bursts[-1].ends + chance.uniform(*stays)
    return History(bursts)


def _blinks(chance: random.Random, fault: float) -> So:
    cuts = _again_and_again(chance, fault, goes=(5, 110), stays=(20, 120))
    return {"link": lambda at: not cuts.covers(at), "cut": cuts}


def _crashes_again_and_again(chance: random.Random, fault: float) -> So:
    return {"down": _again_and_again(chance, fault, goes=(20, 50), stays=(40, 80))}
