"""What the replication stream says of the writer: it commits, its process lives, or it has ended. Pure.

The stream does not come through the writer's security group, so it is a witness of another kind than a probe. Its
messages prove a process, not a commit: a sender goes on talking while storage hangs. Only a heartbeat or a received
position that has moved proves a commit. Nothing rests on the receiver's status, which stays ``streaming`` until
``wal_receiver_timeout`` after a host has vanished, nor on the growth of a lag, which an idle writer's has too.
https://www.postgresql.org/docs/14/monitoring-stats.html#MONITORING-PG-STAT-WAL-RECEIVER-VIEW
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise

from failover.answer import Answer
from failover.policy import LATE_PERIODS, Policy
from failover.readings import Readings
from failover.recognise import is_silent
from function_runtime.readings import Series, series_of
from function_runtime.trouble import Kind, Trouble


@dataclass(frozen=True)
class Stream:
    """The three facts.

    Attributes:
        committed: the writer has committed since the trouble began, and not too long ago.
        lives: its process has sent something since, and not too long ago.
        ended: it was there when the trouble began, and has been silent for longer than a living writer's can be; no:
            it shows life, or has not been silent for so long yet.
        lived_at: when it last showed life since the trouble began, however long ago; None where it has not.
    """

    committed: Answer = Answer.UNKNOWN
    lives: Answer = Answer.UNKNOWN
    ended: Answer = Answer.UNKNOWN
    lived_at: datetime | None = None


def stream(readings: Readings, policy: Policy, trouble: Trouble | None, let_in_at: datetime | None = None) -> Stream:
    """The facts, all of them unknown without a trouble that has a beginning.

    Args:
        readings: what was read.
        policy: the rules of evidence.
        trouble: the trouble the writer is in.
        let_in_at: until when a fence of ours kept everybody out, None where there was none.
    """
    if trouble is None or trouble.kind not in (Kind.FAILING, Kind.HUNG):
        return Stream()
    # What the writer did at the beginning of a long trouble does not prove that it lives now.
    window = timedelta(seconds=max(policy.outage_seconds, LATE_PERIODS * policy.lag_period_seconds))
    after = max(trouble.first_failure_by, readings.at - window)
    is_watched = not is_silent(series_of(readings.received), readings.at, policy)
    committed, lives = _committed(readings, after), is_any_after(series_of(readings.stream_message), after)
    shown = Answer.NO if is_watched else Answer.UNKNOWN
    return Stream(
        committed=Answer.YES if committed else shown,
        lives=Answer.YES if lives else shown if readings.stream_message else Answer.UNKNOWN,
        ended=Answer.NO if committed or lives else _ended(readings, policy, trouble) if is_watched else Answer.UNKNOWN,
        lived_at=_lived_at(readings, policy, trouble, let_in_at),
    )


def witnessed_from(trouble: Trouble, policy: Policy) -> datetime:
    """Since when a word of the witness is about the time of the trouble: it reads whole metric periods."""
    return trouble.first_failure_by + timedelta(seconds=policy.metric_period_seconds)


def _lived_at(readings: Readings, policy: Policy, trouble: Trouble, let_in_at: datetime | None) -> datetime | None:
    # Life behind a door that we shut ourselves says nothing of another one.
    after = trouble.first_failure_by if let_in_at is None else max(trouble.first_failure_by, let_in_at)
    told = [datetime.fromtimestamp(point.maximum, UTC) for point in told_by_replica(readings)]
    told += _moves(series_of(readings.received), after)
    told += [point.start - timedelta(seconds=point.minimum) for point in series_of(readings.lag) if point.minimum >= 0]
    # Whoever else it answers can commit in it.
    told += [point.start for point in series_of(readings.active_seen_from_there) if point.maximum >= 1]
    words = [point.start for point in series_of(readings.witness) if point.maximum >= 1]
    told += [at for at in words if at >= witnessed_from(trouble, policy)]
    return max((moment for moment in (*told, trouble.lived_at) if moment is not None and moment > after), default=None)


def told_by_replica(readings: Readings) -> Series:
    """The moments of the writer's own clock that the replica has shown: its heartbeats and its messages."""
    return (*series_of(readings.heartbeat), *series_of(readings.stream_message))


def _committed(readings: Readings, after: datetime) -> bool:
    if is_any_after(series_of(readings.heartbeat), after) or _moves(series_of(readings.received), after):
        return True
    # A lag says when what was replayed last had been committed; a sample lies after its period's start.
    return any(
        point.minimum >= 0 and point.start - timedelta(seconds=point.minimum) > after
        for point in series_of(readings.lag)
    )


def is_any_after(moments: Series, after: datetime) -> bool:
    """Whether any of these moments is later."""
    return any(point.maximum > after.timestamp() for point in moments)


def _moves(positions: Series, after: datetime | None = None) -> list[datetime]:
    """When the replica was seen to have received more than it ever had, where asked for, wholly after a moment.

    A receiver that starts anew says where it will stream from, which is less, and needs no living writer for that.
    """
    most = accumulate((point.maximum for point in positions), max)
    return [
        later.start
        for (earlier, later), before in zip(pairwise(positions), most, strict=False)
        if later.maximum > before and (after is None or earlier.start >= after)
    ]


def _ended(readings: Readings, policy: Policy, trouble: Trouble) -> Answer:
    """Silent for long enough after it was heard of last, which was when the trouble began.

    Where RDS does not show the receiver's row to the probe, only positions can be looked at, and an idle writer's stand
    still for as long as RDS itself writes nothing.
    """
    received, messages = series_of(readings.received), series_of(readings.stream_message)
    heard = [datetime.fromtimestamp(point.maximum, UTC) for point in (messages or series_of(readings.heartbeat))]
    if not messages:
        heard += _moves(received)
    if not heard:
        return Answer.UNKNOWN
    last = max(heard)
    period = timedelta(seconds=policy.fine_period_seconds)
    watched = [point.start for point in received if point.start >= last]
    if any(later - (earlier + period) > policy.silence for earlier, later in pairwise(watched)):
        return Answer.UNKNOWN  # A replica that was away heard nothing.
    if last < trouble.since - policy.silence:
        # It had ended before: that the writer is silent now is no consequence.
        return Answer.UNKNOWN
    quiet = policy.replication_timeout_seconds if messages else policy.drain_seconds
    watched_until = received[-1].start
    silent_for = watched_until - max(last, trouble.first_failure_by)
    if silent_for >= timedelta(seconds=quiet):
        return Answer.YES
    # Positions that stand still prove too little to wait for.
    return Answer.NO if messages else Answer.UNKNOWN
