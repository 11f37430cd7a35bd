"""Ten thousand days on which every database is healthy and probes are lost: false failovers, and alerts to people.

A trouble needs a period in which no probe of the primary's database was answered, so only the time around such periods
is played; all other time passes at once. Around them the real `interpret` and `decide` look every minute.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from aws_in_memory import durations
from aws_in_memory.clock import moment
from benchmarks.measurement import Measurement
from benchmarks.simulation.controller import Watcher
from benchmarks.simulation.looking import look_directly
from benchmarks.simulation.losses import (
    DAY_SECONDS,
    Burst,
    History,
    Losses,
    whole_periods_lost,
)
from benchmarks.simulation.setting import Setting
from benchmarks.simulation.sight import Sight
from benchmarks.simulation.world import World, reconnection_seconds
from failover.decision import Action
from failover.last_look import LastLook, before_opening

DAYS = 10_000
# Played in parts, which have nothing to do with each other.
DAYS_AT_ONCE = 500
SEED = 10_000
# Played before and after the time in which something can be lost.
MARGIN_SECONDS = 120.0


@dataclass
class Found:
    """What people were told, and what happened in all those days.

    Attributes:
        windows: how often no probe was answered for a whole period, or nearly.
        runs: how many runs of the controller were played.
        failovers: false ones.
        told: alerts and questions to people, by code.
        over: messages that it is over.
    """

    windows: int = 0
    runs: int = 0
    failovers: int = 0
    told: Counter[str] = field(default_factory=Counter)
    over: int = 0

    def add(self, other: Found) -> None:
        """More days."""
        self.windows += other.windows
        self.runs += other.runs
        self.failovers += other.failovers
        self.told += other.told
        self.over += other.over


class _Days:
    """What is lost when, over all the days."""

    def __init__(self, chance: random.Random, losses: Losses, at: Setting, seconds: float) -> None:
        self._chance, self._losses = chance, losses
        period = at.failover.policy.metric_period_seconds
        lost = whole_periods_lost(chance, losses.loss**at.rhythm.probes, seconds / period)
        self._lost_by_chance = History([Burst(number * period, (number + 1) * period) for number in lost])
        self._link, self._own, self._probe, self._both = (
            History.of(chance, bursts, seconds) for bursts in (losses.link, losses.own, losses.probe, losses.both)
        )
        self.reboots = History(list(_reboots(chance, losses, seconds)))

    def suspects(self) -> Iterator[Burst]:
        """Whatever can keep this site's probes from the primary's database."""
        return chain(
            self._lost_by_chance.bursts,
            self._link.bursts,
            self._probe.bursts,
            self._both.bursts,
            self.reboots.bursts,
        )

    def link_passes(self, at: float) -> bool:
        """Whether the recovery site's probe gets through to the primary's database."""
        return not self._lost_by_chance.covers(at) and self._passes(at, self._link, self._probe, self._both)

    def own_passes(self, at: float) -> bool:
        """The primary site's probe."""
        return self._passes(at, self._own, self._both)

    def here_passes(self, at: float) -> bool:
        """The recovery site's probe of its own database."""
        return self._passes(at, self._probe)

    def _passes(self, at: float, *histories: History) -> bool:
        in_burst = any(history.covers(at) for history in histories)
        return self._chance.random() >= (self._losses.loss_in_burst if in_burst else self._losses.loss)


def simulate(chance: random.Random, at: Setting, losses: Losses, days: int) -> Found:
    """So many days."""
    lost, found = _Days(chance, losses, at, days * DAY_SECONDS), Found()
    for window in _windows(lost.suspects(), at):
        _play(chance, at, lost, losses, window, found)
    return found


def measurements(losses: Losses, days: int, played: Found) -> list[Measurement]:
    """False failovers, and how often people are told of something, for one kind of loss."""
    told = ", ".join(f"{count} {code}" for code, count in played.told.most_common()) if played.told else "none"
    return [
        Measurement(
            f"wrong: {losses.name}",
            played.failovers,
            "",
            0.0,
            f"in {days} days; {played.windows} suspect times, {played.runs} runs played; {_described(losses)}",
        ),
        Measurement(
            f"alerts to people, {losses.name}",
            365.25 * played.told.total() / days,
            "a year",
            None,
            f"in {days} days: {told}; {played.over} times told that it is over",
        ),
    ]


def _described(losses: Losses) -> str:
    bursts = {
        "link": losses.link,
        "own": losses.own,
        "probe": losses.probe,
        "both": losses.both,
    }
    texts = [
        f"{name} {each.per_day:.2g} bursts/day of {each.mean_seconds:g} s"
        for name, each in bursts.items()
        if each.per_day
    ]
    reboots = f", {losses.reboots.per_day:.2g} reboots/day" if losses.reboots.per_day else ""
    writes = "" if losses.busy else ", nobody writes"
    return f"{losses.loss:.0%} lost, {losses.loss_in_burst:.0%} in bursts: {'; '.join(texts)}{reboots}{writes}"


def _reboots(chance: random.Random, losses: Losses, seconds: float) -> Iterator[Burst]:
    at = 0.0
    while losses.reboots.per_day > 0:
        at += chance.expovariate(losses.reboots.per_day / DAY_SECONDS)
        if at >= seconds:
            return
        takes = durations.REBOOT.draw(chance)
        yield Burst(at, at + takes)
        at += takes


def _windows(suspects: Iterator[Burst], at: Setting) -> Iterator[Burst]:
    """The time around what may keep probes away; what the controller can see at once belongs together."""
    apart = at.failover.policy.lookback.total_seconds() + 2 * MARGIN_SECONDS
    begins = ends = None
    for each in sorted(suspects, key=lambda burst: burst.begins):
        if begins is not None and ends is not None and each.begins - ends > apart:
            yield Burst(begins, ends)
            begins = ends = None
        begins = each.begins if begins is None else begins
        ends = each.ends if ends is None else max(ends, each.ends)
    if begins is not None and ends is not None:
        yield Burst(begins, ends)


def _play(chance: random.Random, at: Setting, days: _Days, losses: Losses, window: Burst, found: Found) -> None:
    """Look every minute until nothing is wrong any more, or the writer was moved."""
    policy, schedule = at.failover.policy, at.schedule_seconds
    # The controller's clock begins at a minute, and every deployment has its own phases.
    origin = window.begins // policy.metric_period_seconds * policy.metric_period_seconds - MARGIN_SECONDS
    ends, lag = window.ends - origin + MARGIN_SECONDS, durations.REPLICA_LAG.draw(chance)
    reboots = days.reboots.within(origin, window.ends + MARGIN_SECONDS)
    world = World(
        busy=losses.busy,
        down=reboots,
        status=lambda now: "rebooting" if reboots.covers(now) else "available",
        link=lambda now: days.link_passes(now + origin),
        own=lambda now: days.own_passes(now + origin),
        here=lambda now: days.here_passes(now + origin),
        lag_seconds=lambda _: lag,
        own_writes_phase=chance.uniform(0, durations.OWN_WRITES_SECONDS),
        restart_seconds=reconnection_seconds(chance),
    )
    phases = (chance.uniform(0, schedule), chance.uniform(0, schedule))
    sight, watcher = Sight(chance, at, world, 0.0, phases), Watcher(policy)
    now = MARGIN_SECONDS + chance.uniform(0, schedule)
    found.windows += 1
    while now < ends or watcher.trouble is not None or watcher.unready is not None:
        found.runs += 1
        if watcher.look(sight.readings(now)).action is Action.FAIL_OVER and watcher.signals is not None:
            look = look_directly(chance, at, world, now, phases)
            instead = before_opening(LastLook(moment(look.ends), look.life, ()), watcher.signals, None, policy)
            if instead is None:
                found.failovers += 1
                break
            watcher.keep(moment(look.ends), instead)
        now += schedule + durations.SCHEDULE_LATENESS.draw(chance) - durations.SCHEDULE_LATENESS.most_frequent
    found.told.update(each.code for each in watcher.told)
    found.over += watcher.answers_again + watcher.ready_again
