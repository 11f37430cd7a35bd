"""Ten thousand days on which every database is healthy and probes are lost: does the controller fail over, does it cry?

A trouble needs a period in which no probe of the primary's database was answered, so only the time around such periods
is played; all other time passes at once. Around them the real `interpret` and `decide` look every minute.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from benchmarks.measurement import Measurement
from benchmarks.simulation import durations
from benchmarks.simulation.controller import Watcher
from benchmarks.simulation.incidents import ANSWERS
from benchmarks.simulation.losses import (
    BOTH_WAYS,
    DAY_SECONDS,
    LOSSY,
    Burst,
    History,
    Weather,
    whole_periods_lost,
)
from benchmarks.simulation.series import Probes, ReplicaLag
from benchmarks.simulation.setting import Setting, setting
from benchmarks.simulation.timeline import moment
from failover.decide import Action
from failover.readings import Readings
from function_runtime.readings import Instance
from function_runtime.sites import Site

DAYS = 10_000
SEED = 10_000
# Played before and after the time in which something can be lost.
MARGIN_SECONDS = 120.0
IDLE_LAG = durations.Spread(240.0, 290.0, 300.0)
STANDBY = Instance("available", "primary", {})


@dataclass
class Nights:
    """What people were woken for, and what happened in all those days.

    Attributes:
        windows: how often no probe was answered for a whole period, or nearly.
        runs: how many runs of the controller were played.
        failovers: false ones.
        told: alerts and questions to people, by code.
        answers_again: messages that it is over.
    """

    windows: int = 0
    runs: int = 0
    failovers: int = 0
    told: Counter[str] = field(default_factory=Counter)
    answers_again: int = 0


class _Days:
    """What is lost when, over all the days."""

    def __init__(self, chance: random.Random, weather: Weather, at: Setting, seconds: float) -> None:
        self._chance, self._weather = chance, weather
        period = at.rhythm.period_seconds
        lost = whole_periods_lost(chance, weather.loss**at.rhythm.probes, seconds / period)
        self._lost_by_chance = History([Burst(number * period, (number + 1) * period) for number in lost])
        self._link, self._own, self._probe, self._both = (
            History.of(chance, bursts, seconds) for bursts in (weather.link, weather.own, weather.probe, weather.both)
        )
        self.reboots = History(list(_reboots(chance, weather, seconds)))

    def suspects(self) -> Iterator[Burst]:
        """Whatever can keep this site's probes from the primary's database."""
        return chain(
            self._lost_by_chance.bursts,
            self._link.bursts,
            self._probe.bursts,
            self._both.bursts,
            self.reboots.bursts,
        )

    def link_answers(self, at: float) -> bool:
        """The recovery site's probe of the primary's database."""
        if self.reboots.covers(at) or self._lost_by_chance.covers(at):
            return False
        return self._passes(at, self._link, self._probe, self._both)

    def own_answers(self, at: float) -> bool:
        """The primary site's probe of it."""
        return self._passes(at, self._own, self._both) and not self.reboots.covers(at)

    def standby_answers(self, at: float) -> bool:
        """The recovery site's probe of its own database."""
        return self._passes(at, self._probe)

    def _passes(self, at: float, *histories: History) -> bool:
        in_burst = any(history.covers(at) for history in histories)
        return self._chance.random() >= (self._weather.loss_in_burst if in_burst else self._weather.loss)


def simulate(chance: random.Random, at: Setting, weather: Weather, days: int = DAYS) -> Nights:
    """So many days."""
    world, nights = _Days(chance, weather, at, days * DAY_SECONDS), Nights()
    for window in _windows(world.suspects(), at):
        _play(chance, at, world, weather, window, nights)
    return nights


def measure() -> list[Measurement]:
    """False failovers, and how often people are told of something, in each weather."""
    found = []
    for weather, target in ((LOSSY, 0.0), (BOTH_WAYS, None)):
        nights = simulate(random.Random(SEED), setting(), weather)  # noqa: S311 - no secret
        told = ", ".join(f"{count} {code}" for code, count in nights.told.most_common()) if nights.told else "none"
        found += [
            Measurement(
                f"false failovers, {weather.name}",
                nights.failovers,
                "failovers",
                target,
                f"in {DAYS} days; {nights.windows} suspect times, {nights.runs} runs played; {_described(weather)}",
            ),
            Measurement(
                f"alerts to people, {weather.name}",
                365.25 * nights.told.total() / DAYS,
                "a year",
                None,
                f"in {DAYS} days: {told}; {nights.answers_again} times told that it is over",
            ),
        ]
    return found


def _described(weather: Weather) -> str:
    bursts = {
        "link": weather.link,
        "own": weather.own,
        "probe": weather.probe,
        "both": weather.both,
    }
    texts = [
        f"{name} {each.per_day:.2g} bursts/day of {each.mean_seconds:g} s"
        for name, each in bursts.items()
        if each.per_day
    ]
    reboots = f", {weather.reboots.per_day:.2g} reboots/day" if weather.reboots.per_day else ""
    writes = "" if weather.writes_show else ", nobody writes"
    return f"{weather.loss:.0%} lost, {weather.loss_in_burst:.0%} in bursts: {'; '.join(texts)}{reboots}{writes}"


def _reboots(chance: random.Random, weather: Weather, seconds: float) -> Iterator[Burst]:
    at = 0.0
    while weather.reboots.per_day > 0:
        at += chance.expovariate(weather.reboots.per_day / DAY_SECONDS)
        if at >= seconds:
            return
        takes = durations.REBOOT.draw(chance)
        yield Burst(at, at + takes)
        at += takes


def _windows(suspects: Iterator[Burst], at: Setting) -> Iterator[Burst]:
    """The time around what may keep probes away; what the controller can see at once belongs together."""
    apart = at.rhythm.lookback_seconds + 2 * MARGIN_SECONDS
    begins = ends = None
    for each in sorted(suspects, key=lambda burst: burst.begins):
        if begins is not None and ends is not None and each.begins - ends > apart:
            yield Burst(begins, ends)
            begins = ends = None
        begins = each.begins if begins is None else begins
        ends = each.ends if ends is None else max(ends, each.ends)
    if begins is not None and ends is not None:
        yield Burst(begins, ends)


def _play(chance: random.Random, at: Setting, world: _Days, weather: Weather, window: Burst, nights: Nights) -> None:
    """Look every minute until nothing is wrong any more, or the writer was moved."""
    period, schedule = at.rhythm.period_seconds, at.schedule_seconds
    # The controller's clock begins at a minute, and every deployment has its own phases.
    origin = window.begins // period * period - MARGIN_SECONDS
    ends = window.ends - origin + MARGIN_SECONDS

    def probes(answers: str) -> Probes:
        asked = getattr(world, answers)
        phase = chance.uniform(0, schedule)
        return Probes(chance, at.rhythm, phase, 0.0, lambda when: asked(when + origin))

    link, own, standby = probes("link_answers"), probes("own_answers"), probes("standby_answers")
    behind = durations.REPLICA_LAG if weather.writes_show else IDLE_LAG
    lag = ReplicaLag(chance, 0.0, float("inf"), behind, at.rhythm.lookback_seconds)
    slot = ReplicaLag(chance, 0.0, float("inf"), durations.Spread(0.0, 0.0, 0.0), at.rhythm.lookback_seconds)
    watcher = Watcher(at.failover.policy)
    now = MARGIN_SECONDS + chance.uniform(0, schedule)
    nights.windows += 1
    while now < ends or watcher.trouble is not None:
        absolute = now + origin
        readings = Readings(
            at=moment(now),
            active=Site.PRIMARY,
            here=Site.RECOVERY,
            active_seen_from_here=link.at(now),
            active_seen_from_there=own.at(now),
            standby_seen_from_here=standby.at(now),
            lag=lag.at(now),
            slot_lag=slot.at(now) if not weather.writes_show else (),
            witness=None,
            active_instance=Instance("rebooting" if world.reboots.covers(absolute) else "available", None, {}),
            standby_instance=STANDBY,
            active_region=ANSWERS,
            reference_region=None,
        )
        nights.runs += 1
        if watcher.look(readings).action is Action.FAIL_OVER:
            nights.failovers += 1
            break
        now += schedule + durations.SCHEDULE_LATENESS.draw(chance) - durations.SCHEDULE_LATENESS.most_frequent
    nights.told.update(watcher.told)
    nights.answers_again += watcher.answers_again
