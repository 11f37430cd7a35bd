"""What sessions say of commits, and when a run of failures is an outage: periods of a second, a silence of three."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aws_in_memory.clock import START as NOW
from aws_in_memory.drawn import READ_POLICY as POLICY
from aws_in_memory.drawn import series
from failover.recognise import failing_run, flaps, is_silent
from failover.sessions import Run, blocked_run, blocked_runs, newest, said, worked_since
from function_runtime.session_outcome import SessionOutcome

WORKS, NO_ROOM, FULL, HUNG = (
    float(each) for each in (SessionOutcome.WORKS, SessionOutcome.NO_ROOM, SessionOutcome.FULL, SessionOutcome.HUNG)
)
SECOND = timedelta(seconds=1)
JUST_RECENT = NOW + POLICY.silence
TOO_OLD = JUST_RECENT + timedelta(microseconds=1)


def run(ago: float, probes: int, proven_ago: float = 0) -> Run:
    since = NOW - timedelta(seconds=ago)
    return Run(since, since + SECOND, NOW, probes, NOW - timedelta(seconds=proven_ago))


@pytest.mark.parametrize(
    ("outcomes", "found"),
    [
        ([WORKS, HUNG, HUNG], run(2, 2)),
        ([WORKS, HUNG, WORKS], None),
        ([HUNG, WORKS, HUNG], run(1, 1)),
        ([WORKS, HUNG, NO_ROOM, FULL], run(3, 2)),
        ([WORKS, NO_ROOM, NO_ROOM], None),
        ([HUNG, None, None, None, HUNG], run(5, 2)),
        ([HUNG, None, None, None, None, HUNG], run(1, 1)),
        ([HUNG, None, None, HUNG, None, None, None, HUNG], run(8, 3, proven_ago=4)),
        ([], None),
    ],
    ids=["since a commit", "commits", "again", "others say nothing", "only they", "a gap", "too long", "gaps", "none"],
)
def test_what_could_not_commit_ends_with_a_commit_and_with_a_silence_and_with_nothing_else(
    outcomes: list[float | None], found: Run | None
) -> None:
    assert blocked_run(series(*outcomes), NOW, POLICY) == found


def test_what_was_seen_too_long_ago_says_nothing_any_more() -> None:
    hung = series(WORKS, WORKS, WORKS, HUNG)
    assert blocked_run(hung, JUST_RECENT, POLICY) is not None
    assert blocked_run(hung, TOO_OLD, POLICY) is None
    assert newest(hung, JUST_RECENT, POLICY) is SessionOutcome.HUNG
    assert newest(hung, TOO_OLD, POLICY) is newest((), NOW, POLICY) is None
    assert not is_silent(hung, JUST_RECENT, POLICY)
    assert is_silent(hung, TOO_OLD, POLICY)
    assert is_silent((), NOW, POLICY)


def test_only_observers_that_cannot_commit_have_a_run() -> None:
    assert blocked_runs([series(WORKS), series(HUNG), ()], NOW, POLICY) == [run(1, 1)]


def test_a_period_that_is_not_over_ends_now() -> None:
    now = NOW - timedelta(seconds=0.25)
    found = blocked_run(series(HUNG), now, POLICY)
    assert found is not None
    assert found.until == now


@pytest.mark.parametrize(
    ("seconds", "probes", "is_outage"), [(3, 3, True), (2.999, 3, False), (3, 2, False), (4, 2, False)]
)
def test_an_outage_is_long_enough_and_has_probes_enough(seconds: float, probes: int, is_outage: bool) -> None:
    assert run(seconds, probes).lasts(3, 3) is is_outage


def test_a_commit_counts_from_the_moment_asked_for() -> None:
    sessions = series(HUNG, WORKS, HUNG)
    assert worked_since(sessions, NOW - 2 * SECOND)
    assert not worked_since(sessions, NOW - timedelta(seconds=1.5))


def test_people_read_an_outcome_in_words() -> None:
    assert said(series(NO_ROOM)[0]) == "no room"


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([1, 0, 0], run(2, 2)),
        ([0, 1], None),
        ([0, 1, 0], run(1, 1)),
        ([], None),
        ([0, None, None, None, 0], run(5, 2)),
        ([0, None, None, None, None, 0], run(1, 1)),
        ([0, None, None, 0, None, None, None, 0], run(8, 3, proven_ago=4)),
    ],
)
def test_failed_probes_are_one_run_across_a_gap_no_longer_than_a_silence(
    answers: list[float | None], found: Run | None
) -> None:
    assert failing_run(series(*answers), NOW, POLICY) == found


def test_an_outage_that_has_ended_is_a_flap_and_a_single_lost_probe_is_none() -> None:
    seen = series(0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0)
    assert [NOW - point.start for point in flaps(seen)] == [11 * SECOND, 6 * SECOND]
