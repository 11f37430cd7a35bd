"""Make classes of events out of what is otherwise in them than in a world that is well."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from aws_in_memory import durations
from benchmarks.simulation.losses import History
from benchmarks.simulation.playing import Case, Expected
from benchmarks.simulation.world import Status, World, reconnection_seconds
from failover.policy import Policy, WhenUnsure

MINUTE = 60.0
LONG_SECONDS = 25 * MINUTE
LATE = {"probe_delay": durations.LATE_PROBE_METRIC_DELAY, "rds_delay": durations.LATE_RDS_METRIC_DELAY}

So = dict[str, Any]
"""What is otherwise: attributes of a `World`."""
Happening = Callable[[random.Random, float], So]
"""The same, by chance and the moment of the fault."""


class Must(NamedTuple):
    """What must follow, after how many seconds it is late, and for how many it is played."""

    expected: Expected
    within_seconds: float
    lasts_seconds: float


TOLD = Must(Expected.TELL, 5 * MINUTE, 10 * MINUTE)
TOLD_NOT_READY = Must(Expected.TELL, 10 * MINUTE, 12 * MINUTE)
ASKED = Must(Expected.ASK, 5 * MINUTE, 10 * MINUTE)
# RDS's work on a silent writer is waited for before people are asked: five outages, and what a look is late.
ASKED_OVERDUE = Must(Expected.ASK, 13 * MINUTE, 16 * MINUTE)
MOVED_OVERDUE = Must(Expected.FAIL_OVER, 13 * MINUTE, 16 * MINUTE)
MOVED = Must(Expected.FAIL_OVER, 5 * MINUTE, 10 * MINUTE)
MOVED_OR_ASKED = Must(Expected.ACT, 5 * MINUTE, 10 * MINUTE)
LEFT_ALONE = Must(Expected.STAY, math.inf, 10 * MINUTE)


def as_it_is(policy: Policy) -> Policy:
    """The default policy."""
    return policy


def set_to_fail_over(policy: Policy) -> Policy:
    """With the settings that ask nobody."""
    return replace(policy, writer_hung=WhenUnsure.FAILOVER, maintenance_overdue=WhenUnsure.FAILOVER)


def when_busy(
    name: str, must: Must, happens: Happening, policy: Callable[[Policy], Policy] = as_it_is, *, busy: bool = True
) -> Case:
    """The class for a writer that is written to all the time, or for one that is not."""
    return Case(name, lambda chance, fault: _world(chance, fault, busy, happens(chance, fault)), *must, policy)


def each_load(
    name: str, must: Must, happens: Happening, policy: Callable[[Policy], Policy] = as_it_is
) -> tuple[Case, Case]:
    """The class for a busy writer, and for an idle one; the name has a place for the word."""
    return (
        when_busy(name.format("busy"), must, happens, policy),
        when_busy(name.format("idle"), must, happens, policy, busy=False),
    )


def since(fault: float, word: str) -> Status:
    """RDS's word for an instance that is available until then."""
    return lambda at: word if at >= fault else "available"


def until(ends: float, status: Status) -> Status:
    """The same as long as something lasts, and an available instance after that."""
    return lambda at: status(at) if at < ends else "available"


def before(fault: float) -> Callable[[float], bool]:
    """A way that is open until then."""
    return lambda at: at < fault


def outage(chance: random.Random, fault: float, shortest: float, longest: float) -> History:
    """One that ends."""
    return History.once(fault, fault + chance.uniform(shortest, longest))


def clocks_apart(chance: random.Random) -> So:
    """The databases' clocks are wrong by a second or two."""
    return {"writer_clock": chance.uniform(-2, 2), "replica_clock": chance.uniform(-2, 2)}


def _world(chance: random.Random, fault: float, busy: bool, so: So) -> World:  # noqa: FBT001
    """In an idle one RDS writes a little itself, or nothing any more from the fault on."""
    lag = durations.REPLICA_LAG.draw(chance)
    usual: So = {
        "busy": busy,
        "lag_seconds": lambda _: lag,
        "own_writes_phase": chance.uniform(0, durations.OWN_WRITES_SECONDS),
        "own_writes_end": fault if chance.random() < 0.5 else math.inf,
        "restart_seconds": reconnection_seconds(chance),
    }
    return World(**{**usual, **so})
