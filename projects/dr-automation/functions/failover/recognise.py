"""Recognise trouble: a time in which the writer did not answer, or answered and let nobody commit. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from failover.policy import Policy
from failover.readings import Readings
from failover.sessions import LOST_BY_CHANCE, Run, best, blocked_runs, worked_since
from function_runtime import rds_status
from function_runtime.readings import Datapoint, RegionAnswers, Series, Unanswered, coarser, series_of
from function_runtime.session_outcome import CANNOT_COMMIT
from function_runtime.trouble import Kind, Trouble

# A writer that has gone and come back so often within the time that is looked back on is unstable, not healthy.
MIN_FLAPS = 3
FLAPPING = "flapping"
AN_EARLIER_ONE = "an earlier one"
"""Stands for what people were told of a trouble that this one has followed without a look in between."""


def is_silent(series: Series, at: datetime, policy: Policy) -> bool:
    """Whether the series has nothing recent to say."""
    period = timedelta(seconds=policy.metric_period_seconds)
    return not series or at - (series[-1].start + period) > policy.silence


def are_silent(probes: Series, at: datetime, policy: Policy) -> bool:
    """The same of probes, whose newest metric period counts to its end."""
    return is_silent(coarser(probes, policy.metric_period_seconds), at, policy)


def failing_run(probes: Series, at: datetime, policy: Policy) -> Run | None:
    """The run of failed probes that the readings end with, None where the last one was answered.

    A gap longer than the policy's silence ends the run: what nobody looked at was not seen failing.

    Args:
        probes: whether they were answered, as finely as that is read.
        at: now.
        policy: the rules of evidence.
    """
    period = timedelta(seconds=policy.fine_period_seconds)
    failing: list[Datapoint] = []
    for point in reversed(probes):
        if point.maximum >= 1:
            break
        if failing and failing[-1].start - (point.start + period) > policy.silence:
            break
        failing.append(point)
    return Run.of(failing[::-1], period, at) if failing else None


def answered_lately(probes: Series, policy: Policy) -> bool:
    """Whether any probe of the newest metric period that there is was answered."""
    newest = coarser(probes, policy.metric_period_seconds)[-1:]
    return any(point.maximum >= 1 for point in newest)


def flaps(series: Series) -> tuple[Datapoint, ...]:
    """The first periods of the outages that the series has seen end, oldest first; single lost probes are none."""
    begins: list[Datapoint] = []
    failing: list[Datapoint] = []
    for point in series:
        if point.maximum < 1:
            failing.append(point)
            continue
        if sum(each.samples for each in failing) > LOST_BY_CHANCE:
            begins.append(failing[0])
        failing = []
    return tuple(begins)


def recognise(readings: Readings, policy: Policy, recorded: Trouble | None) -> Trouble | None:
    """The trouble the writer is in, None where it answers, has done so for long enough, and is not seen to hang.

    Args:
        readings: what was read.
        policy: the rules of evidence.
        recorded: the trouble remembered from earlier runs. An outage may be older than the readings reach back, so a
            run of failures that the record already covers keeps the record's beginning.
    """
    trouble = _by_probes(series_of(readings.active_seen_from_here), readings, policy, recorded)
    if trouble is None:
        return None
    at_work = not isinstance(readings.active_instance, Unanswered) and rds_status.is_maintenance(
        readings.active_instance.status
    )
    return replace(
        trouble,
        dark_since=dark_since(readings, recorded),
        may_have_lived_until=_may_have_lived_until(readings, policy, trouble),
        maintenance_at=readings.at if at_work else trouble.maintenance_at,
    )


def dark_since(readings: Readings, recorded: Trouble | None) -> datetime | None:
    """Since when every run has found the writer's region dark; silence everywhere is our own network's."""
    if _is_answering(readings.active_region) or not _is_answering(readings.reference_region):
        return None
    if recorded is not None and recorded.dark_since is not None:
        return recorded.dark_since
    return readings.at


def _may_have_lived_until(readings: Readings, policy: Policy, trouble: Trouble) -> datetime | None:
    """Until when it may have lived in a region that answers, though no probe from here is answered."""
    known = trouble.may_have_lived_until
    there = failing_run(series_of(readings.active_seen_from_there), readings.at, policy)
    if there is not None:
        return None if known is None else min(known, there.first_failure_by)
    return readings.at if _is_answering(readings.active_region) else known


def _is_answering(region: RegionAnswers | None) -> bool:
    return region is not None and bool(region.answered)


def _by_probes(probes: Series, readings: Readings, policy: Policy, recorded: Trouble | None) -> Trouble | None:
    at = readings.at
    series = coarser(probes, policy.metric_period_seconds)
    if is_silent(series, at, policy):
        return recorded if recorded is not None else Trouble(Kind.SILENT, since=at, first_failure_by=at)
    run = failing_run(probes, at, policy)
    # Networks lose single probes every day: that many in a row, or all of a period, are more.
    if run is None or (run.probes < policy.min_failed_probes and answered_lately(probes, policy)):
        return _hung(readings, policy, recorded) or _flapping(series, policy, recorded)
    # A probe may be lost by chance right before the writer is: what it did until the next one is no sign of life.
    seen = Trouble(Kind.FAILING, run.since, run.proven_by)
    if recorded is None:
        return seen
    if recorded.told:
        # It is another incident, and they may have heard that the writer answers. That it comes and goes they know.
        kept = (FLAPPING,) if FLAPPING in recorded.told else ()
        seen = replace(seen, told=(AN_EARLIER_ONE, *kept))
    if recorded.kind in (Kind.SILENT, Kind.HUNG, Kind.FLAPPING):
        return seen
    answered_since = any(point.maximum >= 1 and point.start >= recorded.since for point in probes)
    if answered_since:
        return seen
    # A run may have looked before more had failed than are lost by chance.
    is_same = run.since <= recorded.since
    proven = max(recorded.first_failure_by, seen.first_failure_by) if is_same else recorded.first_failure_by
    return replace(recorded, since=min(recorded.since, seen.since), first_failure_by=proven)


def _hung(readings: Readings, policy: Policy, recorded: Trouble | None) -> Trouble | None:
    """Nobody was seen to commit for a whole outage; it lasts until somebody is."""
    seen = readings.active_sessions
    runs = blocked_runs(seen, readings.at, policy)
    before = recorded if recorded is not None and recorded.kind is Kind.HUNG else None
    if before is not None:
        # Commits that come and go are no recovery: none may have hung for an outage.
        quiet = readings.at - timedelta(seconds=policy.outage_seconds)
        hung_lately = any(run.until > quiet for run in runs) or any(
            best(point) in CANNOT_COMMIT and point.start > quiet for each in seen for point in each
        )
        is_well = any(worked_since(each, before.first_failure_by) for each in seen)
        return None if is_well and not hung_lately else before
    since = min((run.first_failure_by for run in runs), default=None)
    if since is None or any(worked_since(each, since) for each in seen):
        return None
    long_enough = [run for run in runs if run.lasts(policy.outage_seconds, policy.min_failed_probes)]
    if not long_enough:
        return None
    first = min(long_enough, key=lambda run: run.since)
    return Trouble(Kind.HUNG, first.since, first.first_failure_by, told=() if recorded is None else recorded.told)


def _flapping(series: Series, policy: Policy, recorded: Trouble | None) -> Trouble | None:
    begins = flaps(series)
    if len(begins) < MIN_FLAPS:
        return None
    told = () if recorded is None else recorded.told
    period = timedelta(seconds=policy.metric_period_seconds)
    return Trouble(Kind.FLAPPING, begins[0].start, begins[0].start + period, told=told)
