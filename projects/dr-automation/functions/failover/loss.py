"""How much a failover would lose, in seconds of the writer's time. Pure.

The newest heartbeat on the replica says until when it has everything, by the writer's own clock. Without heartbeats
RDS's ``ReplicaLag`` does, more coarsely: it is the age of the last replayed commit, and climbs while the writer is
dead, and on an idle one too. So what counts is the last sample from before the trouble; and where the writer's slot had
nothing left to deliver, the replica had everything, however old the last commit was.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PostgreSQL.Replication.ReadReplicas.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from failover.policy import LATE_PERIODS, Policy
from failover.readings import Readings
from failover.recognise import failing_run
from failover.stream import is_any_after, told_by_replica
from function_runtime.readings import Series, series_of
from function_runtime.trouble import Kind, Trouble


@dataclass(frozen=True)
class Loss:
    """What is known of it.

    Attributes:
        lag_before_seconds: how far the replica was behind when the trouble began (without one: now); None: unknown.
        bound_seconds: at most so much of the writer's time is not on the replica; None: unknown, or no trouble.
        replicated_until: the last moment at which the writer's slot had nothing left to deliver, None where unknown.
    """

    lag_before_seconds: float | None
    bound_seconds: float | None
    replicated_until: datetime | None


def loss(readings: Readings, policy: Policy, trouble: Trouble | None, remembered: datetime | None) -> Loss:
    """What a failover would lose.

    Args:
        readings: what was read.
        policy: the rules of evidence.
        trouble: the trouble the writer is in.
        remembered: the last moment at which earlier runs found everything replicated.
    """
    lag, slot_lag = series_of(readings.lag), series_of(readings.slot_lag)
    emptied = _emptied_until(lag, slot_lag, readings.at, policy)
    if series_of(readings.heartbeat):
        # They outweigh a slot's word, which may be that of another replica.
        slot_lag, remembered = (), None
    known = max((moment for moment in (emptied, remembered) if moment is not None), default=None)
    if trouble is None:
        return Loss(_lag_before(readings, policy, readings.at, remembered), None, known)
    lag_before = trouble.lag_before_seconds
    if lag_before is None:
        lag_before = _lag_before(readings, policy, trouble.since, remembered)
    heartbeats = [datetime.fromtimestamp(point.maximum, UTC) for point in series_of(readings.heartbeat)]
    shown = [*heartbeats, replicated_until(lag, slot_lag, readings.at, policy), remembered]
    until = max((moment for moment in shown if moment is not None), default=None)
    if until is None and lag_before is not None:
        # The readings have gone meanwhile; what was known when the trouble began still holds.
        until = trouble.since - timedelta(seconds=lag_before)
    if until is None:
        return Loss(lag_before, None, known)
    lost = (_last_commit_by(readings, policy, trouble) - until).total_seconds()
    return Loss(lag_before, max(0.0, lost), known)


def replicated_until(lag: Series, slot_lag: Series, at: datetime, policy: Policy) -> datetime | None:
    """What was committed before this moment is on the replica, by RDS's metrics; None where nothing says so."""
    replayed = [
        point.start - timedelta(seconds=point.maximum) for point in lag if point.minimum >= 0 and point.start <= at
    ]
    emptied = _emptied_until(lag, slot_lag, at, policy)
    return max([*replayed, *([] if emptied is None else [emptied])], default=None)


def _last_commit_by(readings: Readings, policy: Policy, trouble: Trouble) -> datetime:
    """The last instant at which the writer can have committed for anybody."""
    if trouble.kind is not Kind.FAILING:
        return trouble.first_failure_by
    here, there = (
        _first_failure_by(series_of(each), readings.at, policy)
        for each in (readings.active_seen_from_here, readings.active_seen_from_there)
    )
    last = trouble.first_failure_by if here is None else here
    lived_on = trouble.has_shown_life or is_any_after(told_by_replica(readings), last)
    # Behind a shut door its clients may have written on, and in a region that was lost later until it was.
    later = [there, trouble.lived_at]
    if lived_on:
        later += [trouble.dark_since, trouble.unwatched_until]
    fails_there = failing_run(series_of(readings.active_seen_from_there), readings.at, policy) is not None
    if fails_there or trouble.dark_since is not None:
        later.append(trouble.may_have_lived_until)
    return max([last, *(moment for moment in later if moment is not None)])


def _first_failure_by(series: Series, at: datetime, policy: Policy) -> datetime | None:
    """As finely as it can be read; None where it began before what can be, or where the last probe was answered."""
    run = failing_run(series, at, policy)
    return None if run is None or run.since <= series[0].start else run.first_failure_by


def _lag_before(readings: Readings, policy: Policy, since: datetime, remembered: datetime | None) -> float | None:
    """How far the replica was behind then, in seconds; None where nothing recent enough says so."""
    lag, heartbeats = series_of(readings.lag), series_of(readings.heartbeat)
    moments = [] if heartbeats else [_emptied_until(lag, series_of(readings.slot_lag), since, policy), remembered]
    moments += [
        datetime.fromtimestamp(point.maximum, UTC) for point in heartbeats if point.maximum <= since.timestamp()
    ]
    known = [
        (since - moment).total_seconds()
        for moment in moments
        if moment is not None and timedelta(0) <= since - moment <= policy.lag_staleness
    ]
    sample = _last_sample(lag, since, policy)
    if sample is not None:
        known.append(sample)
    return min(known, default=None)


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


def _emptied_until(lag: Series, slot_lag: Series, before: datetime, policy: Policy) -> datetime | None:
    """The newest period in which the writer's oldest slot had nothing to deliver.

    Not where the replica says at the same time that it is further behind than an idle writer's: the slot is not its own
    then, or was lost and made anew.
    """
    period = timedelta(seconds=policy.lag_period_seconds)
    behind = [point.start for point in lag if point.minimum > policy.drain_seconds]

    def is_contradicted(at: datetime) -> bool:
        return any(at - LATE_PERIODS * period <= start <= at + period for start in behind)

    # A sample lies anywhere in its period, so only the period's start is certain; one with any backlog proves nothing.
    starts = [
        point.start
        for point in slot_lag
        if point.minimum == 0 == point.maximum and point.start + period <= before and not is_contradicted(point.start)
    ]
    return max(starts, default=None)
