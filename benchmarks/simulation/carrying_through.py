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
from failover.work import JITTER

DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class Carried:
    """When what was done; seconds.

    Attributes:
        fenced: the old writer is fenced, or given up.
        asked: RDS was asked to promote.
        writable: the new writer takes writes: whoever knows its own address can write.
        noticed: the controller knows it.
        verified: a probe has confirmed it, or is waited for no longer.
        latched: the latch is published.
        named: the writer's name leads there, for the client with the oldest answer.
    """

    fenced: float
    asked: float
    writable: float
    noticed: float
    verified: float
    latched: float
    named: float


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
    asked = run.now
    writable = asked + chance.uniform(durations.SHORTEST_PROMOTION_SECONDS, durations.LONGEST_PROMOTION_SECONDS)
    run.poll(writable)
    noticed = run.now
    run.poll(_confirmed(chance, setting, noticed, probe_phase), noticed + settings.verify_timeout_seconds)
    verified = run.now
    run.call()
    latched = run.now
    named = latched + durations.HEALTH_CHECK_REACTION.draw(chance) + durations.HEALTH_STATUS_SPREADING.draw(chance)
    return Carried(fenced, asked, writable, noticed, verified, latched, named + settings.name_ttl_seconds)


def _confirmed(chance: random.Random, setting: Setting, since: float, probe_phase: float) -> float:
    """When the first probe can be read that lies in a period which began after the promotion was noticed."""
    rhythm = setting.rhythm
    period_seconds = setting.failover.policy.fine_period_seconds
    period_begins = math.ceil(since / period_seconds) * period_seconds
    runs = math.floor((period_begins - probe_phase) / rhythm.schedule_seconds)
    while True:
        begins = probe_phase + runs * rhythm.schedule_seconds
        for number in range(rhythm.probes):
            asked_at = begins + number * rhythm.interval_seconds
            if asked_at >= period_begins:
                return asked_at + durations.PROBE_METRIC_DELAY.draw(chance)
        runs += 1
