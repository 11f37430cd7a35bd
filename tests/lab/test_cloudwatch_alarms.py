"""An alarm's state follows from its data as the CloudWatch user guide says.

The tables are those of "Configuring how CloudWatch alarms treat missing data": X breaches, 0 does not, - is missing.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.aws.cloudwatch_alarms import (
    AlarmConfiguration,
    AlarmState,
    MissingData,
    UnsupportedAlarmError,
    data_points,
    evaluate,
    judge,
)

OK, ALARM, INSUFFICIENT = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
RETAINED = "retained"
TREATMENTS = (MissingData.MISSING, MissingData.IGNORE, MissingData.BREACHING, MissingData.NOT_BREACHING)
VALUES = {"X": 1.0, "0": 0.0, "-": None}


def described(**changes: Any) -> dict[str, Any]:
    return {
        "AlarmName": "an-alarm",
        "Namespace": "Test",
        "MetricName": "Metric",
        "Dimensions": [{"Name": "B", "Value": "2"}, {"Name": "A", "Value": "1"}],
        "Statistic": "Maximum",
        "Period": 10,
        "EvaluationPeriods": 3,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        **changes,
    }


def alarm(**changes: Any) -> AlarmConfiguration:
    return AlarmConfiguration.of(described(**changes))


def points(drawn: str) -> list[float | None]:
    return [VALUES[each] for each in drawn.split()]


THREE_OF_THREE = [
    ("0 - X - X", (OK, OK, OK, OK)),
    ("- - - - 0", (OK, OK, OK, OK)),
    ("- - - - -", (INSUFFICIENT, RETAINED, ALARM, OK)),
    ("0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
    ("- - X - -", (ALARM, RETAINED, ALARM, OK)),
]
TWO_OF_THREE = [
    ("0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
    ("0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
    ("0 - X - -", (OK, OK, ALARM, OK)),
    ("- - - - 0", (OK, OK, ALARM, OK)),
    ("- - - X -", (ALARM, RETAINED, ALARM, OK)),
]


@pytest.mark.parametrize(
    ("to_alarm", "drawn", "expected"),
    [(3, *row) for row in THREE_OF_THREE] + [(2, *row) for row in TWO_OF_THREE],
)
@pytest.mark.parametrize("current", list(AlarmState))
def test_the_guides_tables(to_alarm: int, drawn: str, expected: tuple[Any, ...], current: AlarmState) -> None:
    for treatment, state in zip(TREATMENTS, expected, strict=True):
        configured = alarm(DatapointsToAlarm=to_alarm, TreatMissingData=treatment.value)
        judged = judge(configured, points(drawn), current).state
        assert judged is (current if state == RETAINED else state), treatment


@pytest.mark.parametrize("drawn", ["- - - - X", "- - - X -"])
def test_a_young_breach_does_not_alarm_prematurely(drawn: str) -> None:
    configured = alarm(DatapointsToAlarm=3, TreatMissingData="missing")
    assert judge(configured, points(drawn), OK).state is OK


@given(
    drawn=st.lists(st.sampled_from([1.0, 0.0, None]), min_size=5, max_size=5),
    treatment=st.sampled_from(TREATMENTS),
    to_alarm=st.integers(1, 3),
    current=st.sampled_from(list(AlarmState)),
)
def test_enough_real_data_decide_alone(
    drawn: list[float | None], treatment: MissingData, to_alarm: int, current: AlarmState
) -> None:
    configured = alarm(DatapointsToAlarm=to_alarm, TreatMissingData=treatment.value)
    judged = judge(configured, drawn, current).state
    real = [each for each in drawn if each is not None]
    if len(real) >= 3:
        assert judged is (ALARM if sum(real[-3:]) >= to_alarm else OK)
    if judged is INSUFFICIENT:
        assert current is INSUFFICIENT or not real
    if 0.0 in real[-3:] and treatment is not MissingData.BREACHING:
        assert (judged is ALARM) == (sum(real[-3:]) >= to_alarm)


@given(drawn=st.lists(st.sampled_from([1.0, 0.0, None]), min_size=5, max_size=5), to_alarm=st.integers(1, 3))
def test_breaching_never_says_ok_where_not_breaching_says_alarm(drawn: list[float | None], to_alarm: int) -> None:
    strict = judge(alarm(DatapointsToAlarm=to_alarm, TreatMissingData="breaching"), drawn, OK).state
    lenient = judge(alarm(DatapointsToAlarm=to_alarm, TreatMissingData="notBreaching"), drawn, OK).state
    assert not (strict is OK and lenient is ALARM)


def series(values: dict[int, float], *parts: str) -> dict[str, dict[int, float]]:
    return dict.fromkeys(parts, values)


def test_the_window_slides_with_the_evaluation() -> None:
    configured = alarm(EvaluationPeriods=1, Threshold=1, TreatMissingData="ignore")
    published = series({1005: 1.0}, "Maximum")
    assert evaluate(configured, published, 1009.9, OK).state is OK, "the minute under way does not count yet"
    assert evaluate(configured, published, 1010.0, OK).state is ALARM
    assert evaluate(configured, published, 1019.0, OK).state is ALARM


@pytest.mark.parametrize(("period", "step"), [(1, 1), (5, 5), (10, 5), (20, 5), (30, 5), (60, 6), (300, 30)])
def test_an_alarm_is_evaluated_once_a_minute_or_ten_times_in_a_longer_period(period: int, step: int) -> None:
    assert alarm(Period=period).step_seconds == step


def test_data_beyond_the_evaluation_range_do_not_count() -> None:
    configured = alarm(EvaluationPeriods=1, TreatMissingData="breaching", ComparisonOperator="LessThanThreshold")
    alive = series({1000: 1.0}, "Maximum")
    assert evaluate(configured, alive, 1030.0, OK).state is OK, "the range is longer than the evaluation periods"
    assert evaluate(configured, alive, 1035.0, OK).state is ALARM


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("Maximum", 9.0), ("Minimum", 1.0), ("Sum", 15.0), ("SampleCount", 5.0), ("Average", 3.0)],
)
def test_a_periods_statistic_is_made_of_its_steps(statistic: str, expected: float) -> None:
    configured = alarm(EvaluationPeriods=1, Statistic=statistic)
    parts = {
        "Maximum": {1000: 9.0, 1005: 2.0},
        "Minimum": {1000: 7.0, 1005: 1.0},
        "Sum": {1000: 12.0, 1005: 3.0},
        "SampleCount": {1000: 2.0, 1005: 3.0},
    }
    assert data_points(configured, parts, 1010.0) == (None, None, expected)


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [
        ("GreaterThanOrEqualToThreshold", False, True, True),
        ("GreaterThanThreshold", False, False, True),
        ("LessThanThreshold", True, False, False),
        ("LessThanOrEqualToThreshold", True, True, False),
    ],
)
def test_comparisons(operator: str, below: bool, equal: bool, above: bool) -> None:
    configured = alarm(ComparisonOperator=operator, Threshold=5)
    assert [configured.breaches(value) for value in (4, 5, 6)] == [below, equal, above]


def test_all_periods_must_breach_where_datapoints_to_alarm_is_not_given() -> None:
    assert alarm(EvaluationPeriods=4).datapoints_to_alarm == 4
    assert alarm().treat_missing_data is MissingData.MISSING


@pytest.mark.parametrize(
    "changes",
    [
        {"Metrics": [{"Id": "e", "Expression": "a/b"}]},
        {"Statistic": None, "ExtendedStatistic": "p99"},
        {"ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold"},
    ],
)
def test_what_cannot_be_evaluated_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedAlarmError, match="alarm an-alarm"):
        alarm(**changes)
