"""Timings that contradict each other are refused before anything is deployed, with the keys to change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from automation_layer.timings import (
    GUARD_LIMIT_SECONDS,
    GUARD_MARGIN_SECONDS,
    LAST_LOOK_SECONDS,
    METRIC_DELAY_SECONDS,
    PROMOTION_ALLOWANCE_SECONDS,
    RECOVERY_OBJECTIVE_SECONDS,
    RUN_LIMIT_SECONDS,
    SHOWN_SECONDS,
    SILENT_REGION_SECONDS,
    START_LATENESS_SECONDS,
    Timings,
)
from aws_in_memory import durations
from failover.shown import SHOWN_WITHIN_SECONDS
from function_runtime.clients import ABROAD, PROBING
from shared.errors import SettingsError

ON_AWS = Timings(
    schedule_seconds=60,
    probes_per_run=5,
    probe_interval_seconds=10,
    probe_timeout_seconds=3,
    metric_period_seconds=60,
    alarm_period_seconds=60,
    trigger_evaluation_periods=2,
    outage_seconds=120,
    cool_down_seconds=3600,
    fence_timeout_seconds=20,
    planned_fence_timeout_seconds=600,
    guard_seconds=40,
    poll_interval_seconds=5,
    run_budget_seconds=270,
    name_ttl_seconds=10,
    handover_margin_seconds=120,
    copy_schedule_seconds=900,
)
IN_SECONDS = replace(
    ON_AWS,
    schedule_seconds=2,
    probes_per_run=2,
    probe_interval_seconds=1,
    probe_timeout_seconds=1,
    metric_period_seconds=1,
    alarm_period_seconds=10,
    outage_seconds=4,
    fence_timeout_seconds=5,
    planned_fence_timeout_seconds=50,
    guard_seconds=5,
    poll_interval_seconds=1,
    name_ttl_seconds=1,
    handover_margin_seconds=20,
)


def refused(timings: Timings, *, sub_minute_schedule: bool = False) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        timings.refuse_contradictions(sub_minute_schedule=sub_minute_schedule)
    return caught.value


def test_timings_for_aws_and_timings_in_seconds_both_hold() -> None:
    ON_AWS.refuse_contradictions(sub_minute_schedule=False)
    IN_SECONDS.refuse_contradictions(sub_minute_schedule=True)


@pytest.mark.parametrize("key", ["schedule_seconds", "alarm_period_seconds", "metric_period_seconds"])
def test_less_than_a_minute_needs_an_endpoint_that_takes_it(key: str) -> None:
    error = refused(
        replace(
            ON_AWS,
            **{
                key: getattr(IN_SECONDS, key),
                "probes_per_run": 1,
                "probe_interval_seconds": 1,
                "probe_timeout_seconds": 1,
            },
        )
    )
    assert error.key.lower() == key.replace("_", "")
    assert "subMinuteSchedule: true" in error.remedy


@pytest.mark.parametrize("key", ["alarm_period_seconds", "metric_period_seconds"])
def test_a_period_that_cloudwatch_does_not_know_is_refused_anywhere(key: str) -> None:
    assert refused(replace(IN_SECONDS, **{key: 15}), sub_minute_schedule=True).value == 15


def test_a_run_of_the_probe_ends_before_the_next_begins() -> None:
    assert refused(replace(ON_AWS, probes_per_run=7)).key == "probesPerRun"


def test_a_probe_times_out_before_the_next_is_due() -> None:
    assert refused(replace(ON_AWS, probe_timeout_seconds=11)).key == "probeTimeoutSeconds"


def test_one_failed_reading_is_no_outage() -> None:
    assert refused(replace(ON_AWS, outage_seconds=119)).key == "outageSeconds"
    assert refused(replace(IN_SECONDS, outage_seconds=1), sub_minute_schedule=True).key == "outageSeconds"


def test_a_run_saves_its_state_before_lambda_ends_it() -> None:
    assert refused(replace(ON_AWS, run_budget_seconds=285)).key == "runBudgetSeconds"
    assert RUN_LIMIT_SECONDS == 300  # C3


def test_a_fence_ends_within_the_run_that_began_it() -> None:
    error = refused(replace(ON_AWS, fence_timeout_seconds=30, poll_interval_seconds=5, run_budget_seconds=34))
    assert error.key == "fenceTimeoutSeconds"
    replace(ON_AWS, run_budget_seconds=35).refuse_contradictions(sub_minute_schedule=False)


def test_a_fence_that_must_be_seen_has_at_least_the_time_of_one_that_need_not() -> None:
    error = refused(replace(ON_AWS, planned_fence_timeout_seconds=19))
    assert (error.key, error.value) == ("plannedFenceTimeoutSeconds", 19)
    assert "at least fenceTimeoutSeconds (20)" in error.remedy


def test_two_runs_of_the_failover_see_a_region_dark_within_one_outage() -> None:
    error = refused(replace(ON_AWS, schedule_seconds=120, outage_seconds=239))
    assert (error.key, error.value) == ("outageSeconds", 239)
    assert "at least 240" in error.remedy
    assert refused(replace(IN_SECONDS, outage_seconds=3), sub_minute_schedule=True).key == "outageSeconds"


def test_an_outage_holds_as_many_probes_as_prove_it() -> None:
    assert refused(replace(ON_AWS, probes_per_run=1)).key == "probesPerRun"
    seldom = replace(ON_AWS, probes_per_run=2, fence_timeout_seconds=10)
    seldom.refuse_contradictions(sub_minute_schedule=False)


def test_a_guard_ends_before_lambda_ends_it() -> None:
    assert refused(replace(ON_AWS, guard_seconds=45)).key == "guardSeconds"
    replace(ON_AWS, guard_seconds=GUARD_LIMIT_SECONDS - GUARD_MARGIN_SECONDS).refuse_contradictions(
        sub_minute_schedule=False
    )


def test_a_guard_sees_its_fence_work() -> None:
    assert refused(replace(ON_AWS, guard_seconds=5)).key == "guardSeconds"


def test_a_fence_is_looked_at_before_it_times_out() -> None:
    assert refused(replace(ON_AWS, poll_interval_seconds=21)).key == "pollIntervalSeconds"


def test_one_outage_moves_the_writer_once() -> None:
    assert refused(replace(ON_AWS, cool_down_seconds=119)).key == "coolDownSeconds"


def test_all_but_the_promotion_fits_into_what_the_recovery_objective_leaves() -> None:
    longest = RECOVERY_OBJECTIVE_SECONDS - PROMOTION_ALLOWANCE_SECONDS
    assert ON_AWS.detection_and_switch_seconds <= longest
    error = refused(replace(ON_AWS, outage_seconds=ON_AWS.outage_seconds + 120))
    assert error.key == "outageSeconds"
    assert str(longest) in error.remedy
    assert "the outage 240 s" in error.remedy


def test_the_names_switch_is_over_before_the_promotion_that_it_runs_beside() -> None:
    slowest = replace(ON_AWS, alarm_period_seconds=300, name_ttl_seconds=60)
    assert slowest.name_switch_seconds <= PROMOTION_ALLOWANCE_SECONDS


def test_what_is_counted_beside_the_settings_is_what_the_code_and_aws_have() -> None:
    clients = cast("tuple[Any, Any]", (ABROAD, PROBING))
    assert [each.connect_timeout + each.read_timeout for each in clients] == [SILENT_REGION_SECONDS, LAST_LOOK_SECONDS]
    assert SHOWN_SECONDS == SHOWN_WITHIN_SECONDS >= durations.PROMOTION_SHOWN.longest
    assert durations.SCHEDULE_LATENESS.longest == START_LATENESS_SECONDS
    assert durations.PROBE_METRIC_DELAY.longest == METRIC_DELAY_SECONDS


def test_a_replica_is_seen_to_hear_nothing_from_a_dead_writer_within_the_outage() -> None:
    ON_AWS.refuse_unseen_silence(60)
    with pytest.raises(SettingsError) as caught:
        ON_AWS.refuse_unseen_silence(61)
    assert (caught.value.key, caught.value.value) == ("outageSeconds", 120)
    assert "replicationTimeoutSeconds (61)" in caught.value.remedy


@pytest.mark.parametrize(
    ("seconds", "expression"),
    [(60, "rate(1 minute)"), (120, "rate(2 minutes)"), (2, "rate(2 seconds)"), (90, "rate(90 seconds)")],
)
def test_the_schedule_is_written_as_eventbridge_reads_it(seconds: int, expression: str) -> None:
    assert replace(ON_AWS, schedule_seconds=seconds).schedule_expression == expression
