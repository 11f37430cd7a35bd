"""The state of a CloudWatch alarm, computed from its configuration and the data. No I/O.

The rules are those of the CloudWatch user guide: "Alarm evaluation", "Alarm evaluation window" (a window that slides
with each evaluation is the default) and "Configuring how CloudWatch alarms treat missing data", from whose tables the
tests take their cases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lab.minute import MINUTE_SECONDS

# "CloudWatch attempts to retrieve a higher number of data points than the number specified as Evaluation Periods"; how
# many more depends on the alarm and is not published. The guide's own tables use 5 for an alarm of 3 periods.
_EXTRA_PERIODS = 2

# A window slides by a minute, or by a tenth of a period that is longer than ten. AWS evaluates each minute; alarms of a
# high-resolution metric, which it evaluates every 10 seconds, are evaluated each minute in the lab too.
_STEPS_PER_PERIOD = 10

MetricIdentity = tuple[str, str, str, tuple[tuple[str, str], ...]]
"""A metric: its region, namespace and name, and its dimensions as sorted pairs of name and value."""

Series = Mapping[str, Mapping[int, float]]
"""A metric: for each part (``Sum``, ``Maximum`` ...) the value of each step, by the step's start in epoch seconds."""


class AlarmState(StrEnum):
    """The state of an alarm, in AWS's words."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class MissingData(StrEnum):
    """What a period without data counts as, in AWS's words."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class UnsupportedAlarmError(ValueError):
    """An alarm the lab cannot evaluate: metric math, anomaly detection, a percentile. Names the alarm and the part."""


@dataclass(frozen=True)
class AlarmConfiguration:
    """What decides an alarm's state, apart from the data.

    Attributes:
        namespace, metric_name, dimensions: the metric; dimensions are sorted pairs of name and value.
        statistic: ``Average``, ``Sum``, ``Minimum``, ``Maximum`` or ``SampleCount``.
        period_seconds: the length of one data point.
        evaluation_periods: N, how many data points are looked at.
        datapoints_to_alarm: M, how many of them must breach.
        comparison: AWS's comparison operator.
    """

    namespace: str
    metric_name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period_seconds: int
    evaluation_periods: int
    datapoints_to_alarm: int
    threshold: float
    comparison: str
    treat_missing_data: MissingData

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> AlarmConfiguration:
        """Read one of the ``MetricAlarms`` of DescribeAlarms.

        Raises:
            UnsupportedAlarmError: it needs something the lab does not evaluate.
        """
        name = description["AlarmName"]
        if description.get("Metrics"):
            raise UnsupportedAlarmError(f"alarm {name}: metric math is not evaluated in the lab")
        statistic = str(description.get("Statistic"))
        if statistic not in _PARTS:
            shown = description.get("ExtendedStatistic", statistic)
            raise UnsupportedAlarmError(f"alarm {name}: statistic {shown} is not evaluated in the lab")
        comparison = description["ComparisonOperator"]
        if comparison not in _COMPARISONS:
            raise UnsupportedAlarmError(f"alarm {name}: {comparison} is not evaluated in the lab")
        evaluation_periods = int(description["EvaluationPeriods"])
        return cls(
            namespace=description["Namespace"],
            metric_name=description["MetricName"],
            dimensions=tuple(sorted((each["Name"], each["Value"]) for each in description.get("Dimensions", []))),
            statistic=statistic,
            period_seconds=int(description["Period"]),
            evaluation_periods=evaluation_periods,
            datapoints_to_alarm=int(description.get("DatapointsToAlarm", evaluation_periods)),
            threshold=float(description["Threshold"]),
            comparison=comparison,
            treat_missing_data=MissingData(description.get("TreatMissingData", MissingData.MISSING)),
        )

    @property
    def parts(self) -> tuple[str, ...]:
        """The statistics whose values of single steps make up the alarm's statistic over a period."""
        return _PARTS[self.statistic]

    @property
    def step_seconds(self) -> int:
        """The resolution of the data, and by how much the window slides. It divides the period."""
        return math.gcd(self.period_seconds, max(MINUTE_SECONDS, self.period_seconds // _STEPS_PER_PERIOD))

    @property
    def range_seconds(self) -> int:
        """The length of the evaluation range."""
        return self.period_seconds * (self.evaluation_periods + _EXTRA_PERIODS)

    def breaches(self, value: float) -> bool:
        """Whether a data point breaches the threshold."""
        return _COMPARISONS[self.comparison](value, self.threshold)


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Attributes:
        state: the alarm's new state.
        reason: in CloudWatch's style.
        data_points: those of the evaluation range, oldest first, None for a period without data.
    """

    state: AlarmState
    reason: str
    data_points: tuple[float | None, ...]


def evaluate(alarm: AlarmConfiguration, series: Series, now: float, current: AlarmState) -> Evaluation:
    """Evaluate an alarm.

    Args:
        alarm: its configuration.
        series: its metric in steps of ``alarm.step_seconds`` over ``alarm.range_seconds``, for each of ``alarm.parts``.
        now: epoch seconds; data of the current step do not count yet.
        current: its state, which it keeps where the data do not decide.
    """
    return judge(alarm, data_points(alarm, series, now), current)


def data_points(alarm: AlarmConfiguration, series: Series, now: float) -> tuple[float | None, ...]:
    """The data points of the evaluation range, oldest first: one for each period before the last full step."""
    step = alarm.step_seconds
    end = int(now // step) * step
    count = alarm.range_seconds // alarm.period_seconds
    starts = (end - (count - index) * alarm.period_seconds for index in range(count))
    return tuple(_statistic(alarm, series, start) for start in starts)


def judge(alarm: AlarmConfiguration, points: Sequence[float | None], current: AlarmState) -> Evaluation:
    """Evaluate the data points of the evaluation range, oldest first."""
    real = [point for point in points if point is not None]
    needed, to_alarm = alarm.evaluation_periods, alarm.datapoints_to_alarm
    # With enough real data points the most recent ones decide, and missing ones do not count at all.
    recent = real[-needed:]
    filled = needed - len(recent)
    breaching = sum(alarm.breaches(point) for point in recent)
    if not recent:
        state = _without_data(alarm.treat_missing_data, current)
    elif breaching >= to_alarm:
        state = AlarmState.ALARM
    elif filled == 0:
        state = AlarmState.OK
    elif alarm.treat_missing_data is MissingData.BREACHING:
        state = AlarmState.ALARM if breaching + filled >= to_alarm else AlarmState.OK
    elif alarm.treat_missing_data is MissingData.NOT_BREACHING or breaching < len(recent):
        state = AlarmState.OK
    else:
        state = _only_breaching(alarm, points, current)
    return Evaluation(state, _reason(alarm, state, recent, filled, breaching), tuple(points))


def _without_data(treatment: MissingData, current: AlarmState) -> AlarmState:
    return {
        MissingData.MISSING: AlarmState.INSUFFICIENT_DATA,
        MissingData.IGNORE: current,
        MissingData.BREACHING: AlarmState.ALARM,
        MissingData.NOT_BREACHING: AlarmState.OK,
    }[treatment]


def _only_breaching(alarm: AlarmConfiguration, points: Sequence[float | None], current: AlarmState) -> AlarmState:
    """All data points breach, but they are fewer than Datapoints to Alarm.

    "Avoiding premature transitions to alarm state": only a breach that is as old as Datapoints to Alarm goes to ALARM,
    since the data that are missing after it may not breach.
    """
    age = len(points) - next(index for index, point in enumerate(points) if point is not None)
    if alarm.treat_missing_data is MissingData.MISSING and age >= alarm.datapoints_to_alarm:
        return AlarmState.ALARM
    return current


def _statistic(alarm: AlarmConfiguration, series: Series, start: int) -> float | None:
    moments = range(start, start + alarm.period_seconds, alarm.step_seconds)
    parts = {
        part: [values[moment] for moment in moments if moment in values]
        for part, values in ((part, series.get(part, {})) for part in alarm.parts)
    }
    if not all(parts.values()):
        return None
    match alarm.statistic:
        case "Maximum":
            return max(parts["Maximum"])
        case "Minimum":
            return min(parts["Minimum"])
        case "Average":
            return math.fsum(parts["Sum"]) / math.fsum(parts["SampleCount"])
        case _:
            return math.fsum(parts[alarm.statistic])


def _reason(alarm: AlarmConfiguration, state: AlarmState, recent: Sequence[float], filled: int, breaching: int) -> str:
    if state is AlarmState.INSUFFICIENT_DATA:
        return f"Insufficient Data: {filled} datapoints were unknown."
    shown = ", ".join(f"{point:g}" for point in recent) if recent else "none"
    unknown = f", {filled} missing treated as [{alarm.treat_missing_data}]" if filled else ""
    return (
        f"Threshold Crossed: {breaching} of {len(recent)} datapoints [{shown}]{unknown} breached "
        f"{alarm.comparison} {alarm.threshold:g}; "
        f"{alarm.datapoints_to_alarm} out of {alarm.evaluation_periods} make an alarm."
    )


_PARTS: Mapping[str, tuple[str, ...]] = {
    "Average": ("Sum", "SampleCount"),
    "Sum": ("Sum",),
    "Minimum": ("Minimum",),
    "Maximum": ("Maximum",),
    "SampleCount": ("SampleCount",),
}

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
