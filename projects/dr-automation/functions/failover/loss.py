"""How much a failover would lose, in seconds of the writer's time. Pure.

For PostgreSQL, RDS's ``ReplicaLag`` is the age of the last replayed commit: it climbs while the writer is dead, and on
an idle one too. So what counts is the last sample from before the trouble, and where the writer's replication slot had
nothing left to deliver, the replica had everything, however old the last commit was.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PostgreSQL.Replication.ReadReplicas.html
"""

from __future__ import annotations

from datetime import datetime, timedelta

from failover.policy import Policy
from failover.readings import Readings
from failover.recognise import failing_run
from function_runtime.readings import Series, Unanswered
from function_runtime.trouble import Trouble

LATE_PERIODS = 3


def series_of(reading: Series | Unanswered) -> Series:
    """The datapoints; none where the question brought no answer."""
    return () if isinstance(reading, Unanswered) else reading


def lag_before_trouble(
    lag: Series, slot_lag: Series, since: datetime, policy: Policy, replicated_until: datetime | None
) -> float | None:
    """How far the replica was behind when the trouble began, in seconds; None where nothing recent enough says so.

    Args:
        lag: the replica's lag.
        slot_lag: bytes that the writer's oldest slot had yet to deliver.
        since: when the trouble began.
        policy: the rules of evidence.
        replicated_until: the last moment at which earlier runs found everything replicated, None where they did not.
    """
    known = [
        (since - moment).total_seconds()
        for moment in (_emptied_until(slot_lag, since, policy), replicated_until)
        if moment is not None and timedelta(0) <= since - moment <= policy.lag_staleness
    ]
    sample = _last_sample(lag, since, policy)
    if sample is not None:
        known.append(sample)
    return min(known, default=None)


def everything_replicated_until(readings: Readings, policy: Policy) -> datetime | None:
    """The last moment at which the writer's slot had nothing left to deliver, None where nothing shows one."""
    return _emptied_until(series_of(readings.slot_lag), readings.at, policy)


def replicated_until(lag: Series, slot_lag: Series, at: datetime, policy: Policy) -> datetime | None:
    """What was committed before this moment is on the replica; None where nothing says so."""
    replayed = [
        point.start - timedelta(seconds=point.maximum) for point in lag if point.minimum >= 0 and point.start <= at
    ]
    emptied = _emptied_until(slot_lag, at, policy)
    return max([*replayed, *([] if emptied is None else [emptied])], default=None)


def loss_bound(readings: Readings, policy: Policy, trouble: Trouble, lag_before_seconds: float | None) -> float | None:
    """From the last commit known to be on the replica to the last instant the writer can have answered anybody."""
    if lag_before_seconds is None:
        return None
    last_answer_by = trouble.first_failure_by
    there = failing_run(series_of(readings.active_seen_from_there), readings.at, policy)
    if there is not None:
        last_answer_by = max(last_answer_by, there.first_failure_by)
    until = replicated_until(series_of(readings.lag), series_of(readings.slot_lag), readings.at, policy)
    if until is None:
        # The readings have gone meanwhile; what was known when the trouble began still holds.
        until = trouble.since - timedelta(seconds=lag_before_seconds)
    return max(lag_before_seconds, (last_answer_by - until).total_seconds())


def _last_sample(lag: Series, since: datetime, policy: Policy) -> float | None:
    """A sample older than a late metric can be counts with its age: nobody knows what was replicated meanwhile."""
    period = timedelta(seconds=policy.lag_period_seconds)
    for point in reversed(lag):
        age = since - (point.start + period)
        if age < timedelta(0) or point.minimum < 0:  # not wholly before the trouble; or -1: RDS knows no lag
            continue
        if age > policy.lag_staleness:
            return None
        late = LATE_PERIODS * period
        return point.maximum + (age.total_seconds() if age > late else 0.0)
    return None


def _emptied_until(slot_lag: Series, before: datetime, policy: Policy) -> datetime | None:
    period = timedelta(seconds=policy.lag_period_seconds)
    # A sample lies anywhere in its period, so only the period's start is certain; one with any backlog proves nothing.
    starts = [
        point.start for point in slot_lag if point.minimum == 0 == point.maximum and point.start + period <= before
    ]
    return max(starts, default=None)
