"""Ten thousand incidents: how long until clients write again.

The controller looks through the real `interpret` and `decide` at probes, metrics and answers that are as late as AWS
makes them; when it fails over, `carrying_through` adds the steps. The fault, the probes, the schedules and the alarm
come at random phases to each other. Nobody is asked: mode ``automatic``, a writer that is written to, no witness.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aws_in_memory import durations
from aws_in_memory.clock import moment
from aws_in_memory.metric import Probes, Sampled
from benchmarks.measurement import Measurement
from benchmarks.simulation.carrying_through import Carried, carry_through
from benchmarks.simulation.controller import Watcher
from benchmarks.simulation.setting import Setting, setting
from benchmarks.simulation.sight import Sight
from failover.decision import Action

INCIDENTS = 10_000
SEED = 4
OBJECTIVE_SECONDS = 900.0  # O1
# An incident that has not moved the writer by then is one for people.
GIVE_UP_SECONDS = 1800.0
# Simulated before the fault, so that its first failures lie among late successes.
BEFORE_SECONDS = 180.0


class Kind(StrEnum):
    """What happens to the primary."""

    CRASH = "crash"
    DARK = "region dark"


@dataclass(frozen=True)
class Incident:
    """How one went.

    Attributes:
        kind: what happened.
        fault: when, in simulated seconds; so are the others.
        detected: when the controller decided to fail over, None where it never did.
        carried: what followed.
        last_code: the last decision.
    """

    kind: Kind
    fault: float
    detected: float | None
    carried: Carried | None
    last_code: str

    @property
    def rto_seconds(self) -> float:
        """From the fault to the last client that goes by the writer's name; infinity where nobody moved the writer."""
        return math.inf if self.carried is None else self.carried.named - self.fault


def _sight(chance: random.Random, at: Setting, kind: Kind, fault: float, probe_phase: float) -> Sight:
    """What can be read in one incident; the probes' runs of one site reach both databases."""
    since, healthy = fault - BEFORE_SECONDS, at.failover.policy.lookback.total_seconds()

    def probes(phase: float, dies_at: float = math.inf) -> Probes:
        return Probes(chance, at.rhythm, phase, since, lambda when: when < dies_at, healthy)

    def lag(when: float) -> float:
        return durations.REPLICA_LAG.draw(chance) + max(0.0, when - fault)

    return Sight(
        at,
        link=probes(probe_phase, fault),
        own=probes(chance.uniform(0, at.schedule_seconds), fault),
        standby=probes(probe_phase),
        lag=Sampled(chance, since, lag, delay=durations.RDS_METRIC_DELAY, healthy_seconds=healthy),
        dark=kind is Kind.DARK,
    )


def simulate(chance: random.Random, at: Setting, kind: Kind) -> Incident:
    """One incident from its beginning to its end."""
    schedule = at.schedule_seconds
    fault = chance.uniform(0, schedule)
    tick_phase, probe_phase = chance.uniform(0, schedule), chance.uniform(0, schedule)
    sight = _sight(chance, at, kind, fault, probe_phase)
    watcher = Watcher(at.failover.policy)
    evaluation = chance.uniform(0, durations.ALARM_EVALUATION_SECONDS)
    tick = tick_phase if tick_phase >= fault else tick_phase + schedule
    woken: float | None = None
    alarmed, code = False, ""
    while tick < fault + GIVE_UP_SECONDS:
        if not alarmed and evaluation < tick:
            alarmed = _is_breaching(sight, evaluation)
            if alarmed:
                woken = evaluation + durations.MESSAGE_DELIVERY.draw(chance)
            evaluation += durations.ALARM_EVALUATION_SECONDS
            continue
        if woken is not None and woken < tick:
            began, woken = woken, None
        else:
            began = tick + durations.SCHEDULE_LATENESS.draw(chance)
            tick += schedule
        looked_again = watcher.trouble is not None
        decision = watcher.look(sight.readings(began))
        code = decision.code
        if decision.action is Action.FAIL_OVER:
            decided = began + durations.API_CALL_SECONDS
            if kind is Kind.DARK:
                rounds = 1 if looked_again else 2
                decided = began + rounds * at.silence_seconds
            carried = carry_through(
                chance,
                at,
                began=began,
                decided=decided,
                tick_phase=tick_phase,
                probe_phase=probe_phase,
                dark=kind is Kind.DARK,
            )
            return Incident(kind, fault, decided, carried, code)
    return Incident(kind, fault, None, None, code)


def measure(say: Callable[[str], None]) -> list[Measurement]:
    """The distribution of the RTO, by kind and by stage, and the share beyond the objective.

    Args:
        say: is told the distribution as a text of several lines.
    """
    chance, at = random.Random(SEED), setting()  # noqa: S311 - no secret
    kinds = tuple(Kind)
    incidents = [simulate(chance, at, kinds[number % len(kinds)]) for number in range(INCIDENTS)]
    say(f"RTO of {INCIDENTS} simulated incidents, by the writer's name\n{histogram(incidents)}")
    found = [*_distribution("RTO", incidents)]
    for kind in kinds:
        found += _distribution(f"RTO, {kind}", [each for each in incidents if each.kind is kind])[:1]
    return [*found, *_stages(incidents)]


def histogram(incidents: Sequence[Incident], width: int = 50) -> str:
    """The RTO by the minute, as text."""
    minutes = Counter(int(each.rto_seconds // 60) for each in incidents if math.isfinite(each.rto_seconds))
    most = max(minutes.values(), default=1)
    return "\n".join(
        f"{minute:3d} min  {'#' * round(width * minutes[minute] / most)} {minutes[minute]}"
        for minute in range(min(minutes, default=0), max(minutes, default=-1) + 1)
    )


def _is_breaching(sight: Sight, now: float) -> bool:
    """Whether none of the last whole periods has an answered probe; a period without any is one that has none."""
    alarm = sight.setting.trigger
    last = now // alarm.period_seconds * alarm.period_seconds
    first = last - alarm.periods * alarm.period_seconds
    series = sight.link.at(now, alarm.period_seconds, now - first)
    return not any(point.maximum >= 1 for point in series if moment(first) <= point.start < moment(last))


def _distribution(name: str, incidents: Sequence[Incident]) -> list[Measurement]:
    ordered = sorted(each.rto_seconds for each in incidents)
    over = sum(each > OBJECTIVE_SECONDS for each in ordered)
    unmoved = Counter(each.last_code for each in incidents if each.carried is None)
    detail = (
        f"p90 {_share(ordered, 0.9):.0f}, p99 {_share(ordered, 0.99):.0f}, max {ordered[-1]:.0f} s; "
        f"{over / len(ordered):.2%} over 15 min; {len(ordered)} incidents"
    )
    if unmoved:
        detail += f"; left to people: {dict(unmoved)}"
    return [
        Measurement(f"{name}, p50", _share(ordered, 0.5), "s", OBJECTIVE_SECONDS, detail),
        Measurement(f"{name}, p99", _share(ordered, 0.99), "s", OBJECTIVE_SECONDS),
        Measurement(f"{name}, share over 15 min", 100 * over / len(ordered), "%"),
    ]


def _stages(incidents: Sequence[Incident]) -> list[Measurement]:
    """What the time goes to."""
    done = [(each.fault, each.detected, each.carried) for each in incidents if each.carried and each.detected]
    stages = {
        "detection": [detected - fault for fault, detected, _ in done],
        "fence": [carried.fenced - detected for _, detected, carried in done],
        "promotion (AWS)": [carried.writable - carried.asked for _, _, carried in done],
        "noticing it": [carried.noticed - carried.writable for _, _, carried in done],
        "verifying": [carried.verified - carried.noticed for _, _, carried in done],
        "name's switch (AWS) and TTL": [carried.named - carried.latched for _, _, carried in done],
    }
    found = []
    for name, seconds in stages.items():
        ordered = sorted(seconds)
        detail = f"p99 {_share(ordered, 0.99):.0f}, max {ordered[-1]:.0f} s"
        found.append(Measurement(f"  {name}, p50", _share(ordered, 0.5), "s", None, detail))
    by_uri = sorted(carried.writable - fault for fault, _, carried in done)
    over = sum(each > OBJECTIVE_SECONDS for each in by_uri) / len(by_uri)
    detail = f"p99 {_share(by_uri, 0.99):.0f}, max {by_uri[-1]:.0f} s; {over:.2%} over 15 min; needs no switch"
    found.append(Measurement("RTO by the multi-host URI, p50", _share(by_uri, 0.5), "s", OBJECTIVE_SECONDS, detail))
    return found


def _share(ordered: Sequence[float], share: float) -> float:
    """The value that this share of the ordered ones does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
