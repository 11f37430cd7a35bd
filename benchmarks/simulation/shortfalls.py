"""The replica is behind, or somebody who should watch is silent."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from benchmarks.simulation.losses import History
from benchmarks.simulation.making import (
    ASKED,
    LEFT_ALONE,
    MINUTE,
    TOLD_NOT_READY,
    Happening,
    Must,
    So,
    before,
    each_load,
    since,
    when_busy,
)
from benchmarks.simulation.playing import Case, Expected
from benchmarks.simulation.world import nothing

HOUR = 60 * MINUTE


def lags() -> tuple[Case, ...]:
    """What the replica lacks is too much, or not known to be little."""
    # Of an unprepared database little is known of an idle replica: people hear of it when it is further behind.
    told_late = Must(Expected.TELL, 15 * MINUTE, 16 * MINUTE)
    return (
        when_busy("lag 58 s and growing, then host lost", ASKED, _growing()),
        when_busy("lag 58 s and growing, then host lost, unprepared", ASKED, _growing(prepared=False)),
        *each_load("last lag sample 180 s old, then host lost, {}, unprepared", ASKED, _old_sample),
        *each_load("slot lag 0 beside a ReplicaLag of an hour, host lost, {}, unprepared", ASKED, _lost_slot),
        *each_load("replication stalled for 10 min, {}", TOLD_NOT_READY, _stalled),
        *each_load("replication stalled, {}, unprepared", told_late, _stalled_for_good),
    )


def silences() -> tuple[Case, ...]:
    """A healthy writer, and somebody who watches it is silent for good; and nothing at all."""
    return (
        *each_load("recovery site's probe silent, {}", TOLD_NOT_READY, lambda _, fault: {"silent_from": fault}),
        *each_load("primary site's probe silent, {}", TOLD_NOT_READY, lambda _, fault: {"silent_there_from": fault}),
        *each_load("witness silent, {}", TOLD_NOT_READY, _witness_silent),
        *each_load("replica does not answer, {}", TOLD_NOT_READY, lambda _, fault: {"here": before(fault)}),
        *each_load("replica rebooting for ever, {}", TOLD_NOT_READY, _replica_rebooting),
        *each_load("logins refused, {}", TOLD_NOT_READY, lambda _, fault: {"refused": History.once(fault)}),
        *each_load("all is well, {}", LEFT_ALONE, lambda _, fault: {}),
    )


def _host_lost(fault: float, **so: Any) -> So:
    return {"down": History.once(fault), "vanishes": True, **so}


def _growing(**so: Any) -> Happening:
    """58 s in the last sample before the fault, which is up to a minute older."""

    def happens(chance: random.Random, fault: float) -> So:
        at_fault = 58.0 + chance.uniform(2, 60)
        lag: Callable[[float], float] = lambda at: max(0.5, at_fault + at - fault)  # noqa: E731
        return _host_lost(fault, lag_seconds=lag, **so)

    return happens


def _old_sample(chance: random.Random, fault: float) -> So:
    return _host_lost(fault, prepared=False, lag_metric_ends=fault - 180, slot_metric=nothing)


def _lost_slot(chance: random.Random, fault: float) -> So:
    return _host_lost(fault, prepared=False, slot_metric=lambda _: 0.0, lag_seconds=lambda at: HOUR + at - fault)


def _stalled(chance: random.Random, fault: float) -> So:
    return {"stalled": History.once(fault, fault + 10 * MINUTE)}


def _stalled_for_good(chance: random.Random, fault: float) -> So:
    return {"stalled": History.once(fault), "prepared": False}


def _witness_silent(chance: random.Random, fault: float) -> So:
    return {"has_witness": True, "witness_silent_from": fault}


def _replica_rebooting(chance: random.Random, fault: float) -> So:
    return {"standby_status": since(fault, "rebooting")}
