"""One run of a class of events: the world breaks, the controller looks each minute, and either acts or tells people."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial

from aws_in_memory import durations
from aws_in_memory.clock import moment, seconds_of
from benchmarks.simulation.carrying_through import Carried, carry_through
from benchmarks.simulation.controller import Told, Watcher
from benchmarks.simulation.looking import look_directly
from benchmarks.simulation.losses import DAY_SECONDS
from benchmarks.simulation.setting import Setting
from benchmarks.simulation.sight import Sight
from benchmarks.simulation.world import World
from failover.decision import Action, Decision
from failover.last_look import LastLook, before_opening
from failover.policy import Policy
from failover.readiness import WEAK
from failover.settings import Settings
from failover.signals import Signals
from failover.watching import longest_stay_seconds, pause_seconds
from function_runtime.trouble import Unready

# Played before the fault, so that its first failures lie among late successes, and for the controller to remember.
BEFORE_SECONDS = 180.0
LOOKS_BEFORE_SECONDS = 90.0
TAKEN_BACK = "taken_back"


class Expected(StrEnum):
    """What the controller must do in a class of events."""

    TELL = "tell"
    """No failover; people are told, be it as a question."""
    ASK = "ask"
    """No failover by itself; people are asked."""
    FAIL_OVER = "fail over"
    ACT = "fail over or ask"
    """A failover where its loss is known to be small enough, else a question."""
    STAY = "stay"
    """No failover; whether people are told is not looked at."""
    EITHER = "stay or fail over"
    """It lasts about as long as an outage must: which comes first is chance."""


@dataclass(frozen=True)
class Case:
    """A class of events.

    Attributes:
        name: for people.
        happens: the world in which it happens, by chance and the moment of the fault.
        expected: what must follow.
        within_seconds: after so long it is late.
        lasts_seconds: so long it is played.
        policy: the policy, where it is not the default one.
    """

    name: str
    happens: Callable[[random.Random, float], World]
    expected: Expected
    within_seconds: float
    lasts_seconds: float
    policy: Callable[[Policy], Policy] = lambda policy: policy


@dataclass(frozen=True)
class Played:
    """How one run went.

    Attributes:
        fault: when it began, in simulated seconds; so are the others.
        detected: when the controller decided to fail over, None where it never did.
        carried: what followed.
        lost_seconds: what the writer had committed that the replica lacked when it went.
        bound_seconds: what the controller took that to be at most.
        told: what people were told from the fault on.
        last_code: the last decision; `TAKEN_BACK` where the look before the promotion ended the failover.
        replaced_a_living: the writer took writes when it was looked at last.
    """

    fault: float
    detected: float | None
    carried: Carried | None
    lost_seconds: float
    bound_seconds: float | None
    told: tuple[Told, ...]
    last_code: str
    replaced_a_living: bool = False

    @property
    def rto_seconds(self) -> float:
        """From the fault to the last client that goes by the writer's name; infinity where nobody moved the writer."""
        return math.inf if self.carried is None else self.carried.by_name - self.fault

    def told_after_seconds(self, *, questions_only: bool) -> float:
        """How long after the fault people were told first; infinity where they were not."""
        times = [seconds_of(each.at) - self.fault for each in self.told if each.is_question or not questions_only]
        return min(times, default=math.inf)

    @property
    def loses_more(self) -> bool:
        """Whether it lost more than it was taken to lose."""
        if self.detected is None:
            return False
        return self.bound_seconds is None or self.lost_seconds > self.bound_seconds


def play(chance: random.Random, setting: Setting, case: Case, *, is_checked: bool = False) -> Played:
    """One run from its beginning to its end.

    Args:
        chance: where chance comes from.
        setting: the production settings.
        case: what happens.
        is_checked: whether each reading is checked to be one that AWS can give.
    """
    policy = case.policy(setting.failover.policy)
    at = replace(setting, failover=replace(setting.failover, policy=policy))
    schedule = at.schedule_seconds
    fault = chance.uniform(0, schedule)
    tick_phase, probe_phase, own_phase = (chance.uniform(0, schedule) for _ in range(3))
    world = case.happens(chance, fault)
    phases = (probe_phase, own_phase)
    sight = Sight(chance, at, world, fault - BEFORE_SECONDS, phases, is_checked=is_checked)
    watcher, alarm = _watcher(policy, world, fault), _Alarm(chance, at, sight)
    tick = tick_phase + schedule * math.ceil((fault - LOOKS_BEFORE_SECONDS - tick_phase) / schedule)
    woken, again_at, run_began, code = math.inf, math.inf, -math.inf, ""
    while tick < fault + case.lasts_seconds:
        woken = min(woken, alarm.wakes(min(tick, woken, again_at)))
        if again_at < min(tick, woken):
            began, again_at = again_at, math.inf
        elif again_at != math.inf:
            # Another run is looking: this one ends.
            if woken < tick:
                woken = math.inf
            else:
                tick += schedule
            continue
        elif woken < tick:
            began = run_began = woken
            woken = math.inf
        else:
            began = run_began = tick + durations.SCHEDULE_LATENESS.draw(chance)
            tick += schedule
        # In a trouble that is known a dark region is asked everything at once.
        rounds = 1 if watcher.trouble is not None else 2
        looked = began + durations.API_CALL_SECONDS
        if world.is_partly_silent(began):
            looked = began + rounds * at.dark_call_seconds(hangs=world.dark_calls_hang)
        stays = partial(_stays, at.failover, looked - run_began)
        decision = watcher.look(replace(sight.readings(began), at=moment(looked)), stays)
        code = decision.code
        if watcher.signals is not None and stays(watcher.signals, decision):
            poll, took = at.failover.poll_interval_seconds, timedelta(seconds=looked - began)
            again_at = looked + pause_seconds(watcher.signals, moment(looked), took, policy, poll)
        if decision.action is Action.FAIL_OVER and watcher.signals is not None:
            look = look_directly(chance, at, world, looked, phases)
            last_look = LastLook(moment(look.ends), look.life, ())
            if (instead := before_opening(last_look, watcher.signals, None, policy)) is not None:
                watcher.keep(moment(look.ends), instead)
                code = instead.code
                continue
            carried = carry_through(
                chance,
                at,
                world,
                began=run_began,
                decided=look.ends,
                tick_phase=tick_phase,
                phases=phases,
                is_hung=watcher.trouble is not None and watcher.trouble.is_hung,
            )
            if carried is None:
                return Played(fault, None, None, 0.0, None, _told(watcher, fault), TAKEN_BACK)
            lost, bound = sight.replication.lost_seconds(began), watcher.signals.loss_bound_seconds
            lived = world.takes_writes(look.began) or (
                carried.looked_at < carried.shut_from and world.takes_writes(carried.looked_at)
            )
            return Played(fault, look.ends, carried, lost, bound, _told(watcher, fault), code, lived)
    return Played(fault, None, None, 0.0, None, _told(watcher, fault), code)


def _stays(settings: Settings, seconds: float, signals: Signals, decision: Decision) -> bool:
    """Whether a run that has gone on for so long looks again."""
    poll, budget = settings.poll_interval_seconds, settings.run_budget_seconds
    return seconds + poll <= longest_stay_seconds(signals, decision, settings.policy, poll, budget)


def _watcher(policy: Policy, world: World, fault: float) -> Watcher:
    """People have long been told where a database is not prepared: that must not count as being told of the fault."""
    if world.is_read(fault - BEFORE_SECONDS):
        return Watcher(policy)
    since, seen_at = moment(fault - DAY_SECONDS), moment(fault - BEFORE_SECONDS)
    return Watcher(policy, unready=Unready({WEAK: since}, {WEAK: seen_at}, (WEAK,)))


def _told(watcher: Watcher, fault: float) -> tuple[Told, ...]:
    return tuple(each for each in watcher.told if each.at >= moment(fault))


class _Alarm:
    """The trigger: it wakes the controller once, when none of the last whole periods has an answered probe."""

    def __init__(self, chance: random.Random, setting: Setting, sight: Sight) -> None:
        self._chance, self._alarm, self._sight = chance, setting.trigger, sight
        self._evaluation = chance.uniform(0, durations.ALARM_EVALUATION_SECONDS)
        self._is_raised = False

    def wakes(self, until: float) -> float:
        """When it wakes the controller, having been evaluated until then; infinity where it does not."""
        while not self._is_raised and self._evaluation < until:
            at = self._evaluation
            self._evaluation += durations.ALARM_EVALUATION_SECONDS
            if self._is_breaching(at):
                self._is_raised = True
                return at + durations.MESSAGE_DELIVERY.draw(self._chance)
        return math.inf

    def _is_breaching(self, now: float) -> bool:
        """A period without any probe is one that has none answered."""
        alarm = self._alarm
        last = now // alarm.period_seconds * alarm.period_seconds
        first = last - alarm.periods * alarm.period_seconds
        series = self._sight.link(now, alarm.period_seconds)
        return not any(point.maximum >= 1 for point in series if moment(first) <= point.start < moment(last))
