"""What people's words do to a failover under way, and what another look at the old writer does."""

from __future__ import annotations

from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from failover.instructions import abandoned_by, paused_by, withdrawn_by
from failover.last_look import FRESH, LastLook, Life, last_look, needs_approval
from failover.old_writer import is_shut, is_whole
from failover.promote import shown_of_call
from failover.shown import has_failed_promoted, may_be_given_up, shown_by
from failover.work import PausedError, PeopleAskedError, WithdrawnError, Work
from function_runtime.clients import AwsError
from function_runtime.incident import ABANDONED, NOT_AWAITED, Incident, Kind, Phase, Shown
from function_runtime.state import ControlUnreadableError, State

logger = Logger(child=True)

# Runs follow within a minute. Longer is a pause, or an outage of our own, in which the writer may have lived.
CARRIED_ON = timedelta(minutes=30)


def heed(state: State, work: Work, incident: Incident, phase: Phase, overruled: str | None = None) -> str | None:
    """Do what people have said, as far as it can still be done.

    Args:
        state: where it is on record.
        work: what to work with.
        incident: the failover.
        phase: the phase that it is about to reach.
        overruled: why this site's controller has no say any more, though its table has not been told.

    Returns:
        Why an abandonment cannot be done yet, for people; None where nobody asked for one.

    Raises:
        PausedError: they paused failovers, and the promotion has not been asked for.
        WithdrawnError: the incident ends here.
    """
    if incident.is_taken_back or phase is Phase.CLOSED:
        return None
    if not incident.may_be_promoted and (why := overruled or _overtaken(state, incident)) is not None:
        raise WithdrawnError(why)
    may_hold = incident.kind is Kind.PLANNED or phase is Phase.PROMOTING
    try:
        control = state.control()
    except ControlUnreadableError as error:
        if may_hold and not incident.may_be_promoted:
            raise _held(incident, f"it may be paused, for nobody can say: {error}") from error
        return None
    by = abandoned_by(control, incident, work.clock.now())
    not_yet = None if by is None else _abandon(work, incident, phase, f"{by} abandoned it")
    if incident.may_be_promoted:
        return not_yet
    if (why := withdrawn_by(control, incident)) is not None:
        raise WithdrawnError(why)
    if may_hold and (why := paused_by(control, work.settings)) is not None:
        raise _held(incident, why)
    return None


def _overtaken(state: State, incident: Incident) -> str | None:
    """Why the incident is over although it goes on: a person's word, of which the other site has told this table."""
    record = state.written()
    if record is None or record.epoch <= incident.epoch:
        return None
    return f"epoch {record.epoch} has begun, by the word of {record.adopted_by}"


def look_before_fence(
    state: State, work: Work, incident: Incident, looked_at: datetime | None, bound: timedelta
) -> LastLook | None:
    """Look at the writer of an incident that was opened some time ago, or by another run.

    Args:
        state: where people's words are on record.
        work: what to work with.
        incident: the incident.
        looked_at: when this run has looked last; None where it has not.
        bound: for how long its fence is waited for.

    Returns:
        What was found, None where there was no need to look.

    Raises:
        WithdrawnError: the writer commits: it is not replaced. Or it answers, and only a person may have it replaced.
            Or what was decided is too old to act on.
    """
    age = work.clock.now() - incident.opened_at
    if age > CARRIED_ON + bound:
        # Runs were paused, or failed. No answer to a last look proves nothing: a new decision needs what is true now.
        then = "is decided anew" if incident.kind is Kind.AUTOMATIC else "whoever ordered it must order it again"
        raise WithdrawnError(f"it was decided {age.total_seconds() / 60:.0f} min ago: {then}")
    if incident.kind in (Kind.FORCED, Kind.PLANNED) or incident.may_be_promoted:
        return None
    if looked_at is not None and work.clock.now() - looked_at <= FRESH:
        return None
    try:
        return _looked(state, work, incident, incident.opened_at, was_asked=False)
    except PeopleAskedError as error:
        # Nothing is done yet. An incident that waited would go on at the next silence of the probes, maybe days later,
        # by evidence that is as old: who decides anew asks people with what is true then.
        raise WithdrawnError(str(error)) from error


def look_once_more(
    state: State, work: Work, incident: Incident, fenced_at: datetime, *, was_asked: bool, dropped: bool = False
) -> LastLook | None:
    """Look at the old writer of a failover right before its promotion: it may be open, and take writes.

    Args:
        state: where people's words are on record.
        work: what to work with.
        incident: the failover, whose promotion is about to be asked for.
        fenced_at: when its fence was over.
        was_asked: whether people were asked about this incident and have not approved it yet.
        dropped: whether RDS has dropped the promotion that it had accepted, which is about to be asked for again.

    Returns:
        What was found, None where no probe was asked.

    Raises:
        WithdrawnError: the old writer may be used, so the promotion would lose what it takes.
        PeopleAskedError: it answers, or did when people were asked, and only a person may have it replaced.
    """
    old_writer, now = work.settings.here.other, work.clock.now()
    # A request that has not shown for so long was not taken: the next one is a new one, and needs a new look.
    if incident.kind is Kind.FORCED or (not dropped and _may_come_yet(work, incident)):
        return None
    if incident.kind is Kind.PLANNED:
        if not is_shut(work, old_writer):
            raise WithdrawnError("the writer is not known to be shut any more")
        return None
    recently = now - work.settings.policy.silence
    has_waited = now - fenced_at >= timedelta(seconds=work.settings.lease_seconds)
    if has_waited and is_whole(work, old_writer, recently, waited=False):
        raise WithdrawnError("the old writer answers its own site again")
    return _looked(state, work, incident, fenced_at if has_waited else None, was_asked=was_asked)


def _looked(state: State, work: Work, incident: Incident, since: datetime | None, *, was_asked: bool) -> LastLook:
    # A look takes as long as a cold start of a probe: the hold on the incident must outlast it.
    work.renew()
    looked = last_look(work.clients, work.settings, incident.new_writer.other, work.clock.now, since)
    logger.info("Looked once more", life=looked.life, found=looked.found, incident=incident.incident_id)
    if looked.life is Life.COMMITS:
        raise WithdrawnError(looked.in_words)
    if looked.life is Life.ANSWERS or was_asked:
        try:
            order = state.control().order
        except ControlUnreadableError:
            order = None
        if needs_approval(incident, order, work.clock.now()):
            raise PeopleAskedError(looked.in_words)
    return looked


def has_a_way_back(work: Work, incident: Incident) -> bool:
    """Whether an incident whose promotion RDS refuses for good is better ended: its old writer may be used again."""
    step = incident.step(Phase.PROMOTING)
    if step is None or _may_come_yet(work, incident):
        return False
    if incident.kind is Kind.PLANNED:
        return True
    waited = work.clock.now() - step.started_at >= timedelta(seconds=work.settings.promotion_timeout_seconds)
    return is_whole(work, work.settings.here.other, step.started_at, waited=waited)


def _may_come_yet(work: Work, incident: Incident) -> bool:
    return incident.may_be_promoted and _shown(work, incident) is not Shown.NEVER


def _held(incident: Incident, why: str) -> Exception:
    """A planned failover is taken back: its writer is well, and must not be shut for as long as a pause lasts."""
    return WithdrawnError(why) if incident.kind is Kind.PLANNED else PausedError(why)


def _abandon(work: Work, incident: Incident, phase: Phase, why: str) -> str:
    """End the incident as it stands, with the new writer that is there or without one; or say why it cannot end yet."""
    if not incident.may_be_promoted:
        raise WithdrawnError(why, ABANDONED)
    here = f"the {work.settings.here} site's database"
    if phase is Phase.PROMOTED:
        raise WithdrawnError(f"{why}, and {here} takes writes: nobody waits for more", NOT_AWAITED)
    if phase is Phase.PROMOTING:
        if _shown(work, incident) is Shown.NEVER:
            raise WithdrawnError(f"{why}: RDS makes no new writer of {here}", ABANDONED)
        return f"{why}, and RDS, which was asked to promote {here}, may be at it"
    try:
        instance = work.databases[work.settings.here].find()
    except AwsError as error:
        return f"{why}, and RDS does not say how {here} is: {error}"
    if may_be_given_up(instance, incident.step(phase), work.clock.now()):
        raise WithdrawnError(f"{why}: RDS makes no new writer of {here}", ABANDONED)
    if shown_by(instance) is Shown.WRITER:
        raise WithdrawnError(f"{why}, and the new writer is there: nobody waits for more", NOT_AWAITED)
    if instance is not None and has_failed_promoted(instance):
        # Going back loses what it has taken: that is another word (`--adopt`).
        raise WithdrawnError(f"{why}, and {here} was promoted and is {instance.status} since", NOT_AWAITED)
    status = "gone" if instance is None else instance.status
    return f"{why}, and RDS, which has accepted the promotion of {here}, calls it {status}"


def _shown(work: Work, incident: Incident) -> Shown:
    step = incident.begun(Phase.PROMOTING)
    return shown_of_call(work, step.started_at if step.called_at is None else step.called_at)
