"""The probes of both sites in one world, and the witness: what each publishes, and when it can be read."""

from __future__ import annotations

import random
from dataclasses import dataclass

from aws_in_memory.clock import START, moment
from aws_in_memory.metric import ANSWER_SECONDS
from benchmarks.simulation.observed import Observed
from benchmarks.simulation.replication import Replication
from benchmarks.simulation.setting import Setting
from benchmarks.simulation.world import Passes, World
from function_runtime.readings import RegionAnswers, Unanswered, coarser
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from witness.look import Look, SiteLook
from witness.verdict import verdict

EPOCH = START.timestamp()
SILENT = Unanswered("no answer", service_answered=False)
ANSWERS = RegionAnswers(("rds", "cloudwatch"), ())
IS_DARK = RegionAnswers((), ("rds", "cloudwatch", "sts"))


@dataclass
class _Runs:
    """When one site's probe asks: a few times in a row, in each of its runs.

    Before the time that is looked at, once a run for all of them: that long ago nothing but good news is read.
    """

    chance: random.Random
    setting: Setting
    phase: float
    since: float
    next_at: float = 0.0
    due: float = 0.0
    number: int = 0

    def __post_init__(self) -> None:
        schedule = self.setting.rhythm.schedule_seconds
        runs = int(self.setting.failover.policy.lookback.total_seconds() // schedule)
        self.due = self.phase + schedule * ((self.since - self.phase) // schedule + 1 - runs)
        self.next_at = self.due

    def ask(self) -> tuple[float, int]:
        """When it asks now, and how many probes that stands for."""
        at, rhythm = self.next_at, self.setting.rhythm
        is_long_ago = at < self.since
        self.number += 1
        if not is_long_ago and self.number < rhythm.probes:
            self.next_at += rhythm.interval_seconds
            return at, 1
        self.due, self.number = self.due + rhythm.schedule_seconds, 0
        self.next_at = self.due if self.due < self.since else self.due + rhythm.lateness.draw(self.chance)
        return at, rhythm.probes if is_long_ago else 1


class Observers:
    """The probes of both sites.

    Args:
        chance: where chance comes from.
        setting: the production settings.
        world: what is so.
        replication: what has come to the replica; it is told of the heartbeats.
        since: from when on each probe counts.
        phases: when in their schedule the recovery site's and the primary site's runs begin.
        is_exact: whether what is long ago is kept as it is.

    Attributes:
        link, link_sessions: the recovery site's probes of the writer.
        own, own_sessions: the primary site's.
        here, here_sessions, heartbeat, received, message: the recovery site's probes of the replica.
    """

    def __init__(
        self,
        chance: random.Random,
        setting: Setting,
        world: World,
        replication: Replication,
        since: float,
        phases: tuple[float, float],
        *,
        is_exact: bool = False,
    ) -> None:
        self._chance, self._world, self._replication = chance, world, replication
        self._since, self._timeout = since, setting.rhythm.timeout_seconds
        self._near, self._far = (_Runs(chance, setting, phase, since) for phase in phases)
        policy = setting.failover.policy

        def metric(*, grows: bool = False) -> Observed:
            lookback_seconds = policy.lookback.total_seconds()
            return Observed(policy.fine_period_seconds, lookback_seconds, grows=grows, is_exact=is_exact)

        self.link, self.link_sessions, self.own, self.own_sessions = (metric() for _ in range(4))
        self.here, self.here_sessions = metric(), metric()
        self.heartbeat, self.received, self.message = (metric(grows=True) for _ in range(3))
        self._received = 0.0

    def take(self, now: float) -> None:
        """Let them ask until now."""
        near, far = self._near, self._far
        while (at := min(near.next_at, far.next_at)) <= now:
            if near.next_at == at:
                at, count = near.ask()
                if at < self._world.silent_from:
                    self._writer(at, count, self._world.link, self.link, self.link_sessions)
                    self._replica(at, count)
            else:
                at, count = far.ask()
                if at < self._world.silent_there_from and not self._world.dark.covers(at):
                    self._writer(at, count, self._world.own, self.own, self.own_sessions)

    def _writer(self, at: float, count: int, passes: Passes, answers: Observed, sessions: Observed) -> None:
        world = self._world
        answered = world.answers(at) and passes(at)
        ends, visible_at = self._ends(at, is_quick=answered or world.refuses(at))
        answers.add(ends, float(answered), visible_at, count)
        if not answered:
            return
        outcome = world.session(at)
        sessions.add(ends, outcome, visible_at, count)
        if outcome is SessionOutcome.WORKS:
            self._replication.commits.append(at)

    def _replica(self, at: float, count: int) -> None:
        world, stream = self._world, self._replication
        answered = world.here(at)
        ends, visible_at = self._ends(at, is_quick=answered)
        self.here.add(ends, float(answered), visible_at, count)
        if not answered:
            return
        if not world.is_read(at):
            outcome = SessionOutcome.NOT_ADMITTED if world.prepared else SessionOutcome.NOT_PREPARED
            self.here_sessions.add(ends, outcome, visible_at, count)
            return
        self.here_sessions.add(ends, SessionOutcome.WORKS, visible_at, count)
        heartbeat, message = stream.heartbeat(at), stream.message(at)
        if heartbeat is not None:
            self.heartbeat.add(ends, EPOCH + heartbeat, visible_at, count)
        self._received = max(self._received, stream.received(at))
        self.received.add(ends, self._received, visible_at, count)
        if message is not None:
            self.message.add(ends, EPOCH + message, visible_at, count)

    def _ends(self, at: float, *, is_quick: bool) -> tuple[float, float]:
        """When a probe ends, and when what it found can be read."""
        ends = at + (ANSWER_SECONDS if is_quick else self._timeout)
        delay = 0.0 if at < self._since else self._world.probe_delay.draw(self._chance)
        return ends, ends + delay


class Witness:
    """The third region's word on the writer, by the witness's own verdict, each minute."""

    def __init__(
        self, chance: random.Random, setting: Setting, world: World, observers: Observers, since: float
    ) -> None:
        self._chance, self._setting, self._world, self._observers = chance, setting, world, observers
        self._next = since + chance.uniform(0, setting.schedule_seconds)
        policy = setting.failover.policy
        self.sees = Observed(policy.metric_period_seconds, policy.lookback.total_seconds())

    def take(self, now: float) -> None:
        """Let it look until now."""
        setting, world = self._setting, self._world
        while (at := self._next) <= now:
            self._next += setting.schedule_seconds
            if at >= world.witness_silent_from:
                continue
            self._observers.take(at)
            is_dark = world.dark.covers(at)
            probed = coarser(self._observers.own.at(at), setting.witness.metric_period_seconds)
            look = Look(
                moment(at),
                {Site.PRIMARY: SiteLook(SILENT if is_dark else probed, IS_DARK if is_dark else ANSWERS)},
                own_region_answers=True,
            )
            lives = verdict(Site.PRIMARY, look, setting.witness).lives
            if lives is not None:
                self.sees.add(at, float(lives), at + world.probe_delay.draw(self._chance))
