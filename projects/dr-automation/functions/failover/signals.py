"""What the readings say about the writer, each as yes, no or unknown. Pure.

A reading's way is a line: readings, trouble, what the stream shows and what would be lost, signals, decision.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from failover.answer import Answer
from failover.loss import loss
from failover.policy import LATE_PERIODS, Policy
from failover.readiness import PROBES_LOST, Concern, concerns, probes_lost
from failover.readings import Readings
from failover.recognise import answered_lately, are_silent, dark_since, failing_run, is_silent, recognise
from failover.sessions import blocked_runs, newest, worked_since
from failover.stream import stream, witnessed_from
from function_runtime import rds_status
from function_runtime.readings import Instance, Series, Unanswered, series_of
from function_runtime.session_outcome import CANNOT_COMMIT, SessionOutcome
from function_runtime.trouble import Kind, Trouble, Unready


@dataclass(frozen=True)
class Signals:
    """The answers, and the figures they rest on.

    Attributes:
        answers_here: the writer answers this site's probes; no only after a whole outage of them.
        probe_works: this site's probe reaches this site's own database, so its word on the other one counts.
        answers_there: the writer answers its own site's probes.
        commits: the writer commits for one of the probes; no only after a whole outage in which it did for neither.
        rds_healthy: RDS calls it operational (yes) or failed (no).
        in_maintenance: RDS says that work on it goes on.
        region_answers: the writer's region answers; no only where another region does, and more than one run saw it.
        witness_sees: the witness in a third region sees the writer alive.
        host_reports: RDS measures the writer's host; no where its region answers and the measurements have ended.
        committed: the replica shows commits of the writer since the trouble began. A growing lag proves nothing.
        process_lives: the replication stream shows that the writer's process has lived since the trouble began.
        stream_ended: the stream was there when the trouble began, and has ended.
        standby_ready: this site's instance is an available replica.
        catches_up: the replica lags so little that a planned failover can wait until it has everything.
        lets_clients_in: the writer's security groups let somebody in.
        session: the best that the probes' newest sessions in the writer came to, those first that tell whether clients
            can commit; None where nothing is known of any.
        trouble: the trouble the writer is in, None where it is well.
        unready: since when each concern has been there, None where there is none; kept during a trouble.
        concerns: why a failover would not come by itself although the writer is well, and what else is wrong with it.
        lag_before_seconds: how far the replica was behind when the trouble began (without one: now); None: unknown.
        loss_bound_seconds: at most so much of the writer's time is not on the replica, None where unknown.
        replicated_until: the last moment at which the writer's slot had nothing left to deliver, None where unknown.
        witness_awaited: whether the witness has spoken lately, and not yet of the time of the trouble.
    """

    answers_here: Answer
    probe_works: Answer
    answers_there: Answer
    commits: Answer
    rds_healthy: Answer
    in_maintenance: Answer
    region_answers: Answer
    witness_sees: Answer
    host_reports: Answer
    committed: Answer
    process_lives: Answer
    stream_ended: Answer
    standby_ready: Answer
    catches_up: Answer
    lets_clients_in: Answer
    session: SessionOutcome | None
    trouble: Trouble | None
    lag_before_seconds: float | None
    loss_bound_seconds: float | None
    unready: Unready | None = None
    concerns: tuple[Concern, ...] = ()
    replicated_until: datetime | None = None
    witness_awaited: bool = False

    def as_item(self) -> dict[str, str]:
        """The answers alone, for the state table, the log and people."""
        return {name: str(getattr(self, name)) for name in SIGNAL_NAMES}


SIGNAL_NAMES = tuple(field.name for field in fields(Signals) if field.type == "Answer")


@dataclass(frozen=True)
class Remembered:
    """What earlier runs have kept of what they saw.

    Attributes:
        trouble: the trouble.
        replicated_until: the last moment at which they found everything replicated.
        unready: since when each concern has been there.
        let_in_at: when the writer was last opened after a fence of ours.
    """

    trouble: Trouble | None = None
    replicated_until: datetime | None = None
    unready: Unready | None = None
    let_in_at: datetime | None = None


def interpret(readings: Readings, policy: Policy, remembered: Remembered) -> Signals:
    """The signals.

    Args:
        readings: what was read.
        policy: the rules of evidence.
        remembered: what earlier runs have kept.
    """
    trouble = recognise(readings, policy, remembered.trouble)
    shown = stream(readings, policy, trouble, remembered.let_in_at)
    if trouble is not None:
        trouble = replace(trouble, lived_at=shown.lived_at)
    lost = loss(readings, policy, trouble, remembered.replicated_until)
    in_maintenance = _in_maintenance(readings.active_instance)
    # What failed while RDS was at work on the writer, or while our own fence shut it, was no outage: it counts from the
    # end of that.
    over = [] if trouble is None or in_maintenance is Answer.YES else [trouble.maintenance_at, remembered.let_in_at]
    counts_from = max((moment for moment in over if moment is not None), default=None)
    probe_works = _answers(series_of(readings.standby_seen_from_here), readings.at, policy, None)
    answers_there = _answers_there(readings, policy, trouble, counts_from)
    standby_ready = _standby_ready(readings.standby_instance)
    lives = Answer.YES in (answers_there, shown.committed, shown.lives)
    answers_here = _answers_here(readings, policy, trouble, counts_from, lives=lives)
    if trouble is None:
        found = concerns(
            readings,
            policy,
            probe_works=probe_works,
            answers_there=answers_there,
            standby_ready=standby_ready,
            lag=lost.lag_before_seconds,
        )
        kept: set[str] = set()
    else:
        # Where most probes are lost, the newest have failed again and again.
        is_proven = trouble.kind is not Kind.FAILING or answers_here is Answer.NO
        found = () if is_proven else probes_lost(readings, policy)
        kept = set() if remembered.unready is None else {*remembered.unready.since} - {PROBES_LOST}
    unready = Unready.seen(
        [*kept, *(concern.code for concern in found)], readings.at, remembered.unready, policy.silence
    )
    return Signals(
        answers_here=answers_here,
        probe_works=probe_works,
        answers_there=answers_there,
        commits=_commits(readings, policy, trouble),
        rds_healthy=_rds_healthy(readings.active_instance),
        in_maintenance=in_maintenance,
        region_answers=_region_answers(readings, dark_since(readings, remembered.trouble), policy),
        witness_sees=_witness_sees(readings, policy, trouble),
        host_reports=_host_reports(readings, policy, trouble),
        committed=shown.committed,
        process_lives=shown.lives,
        stream_ended=shown.ended,
        standby_ready=standby_ready,
        catches_up=_catches_up(lost.lag_before_seconds, policy),
        lets_clients_in={None: Answer.UNKNOWN, True: Answer.NO, False: Answer.YES}[readings.active_is_shut],
        session=_session(readings, policy),
        trouble=trouble,
        unready=unready,
        concerns=found,
        lag_before_seconds=lost.lag_before_seconds,
        loss_bound_seconds=lost.bound_seconds,
        replicated_until=lost.replicated_until,
        witness_awaited=_is_witness_awaited(readings, policy, trouble),
    )


def _answers(probes: Series, at: datetime, policy: Policy, counts_from: datetime | None) -> Answer:
    """Whether probes are answered: yes as long as any was in the newest metric period."""
    if are_silent(probes, at, policy):
        return Answer.UNKNOWN
    if answered_lately(probes, policy):
        return Answer.YES
    return _fails(probes, at, policy, counts_from, None, goes_on=True)


def _answers_here(
    readings: Readings, policy: Policy, trouble: Trouble | None, counts_from: datetime | None, *, lives: bool
) -> Answer:
    """The same of this site's probes of the writer; once they are known to fail, the newest of them count.

    Args:
        readings: what was read.
        policy: the rules of evidence.
        trouble: the trouble the writer is in.
        counts_from: what failed before says nothing.
        lives: whether something else shows life, so that news of these probes may be on its way too.
    """
    probes, at = series_of(readings.active_seen_from_here), readings.at
    if trouble is None or trouble.kind is not Kind.FAILING:
        return _answers(probes, at, policy, counts_from)
    if are_silent(probes, at, policy):
        return Answer.UNKNOWN
    return _fails(probes, at, policy, counts_from, trouble.since, goes_on=not lives)


def _answers_there(readings: Readings, policy: Policy, trouble: Trouble | None, counts_from: datetime | None) -> Answer:
    """The same of the writer's own site's probes."""
    probes, at = series_of(readings.active_seen_from_there), readings.at
    answer = _answers(probes, at, policy, counts_from)
    if trouble is None or trouble.kind is not Kind.FAILING:
        return answer
    answered = [point.start for point in probes if point.maximum >= 1]
    if answer is Answer.YES:
        # Its last success may be from before the trouble, and its probe silent since.
        return answer if answered[-1] >= trouble.first_failure_by else Answer.UNKNOWN
    if answer is Answer.UNKNOWN and not are_silent(probes, at, policy):
        # Between its last answer to them and their first failure the writer had already failed here.
        period = timedelta(seconds=policy.fine_period_seconds)
        last = max((start + period for start in answered), default=trouble.since)
        return _fails(probes, at, policy, counts_from, max(last, trouble.since), goes_on=True)
    return answer


def _fails(
    probes: Series, at: datetime, policy: Policy, counts_from: datetime | None, since: datetime | None, *, goes_on: bool
) -> Answer:
    """No where every probe has failed for a whole outage, as finely as they are read; else unknown.

    Args:
        probes: whether they were answered.
        at: now.
        policy: the rules of evidence.
        counts_from: what failed before says nothing.
        since: known to fail at least since then; None where the probes alone say it.
        goes_on: whether what failed lately is taken to fail until now: newer readings are on their way, and a last look
            at the writer follows.
    """
    if counts_from is not None:
        probes = tuple(point for point in probes if point.start >= counts_from)
    run = failing_run(probes, at, policy)
    if run is None:
        return Answer.UNKNOWN
    # What nobody looked at for longer was not seen failing.
    is_watched = since is not None and run.since - since <= policy.silence
    begins = min(run.since, since) if since is not None and is_watched else run.since
    if counts_from is not None:
        begins = max(begins, counts_from)
    until = at if goes_on and at - run.until <= policy.lateness else run.until
    is_outage = replace(run, since=begins, until=until).lasts(policy.outage_seen_seconds, policy.min_failed_probes)
    return Answer.NO if is_outage else Answer.UNKNOWN


def _commits(readings: Readings, policy: Policy, trouble: Trouble | None) -> Answer:
    seen = readings.active_sessions
    runs = blocked_runs(seen, readings.at, policy)
    since = readings.at - policy.silence
    if runs:
        since = max(since, min(run.first_failure_by for run in runs))
    if trouble is not None and trouble.kind is Kind.FAILING:
        since = max(since, trouble.first_failure_by)
    if any(worked_since(sessions, since) for sessions in seen):
        return Answer.YES
    return Answer.NO if runs and trouble is not None and trouble.is_hung else Answer.UNKNOWN


def _session(readings: Readings, policy: Policy) -> SessionOutcome | None:
    outcomes = [newest(sessions, readings.at, policy) for sessions in readings.active_sessions]
    known = [outcome for outcome in outcomes if outcome is not None]
    # Who does not get in does not hide that the other one finds the storage full.
    telling = [outcome for outcome in known if outcome is SessionOutcome.WORKS or outcome in CANNOT_COMMIT]
    return min(telling or known, default=None)


def _witness_sees(readings: Readings, policy: Policy, trouble: Trouble | None) -> Answer:
    series = series_of(readings.witness)
    if is_silent(series, readings.at, policy):
        return Answer.UNKNOWN
    newest_word = series[-1]
    # One word of life outweighs any number of others in the same period. It may be about the time before it was said.
    lives = newest_word.maximum >= 1
    if trouble is not None and trouble.kind is Kind.FAILING:
        about_it_from = witnessed_from(trouble, policy) if lives else trouble.first_failure_by
        if newest_word.start < about_it_from:
            return Answer.UNKNOWN
    return Answer.YES if lives else Answer.NO


def _is_witness_awaited(readings: Readings, policy: Policy, trouble: Trouble | None) -> bool:
    """Its word comes each minute, and late: one that is not about the trouble is no silence."""
    is_speaking = not is_silent(series_of(readings.witness), readings.at, policy)
    return trouble is not None and is_speaking and _witness_sees(readings, policy, trouble) is Answer.UNKNOWN


def _host_reports(readings: Readings, policy: Policy, trouble: Trouble | None) -> Answer:
    """RDS measures every minute and may be a minute late: what has not come for longer does not come."""
    load = series_of(readings.host_load)
    if not load:
        return Answer.UNKNOWN  # It never came, or nobody answers: no end was seen.
    period = timedelta(seconds=policy.lag_period_seconds)
    newest_end = load[-1].start + period
    if readings.at - newest_end < LATE_PERIODS * period:
        return Answer.YES
    if trouble is None or trouble.kind is not Kind.FAILING or newest_end < trouble.since - LATE_PERIODS * period:
        return Answer.UNKNOWN  # It had ended before: that the writer is silent now is no consequence.
    return Answer.NO


def _rds_healthy(instance: Instance | Unanswered) -> Answer:
    if isinstance(instance, Unanswered):
        return Answer.UNKNOWN
    if instance.status in rds_status.OPERATIONAL:
        return Answer.YES
    return Answer.NO if instance.is_failed else Answer.UNKNOWN


def _in_maintenance(instance: Instance | Unanswered) -> Answer:
    if isinstance(instance, Unanswered):
        return Answer.UNKNOWN
    if rds_status.is_maintenance(instance.status):
        return Answer.YES
    return Answer.NO if instance.status in rds_status.WORKING or instance.is_failed else Answer.UNKNOWN


def _region_answers(readings: Readings, since: datetime | None, policy: Policy) -> Answer:
    if readings.active_region.answered:
        return Answer.YES
    dark = since is not None and readings.at - since >= policy.darkness
    return Answer.NO if dark else Answer.UNKNOWN


def _standby_ready(instance: Instance | Unanswered) -> Answer:
    if isinstance(instance, Unanswered):
        return Answer.UNKNOWN
    return Answer.YES if instance.could_take_over else Answer.NO


def _catches_up(lag_seconds: float | None, policy: Policy) -> Answer:
    if lag_seconds is None:
        return Answer.UNKNOWN
    return Answer.YES if lag_seconds <= policy.drain_seconds else Answer.NO
