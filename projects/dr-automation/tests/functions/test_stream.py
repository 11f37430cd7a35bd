"""What the replication stream says of a writer: periods of a second, ten seconds without an answer by now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from aws_in_memory.clock import START as NOW
from aws_in_memory.drawn import DEAD_READINGS, series
from aws_in_memory.drawn import READ_POLICY as POLICY
from failover.answer import Answer
from failover.stream import Stream, stream
from function_runtime.trouble import Kind, Trouble

SECOND = timedelta(seconds=1)
SINCE = NOW - 4 * SECOND
FAILED_BY = SINCE + SECOND
TROUBLE = Trouble(Kind.FAILING, SINCE, FAILED_BY)
NOTHING: dict[str, Any] = dict.fromkeys(("heartbeat", "received", "stream_message", "lag"), ())
READINGS = replace(
    DEAD_READINGS,
    **NOTHING,
    active_seen_from_there=series(*[1.0] * 8, *[0.0] * 4),
)
UNKNOWN, YES, NO = Answer.UNKNOWN, Answer.YES, Answer.NO


def at(*ago: float) -> Any:
    """A series of moments, each so long ago, the newest read in the last second."""
    return series(*[(NOW - timedelta(seconds=each)).timestamp() for each in ago])


def shown(trouble: Trouble | None = TROUBLE, let_in_at: datetime | None = None, **changed: Any) -> Stream:
    return stream(replace(READINGS, **changed), POLICY, trouble, let_in_at)


@pytest.mark.parametrize("kind", [Kind.SILENT, Kind.FLAPPING])
def test_without_a_trouble_that_has_a_beginning_nothing_is_known(kind: Kind) -> None:
    life = {"heartbeat": at(0), "received": series(1, 2), "stream_message": at(0)}
    assert shown(None, **life) == shown(replace(TROUBLE, kind=kind), **life) == Stream()


@pytest.mark.parametrize("kind", [Kind.FAILING, Kind.HUNG])
def test_a_commit_since_the_first_failure_is_proof_of_life(kind: Kind) -> None:
    trouble = replace(TROUBLE, kind=kind)
    for life in ({"heartbeat": at(2.75)}, {"received": series(7, 8, 8)}, {"lag": series(0.5)}, {"lag": series(0)}):
        assert shown(trouble, **life).committed is YES
    for none in ({"heartbeat": at(3)}, {"received": series(7, 8, 8, 8, 8)}, {"lag": series(2)}, {"lag": series(-1)}):
        assert shown(trouble, **none).committed is not YES


def test_what_is_received_for_the_first_time_after_the_first_failure_is_a_commit() -> None:
    assert shown(received=series(7, 8, 8)).committed is YES, "first read at the first failure itself"
    assert shown(received=series(7, 8, 8, 8)).committed is NO, "the earlier of the two is from before it"


def test_a_message_proves_a_process_and_no_commit() -> None:
    found = shown(received=series(*[7] * 9), stream_message=at(2.75))
    assert (found.committed, found.lives, found.ended) == (NO, YES, NO)
    found = shown(received=series(*[7] * 9), stream_message=at(3))
    assert (found.committed, found.lives) == (NO, NO)
    assert shown(received=series(*[7] * 9)).lives is UNKNOWN, "RDS shows no messages"


def test_where_the_replica_is_not_watched_nothing_is_known() -> None:
    found = shown(received=series(*[7] * 6, *[None] * 4), stream_message=at(6))
    assert (found.committed, found.lives, found.ended) == (UNKNOWN, UNKNOWN, UNKNOWN)


def test_what_the_writer_did_long_ago_in_a_long_trouble_does_not_prove_that_it_lives() -> None:
    long = replace(TROUBLE, since=NOW - 60 * SECOND, first_failure_by=NOW - 59 * SECOND)
    watched: dict[str, Any] = {"received": series(*[7] * 9)}
    assert shown(long, heartbeat=at(3), **watched).committed is NO
    assert shown(long, heartbeat=at(2.75), **watched).committed is YES
    slow = replace(POLICY, lag_period_seconds=2)
    for heard_ago, committed in ((6.0, NO), (5.75, YES)):
        readings = replace(READINGS, heartbeat=at(heard_ago), **watched)
        assert stream(readings, slow, long).committed is committed, "RDS's lag may come so late"


@pytest.mark.parametrize(
    ("heard_ago", "ended"),
    [(4.0, YES), (2.0 + 1, YES), (7.0, YES), (7.25, UNKNOWN)],
    ids=["when it began", "at the first failure", "a silence before it", "before that"],
)
def test_a_stream_has_ended_that_was_there_when_the_trouble_began(heard_ago: float, ended: Answer) -> None:
    found = shown(received=series(*[7] * 12), stream_message=at(heard_ago), heartbeat=at(heard_ago))
    assert found.ended is ended


@pytest.mark.parametrize(("timeout", "ended"), [(2.0, YES), (2.25, NO)])
def test_a_stream_has_ended_that_is_silent_for_the_timeout(timeout: float, ended: Answer) -> None:
    policy = replace(POLICY, replication_timeout_seconds=timeout)
    readings = replace(READINGS, received=series(*[7] * 12), stream_message=at(4))
    assert stream(readings, policy, TROUBLE).ended is ended


def test_a_replica_that_was_away_in_between_has_heard_nothing() -> None:
    silence = [None] * 3
    assert shown(received=series(7, 7, *silence, 7), stream_message=at(5)).ended is YES
    assert shown(received=series(7, 7, None, *silence, 7), stream_message=at(6)).ended is UNKNOWN
    assert shown(received=series(7, None, *silence, 7, 7, 7), stream_message=at(3)).ended is YES, "away before that"


@pytest.mark.parametrize(("seconds", "ended"), [(30, UNKNOWN), (31, UNKNOWN), (32, YES)])
def test_where_no_messages_are_shown_positions_must_stand_still_for_a_whole_drain(seconds: int, ended: Answer) -> None:
    trouble = Trouble(Kind.FAILING, NOW - timedelta(seconds=seconds), NOW - timedelta(seconds=seconds - 1))
    heartbeat = at(seconds)
    found = stream(replace(READINGS, received=series(*[7] * 40), heartbeat=heartbeat), POLICY, trouble)
    assert found.ended is ended


def test_where_no_messages_are_shown_a_position_that_moved_was_heard() -> None:
    trouble = Trouble(Kind.FAILING, NOW - 35 * SECOND, NOW - 34 * SECOND)
    moved = series(*[7] * 4, *[8] * 36)
    assert stream(replace(READINGS, received=moved), POLICY, trouble).ended is YES
    assert stream(replace(READINGS, received=series(*[8] * 40)), POLICY, trouble).ended is UNKNOWN, "never heard of"


@pytest.mark.parametrize(
    ("life", "ago"),
    [
        ({"heartbeat": at(2.5)}, 2.5),
        ({"stream_message": at(2.5)}, 2.5),
        ({"received": series(7, 8, 8)}, 2),
        ({"lag": series(0.5)}, 1.5),
        ({"lag": series(0)}, 1),
        ({"lag": series(-1)}, None),
        ({"active_seen_from_there": series(1, 0)}, 2),
        ({"witness": series(1, 0)}, 2),
        ({"witness": series(0, 0)}, None),
        ({"heartbeat": at(3)}, None),
        ({"heartbeat": at(2.5), "witness": series(1)}, 1),
    ],
)
def test_the_last_sign_of_life_since_the_first_failure_is_kept(life: dict[str, Any], ago: float | None) -> None:
    expected = None if ago is None else NOW - timedelta(seconds=ago)
    assert shown(**life).lived_at == expected
    assert shown(replace(TROUBLE, lived_at=NOW - 2.75 * SECOND), **life).lived_at == (
        NOW - 2.75 * SECOND if expected is None else expected
    )


@pytest.mark.parametrize(("ago", "is_of_it"), [(2, False), (1, True)])
def test_a_word_of_the_witness_from_the_period_of_the_first_failure_may_be_older_than_that(
    ago: int, is_of_it: bool
) -> None:
    words = series(1, *[None] * (ago - 1))
    found = stream(replace(READINGS, witness=words), replace(POLICY, metric_period_seconds=2), TROUBLE)
    assert found.lived_at == (NOW - ago * SECOND if is_of_it else None)


def test_life_behind_a_door_that_we_shut_says_nothing_of_another_one() -> None:
    let_in_at = NOW - 2 * SECOND
    assert shown(heartbeat=at(2), let_in_at=let_in_at).lived_at is None
    assert shown(heartbeat=at(1.75), let_in_at=let_in_at).lived_at == NOW - 1.75 * SECOND
    assert shown(heartbeat=at(2.5), let_in_at=NOW - 60 * SECOND).lived_at == NOW - 2.5 * SECOND
