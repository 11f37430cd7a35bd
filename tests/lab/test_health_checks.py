"""A health check is healthy when what it watches says so, as the Route 53 developer guide has it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.aws.cloudwatch_alarms import AlarmConfiguration, MissingData
from lab.aws.health_checks import HealthCheck, InsufficientData, MetricWatch, statuses

# The primary site's word: 0 while the primary is the writer, 1 from the moment the recovery site is.
LATCH = AlarmConfiguration(
    namespace="PostgresDR/test",
    metric_name="WriterWord",
    dimensions=(("Site", "primary"),),
    statistic="Maximum",
    period_seconds=10,
    evaluation_periods=1,
    datapoints_to_alarm=1,
    threshold=1.0,
    comparison="GreaterThanOrEqualToThreshold",
    treat_missing_data=MissingData.IGNORE,
)
SAYS_PRIMARY = {"Maximum": {1005: 0.0}}
SAYS_RECOVERY = {"Maximum": {1005: 1.0}}
SILENCE: dict[str, dict[int, float]] = {"Maximum": {}}
NOW = 1010.0


def metric_check(**changes: Any) -> HealthCheck:
    return HealthCheck(**{"id": "latch", "version": 1, "type": "CLOUDWATCH_METRIC", "alarm": ("a", "r"), **changes})


def says(check: HealthCheck, *seen: dict[str, dict[int, float]]) -> bool:
    watch = MetricWatch(check, LATCH)
    for series in seen:
        watch = watch.after(series, NOW)
    return statuses({check.id: check}, {check.id: watch})[check.id]


def test_the_metric_stream_decides() -> None:
    assert says(metric_check(), SAYS_PRIMARY) is True
    assert says(metric_check(), SAYS_RECOVERY) is False


@pytest.mark.parametrize(
    ("setting", "after_recovery", "from_the_start"),
    [
        (InsufficientData.LAST_KNOWN, False, True),
        (InsufficientData.HEALTHY, True, True),
        (InsufficientData.UNHEALTHY, False, False),
    ],
)
def test_what_silence_means(setting: InsufficientData, after_recovery: bool, from_the_start: bool) -> None:
    check = metric_check(insufficient_data=setting)
    assert says(check, SAYS_RECOVERY, SILENCE) is after_recovery
    assert says(check, SILENCE) is from_the_start
    assert says(check) is from_the_start


def test_last_known_survives_any_length_of_silence_and_ends_with_data() -> None:
    check = metric_check()
    assert says(check, SAYS_RECOVERY, *[SILENCE] * 10) is False
    assert says(check, SAYS_RECOVERY, SILENCE, SAYS_PRIMARY) is True


def test_m_out_of_n_means_n_to_route_53() -> None:
    two_of_three = AlarmConfiguration(**{**LATCH.__dict__, "evaluation_periods": 3, "datapoints_to_alarm": 1})
    once = {"Maximum": {985: 0.0, 995: 0.0, 1005: 1.0}}
    check = metric_check()
    watch = MetricWatch(check, two_of_three).after(once, NOW)
    assert watch.found_healthy is True


def test_a_check_whose_alarm_was_not_there_knows_nothing() -> None:
    check = metric_check(insufficient_data=InsufficientData.UNHEALTHY)
    watch = MetricWatch(check, None).after(SAYS_PRIMARY, NOW)
    assert statuses({"latch": check}, {"latch": watch}) == {"latch": False}


def test_inverted_says_the_opposite_and_disabled_does_not_look() -> None:
    assert says(metric_check(inverted=True), SAYS_PRIMARY) is False
    assert says(metric_check(disabled=True), SAYS_RECOVERY) is True
    assert says(metric_check(disabled=True, inverted=True), SAYS_RECOVERY) is False


@given(children=st.lists(st.booleans(), max_size=6), threshold=st.integers(0, 7), inverted=st.booleans())
def test_a_calculated_check_counts_its_children(children: list[bool], threshold: int, inverted: bool) -> None:
    checks = {f"child-{n}": metric_check(id=f"child-{n}", inverted=not healthy) for n, healthy in enumerate(children)}
    watches = {identifier: MetricWatch(check, LATCH, last_known=True) for identifier, check in checks.items()}
    above = HealthCheck(
        id="above",
        version=1,
        type="CALCULATED",
        children=tuple(checks),
        health_threshold=threshold,
        inverted=inverted,
    )
    assert statuses({**checks, "above": above}, watches)["above"] is ((sum(children) >= threshold) != inverted)


@given(children=st.lists(st.sampled_from(["well", "ill"]), max_size=6), threshold=st.integers(0, 3))
def test_a_child_that_is_named_twice_counts_once(children: list[str], threshold: int) -> None:
    checks = {"well": metric_check(id="well"), "ill": metric_check(id="ill", inverted=True)}
    watches = {identifier: MetricWatch(check, LATCH, last_known=True) for identifier, check in checks.items()}
    above = HealthCheck(id="above", version=1, type="CALCULATED", children=tuple(children), health_threshold=threshold)
    assert statuses({**checks, "above": above}, watches)["above"] is (int("well" in children) >= threshold)


def test_a_calculated_check_of_itself_ends() -> None:
    own = HealthCheck(id="own", version=1, type="CALCULATED", children=("own",), health_threshold=1)
    assert statuses({"own": own}, {}) == {"own": False}


def test_a_check_on_an_endpoint_never_passes_because_the_checkers_are_outside_every_vpc() -> None:
    endpoint = HealthCheck(id="tcp", version=1, type="TCP")
    assert statuses({"tcp": endpoint}, {}) == {"tcp": False}
