"""What people are told of the writer's trouble and of a failover. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from failover.advice import ADVICE
from failover.decision import Decision
from failover.last_look import ANSWERS_AFTER_ALL
from failover.settings import Settings
from failover.shown import SHOWN_WITHIN_SECONDS
from failover.signals import Signals
from function_runtime import words
from function_runtime.fence_record import FenceRecord
from function_runtime.incident import Incident, Kind, Phase, Step
from function_runtime.message import Message, compose
from function_runtime.state import Proposal
from function_runtime.trouble import Trouble, Unready

COMES_NEXT: Mapping[Phase, str] = {
    Phase.FENCED: "The replica is promoted, which takes RDS some minutes.",
    Phase.DRAINED: "The replica is promoted, which takes RDS some minutes.",
    Phase.PROMOTING: "RDS promotes the replica; this takes some minutes. The name moves when RDS shows that it does.",
    Phase.SHOWN: "The writer's name moves while RDS promotes; writes are accepted when a probe's write is.",
    Phase.WRITES: "The incident is closed when RDS shows the end of the promotion.",
    Phase.PROMOTED: "The incident is closed.",
    Phase.OPENED_AGAIN: "The incident is closed; the writer stays where it was.",
}
HEARD_AS: Mapping[str, str] = {
    "commits": "writes are accepted",
    "reachable": "the new writer answers, no write was confirmed",
    "not_confirmed": "the new writer is there, no write was confirmed",
}
"""How people hear of a new writer, by what was seen of it."""
CHECK_WRITES = "No probe has committed in the new writer: make sure that the applications can write to it."
IS_TAKEN_BACK = "The failover is taken back: the old writer stays the writer and gets its clients back."
MOST_TOLD_OF_DROPS = 5
ABANDON = "Or end it as it stands, which says what state that leaves: nox -s failover -- --abandon {} --dry-run"


def alert(settings: Settings, decision: Decision, signals: Signals, trouble: Trouble) -> Message:
    """The writer is in trouble, and no failover was started."""
    advice = ADVICE[decision.code]
    seen = [decision.reason, f"in trouble since {words.moment(trouble.since)}", *_listed(signals.as_item())]
    return compose(
        settings,
        f"PostgreSQL writer in trouble, no failover: {decision.code}",
        {
            "What was seen": seen,
            "What was decided": [f"No failover ({decision.code})."],
            "What happens next": [advice.next],
            "What to do": advice.to_do,
        },
        incident_id=trouble.incident_id,
        anchor=decision.code,
    )


def not_ready(settings: Settings, decision: Decision, signals: Signals, unready: Unready) -> Message:
    """The writer is well, and a failover would not come by itself, or may soon be needed."""
    advice = ADVICE[decision.code]
    return compose(
        settings,
        f"PostgreSQL: a failover may fail or be needed: {decision.code}",
        {
            "What was seen": [decision.reason, *_listed(signals.as_item())],
            "What was decided": ["Nothing: the writer is well."],
            "What happens next": ["You hear when it is over, or when something is added to it."],
            "What to do": advice.to_do,
        },
        incident_id=None,
        anchor=decision.code,
    )


def ready_again(settings: Settings, unready: Unready, decision: Decision) -> Message:
    """What was in a failover's way is gone."""
    return compose(
        settings,
        "PostgreSQL: ready to fail over again",
        {
            "What was seen": [decision.reason, f"it had not been since {words.moment(min(unready.since.values()))}"],
            "What to do": ["Nothing else is needed."],
        },
        incident_id=None,
        anchor=decision.code,
    )


def asked(settings: Settings, decision: Decision, signals: Signals, proposal: Proposal) -> Message:
    """A failover waits for a person."""
    advice, loss = ADVICE[decision.code], proposal.loss_bound_seconds
    bound = settings.policy.max_data_loss_seconds
    command = words.approve_command(proposal.incident_id, proposal.epoch, loss, bound)
    return compose(
        settings,
        f"APPROVAL NEEDED: fail over PostgreSQL to {settings.here}? {decision.code}",
        {
            "What was seen": [decision.reason, *_listed(signals.as_item())],
            "What was decided": [f"To ask you ({decision.code}). Nothing was done yet."],
            "What it would cost": [f"Data loss: {words.loss(loss)}"],
            "What happens next": [advice.next],
            "What to do": [*advice.to_do, f"See what would happen: {command} --dry-run", f"Approve: {command}"],
        },
        incident_id=proposal.incident_id,
        anchor=decision.code,
    )


def answers_again(settings: Settings, trouble: Trouble, decision: Decision) -> Message:
    """The trouble that people were told of is over."""
    return compose(
        settings,
        "PostgreSQL writer answers again",
        {
            "What was seen": [decision.reason, f"it had been in trouble since {words.moment(trouble.since)}"],
            "What was decided": ["No failover was made."],
            "What to do": ["Find out what it was. Nothing else is needed."],
        },
        incident_id=trouble.incident_id,
        anchor=decision.code,
    )


def opened(settings: Settings, incident: Incident) -> Message:
    """A failover has begun."""
    by = [] if incident.ordered_by is None else [f"ordered by {incident.ordered_by}"]
    return _about(
        settings,
        incident,
        f"Failover to {incident.new_writer} has begun ({incident.kind})",
        {
            "What was seen": [incident.decision["reason"], *_listed(incident.signals)],
            "What was decided": [f"A failover to the {incident.new_writer} site, epoch {incident.epoch}", *by],
            "What it costs": [f"Data loss: {words.loss(incident.data_loss_seconds)}"],
            "What happens next": ["The old writer is fenced, then the replica is promoted."],
            "What to do": ["Nothing. Do not touch either database. Each step is reported."],
        },
        incident.decision["code"],
    )


def step_done(settings: Settings, incident: Incident, step: Step) -> Message:
    """A step of a failover is done."""
    unfenced = step.phase is Phase.FENCED and not incident.is_fenced
    taken_back = incident.is_taken_back and step.phase is not Phase.OPENED_AGAIN
    what = HEARD_AS.get(step.outcome or "", str(step.phase))
    to_do = words.NOT_FENCED if unfenced else "Nothing."
    if step.outcome in ("reachable", "not_confirmed"):
        to_do = CHECK_WRITES
    return _about(
        settings,
        incident,
        f"Failover to {incident.new_writer}: {what} ({step.outcome})",
        {
            "What was done": [words.step(step)],
            "What happens next": [IS_TAKEN_BACK if taken_back else COMES_NEXT[step.phase]],
            "What to do": [to_do],
        },
        f"step-{step.phase}",
    )


def dropped(settings: Settings, incident: Incident, step: Step) -> Message:
    """RDS has dropped the promotion that it had accepted."""
    times, is_planned = incident.asked_again, incident.kind is Kind.PLANNED
    seconds = settings.planned_promotion_timeout_seconds
    until = f"for {seconds:g} s, and is then given up" if is_planned else "as often as RDS drops it"
    return _about(
        settings,
        incident,
        f"RDS DROPPED THE PROMOTION for the failover to {incident.new_writer}: asked again ({times})",
        {
            "What was seen": [
                f"RDS accepted the promotion and shows {settings.instance_ids[incident.new_writer]} as a replica.",
                f"It was dropped so often: {times}.",
            ],
            "What was done": ["The promotion was asked for again.", *_done(incident)],
            "What happens next": [
                f"It is asked for again {until}. The old writer stays shut meanwhile, and clients have none.",
                "Unless it was forced, it is given up at once where the old writer may be used.",
                f"You hear of it {MOST_TOLD_OF_DROPS} times at most.",
            ],
            "What to do": [
                "Look at the events of both databases in RDS, and promote by hand if that works.",
                ABANDON.format(incident.incident_id),
                "nox -s status",
            ],
        },
        f"step-{step.phase}",
    )


def not_given_up(settings: Settings, incident: Incident, step: Step, why: str) -> Message:
    """A failover is to be given up, and RDS may be at its promotion yet."""
    return _about(
        settings,
        incident,
        f"Failover to {incident.new_writer} is NOT GIVEN UP YET: RDS may be promoting",
        {
            "What was seen": [why],
            "What was done": _done(incident),
            "What happens next": [
                "The old writer stays shut: two databases must not take writes.",
                f"It is given up when RDS has shown an available replica for {SHOWN_WITHIN_SECONDS:g} s.",
                "Where RDS shows the new writer, it ends with that.",
                "An instruction to abandon it expires; then it must be given again.",
            ],
            "What to do": [
                "Look at the events of both databases in RDS.",
                ABANDON.format(incident.incident_id),
                "nox -s status",
            ],
        },
        f"step-{step.phase}",
    )


def blocked(settings: Settings, incident: Incident, step: Step, why: str) -> Message:
    """A step cannot succeed as things are."""
    return _about(
        settings,
        incident,
        f"FAILOVER STUCK at {step.phase}: a person is needed",
        {
            "What was seen": [why],
            "What was done": _done(incident),
            "What happens next": [
                "The incident stays where it is; the step is tried again every minute.",
                *([] if incident.may_be_promoted else ["It is taken back when the old writer can be used again."]),
            ],
            "What to do": [
                "Remove the cause; the failover then goes on by itself.",
                ABANDON.format(incident.incident_id),
                "nox -s status",
            ],
        },
        f"step-{step.phase}",
    )


def held(settings: Settings, incident: Incident, why: str) -> Message:
    """A pause holds a failover that has begun."""
    fenced = incident.step(Phase.FENCED)
    seen = [why] if fenced is None else [why, "the old writer may be fenced already: clients may have no writer"]
    return _about(
        settings,
        incident,
        f"Failover to {incident.new_writer} is HELD by a pause",
        {
            "What was seen": seen,
            "What was done": _done(incident),
            "What happens next": ["Nothing, until failovers are resumed."],
            "What to do": [
                "See who paused and why: nox -s status",
                "Let it go on: nox -s resume",
                ABANDON.format(incident.incident_id),
            ],
        },
        "paused",
    )


def waits(settings: Settings, incident: Incident, step: Step, why: str) -> Message:
    """A failover that has fenced waits for a person: the old writer answers after all."""
    advice, loss = ADVICE[ANSWERS_AFTER_ALL], incident.data_loss_seconds
    bound = settings.policy.max_data_loss_seconds
    approve = words.approve_command(incident.incident_id, incident.epoch, loss, bound)
    return _about(
        settings,
        incident,
        f"APPROVAL NEEDED: failover to {incident.new_writer} waits before {step.phase}",
        {
            "What was seen": [why],
            "What was done": _done(incident),
            "What it would cost": [f"Data loss: {words.loss(loss)}"],
            "What happens next": [
                "It waits: an approval lets it go on, and a commit takes it back. The writer's silence does neither."
            ],
            "What to do": [*advice.to_do, f"Let it go on: {approve}", ABANDON.format(incident.incident_id)],
        },
        ANSWERS_AFTER_ALL,
    )


def overdue(settings: Settings, incident: Incident, step: Step, taken: timedelta) -> Message:
    """A step takes longer than anybody expects."""
    return _about(
        settings,
        incident,
        f"Failover to {incident.new_writer} is slow at {step.phase}",
        {
            "What was seen": [f"Step {step.phase} has taken {taken.total_seconds():.0f} s and is not done."],
            "What happens next": ["The controller waits on; it does nothing twice."],
            "What to do": [
                "Look at the events of both databases in RDS.",
                ABANDON.format(incident.incident_id),
                "nox -s status",
            ],
        },
        f"step-{step.phase}",
    )


def closed(settings: Settings, incident: Incident, guarded: FenceRecord | None) -> Message:
    """A failover is over, and what it cost.

    Args:
        settings: names and places.
        incident: the failover.
        guarded: what the old writer's guard has recorded of this epoch.
    """
    if incident.is_taken_back:
        return _taken_back(settings, incident)
    return _about(
        settings,
        incident,
        f"Failover done: {incident.new_writer} is the writer",
        {
            "NOT PROTECTED": [
                "There is no standby any more: the next failure means restoring from a backup.",
                "Make a new one, as soon as the applications are well: nox -s reprotect",
            ],
            "What was seen": [incident.decision["reason"]],
            "What it cost": [
                *words.cost(incident, guarded),
                f"Clients may keep the old address for {settings.name_ttl_seconds} s more",
                f"Replication lag before: {words.seconds_or_unknown(incident.lag_before_seconds)}",
            ],
            "What was done": _done(incident),
            "What happens next": [
                f"{settings.writer_name} answers with the new writer. Nothing moves it back by itself."
            ],
            "What to do": [
                *([] if words.is_shut(incident, guarded) else [words.NOT_FENCED]),
                "Check the applications.",
                "nox -s reprotect. Failing back is a planned failover after it.",
            ],
        },
        "after-a-failover",
    )


def _taken_back(settings: Settings, incident: Incident) -> Message:
    old = incident.new_writer.other
    opened = incident.step(Phase.OPENED_AGAIN)
    is_open = opened is None or opened.outcome == Phase.OPENED_AGAIN
    to_do = ["See why above, then plan it again." if incident.kind is Kind.PLANNED else "See why above, and remove it."]
    next_lines = ["No new writer was made; clients are let into the same one.", *_later(incident, opened)]
    if not is_open:
        to_do.insert(0, "If it must not wait: give the old writer its own security group by hand (nox -s status).")
    return _about(
        settings,
        incident,
        f"Failover {'abandoned' if incident.is_abandoned else 'taken back'}: {old} stays the writer",
        {
            "What was done": _done(incident),
            "What happens next": next_lines,
            "What to do": to_do,
        },
        "taken-back",
    )


def _later(incident: Incident, opened: Step | None) -> list[str]:
    if opened is None or opened.outcome == Phase.OPENED_AGAIN:
        return []
    return [
        f"The {incident.new_writer.other} site's database is still shut: every run tries to open it, and tells you.",
        "If it does not answer, the normal decision applies: another failover may begin.",
    ]


def opened_again(settings: Settings, incident_id: str) -> Message:
    """A writer that was left shut has its clients again."""
    return compose(
        settings,
        "PostgreSQL writer is open again",
        {
            "What was done": ["The writer of a failover that was taken back has its own security group again."],
            "What to do": ["Check the applications."],
        },
        incident_id=incident_id,
        anchor="step-opened-again",
    )


def state_lost(settings: Settings, why: str) -> Message:
    """Nobody can say who the writer is."""
    return compose(
        settings,
        "STATE LOST: nobody knows who the PostgreSQL writer is",
        {
            "What was seen": [why],
            "What was decided": ["Nothing. The writer's name stays where it is, and there is no automatic failover."],
            "What happens next": ["You hear this every hour until it is settled."],
            "What to do": [
                "Look which database has the newest data; of two that take writes, keep clients off the other one.",
                "Then say which is the writer, primary or recovery: nox -s failover -- --adopt primary",
                f"Or restore the items of table {settings.state_table} from a point in time when it had them.",
                f"Where the {settings.here.other} site's controller has the authority, give that one the word.",
            ],
        },
        incident_id=None,
        anchor="state-lost",
    )


def adopted(settings: Settings, by: str, writer_site: str) -> Message:
    """A person has said who the writer is, and this site's controller acts from now on."""
    return compose(
        settings,
        f"PostgreSQL writer is {writer_site}, by a person's word",
        {
            "What was done": [
                f"{by} adopted the {writer_site} site's database as the writer; the state is whole again.",
                f"The {settings.here} site's controller has the authority. The other site is told, when it answers.",
            ],
            "What happens next": [
                "The writer's name follows. The guard of the other site shuts its database if that takes writes."
            ],
            "What to do": ["Check the applications.", "nox -s status"],
        },
        incident_id=None,
        anchor="state-lost",
    )


def _about(
    settings: Settings, incident: Incident, subject: str, sections: Mapping[str, Sequence[str]], anchor: str
) -> Message:
    return compose(settings, subject, sections, incident_id=incident.incident_id, anchor=anchor)


def _listed(signals: Mapping[str, str]) -> list[str]:
    return [f"{name.replace('_', ' ')}: {answer}" for name, answer in signals.items()]


def _done(incident: Incident) -> list[str]:
    return [words.step(step) for step in incident.steps if step.finished_at is not None]
