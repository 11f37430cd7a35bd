"""What the readings say about the writer, each as yes, no or unknown. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum

from failover.loss import LATE_PERIODS, everything_replicated_until, lag_before_trouble, loss_bound, series_of
from failover.policy import Policy
from failover.readings import Readings
from failover.recognise import failing_run, is_silent, recognise
from function_runtime import rds_status
from function_runtime.readings import Instance, RegionAnswers, Series, Unanswered
from function_runtime.trouble import Kind, Trouble


class Answer(StrEnum):
    """How a question about the writer is answered."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Signals:
    """The answers, and the figures they rest on.

    Attributes:
        answers_here: the writer answers this site's probes; no only after a whole outage of them.
        probe_works: this site's probe reaches this site's own database, so its word on the other one counts.
        answers_there: the writer answers its own site's probes.
        rds_healthy: RDS calls it operational (yes) or failed (no).
        in_maintenance: RDS says that work on it goes on.
        region_answers: the writer's region answers; no only where another region does, and more than one run saw it.
        witness_sees: the witness in a third region sees the writer alive.
        replica_receives: the replica has received something since the trouble began. Never no: a growing lag proves
            nothing.
        standby_ready: this site's instance is an available replica.
        catches_up: the replica lags so little that a planned failover can wait until it has everything.
        lets_clients_in: the writer's security groups let somebody in.
        trouble: the trouble the writer is in, None where it answers.
        lag_before_seconds: how far the replica was behind when the trouble began (without one: now); None: unknown.
        loss_bound_seconds: at most so much of the writer's time is not on the replica, None where unknown.
        replicated_until: the last moment at which the replica is known to have had everything, None where unknown.
    """

    answers_here: Answer
    probe_works: Answer
    answers_there: Answer
    rds_healthy: Answer
    in_maintenance: Answer
    region_answers: Answer
    witness_sees: Answer
    replica_receives: Answer
    standby_ready: Answer
    catches_up: Answer
    lets_clients_in: Answer
    trouble: Trouble | None
    lag_before_seconds: float | None
    loss_bound_seconds: float | None
    replicated_until: datetime | None = None

    def as_item(self) -> dict[str, str]:
        """The answers alone, for the state table, the log and people."""
        return {name: str(getattr(self, name)) for name in SIGNAL_NAMES}


SIGNAL_NAMES = tuple(field.name for field in fields(Signals) if field.type == "Answer")


def interpret(
    readings: Readings, policy: Policy, recorded: Trouble | None, replicated_until: datetime | None = None
) -> Signals:
    """The signals.

    Args:
        readings: what was read.
        policy: the rules of evidence.
        recorded: the trouble earlier runs remembered.
        replicated_until: the last moment at which earlier runs found everything replicated.
    """
    here = series_of(readings.active_seen_from_here)
    trouble = recognise(here, readings.at, policy, recorded)
    dark_since = _dark_since(readings, recorded)
    since = readings.at if trouble is None else trouble.since
    lag_before = None if trouble is None else trouble.lag_before_seconds
    if lag_before is None:
        lag_before = lag_before_trouble(
            series_of(readings.lag), series_of(readings.slot_lag), since, policy, replicated_until
        )
    in_maintenance = _in_maintenance(readings.active_instance)
    if trouble is not None:
        at = readings.at if in_maintenance is Answer.YES else trouble.maintenance_at
        trouble = replace(trouble, dark_since=dark_since, maintenance_at=at)
    # What failed while RDS was at work on the writer was no outage: it counts from the end of that work.
    counts_from = None if trouble is None or in_maintenance is Answer.YES else trouble.maintenance_at
    return Signals(
        answers_here=_answers(here, readings.at, policy, trouble, counts_from),
        probe_works=_answers(series_of(readings.standby_seen_from_here), readings.at, policy, None, None),
        answers_there=_answers_there(readings, policy, trouble, counts_from),
        rds_healthy=_rds_healthy(readings.active_instance),
        in_maintenance=in_maintenance,
        region_answers=_region_answers(readings, dark_since, policy),
        witness_sees=_witness_sees(readings, policy, trouble),
        replica_receives=_replica_receives(readings, policy, trouble),
        standby_ready=_standby_ready(readings.standby_instance),
        catches_up=_catches_up(lag_before, policy),
        lets_clients_in={None: Answer.UNKNOWN, True: Answer.NO, False: Answer.YES}[readings.active_is_shut],
        trouble=trouble,
        lag_before_seconds=lag_before,
        loss_bound_seconds=None if trouble is None else loss_bound(readings, policy, trouble, lag_before),
        replicated_until=_later(everything_replicated_until(readings, policy), replicated_until),
    )


def _answers(
    series: Series, at: datetime, policy: Policy, trouble: Trouble | None, counts_from: datetime | None
) -> Answer:
    if is_silent(series, at, policy):
        return Answer.UNKNOWN
    run = failing_run(series, at, policy)
    if run is None:
        return Answer.YES
    since = run.since
    if trouble is not None and trouble.kind is Kind.FAILING:
        since = min(since, trouble.since)
    if counts_from is not None and counts_from > since:
        since = counts_from
        run = failing_run(tuple(point for point in series if point.start >= since), at, policy)
        if run is None:
            return Answer.UNKNOWN
    long_enough = (run.until - since).total_seconds() >= policy.outage_seconds
    return Answer.NO if long_enough and run.failed_probes >= policy.min_failed_probes else Answer.UNKNOWN


def _answers_there(readings: Readings, policy: Policy, trouble: Trouble | None, counts_from: datetime | None) -> Answer:
    series = series_of(readings.active_seen_from_there)
    answer = _answers(series, readings.at, policy, None, counts_from)
    if answer is Answer.YES and trouble is not None and trouble.kind is Kind.FAILING:
        # Its last success may be from before the trouble, and its probe silent since.
        return answer if series[-1].start >= trouble.first_failure_by else Answer.UNKNOWN
    return answer


def _witness_sees(readings: Readings, policy: Policy, trouble: Trouble | None) -> Answer:
    if readings.witness is None:
        return Answer.UNKNOWN
    series = series_of(readings.witness)
    if is_silent(series, readings.at, policy):
        return Answer.UNKNOWN
    newest = series[-1]
    if trouble is not None and trouble.kind is Kind.FAILING and newest.start < trouble.first_failure_by:
        return Answer.UNKNOWN
    # One word of life outweighs any number of others in the same period.
    return Answer.YES if newest.maximum >= 1 else Answer.NO


def _rds_healthy(instance: Instance | Unanswered) -> Answer:
    if isinstance(instance, Unanswered):
        return Answer.UNKNOWN
    if instance.status in rds_status.OPERATIONAL:
        return Answer.YES
    return Answer.NO if instance.status in rds_status.FAILED else Answer.UNKNOWN


def _in_maintenance(instance: Instance | Unanswered) -> Answer:
    if isinstance(instance, Unanswered):
        return Answer.UNKNOWN
    if rds_status.is_maintenance(instance.status):
        return Answer.YES
    known = instance.status in rds_status.OPERATIONAL or instance.status in rds_status.FAILED
    return Answer.NO if known else Answer.UNKNOWN


def _dark_since(readings: Readings, recorded: Trouble | None) -> datetime | None:
    """Since when every run has found the writer's region dark; silence everywhere is our own network's."""
    if _is_answering(readings.active_region) or not _is_answering(readings.reference_region):
        return None
    if recorded is not None and recorded.dark_since is not None:
        return recorded.dark_since
    return readings.at


def _is_answering(region: RegionAnswers | None) -> bool:
    return region is not None and bool(region.answered)


def _region_answers(readings: Readings, dark_since: datetime | None, policy: Policy) -> Answer:
    if readings.active_region.answered:
        return Answer.YES
    dark = dark_since is not None and readings.at - dark_since >= policy.darkness
    return Answer.NO if dark else Answer.UNKNOWN


def _replica_receives(readings: Readings, policy: Policy, trouble: Trouble | None) -> Answer:
    if trouble is None or trouble.kind is not Kind.FAILING:
        return Answer.UNKNOWN
    # What the writer did at the beginning of a long trouble does not prove that it lives now.
    window = timedelta(seconds=max(policy.outage_seconds, LATE_PERIODS * policy.lag_period_seconds))
    after = max(trouble.first_failure_by, readings.at - window)
    for point in series_of(readings.lag):
        # A lag says when what was replayed last had been committed; a sample lies after its period's start.
        if point.minimum >= 0 and point.start - timedelta(seconds=point.minimum) > after:
            return Answer.YES
    return Answer.UNKNOWN


def _standby_ready(instance: Instance | Unanswered) -> Answer:
    if isinstance(instance, Unanswered):
        return Answer.UNKNOWN
    replicates = instance.replica_of is not None and not instance.replication_ended
    # "backing-up" ends by itself, and the promotion waits for it.
    available = instance.status in rds_status.OPERATIONAL or instance.status == "backing-up"
    return Answer.YES if replicates and available else Answer.NO


def _catches_up(lag_seconds: float | None, policy: Policy) -> Answer:
    if lag_seconds is None:
        return Answer.UNKNOWN
    return Answer.YES if lag_seconds <= policy.drain_seconds else Answer.NO


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [moment for moment in (one, other) if moment is not None]
    return max(known, default=None)
