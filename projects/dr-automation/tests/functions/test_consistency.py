"""Readings that AWS cannot give are refused, with what to do about them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from aws_in_memory import consistency
from aws_in_memory.clock import START as NOW
from aws_in_memory.consistency import InconsistentReadingsError, check_consistency
from aws_in_memory.drawn import (
    DARK_READINGS,
    DEAD_READINGS,
    READ_POLICY,
    READINGS,
    REFUSAL,
    SILENCE,
    series,
)
from failover.readings import Readings
from function_runtime.readings import Datapoint, Instance, RegionAnswers
from function_runtime.sites import Site

SECOND = timedelta(seconds=1)
WELL = series(1, 1, 1)


def point(start: timedelta = -SECOND, maximum: float = 1.0, minimum: float = 1.0, samples: float = 1) -> Datapoint:
    return Datapoint(NOW + start, maximum, minimum, samples)


IMPOSSIBLE: list[tuple[str, Readings, dict[str, Any], str]] = [
    ("check_sites", DEAD_READINGS, {"here": Site.PRIMARY}, "make here the other site"),
    ("check_datapoints", DEAD_READINGS, {"lag": WELL[::-1]}, "give one datapoint a period, oldest first"),
    ("check_datapoints", DEAD_READINGS, {"witness": (WELL[0], WELL[0])}, "give one datapoint a period, oldest first"),
    ("check_datapoints", DEAD_READINGS, {"slot_lag": (point(-SECOND / 2),)}, "begin it where a period begins"),
    ("check_datapoints", DEAD_READINGS, {"lag": (*WELL, point(-SECOND / 2))}, "begin it where a period begins"),
    ("check_datapoints", DEAD_READINGS, {"active_seen_from_here": (point(SECOND),)}, "leave out what is to come"),
    ("check_statistics", DEAD_READINGS, {"lag": (point(maximum=1, minimum=2, samples=2),)}, "swap them"),
    ("check_statistics", DEAD_READINGS, {"witness": (point(samples=0),)}, "leave out a period without any"),
    ("check_statistics", DEAD_READINGS, {"witness": (point(minimum=0),)}, "make minimum and maximum the same"),
    ("check_values", DEAD_READINGS, {"active_seen_from_there": series(0, 2)}, "a probe's values lie within 0 and 1"),
    ("check_values", DEAD_READINGS, {"standby_seen_from_here": series(-1)}, "a probe's values lie within 0 and 1"),
    ("check_values", DEAD_READINGS, {"lag": series(-2)}, "give -1 for an unknown lag"),
    ("check_values", DEAD_READINGS, {"slot_lag": series(-0.5)}, "give -1 for an unknown lag"),
    ("check_values", DEAD_READINGS, {"active_sessions_from_here": series(9)}, "give a SessionOutcome"),
    ("check_shown", DEAD_READINGS, {"standby_sessions": ()}, "no session that worked has read it"),
    ("check_shown", DEAD_READINGS, {"received": series(2, 1)}, "let it stand or grow"),
    ("check_read_together", DEAD_READINGS, {"lag": REFUSAL}, "make all of them the same Unanswered"),
    ("check_read_together", DARK_READINGS, {"slot_lag": REFUSAL}, "make all of them the same Unanswered"),
    (
        "check_services",
        DEAD_READINGS,
        {"active_region": RegionAnswers(("rds", "cloudwatch"), ("rds",))},
        "rds both answered and was silent; leave it out of one of them",
    ),
    (
        "check_services",
        DARK_READINGS,
        {"active_instance": Instance("available", None, {})},
        "rds answered, by what was read of it; name it in answered only",
    ),
    ("check_services", DEAD_READINGS, {"active_instance": SILENCE}, "name it in silent only"),
    ("check_services", DEAD_READINGS, {"active_region": RegionAnswers(("rds",), ())}, "name it in answered only"),
    ("check_second_look", DEAD_READINGS, {"reference_region": RegionAnswers(("sts",), ())}, "make it None"),
    ("check_second_look", DARK_READINGS, {"reference_region": None}, "say what the reference region answered"),
    (
        "check_second_look",
        DARK_READINGS,
        {"active_region": RegionAnswers((), ("rds", "cloudwatch"))},
        "say whether sts answered",
    ),
    (
        "check_second_look",
        DEAD_READINGS,
        {"active_region": RegionAnswers(("rds", "cloudwatch", "sts"), ())},
        "leave sts out",
    ),
    (
        "check_instances",
        DEAD_READINGS,
        {"standby_instance": Instance("available", None, {}, replication_ended=True)},
        "it has no source; give it replica_of",
    ),
    (
        "check_instances",
        DEAD_READINGS,
        {"active_instance": Instance("available", None, {"sg-1": "open"})},
        "give one of active, adding, removing",
    ),
    (
        "check_instances",
        DEAD_READINGS,
        {"active_instance": Instance("available", "arn:standby", {})},
        "make replica_of of the active one None",
    ),
]


@pytest.mark.parametrize(
    ("name", "readings", "changed", "to_do"), IMPOSSIBLE, ids=[f"{name}: {to_do}" for name, _, _, to_do in IMPOSSIBLE]
)
def test_what_aws_cannot_give_is_refused_with_what_to_do(
    name: str, readings: Readings, changed: dict[str, Any], to_do: str
) -> None:
    impossible = replace(readings, **changed)
    found = getattr(consistency, name)(impossible, READ_POLICY)
    assert any(to_do in error for error in found.errors), found
    with pytest.raises(InconsistentReadingsError, match=re.escape(to_do)):
        check_consistency(impossible, READ_POLICY)


def test_each_check_has_something_to_refuse() -> None:
    assert {name for name, *_ in IMPOSSIBLE} == {check.__name__ for check in consistency.CHECKS}


def test_a_refusal_names_everything_that_is_wrong() -> None:
    impossible = replace(DEAD_READINGS, here=Site.PRIMARY, lag=series(-2))
    with pytest.raises(InconsistentReadingsError, match=r"active = here = primary.*; lag at"):
        check_consistency(impossible, READ_POLICY)


def test_what_is_only_unlikely_is_told_and_not_refused(caplog: pytest.LogCaptureFixture) -> None:
    unlikely = replace(DEAD_READINGS, active_instance=Instance("word-of-tomorrow", None, {}))
    check_consistency(unlikely, READ_POLICY)
    assert "RDS has no status word-of-tomorrow today" in caplog.text


def test_periods_of_a_minute_begin_at_the_minute() -> None:
    by_the_minute = replace(READ_POLICY, metric_period_seconds=60, lag_period_seconds=60, outage_seconds=120)
    with pytest.raises(InconsistentReadingsError, match="off the marks of 60 s"):
        check_consistency(DEAD_READINGS, by_the_minute)


@given(READINGS)
def test_what_is_drawn_is_consistent(readings: Readings) -> None:
    check_consistency(readings, READ_POLICY)
