"""What one reading says: at which second it stops to count, and what RDS's words mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aws_in_memory.clock import START as NOW
from aws_in_memory.drawn import DEAD_READINGS, SILENCE, series
from aws_in_memory.drawn import READ_POLICY as POLICY
from failover.answer import Answer
from failover.signals import Remembered, Signals, interpret
from function_runtime.readings import Instance, RegionAnswers, Unanswered
from function_runtime.session_outcome import SessionOutcome
from function_runtime.trouble import Kind, Trouble

# Six periods of a second in which the writer answered, then six in which it did not.
SINCE = NOW - timedelta(seconds=6)
SECOND = timedelta(seconds=1)
WELL = replace(DEAD_READINGS, active_seen_from_here=series(*[1.0] * 12), active_seen_from_there=series(*[1.0] * 12))
REPLICA = "arn:source"
WORKS, NO_ROOM, FULL, HUNG = (
    float(each) for each in (SessionOutcome.WORKS, SessionOutcome.NO_ROOM, SessionOutcome.FULL, SessionOutcome.HUNG)
)


def seen(remembered: Trouble | None = None, **changed: Any) -> Signals:
    return interpret(replace(DEAD_READINGS, **changed), POLICY, Remembered(trouble=remembered))


@pytest.mark.parametrize(
    ("described", "healthy", "in_maintenance"),
    [
        (Instance("available", None, {}), Answer.YES, Answer.NO),
        (Instance("failed", None, {}), Answer.NO, Answer.NO),
        (Instance("storage-full", None, {}), Answer.NO, Answer.NO),
        (Instance("rebooting", None, {}), Answer.UNKNOWN, Answer.YES),
        (Instance("backing-up", None, {}), Answer.UNKNOWN, Answer.NO),
        (Instance("word-of-tomorrow", None, {}), Answer.UNKNOWN, Answer.UNKNOWN),
        (SILENCE, Answer.UNKNOWN, Answer.UNKNOWN),
    ],
)
def test_what_rds_calls_the_writer(described: Instance | Unanswered, healthy: Answer, in_maintenance: Answer) -> None:
    found = seen(active_instance=described)
    assert (found.rds_healthy, found.in_maintenance) == (healthy, in_maintenance)


@pytest.mark.parametrize(
    ("described", "ready"),
    [
        (Instance("available", REPLICA, {}), Answer.YES),
        (Instance("available", None, {}), Answer.NO),
        (Instance("available", REPLICA, {}, replication_ended=True), Answer.NO),
        (SILENCE, Answer.UNKNOWN),
    ],
)
def test_a_standby_is_an_available_replica(described: Instance | Unanswered, ready: Answer) -> None:
    assert seen(standby_instance=described).standby_ready is ready


@pytest.mark.parametrize(
    ("load", "reports"),
    [
        ((), Answer.UNKNOWN),
        (series(20, 20, 20, *[None] * 2), Answer.YES),
        (series(20, *[None] * 3), Answer.NO),
        (series(20, *[None] * 9), Answer.NO),
        (series(20, *[None] * 10), Answer.UNKNOWN),
    ],
    ids=["never", "late", "not any more", "since shortly before the trouble", "since long before"],
)
def test_a_host_that_is_measured_no_longer_is_down_unless_it_was_silent_before(load: Any, reports: Answer) -> None:
    assert seen(host_load=load).host_reports is reports
    if reports is Answer.NO:
        assert interpret(replace(WELL, host_load=load), POLICY, Remembered()).host_reports is Answer.UNKNOWN


def test_a_region_is_dark_when_every_run_of_half_an_outage_has_found_it_so() -> None:
    dark: dict[str, Any] = {
        "active_region": RegionAnswers((), ("rds", "cloudwatch", "sts")),
        "reference_region": RegionAnswers(("sts",), ()),
    }
    trouble = Trouble(Kind.FAILING, SINCE, SINCE + SECOND)
    for ago, answers in ((POLICY.darkness - SECOND / 4, Answer.UNKNOWN), (POLICY.darkness, Answer.NO)):
        assert seen(replace(trouble, dark_since=NOW - ago), **dark).region_answers is answers
    assert seen(trouble, **dark).region_answers is Answer.UNKNOWN, "found dark for the first time"
    ours = {**dark, "reference_region": RegionAnswers((), ("sts",))}
    assert seen(replace(trouble, dark_since=NOW - timedelta(hours=1)), **ours).region_answers is Answer.UNKNOWN


@pytest.mark.parametrize(("lag", "catches_up"), [(30.0, Answer.YES), (30.25, Answer.NO), (None, Answer.UNKNOWN)])
def test_a_replica_catches_up_that_is_no_further_behind_than_a_drain_waits(
    lag: float | None, catches_up: Answer
) -> None:
    assert POLICY.drain_seconds == 30
    found = interpret(replace(WELL, heartbeat=(), lag=series(lag)), POLICY, Remembered())
    assert found.catches_up is catches_up


@pytest.mark.parametrize(
    ("words", "sees"),
    [
        (series(1), Answer.YES),
        (series(1, 0), Answer.NO),
        (series(1, None), Answer.YES),
        (series(1, None, None), Answer.UNKNOWN),
        (series(0, None), Answer.NO),
        (series(0, None, None), Answer.NO),
        (series(0, None, None, None), Answer.UNKNOWN),
        (None, Answer.UNKNOWN),
        (SILENCE, Answer.UNKNOWN),
    ],
)
def test_the_newest_word_of_the_witness_counts_if_it_is_of_the_trouble(words: Any, sees: Answer) -> None:
    # It looks at whole periods: life in the one in which the trouble is proven may be from before it, no death is.
    trouble: dict[str, Any] = {"active_seen_from_here": series(*[1.0] * 7, *[0.0] * 5)}
    assert seen(witness=words, **trouble).witness_sees is sees


def test_without_a_trouble_every_word_of_the_witness_counts() -> None:
    assert interpret(replace(WELL, witness=series(1, None)), POLICY, Remembered()).witness_sees is Answer.YES


@pytest.mark.parametrize(("late", "works"), [(1, Answer.NO), (2, Answer.UNKNOWN)])
def test_a_probe_whose_newest_reading_is_on_its_way_fails_on(late: int, works: Answer) -> None:
    failing = series(*[0.0] * 3, *[None] * late)
    assert seen(standby_seen_from_here=failing).probe_works is works


@pytest.mark.parametrize(
    ("here", "there", "session"),
    [
        (WORKS, HUNG, SessionOutcome.WORKS),
        (NO_ROOM, FULL, SessionOutcome.FULL),
        (NO_ROOM, None, SessionOutcome.NO_ROOM),
        (None, None, None),
    ],
)
def test_who_does_not_get_in_does_not_hide_what_the_other_finds(
    here: float | None, there: float | None, session: SessionOutcome | None
) -> None:
    found = seen(active_sessions_from_here=series(here), active_sessions_from_there=series(there))
    assert found.session is session


@pytest.mark.parametrize(
    ("here", "commits"),
    [
        (series(WORKS), Answer.YES),
        (series(WORKS, None, None), Answer.YES),
        (series(WORKS, None, None, None), Answer.UNKNOWN),
        (series(WORKS, HUNG), Answer.UNKNOWN),
    ],
)
def test_a_recent_commit_that_no_failure_follows_shows_that_the_writer_commits(here: Any, commits: Answer) -> None:
    found = interpret(
        replace(WELL, active_sessions_from_here=here, active_sessions_from_there=()), POLICY, Remembered()
    )
    assert found.commits is commits


def test_a_commit_before_a_trouble_says_nothing_of_it() -> None:
    trouble: dict[str, Any] = {
        "active_seen_from_here": series(*[1.0] * 9, *[0.0] * 3),
        "active_sessions_from_there": (),
    }
    assert seen(active_sessions_from_here=series(WORKS, None, None), **trouble).commits is Answer.UNKNOWN
    assert seen(active_sessions_from_here=series(WORKS, None), **trouble).commits is Answer.UNKNOWN
    assert seen(active_sessions_from_here=series(WORKS), **trouble).commits is Answer.YES


@pytest.mark.parametrize(
    ("there", "answers"),
    [
        (series(*[1.0] * 8, None, None), Answer.UNKNOWN),
        (series(*[1.0] * 10, None), Answer.YES),
        (series(*[1.0] * 10, 0.0), Answer.UNKNOWN),
        (series(*[1.0] * 8, 0.0, 0.0, 0.0, 0.0), Answer.NO),
        (series(*[1.0] * 8, 0.0, 0.0, 0.0), Answer.UNKNOWN),
        (series(*[0.0] * 6, *[None] * 4), Answer.UNKNOWN),
    ],
)
def test_the_other_sites_probes_count_from_the_first_failure_and_as_an_outage_of_their_own(
    there: Any, answers: Answer
) -> None:
    found = seen(active_seen_from_here=series(*[1.0] * 8, *[0.0] * 4), active_seen_from_there=there)
    assert found.answers_there is answers


def test_what_is_recorded_and_logged_are_the_answers() -> None:
    item = seen().as_item()
    assert item["answers_here"] == "no"
    assert {*item.values()} <= {each.value for each in Answer}
    assert "session" not in item


@pytest.mark.parametrize(("is_shut", "lets_in"), [(None, Answer.UNKNOWN), (True, Answer.NO), (False, Answer.YES)])
def test_a_writer_lets_clients_in_unless_it_is_shut(is_shut: bool | None, lets_in: Answer) -> None:
    assert seen(active_is_shut=is_shut).lets_clients_in is lets_in


def test_an_outage_that_the_record_knows_is_as_long_as_the_record_says() -> None:
    newest = series(0.0, 0.0)
    since = newest[0].start - POLICY.silence
    recorded = Trouble(Kind.FAILING, since, since + SECOND)
    assert seen(active_seen_from_here=newest).answers_here is Answer.UNKNOWN
    long = replace(POLICY, min_failed_probes=2)
    unseen = replace(recorded, since=since - SECOND)
    for remembered, answers in ((None, Answer.UNKNOWN), (recorded, Answer.NO), (unseen, Answer.UNKNOWN)):
        readings = replace(DEAD_READINGS, active_seen_from_here=newest)
        assert interpret(readings, long, Remembered(trouble=remembered)).answers_here is answers


@pytest.mark.parametrize(("ago", "answers"), [(4.0, Answer.NO), (3.75, Answer.UNKNOWN)])
def test_what_failed_behind_our_own_fence_was_no_outage(ago: float, answers: Answer) -> None:
    let_in_at = NOW - timedelta(seconds=ago)
    assert interpret(DEAD_READINGS, POLICY, Remembered(let_in_at=let_in_at)).answers_here is answers
    trouble = Trouble(Kind.FAILING, SINCE, SINCE + SECOND, maintenance_at=let_in_at)
    assert seen(trouble).answers_here is answers


@pytest.mark.parametrize(
    ("answers", "concerned"),
    [
        ([1, 0, 0, 1, 0, 0, 1, 0, 0, 1], []),
        ([1, 1, 1, 0, 0, 0, 0], []),
        ([0, 0, 1, 0, 0, 1, 0], ["probes_lost"]),
    ],
    ids=["it comes and goes", "an outage", "the newest have failed"],
)
def test_lost_probes_are_a_concern_of_their_own_only_where_nothing_worse_is_proven(
    answers: list[float], concerned: list[str]
) -> None:
    assert [each.code for each in seen(active_seen_from_here=series(*answers)).concerns] == concerned
