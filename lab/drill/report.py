"""The report of one drill: what JSON, page and exit code are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lab.drill.checks import Check, checks_of, observed_outcome
from lab.drill.evidence import Evidence
from lab.drill.history import Judgement, judge
from lab.drill.instants import iso
from lab.drill.scenario import DrillOutcome, Scenario
from lab.drill.timeline import Series, TimelineEvent, outage_seconds, series_of, timeline_of


@dataclass(frozen=True)
class Writes:
    """Counts of rows; the classes are those of the judge."""

    attempted: int
    acknowledged: int
    indeterminate: int
    failed: int
    read_back: int
    lost: int
    lost_beyond_reported_rpo: int
    accepted_by_old_writer_after_switch: int
    indeterminate_found: int
    unexpected: int
    duplicates: int
    failed_but_found: int


@dataclass(frozen=True)
class LostRow:
    """An acknowledged row that is gone; the moment of its acknowledgement in seconds from the fault."""

    n: int
    acknowledged_at_seconds: float
    beyond_reported: bool


@dataclass(frozen=True)
class DataLoss:
    """What the system said about the loss, and what it was.

    Attributes:
        reported_seconds: the system's upper bound; None where it gave none.
        measured_seconds: from the earliest lost acknowledgement to the last moment at which one could be lost.
        lag_before_seconds: the replica's lag before the trouble, as the controller saw it.
        window_starts_at_seconds: the earliest acknowledgement that the report covers, from the fault.
        rows: every lost row.
    """

    reported_seconds: float | None
    measured_seconds: float
    lag_before_seconds: float | None
    window_starts_at_seconds: float
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
    """The controller's own account."""

    incident_id: str
    epoch: int
    phase: str
    rto_seconds: float | None


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
        expected_outcome: what the system had to do.
        outcome: what it did.
        reason: the controller's reason for it, or why the drill was not played to its end.
        started_at: ISO 8601.
        finished_at: ISO 8601.
        fault: what was broken.
        fault_at: ISO 8601; second 0 of everything else.
        rto_seconds: from the fault to the first write acknowledged through the writer's name by the new writer.
        rpo_seconds: data loss as reported by the system.
        outage_seconds: longest time without an acknowledged write, from the last one before the fault.
        writes: counts.
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
    expected_outcome: DrillOutcome
    outcome: DrillOutcome
    reason: str
    started_at: str
    finished_at: str
    fault: str
    fault_at: str
    rto_seconds: float | None
    rpo_seconds: float | None
    outage_seconds: float
    writes: Writes
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
    final_rows = () if evidence.final_writer.rows is None else evidence.final_writer.rows
    judgement = judge(
        evidence.attempts,
        [row.n for row in final_rows],
        fault_at=evidence.fault.at.wall,
        reported=evidence.reported_loss,
        switch=evidence.switch,
        old_writer_rows=() if evidence.old_writer.rows is None else evidence.old_writer.rows,
    )
    checks = checks_of(scenario, evidence, judgement)
    decision = _decision(evidence)
    first_new = evidence.first_acknowledged_by_new
    rto_seconds = None if first_new is None else evidence.at(first_new.finished_at)
    outcome = observed_outcome(evidence)
    incident = evidence.incident
    data_loss = _data_loss(evidence, judgement)
    return DrillReport(
        scenario=scenario.name,
        summary=scenario.summary,
        passed=all(check.passed for check in checks),
        verdict=_verdict(checks, outcome, rto_seconds, data_loss),
        expected_outcome=scenario.expected,
        outcome=outcome,
        reason=_reason(evidence, decision),
        started_at=iso(evidence.started_at.wall),
        finished_at=iso(evidence.finished_at.wall),
        fault=evidence.fault.what,
        fault_at=iso(evidence.fault.at.wall),
        rto_seconds=rto_seconds,
        rpo_seconds=evidence.reported_loss.rpo_seconds,
        outage_seconds=outage_seconds(evidence),
        writes=_writes(judgement, len(final_rows)),
        data_loss=data_loss,
        decision=decision,
        incident=None
        if incident is None
        else IncidentReport(incident.incident_id, incident.epoch, incident.phase, incident.rto_seconds),
        checks=checks,
        timeline=timeline_of(evidence),
        messages=tuple(
            PeopleMessage(evidence.at(message.sent_at), message.topic, message.subject, message.text)
            for message in evidence.messages
        ),
        series=series_of(evidence),
        versions=dict(evidence.versions),
    )


def _verdict(checks: tuple[Check, ...], outcome: DrillOutcome, rto_seconds: float | None, data_loss: DataLoss) -> str:
    failed = [check for check in checks if not check.passed]
    if failed:
        more = "" if len(failed) == 1 else f" {len(failed) - 1} more of {len(checks)} checks failed."
        return f"This must hold and does not: \u201c{failed[0].name}\u201d ({failed[0].evidence}).{more}"
    if outcome is not DrillOutcome.FAILED_OVER or rto_seconds is None:
        told = "and told people" if outcome is DrillOutcome.ALERTED else "and disturbed nobody"
        return f"The system rightly stayed where it was, {told}; no acknowledged write was lost."
    lost = len(data_loss.rows)
    if lost == 0:
        losses = "no acknowledged write was lost"
    else:
        within = "" if data_loss.reported_seconds is None else f" the {data_loss.reported_seconds:.1f} s it reported"
        losses = f"{lost} acknowledged {'write was' if lost == 1 else 'writes were'} lost, within{within}"
    return f"The system recovered by itself: writes were accepted again after {rto_seconds:.1f} s; {losses}."


def _writes(judgement: Judgement, read_back: int) -> Writes:
    return Writes(
        attempted=len(judgement.attempted),
        acknowledged=len(judgement.acknowledged),
        indeterminate=len(judgement.indeterminate_found) + len(judgement.indeterminate_missing),
        failed=len(judgement.failed),
        read_back=read_back,
        lost=len(judgement.lost),
        lost_beyond_reported_rpo=len(judgement.lost_beyond_reported_rpo),
        accepted_by_old_writer_after_switch=len(judgement.accepted_by_old_writer_after_switch),
        indeterminate_found=len(judgement.indeterminate_found),
        unexpected=len(judgement.unexpected),
        duplicates=len(judgement.duplicates),
        failed_but_found=len(judgement.failed_but_found),
    )


def _data_loss(evidence: Evidence, judgement: Judgement) -> DataLoss:
    lost, beyond = set(judgement.lost), set(judgement.lost_beyond_reported_rpo)
    return DataLoss(
        reported_seconds=evidence.reported_loss.rpo_seconds,
        measured_seconds=judgement.measured_loss_seconds,
        lag_before_seconds=None if evidence.incident is None else evidence.incident.lag_before_seconds,
        window_starts_at_seconds=evidence.at(judgement.loss_window_starts_at),
        rows=tuple(
            LostRow(attempt.n, evidence.at(attempt.finished_at), attempt.n in beyond)
            for attempt in evidence.attempts
            if attempt.n in lost
        ),
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
