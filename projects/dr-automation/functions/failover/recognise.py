"""Recognise trouble: the time in which the writer did not answer, in a series of readings. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from failover.policy import Policy
from function_runtime.readings import Datapoint, Series
from function_runtime.trouble import Kind, Trouble

# A writer that has gone and come back so often within the time that is looked back on is unstable, not healthy.
MIN_FLAPS = 3
# Networks lose single probes every day.
MIN_FLAP_PROBES = 2


@dataclass(frozen=True)
class FailingRun:
    """The unbroken run of failed probes at the end of a series.

    Attributes:
        since: start of the first period in which every probe failed.
        first_failure_by: end of that period: the latest instant at which the first failed probe can have ended.
        until: end of the last one, at most now.
        failed_probes: how many probes failed in it.
    """

    since: datetime
    first_failure_by: datetime
    until: datetime
    failed_probes: float


def is_silent(series: Series, at: datetime, policy: Policy) -> bool:
    """Whether the series has nothing recent to say."""
    period = timedelta(seconds=policy.metric_period_seconds)
    return not series or at - (series[-1].start + period) > policy.silence


def failing_run(series: Series, at: datetime, policy: Policy) -> FailingRun | None:
    """The run of failed probes that the series ends with, None where its last period has a success.

    A gap longer than the policy's silence ends the run: what nobody looked at was not seen failing.
    """
    period = timedelta(seconds=policy.metric_period_seconds)
    failing: list[int] = []
    for index in range(len(series) - 1, -1, -1):
        if series[index].maximum >= 1:
            break
        if failing and series[failing[-1]].start - (series[index].start + period) > policy.silence:
            break
        failing.append(index)
    if not failing:
        return None
    first, last = series[failing[-1]], series[failing[0]]
    return FailingRun(
        since=first.start,
        first_failure_by=first.start + period,
        until=min(last.start + period, at),
        failed_probes=sum(series[index].samples for index in failing),
    )


def flaps(series: Series) -> tuple[Datapoint, ...]:
    """The first periods of the outages that the series has seen end, oldest first; single lost probes are none."""
    begins: list[Datapoint] = []
    failing: list[Datapoint] = []
    for point in series:
        if point.maximum < 1:
            failing.append(point)
            continue
        if sum(each.samples for each in failing) >= MIN_FLAP_PROBES:
            begins.append(failing[0])
        failing = []
    return tuple(begins)


def recognise(series: Series, at: datetime, policy: Policy, recorded: Trouble | None) -> Trouble | None:
    """The trouble the writer is in by this site's own probes, None where it answers and has done so for long enough.

    Args:
        series: this site's probes of the writer.
        at: now.
        policy: the rules of evidence.
        recorded: the trouble remembered from earlier runs. An outage may be older than the readings reach back, so a
            run of failures that the record already covers keeps the record's beginning.
    """
    if is_silent(series, at, policy):
        return recorded if recorded is not None else Trouble(Kind.SILENT, since=at, first_failure_by=at)
    run = failing_run(series, at, policy)
    if run is None:
        return _flapping(series, policy, recorded)
    seen = Trouble(Kind.FAILING, run.since, run.first_failure_by)
    if recorded is None or recorded.kind is Kind.SILENT:
        return seen
    if recorded.kind is Kind.FLAPPING:
        return replace(seen, told=recorded.told)
    answered_since = any(point.maximum >= 1 and point.start >= recorded.since for point in series)
    return seen if answered_since else replace(recorded, since=min(recorded.since, seen.since))


def _flapping(series: Series, policy: Policy, recorded: Trouble | None) -> Trouble | None:
    begins = flaps(series)
    if len(begins) < MIN_FLAPS:
        return None
    told = () if recorded is None else recorded.told
    period = timedelta(seconds=policy.metric_period_seconds)
    return Trouble(Kind.FLAPPING, begins[0].start, begins[0].start + period, told=told)
