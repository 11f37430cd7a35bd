"""What the probes' sessions say of whether clients can commit. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from failover.policy import Policy
from function_runtime.readings import Datapoint, Series
from function_runtime.session_outcome import CANNOT_COMMIT, SessionOutcome

# Networks lose single probes every day.
LOST_BY_CHANCE = 1


@dataclass(frozen=True)
class Run:
    """The unbroken run of failed probes at the end of a series.

    Attributes:
        since: start of the first period in which every probe failed.
        first_failure_by: end of that period: the latest instant at which the first failed probe can have ended.
        until: end of the last one, at most now.
        probes: how many probes failed in it.
        proven_by: end of the period by which more had failed than are lost by chance; where they have not yet, end of
            the last one.
    """

    since: datetime
    first_failure_by: datetime
    until: datetime
    probes: float
    proven_by: datetime

    @classmethod
    def of(cls, failed: Sequence[Datapoint], period: timedelta, at: datetime) -> Run:
        """The run of these periods, of which there is one at least, oldest first."""
        first, last = failed[0], failed[-1]
        counts = list(accumulate(point.samples for point in failed))
        proven = next((point for point, count in zip(failed, counts, strict=True) if count > LOST_BY_CHANCE), last)
        return cls(first.start, first.start + period, min(last.start + period, at), counts[-1], proven.start + period)

    def lasts(self, seconds: float, probes: int) -> bool:
        """Whether it is so long, with so many probes."""
        return (self.until - self.since).total_seconds() >= seconds and self.probes >= probes


def best(point: Datapoint) -> SessionOutcome:
    """The best outcome of a period."""
    return SessionOutcome(int(point.minimum))


def said(point: Datapoint) -> str:
    """The best outcome of a period, for people."""
    return best(point).name.lower().replace("_", " ")


def blocked_run(sessions: Series, at: datetime, policy: Policy) -> Run | None:
    """The sessions that the series ends with in which nothing could be committed, None where the last one worked.

    A session that says nothing about commits neither begins, ends nor lengthens it: a hung writer's role may have no
    room for another one.
    """
    period = timedelta(seconds=policy.fine_period_seconds)
    blocked: list[Datapoint] = []
    for point in reversed(sessions):
        if best(point) is SessionOutcome.WORKS:
            break
        if blocked and blocked[-1].start - (point.start + period) > policy.silence:
            break
        if best(point) in CANNOT_COMMIT:
            blocked.append(point)
    if not blocked or at - (blocked[0].start + period) > policy.silence:
        return None
    return Run.of(blocked[::-1], period, at)


def blocked_runs(sessions: Iterable[Series], at: datetime, policy: Policy) -> list[Run]:
    """The runs of those observers that have one."""
    return [run for each in sessions if (run := blocked_run(each, at, policy)) is not None]


def worked_since(sessions: Series, since: datetime) -> bool:
    """Whether a session committed in a period that begins then or later."""
    return any(point.start >= since and best(point) is SessionOutcome.WORKS for point in sessions)


def newest(sessions: Series, at: datetime, policy: Policy) -> SessionOutcome | None:
    """The best outcome of the newest period, None where none is recent."""
    if not sessions or at - (sessions[-1].start + timedelta(seconds=policy.fine_period_seconds)) > policy.silence:
        return None
    return best(sessions[-1])
