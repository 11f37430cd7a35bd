"""What RDS shows of a promotion, and what may be done about one that it does not show."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aws_in_memory.clock import START as NOW
from failover.shown import has_failed_promoted, is_dropped, may_be_given_up, shown_by
from function_runtime.incident import Phase, Shown, Step
from function_runtime.readings import Instance

SOURCE = "arn:source"


def instance(status: str, *, replica: bool = True, ended: bool = False) -> Instance:
    return Instance(status, SOURCE if replica else None, {}, replication_ended=ended)


def waiting(shows: Shown | None, for_seconds: float | None = 0) -> Step:
    since = None if for_seconds is None else NOW - timedelta(seconds=for_seconds)
    return Step(Phase.PROMOTED, NOW - timedelta(minutes=9), shows=shows, shows_since=since)


@pytest.mark.parametrize(
    ("described", "shows"),
    [
        (None, Shown.NEVER),
        (instance("failed"), Shown.NEVER),
        (instance("failed", replica=False), Shown.NEVER),
        (instance("available", ended=True), Shown.NEVER),
        (instance("available"), Shown.REPLICA),
        (instance("storage-optimization"), Shown.REPLICA),
        (instance("backing-up"), Shown.UNKNOWN),
        (instance("upgrading"), Shown.UNKNOWN),
        (instance("modifying"), Shown.UNDER_WAY),
        (instance("rebooting"), Shown.UNDER_WAY),
        (instance("modifying", replica=False), Shown.UNDER_WAY),
        (instance("available", replica=False), Shown.WRITER),
        (instance("backing-up", replica=False), Shown.WRITER),
    ],
)
def test_what_an_instance_shows_of_its_promotion(described: Instance | None, shows: Shown) -> None:
    assert shown_by(described) is shows


@pytest.mark.parametrize(("seconds", "dropped"), [(59.999, False), (60, True)])
def test_a_promotion_is_dropped_when_a_replica_has_shown_nothing_for_a_minute(seconds: float, dropped: bool) -> None:
    assert is_dropped(waiting(Shown.REPLICA, seconds), NOW) is dropped
    assert not is_dropped(waiting(Shown.UNDER_WAY, seconds), NOW)
    assert not is_dropped(waiting(Shown.REPLICA, None), NOW)
    assert not is_dropped(None, NOW)


@pytest.mark.parametrize(
    ("described", "failed"),
    [
        (None, False),
        (instance("failed"), False),
        (instance("available", replica=False), False),
        (instance("failed", replica=False), True),
    ],
)
def test_only_a_database_that_was_promoted_can_have_failed_with_writes_of_its_own(
    described: Instance | None, failed: bool
) -> None:
    assert has_failed_promoted(described) is failed


@pytest.mark.parametrize(
    ("described", "shows", "seconds", "may"),
    [
        (None, None, None, True),
        (instance("failed"), None, None, True),
        (instance("storage-full"), None, None, False),
        (instance("failed", replica=False), None, None, False),
        (instance("storage-full", replica=False), None, None, False),
        (instance("available", ended=True), None, None, True),
        (instance("available"), Shown.REPLICA, 60, True),
        (instance("available"), Shown.REPLICA, 59, False),
        (instance("available"), Shown.UNDER_WAY, 99, False),
        (instance("storage-optimization"), Shown.REPLICA, 60, False),
        (instance("modifying"), Shown.REPLICA, 60, False),
        (instance("available", replica=False), Shown.REPLICA, 60, False),
    ],
)
def test_a_promotion_is_given_up_only_where_it_cannot_come_or_was_dropped(
    described: Instance | None, shows: Shown | None, seconds: float | None, may: bool
) -> None:
    assert may_be_given_up(described, waiting(shows, seconds), NOW) is may
