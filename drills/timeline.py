"""One time axis for everything: seconds from the fault."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from drills.client_history import ClientHistory
from drills.evidence import Evidence
from drills.history import Attempt, Outcome

WRITES_AGAIN = "first write acknowledged by the new writer"


@dataclass(frozen=True)
class TimelineEvent:
    """Something that happened.

    Attributes:
        at_seconds: from the fault; negative before it.
        event: what, as a short phrase.
        detail: the rest.
        source: whose record it is: ``drill``, ``client``, ``dns``, ``controller``, ``alarm`` or ``people``.
    """

    at_seconds: float
    event: str
    detail: str
    source: str


@dataclass(frozen=True)
class Second:
    """How a client's writes ended within one second.

    Attributes:
        at_seconds: start of the second, from the fault.
        acknowledged: how many were acknowledged.
        indeterminate: of how many nobody knows.
        failed: how many certainly were not executed.
    """

    at_seconds: int
    acknowledged: int
    indeterminate: int
    failed: int


@dataclass(frozen=True)
class Availability:
    """What one client saw: its name, and its writes by the second."""

    client: str
    seconds: tuple[Second, ...]


@dataclass(frozen=True)
class LagPoint:
    """The replica's lag at a moment, both in seconds, the moment from the fault."""

    at_seconds: float
    lag_seconds: float


@dataclass(frozen=True)
class PhaseSpan:
    """A step of the incident; seconds from the fault, the end None where it never ended."""

    phase: str
    started_at_seconds: float
    finished_at_seconds: float | None
    outcome: str
    detail: str


@dataclass(frozen=True)
class Series:
    """What is drawn along the time axis.

    Attributes:
        starts_at_seconds: the first moment of the drill, from the fault.
        ends_at_seconds: its last moment.
        availability: each client's writes.
        lag: the replica's lag.
        phases: the incident's steps.
    """

    starts_at_seconds: float
    ends_at_seconds: float
    availability: tuple[Availability, ...]
    lag: tuple[LagPoint, ...]
    phases: tuple[PhaseSpan, ...]


def timeline_of(evidence: Evidence) -> tuple[TimelineEvent, ...]:
    """Every recorded event in order of time; where two are equal, causes come before effects as listed here."""
    events = [
        *(
            TimelineEvent(evidence.at(deed.at), _deed_name(evidence, deed.at.monotonic), deed.what, "drill")
            for deed in evidence.deeds
        ),
        *(event for client in evidence.clients for event in _client_events(evidence, client)),
        *_alarm_events(evidence),
        *_incident_events(evidence),
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


def series_of(evidence: Evidence) -> Series:
    """What is drawn along the time axis."""
    incident = evidence.incident
    ends = [evidence.at(attempt.finished_at) for attempt in evidence.attempts]
    return Series(
        starts_at_seconds=min([0.0, *ends]),
        ends_at_seconds=max([0.0, *ends]),
        availability=tuple(Availability(client.name, _seconds(evidence, client)) for client in evidence.clients),
        lag=tuple(LagPoint(evidence.at(sample.at), sample.lag_seconds) for sample in evidence.lag_samples),
        phases=()
        if incident is None
        else tuple(
            PhaseSpan(
                phase=step.phase,
                started_at_seconds=evidence.at(step.started_at),
                finished_at_seconds=None if step.finished_at is None else evidence.at(step.finished_at),
                outcome=step.outcome,
                detail=step.detail,
            )
            for step in incident.steps
        ),
    )


def _seconds(evidence: Evidence, client: ClientHistory) -> tuple[Second, ...]:
    counts: Counter[tuple[int, Outcome]] = Counter(
        (math.floor(evidence.at(attempt.finished_at)), attempt.outcome) for attempt in client.attempts
    )
    seconds = [second for second, _ in counts]
    if not seconds:
        return ()
    return tuple(
        Second(
            at_seconds=second,
            acknowledged=counts[second, Outcome.ACKNOWLEDGED],
            indeterminate=counts[second, Outcome.INDETERMINATE],
            failed=counts[second, Outcome.FAILED],
        )
        for second in range(min(seconds), max(seconds) + 1)
    )


def _deed_name(evidence: Evidence, monotonic: float) -> str:
    return "fault" if monotonic == evidence.fault.at.monotonic else "drill acts"


def _client_events(evidence: Evidence, client: ClientHistory) -> list[TimelineEvent]:
    fault = evidence.fault.at
    refused = [
        attempt
        for attempt in client.attempts
        if attempt.outcome is not Outcome.ACKNOWLEDGED and attempt.finished_at.monotonic > fault.monotonic
    ]
    first_new = evidence.first_acknowledged_by_new(client)
    chosen = (
        ("client starts to write", client.attempts[:1]),
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
    where = "nowhere" if attempt.server_address is None else f"at {attempt.server_address}"
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
        reason = "" if incident.decision is None else incident.decision.reason
        events.append(
            TimelineEvent(
                evidence.at(incident.opened_at),
                "incident opened",
                f"{incident.incident_id}, epoch {incident.epoch}" + (f": {reason}" if reason else ""),
                "controller",
            )
        )
        if incident.trouble_since is not None:
            events.append(
                TimelineEvent(
                    evidence.at(incident.trouble_since), "trouble began, in the controller's eyes", "", "controller"
                )
            )
        events += [
            TimelineEvent(
                evidence.at(step.finished_at),
                f"phase {step.phase}: {step.outcome}",
                f"took {step.finished_at - step.started_at:.1f} s" + (f": {step.detail}" if step.detail else ""),
                "controller",
            )
            for step in incident.steps
            if step.finished_at is not None
        ]
        if incident.closed_at is not None:
            events.append(
                TimelineEvent(evidence.at(incident.closed_at), "incident closed", incident.incident_id, "controller")
            )
    return events


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
