"""What the readings say about the writer, each as yes, no or unknown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from failover import rds_status
from failover.policy import Policy
from failover.readings import Instance, Readings, RegionAnswers, Series, Unanswered
from failover.trouble import Kind, Trouble, failing_run, is_silent, recognise

LATE_PERIODS = 3


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
        answers_there: the same for its own site's probes.
        rds_healthy: RDS calls it operational (yes) or out of order (no).
        in_maintenance: RDS says that work on it goes on.
        region_answers: the writer's region answers; no only where another region does.
        replica_receives: the replica has received something since the trouble began. Never no: a growing lag proves
            nothing.
        standby_ready: this site's instance is an available replica.
        trouble: the trouble the writer is in, None where it answers.
        lag_before_seconds: replication lag before the trouble, None where unknown.
        loss_bound_seconds: at most so much of the writer's time is not on the replica, None where unknown.
    """

    answers_here: Answer
    answers_there: Answer
    rds_healthy: Answer
    in_maintenance: Answer
    region_answers: Answer
    replica_receives: Answer
    standby_ready: Answer
    trouble: Trouble | None
    lag_before_seconds: float | None
    loss_bound_seconds: float | None

    def as_item(self) -> dict[str, str]:
        """The answers alone, for the state table and the log."""
        return {
            name: str(getattr(self, name))
            for name in (
                "answers_here",
                "answers_there",
                "rds_healthy",
                "in_maintenance",
                "region_answers",
                "replica_receives",
                "standby_ready",
            )
        }


def interpret(readings: Readings, policy: Policy, recorded: Trouble | None) -> Signals:
    """The signals.

    Args:
        readings: what was read.
        policy: the rules of evidence.
        recorded: the trouble earlier runs remembered.
    """
    here = _series(readings.active_seen_from_here)
    trouble = recognise(here, readings.at, policy, recorded)
    lag_before = None if trouble is None else trouble.lag_before_seconds
    if trouble is not None and lag_before is None:
        lag_before = lag_before_trouble(_series(readings.lag), trouble.since, policy)
    return Signals(
        answers_here=_answers(here, readings.at, policy, trouble),
        answers_there=_answers(_series(readings.active_seen_from_there), readings.at, policy, None),
        rds_healthy=_rds_healthy(readings.active_instance),
        in_maintenance=_in_maintenance(readings.active_instance),
        region_answers=_region_answers(readings.active_region, readings.reference_region),
        replica_receives=_replica_receives(readings, policy, trouble),
        standby_ready=_standby_ready(readings.standby_instance),
        trouble=trouble,
        lag_before_seconds=lag_before,
        loss_bound_seconds=None if trouble is None else _loss_bound(readings, policy, trouble, lag_before),
    )


def lag_before_trouble(series: Series, since: datetime, policy: Policy) -> float | None:
    """The last known lag from before the trouble, in seconds; None where there is none recent enough.

    A sample older than a late metric can be counts with its age: nobody knows what was replicated in the meantime.
    """
    period = timedelta(seconds=policy.lag_period_seconds)
    for point in reversed(series):
        age = since - (point.start + period)
        if age < timedelta(0) or point.minimum < 0:  # not wholly before the trouble; or -1: RDS knows no lag
            continue
        if age > policy.lag_staleness:
            return None
        late = LATE_PERIODS * period
        return point.maximum + (age.total_seconds() if age > late else 0.0)
    return None


def _series(reading: Series | Unanswered) -> Series:
    return () if isinstance(reading, Unanswered) else reading


def _answers(series: Series, at: datetime, policy: Policy, trouble: Trouble | None) -> Answer:
    if is_silent(series, at, policy):
        return Answer.UNKNOWN
    run = failing_run(series, at, policy)
    if run is None:
        return Answer.YES
    since = run.since
    if trouble is not None and trouble.kind is Kind.FAILING:
        since = min(since, trouble.since)
    long_enough = (run.until - since).total_seconds() >= policy.outage_seconds
    return Answer.NO if long_enough and run.failed_probes >= policy.min_failed_probes else Answer.UNKNOWN


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


def _region_answers(active: RegionAnswers, reference: RegionAnswers | None) -> Answer:
    if active.answered:
        return Answer.YES
    # Silence everywhere is our own network's.
    return Answer.NO if reference is not None and reference.answered else Answer.UNKNOWN


def _replica_receives(readings: Readings, policy: Policy, trouble: Trouble | None) -> Answer:
    if trouble is None or trouble.kind is Kind.SILENT:
        return Answer.UNKNOWN
    # What the writer did at the beginning of a long trouble does not prove that it lives now.
    window = timedelta(seconds=max(policy.outage_seconds, LATE_PERIODS * policy.lag_period_seconds))
    after = max(trouble.first_failure_by, readings.at - window)
    for point in _series(readings.lag):
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


def _loss_bound(readings: Readings, policy: Policy, trouble: Trouble, lag_before: float | None) -> float | None:
    """From the last commit known to be on the replica to the last instant the writer can have answered anybody."""
    if lag_before is None:
        return None
    last_answer_by = trouble.first_failure_by
    there = failing_run(_series(readings.active_seen_from_there), readings.at, policy)
    if there is not None:
        last_answer_by = max(last_answer_by, there.first_failure_by)
    replicated_until = max(
        (
            point.start - timedelta(seconds=point.maximum)
            for point in _series(readings.lag)
            if point.minimum >= 0 and point.start <= readings.at
        ),
        default=None,
    )
    if replicated_until is None:
        return lag_before
    return max(lag_before, (last_answer_by - replicated_until).total_seconds())
