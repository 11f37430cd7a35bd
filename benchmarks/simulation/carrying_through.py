"""From the decision to clients at the new writer: the steps of `failover.act` with AWS's durations.

The steps' own code is not run here, only their order, their polls, their bounds and the runs' budget: ten thousand
failovers of some hundred calls each would take longer than anybody waits. `tests/benchmarks` holds this model against
the real steps.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from aws_in_memory import durations
from benchmarks.simulation.setting import Setting
from failover.shown import SHOWN_WITHIN_SECONDS
from failover.work import JITTER

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
    """

    fenced: float
    asked: float
    latched: float
    named: float
    writable: float
    recorded: float
    closed: float

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

    def wait(self) -> None:
        """One poll interval; a run at its end leaves it to the next tick's."""
        if self._ends_at - self.now <= self._settings.poll_interval_seconds:
            ticks = math.ceil((self.now - self._tick_phase) / self._schedule_seconds)
            began = self._tick_phase + ticks * self._schedule_seconds
            self.now = began + durations.SCHEDULE_LATENESS.draw(self._chance)
            self._ends_at = self.now + self._settings.run_budget_seconds
            return
        self.now += self._settings.poll_interval_seconds * self._chance.uniform(1 - JITTER, 1)

    def poll(self, until: float, give_up_at: float = math.inf) -> None:
        """Look until something has happened, or it is waited for no longer."""
        while True:
            self.call()
            if self.now >= until or self.now >= give_up_at:
                return
            self.wait()


def carry_through(
    chance: random.Random,
    setting: Setting,
    *,
    began: float,
    decided: float,
    tick_phase: float,
    probe_phase: float,
    dark: bool,
) -> Carried:
    """One failover.

    Args:
        chance: where chance comes from.
        setting: the production settings.
        began: when the run began that decided.
        decided: when it decided.
        tick_phase: when in its schedule the failover's runs begin.
        probe_phase: the same of the recovery site's probe.
        dark: the old writer's region answers nothing.
    """
    settings = setting.failover
    run = _Run(chance, setting, began, decided, tick_phase)
    if dark:
        run.now += setting.silence_seconds
    else:
        run.call()
        run.poll(run.now + durations.GROUP_CHANGE.draw(chance), decided + settings.fence_timeout_seconds)
        run.call()
    fenced = run.now
    backup_ends = 0.0
    if chance.random() < durations.REPLICA_BACKUP_SECONDS / DAY_SECONDS:
        backup_ends = run.now + chance.uniform(0, durations.REPLICA_BACKUP_SECONDS)
    run.poll(backup_ends)
    run.call()
    asked, latched = run.now, math.inf
    while chance.random() < durations.DROPPED_PROMOTIONS:
        # Whether it was shown before it was dropped: then the name has moved.
        if chance.random() < 0.5:
            latched = min(latched, _latched(run, asked + durations.PROMOTION_SHOWN.draw(chance)))
        run.poll(run.now + SHOWN_WITHIN_SECONDS)
        run.call()
        asked = run.now
    writable = asked + chance.uniform(durations.SHORTEST_PROMOTION_SECONDS, durations.LONGEST_PROMOTION_SECONDS)
    latched = min(latched, _latched(run, asked + durations.PROMOTION_SHOWN.draw(chance)))
    shown_over = writable + durations.AFTER_PROMOTION.draw(chance)
    committed = _committed(chance, setting, writable, probe_phase)
    run.poll(min(committed, shown_over + settings.verify_timeout_seconds))
    recorded = run.now
    run.poll(shown_over, recorded + settings.step_patience_seconds)
    named = latched + durations.HEALTH_CHECK_REACTION.draw(chance) + durations.HEALTH_STATUS_SPREADING.draw(chance)
    named += settings.name_ttl_seconds
    return Carried(fenced, asked, latched, named, writable, recorded, closed=run.now)


def _latched(run: _Run, shown: float) -> float:
    """When the latch is published, of a promotion that RDS shows from some time on."""
    run.poll(shown)
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
