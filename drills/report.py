"""The report of one drill: what JSON, page and exit code are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drills.check import Check
from drills.checks import allowed_words, checks_of, observed_outcome
from drills.evidence import Evidence
from drills.history import Judgement, judge
from drills.incidents import Incident
from drills.instants import iso
from drills.scenario import DrillOutcome, Scenario
from drills.timeline import Series, TimelineEvent, series_of, timeline_of
from drills.writes_report import ClientReport, Writes, client_reports, writes_of


@dataclass(frozen=True)
class LostRow:
    """An acknowledged row that is gone; the moment of its acknowledgement in seconds from the fault."""

    n: int
    client: str
    acknowledged_at_seconds: float
    beyond_reported: bool


@dataclass(frozen=True)
class DataLoss:
    """What the system said about the loss, and what it was.

    Attributes:
        reported_seconds: the system's upper bound; None where it gave none.
        not_bounded: whether it gave none because it could not, which its incident says by naming none.
        accepted_by: the operator who accepted a loss without bound; None where nobody did.
        measured_seconds: from the earliest lost acknowledgement to the last moment at which one could be lost.
        lag_before_seconds: the replica's lag before the trouble, as the controller saw it.
        rows: every lost row.
    """

    reported_seconds: float | None
    not_bounded: bool
    accepted_by: str | None
    measured_seconds: float
    lag_before_seconds: float | None
    rows: tuple[LostRow, ...]


@dataclass(frozen=True)
class DecisionReport:
    """What was decided, why, and on which signals (each ``yes``, ``no`` or ``unknown``)."""

    action: str
    code: str
    reason: str
    signals: Mapping[str, str]


@dataclass(frozen=True)
class IncidentReport:
    """The controller's own account; ``ordered_by`` is None where it needed nobody."""

    incident_id: str
    epoch: int
    phase: str
    rto_seconds: float | None
    ordered_by: str | None


@dataclass(frozen=True)
class PeopleMessage:
    """What people were told; the moment in seconds from the fault."""

    at_seconds: float
    topic: str
    subject: str
    text: str


@dataclass(frozen=True)
class DrillReport:
    """One drill, judged.

    Attributes:
        scenario: its name.
        summary: what was rehearsed, in a sentence.
        passed: whether every check holds.
        verdict: the result in a sentence.
        expected: what the system had to do, in words.
        outcome: what it did.
        reason: the controller's reason for it, or why the drill was not played to its end.
        started_at: ISO 8601.
        finished_at: ISO 8601.
        fault: what was broken.
        fault_at: ISO 8601; second 0 of everything else.
        rto_seconds: from the fault to the first write acknowledged through the writer's name by the new writer.
        rpo_seconds: data loss as reported by the system.
        writes: counts, of all clients together.
        clients: the client with the writer's name and the one with the multi-host URI, each by itself.
        data_loss: reported against measured.
        decision: None where the controller recorded none.
        incident: None where there was none.
        checks: the conditions of `passed`.
        timeline: what happened, in order.
        messages: what people were told.
        series: what is drawn.
        versions: what ran.
    """

    scenario: str
    summary: str
    passed: bool
    verdict: str
    expected: str
    outcome: DrillOutcome
    reason: str
    started_at: str
    finished_at: str
    fault: str
    fault_at: str
    rto_seconds: float | None
    rpo_seconds: float | None
    writes: Writes
    clients: tuple[ClientReport, ...]
    data_loss: DataLoss
    decision: DecisionReport | None
    incident: IncidentReport | None
    checks: tuple[Check, ...]
    timeline: tuple[TimelineEvent, ...]
    messages: tuple[PeopleMessage, ...]
    series: Series
    versions: Mapping[str, str]


def report_of(scenario: Scenario, evidence: Evidence) -> DrillReport:
    """Judge a drill and put together what is to be said about it."""
    judgement = judge(
        evidence.attempts,
        [] if evidence.final_writer.rows is None else [row.n for row in evidence.final_writer.rows],
        fault_at=evidence.fault.at.wall,
        reported=evidence.reported_loss,
        switch=evidence.switch,
        old_writer_rows=() if evidence.old_writer.rows is None else evidence.old_writer.rows,
    )
    checks = checks_of(scenario, evidence, judgement)
    decision = _decision(evidence)
    clients = client_reports(evidence, judgement)
    outcome = observed_outcome(evidence)
    incident = evidence.incident
    data_loss = _data_loss(evidence, judgement)
    return DrillReport(
        scenario=scenario.name,
        summary=scenario.summary,
        passed=all(check.passed for check in checks),
        verdict=_verdict(checks, outcome, clients, incident, data_loss),
        expected=allowed_words(scenario),
        outcome=outcome,
        reason=_reason(evidence, decision),
        started_at=iso(evidence.started_at.wall),
        finished_at=iso(evidence.finished_at.wall),
        fault=evidence.fault.what,
        fault_at=iso(evidence.fault.at.wall),
        rto_seconds=evidence.rto_seconds(evidence.by_name),
        rpo_seconds=evidence.reported_loss.rpo_seconds,
        writes=writes_of(evidence, judgement),
        clients=clients,
        data_loss=data_loss,
        decision=decision,
        incident=None
        if incident is None
        else IncidentReport(
            incident.incident_id, incident.epoch, incident.phase, incident.rto_seconds, incident.ordered_by
        ),
        checks=checks,
        timeline=timeline_of(evidence),
        messages=tuple(
            PeopleMessage(evidence.at(message.sent_at), message.topic, message.subject, message.text)
            for message in evidence.messages
        ),
        series=series_of(evidence),
        versions=dict(evidence.versions),
    )


def _verdict(
    checks: tuple[Check, ...],
    outcome: DrillOutcome,
    clients: tuple[ClientReport, ...],
    incident: Incident | None,
    data_loss: DataLoss,
) -> str:
    failed = [check for check in checks if not check.passed]
    if failed:
        more = "" if len(failed) == 1 else f" {len(failed) - 1} more of {len(checks)} checks failed."
        return f"This must hold and does not: \u201c{failed[0].name}\u201d ({failed[0].evidence}).{more}"
    if outcome is not DrillOutcome.FAILED_OVER:
        told = "and told people" if outcome is DrillOutcome.ALERTED else "and disturbed nobody"
        return f"The system rightly stayed where it was, {told}; no acknowledged write was lost."
    how = "by itself" if incident is None or incident.ordered_by is None else f"on the word of {incident.ordered_by}"
    taken = ", ".join(
        f"{client.rto_seconds:.1f} s through the {client.name}" for client in clients if client.rto_seconds is not None
    )
    return f"The system recovered {how}: writes were accepted again after {taken}; {_loss_words(data_loss)}."


def _loss_words(data_loss: DataLoss) -> str:
    lost = len(data_loss.rows)
    if lost == 0:
        return "no acknowledged write was lost"
    within = (
        f"a loss without bound, which {data_loss.accepted_by} accepted"
        if data_loss.reported_seconds is None
        else f"within the {data_loss.reported_seconds:.1f} s it reported"
    )
    return f"{lost} acknowledged {'write was' if lost == 1 else 'writes were'} lost, {within}"


def _data_loss(evidence: Evidence, judgement: Judgement) -> DataLoss:
    lost, beyond = set(judgement.lost), set(judgement.lost_beyond_reported_rpo)
    rows = [
        LostRow(attempt.n, client.name, evidence.at(attempt.finished_at), attempt.n in beyond)
        for client in evidence.clients
        for attempt in client.attempts
        if attempt.n in lost
    ]
    return DataLoss(
        reported_seconds=evidence.reported_loss.rpo_seconds,
        not_bounded=evidence.incident is not None and evidence.incident.data_loss_seconds is None,
        accepted_by=evidence.unknown_loss_accepted_by,
        measured_seconds=judgement.measured_loss_seconds,
        lag_before_seconds=None if evidence.incident is None else evidence.incident.lag_before_seconds,
        rows=tuple(sorted(rows, key=lambda row: row.acknowledged_at_seconds)),
    )


def _decision(evidence: Evidence) -> DecisionReport | None:
    """The incident's decision; where nothing was opened, the last one the controller recorded."""
    if evidence.incident is not None:
        decision, signals = evidence.incident.decision, evidence.incident.signals
    elif evidence.controller_after is not None:
        decision, signals = evidence.controller_after.decision, {}
    else:
        return None
    if decision is None:
        return None
    return DecisionReport(decision.action, decision.code, decision.reason, dict(signals))


def _reason(evidence: Evidence, decision: DecisionReport | None) -> str:
    """The controller's reason; of a drill that was not played to its end, why it was not."""
    if evidence.unfinished:
        return "; ".join(evidence.unfinished)
    return "the controller recorded no decision" if decision is None else decision.reason
