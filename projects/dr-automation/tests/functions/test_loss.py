"""What a failover would lose, from readings alone: periods of a second, lag of a second's age or two is recent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from aws_in_memory.clock import START as NOW
from aws_in_memory.drawn import DEAD_READINGS, series
from aws_in_memory.drawn import READ_POLICY as POLICY
from failover.loss import Loss, loss, replicated_until
from function_runtime.trouble import Kind, Trouble

SECOND = timedelta(seconds=1)
# Six periods in which it answered, then six in which it did not; nothing says yet what the replica has.
READINGS = replace(DEAD_READINGS, lag=(), slot_lag=(), heartbeat=())
SINCE = NOW - 6 * SECOND
TROUBLE = Trouble(Kind.FAILING, SINCE, SINCE + SECOND)
BEFORE = [None] * 6
IDLE = POLICY.drain_seconds


def lost(trouble: Trouble | None = TROUBLE, remembered: datetime | None = None, **changed: Any) -> Loss:
    return loss(replace(READINGS, **changed), POLICY, trouble, remembered)


def test_where_nothing_says_what_the_replica_has_nobody_knows_the_loss() -> None:
    assert lost() == Loss(None, None, None)


@pytest.mark.parametrize(
    ("changed", "remembered", "lag_before", "bound"),
    [
        ({"lag": series(0.5, *BEFORE)}, None, 0.5, 2.5),
        ({"lag": series(0.5, *[None] * 5, *BEFORE)}, None, 5.5, 7.5),
        ({"lag": series(-1, *BEFORE)}, None, None, None),
        # Replayed until 3.25 s before it; the last sample before the trouble's period is one of the trouble's, too.
        ({"lag": series(3, 0.25, *BEFORE)}, None, 0.25, 2.25),
        ({"lag": series(3, 0.25, *BEFORE[1:])}, None, 3.0, 1.25),
        # Three periods may be late; of a fourth the age counts.
        ({"lag": series(0.5, None, None, None, *BEFORE)}, None, 0.5, 5.5),
        ({"lag": series(0.5, *[None] * 4, *BEFORE)}, None, 4.5, 6.5),
        ({"lag": series(0.5, *[None] * 10, *BEFORE)}, None, 10.5, 12.5),
        ({"lag": series(0.5, *[None] * 11, *BEFORE)}, None, None, 13.5),
        ({"slot_lag": series(0, *BEFORE)}, None, 1.0, 2.0),
        ({"slot_lag": series(64, 0, *BEFORE[1:])}, None, None, 1.0),
        ({"slot_lag": series(0, *BEFORE), "lag": series(IDLE, *BEFORE)}, None, 1.0, 2.0),
        ({"slot_lag": series(0, *BEFORE), "lag": series(IDLE + 1, *BEFORE)}, None, IDLE + 1, IDLE + 3),
        ({"heartbeat": series(*[SINCE.timestamp()] * 6)}, None, 0.0, 1.0),
        ({"heartbeat": series(*[(SINCE + SECOND / 2).timestamp()] * 6)}, None, None, 0.5),
        ({"heartbeat": series(*[(SINCE + 2 * SECOND).timestamp()] * 6)}, None, None, 0.0),
        ({"slot_lag": series(64, *BEFORE)}, None, None, None),
        ({}, SINCE - 3 * SECOND, 3.0, 4.0),
        ({}, SINCE + SECOND, None, 0.0),
        ({}, SINCE - POLICY.lag_staleness, 10.0, 11.0),
        ({}, SINCE - POLICY.lag_staleness - SECOND, None, 12.0),
        ({"heartbeat": series(*[(SINCE - 2 * SECOND).timestamp()] * 7)}, None, 2.0, 3.0),
        ({"heartbeat": series(*[(SINCE - 2 * SECOND).timestamp()] * 7)}, SINCE, 2.0, 3.0),
    ],
    ids=[
        "a sample",
        "an old sample counts with its age",
        "RDS knows no lag",
        "the newest sample",
        "none of the trouble itself",
        "a late sample",
        "a sample that is later",
        "as old as counts",
        "older",
        "an empty slot",
        "a slot that was emptied within the trouble",
        "an empty slot of an idle writer",
        "an empty slot of another replica",
        "a heartbeat of the moment itself",
        "a heartbeat of the first failed period",
        "a heartbeat of a later one",
        "a slot with a backlog",
        "remembered",
        "remembered of a later moment",
        "remembered for as long as counts",
        "and longer",
        "a heartbeat",
        "a heartbeat outweighs what is remembered",
    ],
)
def test_the_loss_counts_from_what_the_replica_had_to_the_first_failure(
    changed: dict[str, Any], remembered: datetime | None, lag_before: float | None, bound: float | None
) -> None:
    found = lost(remembered=remembered, **changed)
    assert (found.lag_before_seconds, found.bound_seconds) == (lag_before, bound)


def test_without_a_trouble_there_is_a_lag_and_no_loss() -> None:
    assert lost(None, lag=series(0.5)) == Loss(0.5, None, None)


def test_what_was_known_when_the_trouble_began_holds_when_the_readings_have_gone() -> None:
    assert lost(replace(TROUBLE, lag_before_seconds=4.0)) == Loss(4.0, 5.0, None)


def test_the_loss_ends_where_the_writer_can_have_committed_for_anybody() -> None:
    heartbeat: dict[str, Any] = {"heartbeat": series(*[SINCE.timestamp()] * 6)}
    assert lost(**heartbeat).bound_seconds == 1
    for name in ("active_seen_from_here", "active_seen_from_there"):
        later = {**heartbeat, name: series(*[1.0] * 8, *[0.0] * 4)}
        assert lost(**later).bound_seconds == 3
        seen_to_begin = {**heartbeat, name: series(1.0, *[0.0] * 4)}
        assert lost(**seen_to_begin).bound_seconds == 3
        not_seen_to_begin = {**heartbeat, name: series(*[0.0] * 4)}
        assert lost(**not_seen_to_begin).bound_seconds == 1
    assert lost(replace(TROUBLE, lived_at=SINCE + 4 * SECOND), **heartbeat).bound_seconds == 4
    assert lost(replace(TROUBLE, kind=Kind.HUNG, lived_at=NOW), **heartbeat).bound_seconds == 1


def test_the_last_moment_at_which_a_slot_was_empty_is_kept() -> None:
    emptied, later = SINCE - SECOND, SINCE - SECOND / 2
    assert lost(slot_lag=series(0, *BEFORE)).replicated_until == emptied
    assert lost(slot_lag=series(0, *BEFORE), remembered=later).replicated_until == later
    assert lost(slot_lag=series(0, *BEFORE), heartbeat=series(0)).replicated_until == emptied


def test_a_sample_says_until_when_the_replica_had_everything() -> None:
    assert replicated_until(series(0.5, 2), (), NOW, POLICY) == NOW - timedelta(seconds=2.5)
    assert replicated_until(series(-1), (), NOW, POLICY) is None
    assert replicated_until(series(0.5), (), NOW - SECOND, POLICY) == NOW - timedelta(seconds=1.5)
    assert replicated_until(series(0.5), (), NOW - 2 * SECOND, POLICY) is None
    assert replicated_until(series(0), series(0), NOW, POLICY) == NOW - SECOND


@pytest.mark.parametrize(("ago", "is_another"), [(4, False), (3, True), (-1, True), (-2, False)])
def test_a_slot_is_another_replicas_where_ours_is_behind_at_about_the_same_time(ago: int, is_another: bool) -> None:
    behind = series(IDLE + 1, until=SINCE - timedelta(seconds=ago))
    assert (lost(slot_lag=series(0, *BEFORE), lag=behind).replicated_until is None) is is_another


@pytest.mark.parametrize(
    ("there", "dark_since", "counts"),
    [
        ((), None, False),
        ((), NOW, True),
        (series(*[1.0] * 9, *[0.0] * 3), None, True),
        (series(*[1.0] * 12), None, False),
        (series(*[1.0] * 12), NOW, True),
    ],
)
def test_what_may_have_lived_is_counted_once_it_is_seen_to_fail_in_its_site_or_its_region_is_dark(
    there: Any, dark_since: datetime | None, counts: bool
) -> None:
    trouble = replace(TROUBLE, dark_since=dark_since)
    may_have = replace(trouble, may_have_lived_until=NOW)
    known = SINCE - SECOND

    def bound(of: Trouble) -> float | None:
        return lost(of, known, active_seen_from_there=there).bound_seconds

    without, with_it = bound(trouble), bound(may_have)
    assert without is not None
    assert with_it is not None
    assert (with_it > without) is counts
    assert with_it == (7.0 if counts else without)


def test_what_the_replica_has_seen_after_the_first_failure_shows_that_it_lived_on_until_the_region_went_dark() -> None:
    dark = replace(TROUBLE, dark_since=NOW)
    first_failed_by = SINCE + SECOND
    for told, bound in ((first_failed_by, 1.0), (first_failed_by + SECOND / 4, 6.0)):
        seen = lost(dark, SINCE, active_seen_from_there=(), stream_message=series(*[told.timestamp()] * 6))
        assert seen.bound_seconds == bound
