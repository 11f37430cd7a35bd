"""The writer, or its region, is away for a while and comes back: whoever looks once more before acting sees it."""

from __future__ import annotations

import math
import random

from aws_in_memory import durations
from aws_in_memory.durations import Spread
from benchmarks.simulation.losses import History
from benchmarks.simulation.making import (
    ASKED_OVERDUE,
    LEFT_ALONE,
    MINUTE,
    MOVED,
    Happening,
    So,
    each_load,
    outage,
    since,
    until,
)
from benchmarks.simulation.playing import Case, Expected

# Shorter than any outage that counts, though it counts from the period in which the first probe failed.
LEFT_ALONE_SECONDS = (60, 90, 110)
# A writer that is away when it is looked at is replaced, and never one that is back.
EITHER_SECONDS = (120, 150, 180)
EITHER = LEFT_ALONE._replace(expected=Expected.EITHER)
OPTIMIZED = "storage-optimization"


def blackouts() -> tuple[Case, ...]:
    """Of so many seconds: of the writer, and of its whole region."""
    found: list[Case] = []
    for seconds, must in [
        *((seconds, LEFT_ALONE) for seconds in LEFT_ALONE_SECONDS),
        *((seconds, EITHER) for seconds in EITHER_SECONDS),
    ]:
        found += each_load(f"blackout of {seconds} s, {{}}", must, _away(seconds))
        found += each_load(f"region dark for {seconds} s, {{}}", must, _dark(seconds))
    return tuple(found)


def works_of_rds() -> tuple[Case, ...]:
    """RDS takes the writer away, or repairs it: its words for that are no failures, and most of it ends."""
    lasts = 16 * MINUTE
    return (
        *each_load("reboot that ends, {}", LEFT_ALONE, _reboot),
        *each_load("Multi-AZ failover, {}", EITHER, _multi_az(durations.MULTI_AZ_FAILOVER)),
        *each_load("Multi-AZ failover that takes long, {}", EITHER, _multi_az(durations.LONG_MULTI_AZ_FAILOVER)),
        *each_load("crash that RDS repairs, {}", LEFT_ALONE._replace(lasts_seconds=lasts), _repaired),
        *each_load("crash that RDS does not repair, {}", ASKED_OVERDUE, _not_repaired),
        *each_load("storage full and made larger, {}", LEFT_ALONE._replace(lasts_seconds=lasts), _made_larger),
        *each_load("storage optimized for a day, {}", LEFT_ALONE, lambda _, fault: {"status": since(fault, OPTIMIZED)}),
        *each_load("crash while storage is optimized, {}", MOVED, _crash_while_optimized),
    )


def _away(seconds: float) -> Happening:
    return lambda chance, fault: {"down": History.once(fault, fault + seconds), "vanishes": chance.random() < 0.5}


def _dark(seconds: float) -> Happening:
    return lambda chance, fault: {
        "dark": History.once(fault, fault + seconds),
        "dark_calls_hang": chance.random() < 0.5,
    }


def _reboot(chance: random.Random, fault: float) -> So:
    ends = fault + durations.REBOOT.draw(chance)
    return {"down": History.once(fault, ends), "status": until(ends, since(fault, "rebooting"))}


def _multi_az(takes: Spread) -> Happening:
    """The instance is shown as available, or as rebooting once RDS has seen it."""

    def happens(chance: random.Random, fault: float) -> So:
        ends = fault + takes.draw(chance)
        seen_at = fault + durations.STATUS_SHOWN.draw(chance) if chance.random() < 0.5 else math.inf
        away = {"down": History.once(fault, ends), "vanishes": chance.random() < 0.5}
        return {**away, "status": until(ends, since(seen_at, "rebooting"))}

    return happens


def _repaired(chance: random.Random, fault: float) -> So:
    """Shown as available for a while, then as rebooting until it is back."""
    down = outage(chance, fault, 3 * MINUTE, 9 * MINUTE)
    seen_at = fault + durations.STATUS_SHOWN.draw(chance)
    return {"down": down, "status": until(down.bursts[0].ends, since(seen_at, "rebooting"))}


def _not_repaired(chance: random.Random, fault: float) -> So:
    return {"down": History.once(fault), "status": since(fault + durations.STATUS_SHOWN.draw(chance), "rebooting")}


def _made_larger(chance: random.Random, fault: float) -> So:
    """Modified while it is full, and optimized for hours after that."""
    grown_at = fault + chance.uniform(3 * MINUTE, 9 * MINUTE)
    full = since(fault + chance.uniform(0, 2 * MINUTE), "storage-full")
    modified = until(grown_at, lambda at: "modifying" if at >= grown_at - MINUTE else full(at))
    return {
        "blocked": History.once(fault, grown_at),
        "status": lambda at: OPTIMIZED if at >= grown_at else modified(at),
    }


def _crash_while_optimized(chance: random.Random, fault: float) -> So:
    return {
        "down": History.once(fault),
        "vanishes": chance.random() < 0.5,
        "status": since(fault - 10 * MINUTE, OPTIMIZED),
    }
