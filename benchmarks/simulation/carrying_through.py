"""From the decision to clients at the new writer: the steps of `failover.act` with AWS's durations.

The steps' own code is not run here, only their order, their polls, their bounds and the runs' budget: ten thousand
failovers of some hundred calls each would take longer than anybody waits. `tests/benchmarks` holds this model against
the real steps.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import partial

from aws_in_memory import durations
from benchmarks.simulation.looking import Phases, look_directly
from benchmarks.simulation.setting import Setting
from benchmarks.simulation.world import World
from failover.last_look import Life
from failover.shown import SHOWN_WITHIN_SECONDS
from failover.work import JITTER, SOON_SECONDS

DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class Carried:
    """When what was done; seconds.

    Attributes:
        fenced: the old writer is fenced, or given up.
        asked: RDS was asked to promote, for the last time where it dropped a promotion.
        latched: RDS shows the promotion under way, and the latch is published.
        named: the writer's name leads to the new writer, for the client with the oldest answer.
        writable: the new writer takes writes: whoever knows its own address can write.
        recorded: the controller knows it, by a committed heartbeat or by RDS.
        closed: RDS shows the end of the promotion, or that is waited for no longer.
        own_seconds: what our own calls and polls take from the decision to the latch: until the fence is asked for,
            from when RDS has changed the group until the promotion is asked for, and from when it is shown until the
            latch is published. Without the last look, which waits for a silent database, and a backup of the replica.
        looked_seconds: what the last look before the promotion takes.
        looked_at: when that look began.
        shut_from: when the fence shut the old writer; infinity where it could not.
    """

    fenced: float
    asked: float
    latched: float
    named: float
    writable: float
    recorded: float
    closed: float
    own_seconds: float
    looked_seconds: float
    looked_at: float
    shut_from: float

    @property
    def by_name(self) -> float:
        """When the client with the oldest answer can write."""
        return max(self.named, self.writable)


class _Run:
    """The time of a run, and of the next where its budget is used up."""

    def __init__(self, chance: random.Random, setting: Setting, began: float, now: float, tick_phase: float) -> None:
        self._chance, self._settings, self._tick_phase = chance, setting.failover, tick_phase
        self._schedule_seconds = setting.schedule_seconds
        self.now = now
        self._ends_at = began + self._settings.run_budget_seconds

    def call(self) -> None:
        """One call of an API."""
        self.now += durations.API_CALL_SECONDS

    def wait(self, *, soon: bool) -> None:
        """One poll interval; a run at its end leaves it to the next tick's."""
        seconds = self._settings.poll_interval_seconds
        if self._ends_at - self.now <= self._settings.poll_interval_seconds:
            ticks = math.ceil((self.now - self._tick_phase) / self._schedule_seconds)
            began = self._tick_phase + ticks * self._schedule_seconds
            self.now = began + durations.SCHEDULE_LATENESS.draw(self._chance)
            self._ends_at = self.now + self._settings.run_budget_seconds
            return
        self.now += (min(SOON_SECONDS, seconds) if soon else seconds) * self._chance.uniform(1 - JITTER, 1)

    def poll(self, until: float, give_up_at: float = math.inf, *, soon: bool = False) -> None:
        """Look until something has happened, or it is waited for no longer."""
        while True:
            self.call()
            if self.now >= until or self.now >= give_up_at:
                return
            self.wait(soon=soon)


def carry_through(
    chance: random.Random,
    setting: Setting,
    world: World,
    *,
    began: float,
    decided: float,
    tick_phase: float,
    phases: Phases,
    is_hung: bool = False,
) -> Carried | None:
    """One failover; None where the look before the promotion takes it back, or leaves it to people.

    Args:
        chance: where chance comes from.
        setting: the production settings.
        world: what is so.
        began: when the run began that decided.
        decided: when it decided, the look before that included.
        tick_phase: when in its schedule the failover's runs begin.
        phases: the same of the probes.
        is_hung: the old writer answers and commits nothing: its fence must be seen, and may take its time.
    """
    settings = setting.failover
    run = _Run(chance, setting, began, decided, tick_phase)
    run.call()
    fence_asked, shut_from = run.now, math.inf
    if world.dark.covers(run.now) or world.rds_silent.covers(run.now):
        run.now += setting.dark_call_seconds(hangs=world.dark_calls_hang)
        changed = run.now
    else:
        run.call()
        shut_from = run.now + durations.GROUP_CHANGE.draw(chance)
        bound_seconds = settings.planned_fence_timeout_seconds if is_hung else settings.fence_timeout_seconds
        run.poll(shut_from, decided + bound_seconds, soon=True)
        changed = min(shut_from, run.now)
        run.call()
    fenced = run.now
    if chance.random() < durations.REPLICA_BACKUP_SECONDS / DAY_SECONDS:
        run.poll(fenced + chance.uniform(0, durations.REPLICA_BACKUP_SECONDS))
    ready = run.now
    run.call()
    look = partial(look_directly, chance, setting, world, phases=phases, shut_from=shut_from, is_second=True)
    looked = look(run.now)
    if looked.life is Life.COMMITS or (looked.life is Life.ANSWERS and not is_hung):
        return None
    run.now = looked.ends
    run.call()
    asked, latched = run.now, math.inf
    until_asked = (fence_asked - decided) + (fenced - changed) + (asked - ready) - (looked.ends - looked.began)
    while chance.random() < durations.DROPPED_PROMOTIONS:
        # Whether it was shown before it was dropped: then the name has moved.
        if chance.random() < 0.5:
            latched = min(latched, _latched(run, asked + durations.PROMOTION_SHOWN.draw(chance)))
        run.poll(run.now + SHOWN_WITHIN_SECONDS)
        run.now = look(run.now).ends
        run.call()
        asked = run.now
    writable = asked + chance.uniform(durations.SHORTEST_PROMOTION_SECONDS, durations.LONGEST_PROMOTION_SECONDS)
    shown = asked + durations.PROMOTION_SHOWN.draw(chance)
    until_latched = _latched(run, shown)
    latched = min(latched, until_latched)
    shown_over = writable + world.after_promotion.draw(chance)
    committed = _committed(chance, setting, writable, phases[0]) if world.prepared else math.inf
    run.poll(min(committed, shown_over + settings.verify_timeout_seconds))
    recorded = run.now
    run.poll(shown_over, recorded + settings.step_patience_seconds)
    named = latched + durations.HEALTH_CHECK_REACTION.draw(chance) + durations.HEALTH_STATUS_SPREADING.draw(chance)
    named += settings.name_ttl_seconds
    return Carried(
        fenced,
        asked,
        latched,
        named,
        writable,
        recorded,
        closed=run.now,
        own_seconds=until_asked + until_latched - shown,
        looked_seconds=looked.ends - looked.began,
        looked_at=looked.began,
        shut_from=shut_from,
    )


def _latched(run: _Run, shown: float) -> float:
    """When the latch is published, of a promotion that RDS shows from some time on."""
    run.poll(shown, soon=True)
    run.call()
    return run.now


def _committed(chance: random.Random, setting: Setting, since: float, probe_phase: float) -> float:
    """When the first heartbeat can be read that is committed once the new writer takes writes."""
    rhythm = setting.rhythm
    runs = math.floor((since - probe_phase) / rhythm.schedule_seconds)
    while True:
        begins = probe_phase + runs * rhythm.schedule_seconds
        for number in range(rhythm.probes):
            asked_at = begins + number * rhythm.interval_seconds
            if asked_at >= since:
                return asked_at + durations.PROBE_METRIC_DELAY.draw(chance)
        runs += 1
