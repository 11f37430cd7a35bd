"""Some see the writer, others do not: probes, services of its region, RDS's word."""

from __future__ import annotations

import math
import random

from aws_in_memory import durations
from aws_in_memory.durations import Spread
from benchmarks.simulation.losses import Burst, History
from benchmarks.simulation.making import (
    LEFT_ALONE,
    LONG_SECONDS,
    MINUTE,
    MOVED,
    MOVED_OR_ASKED,
    TOLD,
    TOLD_NOT_READY,
    Happening,
    So,
    before,
    each_load,
    since,
)
from benchmarks.simulation.playing import Case

# RDS measures the host every minute: that it has ended shows after some of them.
MOVED_LATE = MOVED._replace(within_seconds=8 * MINUTE)
# What the writer did after the trouble had begun counts as life for three minutes.
ACTED_LATE = MOVED_OR_ASKED._replace(within_seconds=8 * MINUTE)
FAILED = "failed"
NO_KEY = "inaccessible-encryption-credentials"


def partial_outages() -> tuple[Case, ...]:
    """Of a writer that is lost, and of one that lives."""
    return (
        *each_load("crash, {}, RDS silent there", MOVED, lambda *at: {**_lost(*at), "rds_silent": _from(at)}),
        *each_load("crash, {}, CloudWatch silent there", TOLD, _unconfirmed),
        *each_load("crash, {}, services of its region answer now and then", MOVED_LATE, _lost_in_a_shaky_region),
        *each_load("host lost, {}, own probe silent", MOVED_LATE, _host_lost_unprobed),
        *each_load("process dead, {}, own probe silent", TOLD, _process_dead_unprobed),
        *each_load("region dark, {}, calls hang", MOVED, lambda _, fault: _dark(fault, dark_calls_hang=True)),
        *each_load("link lost, {}, then its region", ACTED_LATE, _dark_after_a_cut),
        *each_load("link lost, {}, RDS silent there", TOLD, lambda *at: {**_cut_off(*at), "rds_silent": _from(at)}),
        *each_load(
            "link lost, {}, CloudWatch silent there", TOLD, lambda *at: {**_cut_off(*at), "metrics_silent": _from(at)}
        ),
        *each_load("link lost, {}, own probe half lost", TOLD, _half_seen),
        *each_load("services of its region silent, {}", TOLD_NOT_READY, _services_silent),
        *each_load("services of its region blink, {}", LEFT_ALONE, _services_blink),
    )


def words_of_rds() -> tuple[Case, ...]:
    """A crash that RDS shows late, in its own words; and words that are wrong."""
    return (
        *each_load("crash that RDS calls failed, {}", MOVED, _called(FAILED)),
        *each_load("crash that RDS calls failed, {}, own probe silent", MOVED_LATE, _called(FAILED, probed=False)),
        *each_load("key of its storage lost, {}", MOVED, _called(NO_KEY, durations.AT_ONCE)),
        *each_load(
            "RDS calls it failed, and it lives, {}", TOLD_NOT_READY, lambda _, fault: {"status": since(fault, FAILED)}
        ),
        *each_load("door shut, {}, RDS calls it failed", TOLD, _shut_and_called_failed),
        *each_load("crash, {}, promoted and backing up for long", MOVED, _long_after_promotion),
    )


def _from(at: tuple[random.Random, float]) -> History:
    return History.once(at[1])


def _lost(chance: random.Random, fault: float) -> So:
    return {"down": History.once(fault), "vanishes": chance.random() < 0.5}


def _cut_off(chance: random.Random, fault: float) -> So:
    return {"link": before(fault)}


def _dark(fault: float, **so: object) -> So:
    return {"dark": History.once(fault), **so}


def _unconfirmed(chance: random.Random, fault: float) -> So:
    """Nobody but this site's probes says that it is dead, and RDS calls it available."""
    return {**_lost(chance, fault), "metrics_silent": History.once(fault)}


def _lost_in_a_shaky_region(chance: random.Random, fault: float) -> So:
    return {**_lost(chance, fault), **_shaky(chance, fault)}


def _shaky(chance: random.Random, fault: float) -> So:
    return {name: _blinks(chance, fault) for name in ("rds_silent", "metrics_silent")}


def _blinks(chance: random.Random, fault: float) -> History:
    bursts, at = [], fault + chance.uniform(0, 20)
    while at < fault + LONG_SECONDS:
        bursts.append(Burst(at, at + chance.uniform(5, 40)))
        at = bursts[-1].ends + chance.uniform(10, 60)
    return History(bursts)


def _host_lost_unprobed(chance: random.Random, fault: float) -> So:
    return {"down": History.once(fault), "vanishes": True, "silent_there_from": fault - chance.uniform(0, 4 * MINUTE)}


def _process_dead_unprobed(chance: random.Random, fault: float) -> So:
    return {"down": History.once(fault), "silent_there_from": fault - chance.uniform(0, 4 * MINUTE)}


def _dark_after_a_cut(chance: random.Random, fault: float) -> So:
    """The link goes first, the region up to two minutes later: until then its clients write on."""
    return {"link": before(fault), "dark": History.once(fault + chance.uniform(0, 2 * MINUTE))}


def _half_seen(chance: random.Random, fault: float) -> So:
    return {**_cut_off(chance, fault), "own": lambda at: at < fault or chance.random() < 1 / 2}


def _services_silent(chance: random.Random, fault: float) -> So:
    silent = History.once(fault)
    return {"rds_silent": silent, "metrics_silent": silent}


def _services_blink(chance: random.Random, fault: float) -> So:
    return _shaky(chance, fault)


def _called(word: str, after: Spread = durations.STATUS_SHOWN, *, probed: bool = True) -> Happening:
    def happens(chance: random.Random, fault: float) -> So:
        silent_from = math.inf if probed else fault - chance.uniform(0, 4 * MINUTE)
        status = since(fault + after.draw(chance), word)
        return {**_lost(chance, fault), "status": status, "silent_there_from": silent_from}

    return happens


def _shut_and_called_failed(chance: random.Random, fault: float) -> So:
    return {"shut": History.once(fault), "status": since(fault, FAILED)}


def _long_after_promotion(chance: random.Random, fault: float) -> So:
    return {**_lost(chance, fault), "after_promotion": durations.LONG_AFTER_PROMOTION}
