"""What people are told, as text a person at 3 a.m. can act on. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from failover.advice import ADVICE
from failover.decide import Decision
from failover.incident import Incident, Kind, Phase, Step
from failover.settings import Settings
from failover.signals import Signals
from failover.state import Proposal
from failover.trouble import Trouble
from function_runtime.message import LONGEST_SUBJECT, Message

NOBODY_CAN_SAY = "nobody can say"

COMES_NEXT: Mapping[Phase, str] = {
    Phase.FENCED: "the replica is promoted, which takes RDS some minutes",
    Phase.DRAINED: "the replica is promoted, which takes RDS some minutes",
    Phase.PROMOTING: "RDS promotes the replica; this takes some minutes",
    Phase.PROMOTED: "a probe makes sure that the new writer takes connections",
    Phase.VERIFIED: "the writer's name moves",
    Phase.SWITCHED: "the incident is closed",
    Phase.OPENED_AGAIN: "the incident is closed; the writer stays where it was",
}
FENCE_FAILED = (
    "The old writer is NOT known to be fenced. The fence-guard of its site fences it as soon as it answers. Until then "
    "keep clients off its address, and do not restart it by hand."
)


def alert(settings: Settings, decision: Decision, signals: Signals, trouble: Trouble) -> Message:
    """The writer is in trouble, and no failover was started."""
    advice = ADVICE[decision.code]
    return _message(
        settings,
        f"PostgreSQL writer in trouble, no failover: {decision.code}",
        [
            *_section("What was seen", [decision.reason, f"in trouble since {_time(trouble.since)}", *_seen(signals)]),
            *_section("What was decided", [f"No failover ({decision.code})."]),
            *_section("What happens next", [advice.next]),
            *_section("What to do", advice.to_do),
        ],
        trouble.incident_id,
        decision.code,
    )


def asked(settings: Settings, decision: Decision, signals: Signals, proposal: Proposal) -> Message:
    """A failover waits for a person."""
    advice = ADVICE[decision.code]
    loss = (
        "unknown" if proposal.loss_bound_seconds is None else f"at most {proposal.loss_bound_seconds:.0f} s of writes"
    )
    accept = " --accept-unknown-loss"
    if proposal.loss_bound_seconds is not None:
        accept = f" --accept-loss-seconds {int(proposal.loss_bound_seconds) + 1}"
    lag = signals.lag_before_seconds
    if lag is not None and lag <= settings.policy.max_data_loss_seconds:
        accept = ""
    command = f"nox -s failover -- --approve {proposal.incident_id} --epoch {proposal.epoch}{accept}"
    return _message(
        settings,
        f"APPROVAL NEEDED: fail over PostgreSQL to {settings.here}? {decision.code}",
        [
            *_section("What was seen", [decision.reason, *_seen(signals)]),
            *_section("What was decided", [f"To ask you ({decision.code}). Nothing was done yet."]),
            *_section("What it would cost", [f"Data loss: {loss}"]),
            *_section("What happens next", [advice.next]),
            *_section(
                "What to do", [*advice.to_do, f"See what would happen: {command} --dry-run", f"Approve: {command}"]
            ),
        ],
        proposal.incident_id,
        decision.code,
    )


def answers_again(settings: Settings, trouble: Trouble, decision: Decision) -> Message:
    """The trouble that people were told of is over."""
    return _message(
        settings,
        "PostgreSQL writer answers again",
        [
            *_section("What was seen", [decision.reason, f"it had been in trouble since {_time(trouble.since)}"]),
            *_section("What was decided", ["No failover was made."]),
            *_section("What to do", ["Find out what it was. Nothing else is needed."]),
        ],
        trouble.incident_id,
        decision.code,
    )


def opened(settings: Settings, incident: Incident) -> Message:
    """A failover has begun."""
    by = [] if incident.ordered_by is None else [f"ordered by {incident.ordered_by}"]
    return _message(
        settings,
        f"Failover to {incident.new_writer} has begun ({incident.kind})",
        [
            *_section("What was seen", [incident.decision["reason"], *_listed(incident.signals)]),
            *_section(
                "What was decided", [f"A failover to the {incident.new_writer} site, epoch {incident.epoch}", *by]
            ),
            *_section("What it costs", [f"Data loss: {_loss(incident)}"]),
            *_section("What happens next", ["The old writer is fenced, then the replica is promoted."]),
            *_section("What to do", ["Nothing. Do not touch either database. Each step is reported."]),
        ],
        incident.incident_id,
        incident.decision["code"],
    )


def step_done(settings: Settings, incident: Incident, step: Step) -> Message:
    """A step of a failover is done."""
    to_do = ["Nothing."]
    if step.phase is Phase.FENCED and step.outcome != "fenced":
        to_do = [FENCE_FAILED]
    following = COMES_NEXT[step.phase]
    if incident.is_taken_back and step.phase is not Phase.OPENED_AGAIN:
        following = "the planned failover is taken back: the writer gets its clients back"
    return _message(
        settings,
        f"Failover to {incident.new_writer}: {step.phase} ({step.outcome})",
        [
            *_section("What was done", [_line(step)]),
            *_section("What happens next", [f"{following[0].upper()}{following[1:]}."]),
            *_section("What to do", to_do),
        ],
        incident.incident_id,
        f"step-{step.phase}",
    )


def blocked(settings: Settings, incident: Incident, step: Step, why: str) -> Message:
    """A step cannot succeed as things are."""
    return _message(
        settings,
        f"FAILOVER STUCK at {step.phase}: a person is needed",
        [
            *_section("What was seen", [why]),
            *_section("What was done", _done(incident)),
            *_section("What happens next", ["The incident stays where it is; the step is tried again every minute."]),
            *_section("What to do", ["Remove the cause; the failover then goes on by itself.", "nox -s status"]),
        ],
        incident.incident_id,
        f"step-{step.phase}",
    )


def held(settings: Settings, incident: Incident, why: str) -> Message:
    """A pause holds a failover that has begun."""
    fenced = incident.step(Phase.FENCED)
    seen = [why] if fenced is None else [why, "the old writer may be fenced already: clients may have no writer"]
    return _message(
        settings,
        f"Failover to {incident.new_writer} is HELD by a pause",
        [
            *_section("What was seen", seen),
            *_section("What was done", _done(incident)),
            *_section("What happens next", ["Nothing, until failovers are resumed."]),
            *_section("What to do", ["See who paused and why: nox -s status", "Let it go on: nox -s resume"]),
        ],
        incident.incident_id,
        "paused",
    )


def overdue(settings: Settings, incident: Incident, step: Step, taken: timedelta) -> Message:
    """A step takes longer than anybody expects."""
    return _message(
        settings,
        f"Failover to {incident.new_writer} is slow at {step.phase}",
        [
            *_section("What was seen", [f"Step {step.phase} has taken {taken.total_seconds():.0f} s and is not done."]),
            *_section("What happens next", ["The controller waits on; it does nothing twice."]),
            *_section("What to do", ["Look at the events of the recovery site's database in RDS.", "nox -s status"]),
        ],
        incident.incident_id,
        f"step-{step.phase}",
    )


def closed(settings: Settings, incident: Incident) -> Message:
    """A failover is over, and what it cost."""
    if incident.is_taken_back:
        return _taken_back(settings, incident)
    rto = "unknown" if incident.rto_seconds is None else f"{incident.rto_seconds:.1f} s"
    fenced = incident.step(Phase.FENCED)
    to_do = [] if fenced is not None and fenced.outcome == "fenced" else [FENCE_FAILED]
    to_do += [
        "Check the applications.",
        "Do not deploy the data layer: its program still declares the old roles.",
        "Plan the switch-back: the old writer has to be made a replica of the new one.",
    ]
    return _message(
        settings,
        f"Failover done: {incident.new_writer} is the writer",
        [
            *_section("What was seen", [incident.decision["reason"]]),
            *_section(
                "What it cost",
                [
                    f"Recovery time: {rto} from {_time(incident.trouble_since)}",
                    f"Clients may keep the old address for {settings.name_ttl_seconds} s more",
                    f"Data loss: {_loss(incident)}",
                    "Replication lag before: "
                    + (
                        NOBODY_CAN_SAY
                        if incident.lag_before_seconds is None
                        else f"{incident.lag_before_seconds:.1f} s"
                    ),
                ],
            ),
            *_section("What was done", _done(incident)),
            *_section(
                "What happens next",
                [f"{settings.writer_name} answers with the new writer. Nothing moves it back by itself."],
            ),
            *_section("What to do", to_do),
        ],
        incident.incident_id,
        "after-a-failover",
    )


def _taken_back(settings: Settings, incident: Incident) -> Message:
    return _message(
        settings,
        f"Planned failover taken back: {incident.new_writer.other} stays the writer",
        [
            *_section("What was done", _done(incident)),
            *_section("What happens next", ["Nothing was lost or promoted; clients come back to the same writer."]),
            *_section("What to do", ["See why above, then plan it again."]),
        ],
        incident.incident_id,
        Kind.PLANNED.value,
    )


def _message(settings: Settings, subject: str, lines: Sequence[str], incident_id: str | None, anchor: str) -> Message:
    footer = [
        *([] if incident_id is None else [f"Incident:  {incident_id}"]),
        f"Writer:    {settings.writer_name}",
        f"Dashboard: {settings.dashboard_url}",
        f"Runbook:   {settings.runbook_url}#{anchor.replace('_', '-')}",
    ]
    return Message(f"[{settings.environment_suffix}] {subject}"[:LONGEST_SUBJECT], "\n".join([*lines, *footer]))


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"{title}:", *(f"  {line}" for line in lines), ""]


def _seen(signals: Signals) -> list[str]:
    return _listed(signals.as_item())


def _listed(signals: Mapping[str, str]) -> list[str]:
    return [f"{name.replace('_', ' ')}: {answer}" for name, answer in signals.items()]


def _done(incident: Incident) -> list[str]:
    return [_line(step) for step in incident.steps if step.finished_at is not None]


def _line(step: Step) -> str:
    return f"{_time(step.started_at)} {step.phase}: {step.outcome} ({step.detail})"


def _loss(incident: Incident) -> str:
    if incident.data_loss_seconds is None:
        return NOBODY_CAN_SAY
    return f"at most {incident.data_loss_seconds:.1f} s of writes"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
