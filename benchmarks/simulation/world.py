"""What is so, whatever anybody sees of it: the two databases, the ways to them, and what breaks. In seconds."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from aws_in_memory import durations
from aws_in_memory.durations import Spread
from benchmarks.simulation.losses import NEVER, History
from function_runtime.session_outcome import SessionOutcome

Passes = Callable[[float], bool]
Status = Callable[[float], str]
Value = Callable[[float], float | None]


def always(at: float) -> bool:
    """A way that is open."""
    return True


def available(at: float) -> str:
    """An instance that nobody works on."""
    return "available"


def nothing(at: float) -> float | None:
    """A metric without samples."""
    return None


def reconnection_seconds(chance: random.Random) -> float:
    """How long after an interruption the stream needs to go on."""
    return chance.uniform(durations.SHORTEST_RECONNECTION_SECONDS, durations.LONGEST_RECONNECTION_SECONDS)


@dataclass
class World:
    """What is so.

    Attributes:
        prepared: whether probes can log in.
        busy: whether clients write all the time.
        has_witness: whether there is a witness.
        down: when the writer does not run.
        vanishes: whether its host goes with it: nobody then closes its connections, and nothing measures it.
        dark: when its region is silent, and nobody can use what runs in it.
        dark_calls_hang: whether calls of it are taken then, and never answered: they cost their whole read timeout.
        rds_silent: when RDS alone does not answer there.
        metrics_silent: when CloudWatch alone does not.
        shut: when its door is: no new connection gets in, those that are open live on.
        blocked: when it answers and nobody can commit.
        blocked_outcome: how a probe's session ends then.
        refused: when no probe's session works, for a reason of the probes' own.
        link: whether the recovery site's probe gets through to the writer, if that answers at all.
        own: the same of the primary site's.
        here: the same of the recovery site's probe and its own database.
        silent_from: when the recovery site's probe function stops to say anything, for good.
        silent_there_from: the same of the primary site's.
        witness_silent_from: the same of the witness.
        cut: when the replication stream is.
        cut_is_noticed: whether both ends know at once that it is, as where the replica restarts.
        restart_seconds: how long after an interruption the stream needs to go on; RDS retries every few seconds.
        stalled: when the replica replays nothing, although all arrives.
        lag_seconds: how far behind it is otherwise.
        lag_metric: RDS's ``ReplicaLag``, where it is not what it should be.
        lag_metric_ends: when RDS stops to publish it.
        slot_metric: RDS's ``OldestReplicationSlotLag``, the same.
        own_writes_end: when RDS writes nothing to an idle writer any more.
        own_writes_phase: when in their period these writes happen.
        status: RDS's word for the writer.
        standby_status: for the replica.
        writer_clock: how far the writer's clock is ahead.
        replica_clock: how far the replica's is.
        probe_delay: how late probes' readings can be read.
        rds_delay: how late RDS's metrics can be.
        after_promotion: how long RDS shows a new writer that takes writes as not done.
    """

    prepared: bool = True
    busy: bool = True
    has_witness: bool = False
    down: History = NEVER
    vanishes: bool = False
    dark: History = NEVER
    dark_calls_hang: bool = False
    rds_silent: History = NEVER
    metrics_silent: History = NEVER
    shut: History = NEVER
    blocked: History = NEVER
    blocked_outcome: SessionOutcome = SessionOutcome.HUNG
    refused: History = NEVER
    link: Passes = always
    own: Passes = always
    here: Passes = always
    silent_from: float = math.inf
    silent_there_from: float = math.inf
    witness_silent_from: float = math.inf
    cut: History = NEVER
    cut_is_noticed: bool = False
    restart_seconds: float = 5.0
    stalled: History = NEVER
    lag_seconds: Callable[[float], float] = field(default=lambda at: 0.5)
    lag_metric: Value | None = None
    lag_metric_ends: float = math.inf
    slot_metric: Value | None = None
    own_writes_end: float = math.inf
    own_writes_phase: float = 0.0
    status: Status = available
    standby_status: Status = available
    writer_clock: float = 0.0
    replica_clock: float = 0.0
    probe_delay: Spread = durations.PROBE_METRIC_DELAY
    rds_delay: Spread = durations.RDS_METRIC_DELAY
    after_promotion: Spread = durations.AFTER_PROMOTION

    def runs(self, at: float) -> bool:
        """Whether the writer's process does."""
        return not self.dark.covers(at) and not self.down.covers(at)

    def takes_writes(self, at: float) -> bool:
        """Whether whoever is connected can commit."""
        return self.runs(at) and not self.blocked.covers(at)

    def is_partly_silent(self, at: float) -> bool:
        """Whether a service of its region, or all of them, do not answer."""
        return any(each.covers(at) for each in (self.dark, self.rds_silent, self.metrics_silent))

    def is_measured(self, at: float) -> bool:
        """Whether RDS still publishes what it measures of the writer's host."""
        return not self.dark.covers(at) and not (self.vanishes and self.down.covers(at))

    def answers(self, at: float) -> bool:
        """Whether the writer answers a handshake that reaches it."""
        return self.runs(at) and not self.shut.covers(at)

    def refuses(self, at: float) -> bool:
        """Whether its host says at once that nothing listens: the process is gone, and the host is there."""
        return self.down.covers(at) and not (self.vanishes or self.dark.covers(at) or self.shut.covers(at))

    def session(self, at: float) -> SessionOutcome:
        """How a session ends in a writer that answers."""
        if not self.prepared:
            return SessionOutcome.NOT_PREPARED
        if self.refused.covers(at):
            return SessionOutcome.NOT_ADMITTED
        return self.blocked_outcome if self.blocked.covers(at) else SessionOutcome.WORKS

    def is_read(self, at: float) -> bool:
        """Whether the probe of the replica reads something there."""
        return self.prepared and not self.refused.covers(at)
