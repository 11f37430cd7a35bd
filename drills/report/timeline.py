"""The timeline of a drill: every recorded event, in seconds from the fault."""

from __future__ import annotations

from dataclasses import dataclass

from drills.clients.history import Attempt, ClientHistory, Outcome
from drills.evidence import Evidence

WRITES_AGAIN = "first write acknowledged by the new writer"


@dataclass(frozen=True)
class TimelineEvent:
    """Something that happened.

    Attributes:
        at_seconds: from the fault; negative before it.
        event: what happened, as a short phrase.
        detail: the rest.
        source: who recorded it: ``drill``, ``client``, ``dns``, ``controller``, ``alarm`` or ``people``.
    """

    at_seconds: float
    event: str
    detail: str
    source: str


def timeline_of(evidence: Evidence) -> tuple[TimelineEvent, ...]:
    """Every recorded event in order of time; at the same time, causes come before effects as listed here."""
    events = [
        *(
            TimelineEvent(
                evidence.at(action.at), "fault" if action == evidence.fault else "drill acts", action.what, "drill"
            )
            for action in evidence.actions
        ),
        *(event for client in evidence.clients for event in _client_events(evidence, client)),
        *_alarm_events(evidence),
        *_incident_events(evidence),
        *_last_look_events(evidence),
        *_name_events(evidence),
        *(
            TimelineEvent(
                evidence.at(message.sent_at),
                f"message to people ({message.topic})",
                _headline(message.subject, message.text),
                "people",
            )
            for message in evidence.messages
        ),
    ]
    return tuple(sorted(events, key=lambda event: event.at_seconds))


def _client_events(evidence: Evidence, client: ClientHistory) -> list[TimelineEvent]:
    fault = evidence.fault.at
    refused = [
        attempt
        for attempt in client.attempts
        if attempt.outcome is not Outcome.ACKNOWLEDGED and attempt.finished_at.monotonic > fault.monotonic
    ]
    first_new = evidence.first_acknowledged_by_new(client)
    chosen = (
        ("client starts writing", client.attempts[:1]),
        ("last write acknowledged before the fault", client.acknowledged_before(fault)[-1:]),
        ("first write not acknowledged", tuple(refused[:1])),
        (WRITES_AGAIN, () if first_new is None else (first_new,)),
    )
    return [
        _client_event(evidence, attempt, f"{event} ({client.name})")
        for event, attempts in chosen
        for attempt in attempts
    ]


def _client_event(evidence: Evidence, attempt: Attempt, event: str) -> TimelineEvent:
    where = "no server" if attempt.server_address is None else f"at {attempt.server_address}"
    fresh = ", on a fresh connection" if attempt.fresh else ""
    detail = f"row {attempt.n}, {attempt.outcome.value}, {where}{fresh}"
    if attempt.detail:
        detail += f": {attempt.detail}"
    return TimelineEvent(evidence.at(attempt.finished_at), event, detail, "client")


def _alarm_events(evidence: Evidence) -> list[TimelineEvent]:
    return [
        TimelineEvent(
            evidence.at(change.at),
            f"alarm {change.alarm}",
            change.summary + (f": {change.reason}" if change.reason else ""),
            "alarm",
        )
        for change in evidence.alarm_changes
    ]


def _incident_events(evidence: Evidence) -> list[TimelineEvent]:
    events = []
    for incident in evidence.incidents:
        name, reason = incident.incident_id, incident.decision["reason"]
        moments = [
            (incident.trouble_since, "trouble began, according to the controller", ""),
            (incident.opened_at, "incident opened", f"{name}, epoch {incident.epoch}: {reason}"),
            *(
                (
                    step.finished_at,
                    f"phase {step.phase}: {step.outcome}",
                    f"took {(step.finished_at - step.started_at).total_seconds():.1f} s"
                    + (f": {step.detail}" if step.detail else ""),
                )
                for step in incident.steps
                if step.finished_at is not None
            ),
        ]
        if incident.closed_at is not None:
            moments.append((incident.closed_at, "incident closed", name))
        events += [TimelineEvent(evidence.at(at), event, detail, "controller") for at, event, detail in moments]
    return events


def _last_look_events(evidence: Evidence) -> list[TimelineEvent]:
    """Of a failover that began, the steps tell."""
    looked = evidence.last_look
    if looked is None:
        return []
    return [
        TimelineEvent(evidence.at(looked.at), f"last look at the writer: {looked.life}", looked.found, "controller")
    ]


def _name_events(evidence: Evidence) -> list[TimelineEvent]:
    return [
        TimelineEvent(
            evidence.at(answer.at),
            "the writer's name answers" if index == 0 else "the writer's name moves",
            f"{answer.address}, {_site_of(evidence, answer.address)}, TTL {answer.ttl_seconds} s",
            "dns",
        )
        for index, answer in enumerate(evidence.name_changes)
    ]


def _site_of(evidence: Evidence, address: str) -> str:
    for site, known in evidence.addresses.items():
        if known == address:
            return f"the database in the {site} site"
    return "no known database"


def _headline(subject: str, text: str) -> str:
    if subject:
        return subject
    lines = text.strip().splitlines()
    return lines[0] if lines else "(empty message)"
