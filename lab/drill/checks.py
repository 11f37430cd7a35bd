"""The conditions of a passed drill. Each is a statement about the system, true or not, with what it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from lab.drill.evidence import PROMOTED_PHASES, Evidence
from lab.drill.history import Judgement
from lab.drill.scenario import DrillOutcome, Scenario

MIN_STEADY_WRITES = 20
SHOWN_NUMBERS = 8


@dataclass(frozen=True)
class Check:
    """One condition.

    Attributes:
        name: the statement.
        passed: whether it is true.
        evidence: what was seen, in either case.
    """

    name: str
    passed: bool
    evidence: str


def observed_outcome(evidence: Evidence) -> DrillOutcome:
    """What the system did, by its traces and not by its word alone."""
    promoted = any(incident.phase in PROMOTED_PHASES for incident in evidence.incidents)
    if promoted or evidence.switch is not None:
        return DrillOutcome.FAILED_OVER
    if any(evidence.at(message.sent_at) > 0 for message in evidence.messages):
        return DrillOutcome.ALERTED
    return DrillOutcome.HELD


def checks_of(scenario: Scenario, evidence: Evidence, judgement: Judgement) -> tuple[Check, ...]:
    """All conditions that this scenario must meet."""
    outcome = observed_outcome(evidence)
    checks = [
        Check(
            "The drill was played to its end and all records were read",
            not evidence.unfinished,
            "; ".join(evidence.unfinished) if evidence.unfinished else "nothing is missing",
        ),
        Check(
            f"The system did what this failure calls for: {spoken(scenario.expected)}",
            outcome is scenario.expected,
            f"observed: {spoken(outcome)}",
        ),
        *_history_checks(evidence, judgement),
    ]
    if scenario.expected is DrillOutcome.FAILED_OVER:
        checks += _failover_checks(scenario, evidence)
    else:
        checks += _hold_checks(evidence, judgement)
    return tuple(checks)


def spoken(outcome: DrillOutcome) -> str:
    """The outcome in words."""
    return outcome.value.replace("_", " ")


def _history_checks(evidence: Evidence, judgement: Judgement) -> list[Check]:
    acknowledged = set(judgement.acknowledged)
    before = sum(
        1 for attempt in evidence.attempts if attempt.n in acknowledged and evidence.at(attempt.finished_at) <= 0
    )
    final = evidence.final_writer
    reported = evidence.reported_loss.rpo_seconds
    return [
        Check(
            "The client was writing steadily before the fault",
            before >= MIN_STEADY_WRITES,
            f"{before} rows acknowledged before it, at least {MIN_STEADY_WRITES} asked for",
        ),
        Check(
            "The writer of the end was read back",
            final.rows is not None,
            f"{final.address} holds {len(final.rows)} rows" if final.rows is not None else final.why_not,
        ),
        Check(
            "No acknowledged row is lost beyond the data loss that the system reported",
            not judgement.lost_beyond_reported_rpo,
            f"{len(judgement.lost)} lost, {len(judgement.lost_beyond_reported_rpo)} of them beyond "
            + ("a loss that was never reported" if reported is None else f"the {reported:g} s reported")
            + numbers(judgement.lost_beyond_reported_rpo),
        ),
        Check(
            "The old writer accepted nothing after the switch",
            not judgement.accepted_by_old_writer_after_switch,
            _old_writer_words(evidence)
            + f"; {len(judgement.accepted_by_old_writer_after_switch)} rows accepted"
            + numbers(judgement.accepted_by_old_writer_after_switch),
        ),
        Check(
            "Nothing is stored that was never attempted, or twice, or that the client knew to have failed",
            not (judgement.unexpected or judgement.duplicates or judgement.failed_but_found),
            f"{len(judgement.unexpected)} unexpected, {len(judgement.duplicates)} twice, "
            f"{len(judgement.failed_but_found)} failed but found",
        ),
    ]


def _failover_checks(scenario: Scenario, evidence: Evidence) -> list[Check]:
    first = evidence.first_acknowledged_by_new
    incident = evidence.incident
    rto = None if first is None else evidence.at(first.finished_at)
    limit = scenario.rto_limit_seconds
    checks = [
        Check(
            f"Writes are accepted again within {limit:g} s",
            rto is not None and rto <= limit,
            "no write was acknowledged by another database" if rto is None else f"after {rto:.1f} s",
        ),
        Check(
            "The database behind the name is a writer in its own right",
            evidence.final_writer.takes_writes is True and evidence.final_writer.address != evidence.old_address,
            f"{evidence.final_writer.address}: "
            + {True: "takes writes", False: "still replays another one's log", None: evidence.final_writer.why_not}[
                evidence.final_writer.takes_writes
            ],
        ),
        _name_moved_once(evidence),
        Check(
            "There was one incident, and it is closed",
            len(evidence.incidents) == 1 and incident is not None and incident.phase == "closed",
            ", ".join(f"{one.incident_id} is {one.phase}" for one in evidence.incidents) or "no incident was recorded",
        ),
        _epoch_grew_by_one(evidence),
        Check(
            "The old writer was fenced before the promotion, or the attempt is on record",
            _fence_recorded(evidence),
            _fence_words(evidence),
        ),
        Check(
            "The data loss is reported",
            evidence.reported_loss.rpo_seconds is not None,
            "at most " + f"{evidence.reported_loss.rpo_seconds:g} s"
            if evidence.reported_loss.rpo_seconds is not None
            else "the incident names none",
        ),
    ]
    for topic, about in (("failures", "the failure"), ("recovery", "the recovery")):
        told = [message for message in evidence.messages if message.topic == topic and evidence.at(message.sent_at) > 0]
        checks.append(Check(f"People were told of {about}", bool(told), f"messages on the {topic} topic: {len(told)}"))
    return checks


def _hold_checks(evidence: Evidence, judgement: Judgement) -> list[Check]:
    moved = evidence.name_moved
    return [
        Check(
            "No acknowledged row is lost",
            not judgement.lost,
            f"{len(judgement.lost)} lost{numbers(judgement.lost)}",
        ),
        Check(
            "The writer's name never moved",
            moved is None and bool(evidence.name_changes),
            f"it answered {moved.address}" if moved is not None else f"{len(evidence.name_changes)} answer(s) seen",
        ),
        Check(
            "The old writer is still the writer, and answers",
            evidence.final_writer.takes_writes is True and evidence.final_writer.address == evidence.old_address,
            evidence.final_writer.why_not or f"{evidence.final_writer.address} answers",
        ),
    ]


def _name_moved_once(evidence: Evidence) -> Check:
    after = [answer for answer in evidence.name_changes if evidence.at(answer.at) > 0]
    moves = ", ".join(f"{answer.address} at {evidence.at(answer.at):.1f} s" for answer in after)
    return Check(
        "The writer's name moved to the other database, once, and stayed there",
        len(after) == 1 and after[0].address != evidence.old_address,
        moves or "it never moved",
    )


def _epoch_grew_by_one(evidence: Evidence) -> Check:
    before, after = evidence.controller_before, evidence.controller_after
    first_epoch = 0 if before is None else before.epoch
    return Check(
        "The epoch grew by one",
        after is not None and after.epoch == first_epoch + 1,
        f"from {first_epoch} to {'(no state)' if after is None else after.epoch}",
    )


def _fence_recorded(evidence: Evidence) -> bool:
    incident = evidence.incident
    if incident is None:
        return False
    fences = [
        step for step in incident.steps if step.phase == "fenced" and step.finished_at is not None and step.outcome
    ]
    promotions = [step for step in incident.steps if step.phase == "promoting"]
    return bool(fences and promotions) and fences[0].started_at <= promotions[0].started_at


def _fence_words(evidence: Evidence) -> str:
    incident = evidence.incident
    fences = [] if incident is None else [step for step in incident.steps if step.phase == "fenced"]
    return "; ".join(f"{step.outcome or 'unfinished'}: {step.detail}" for step in fences) or "no fence is on record"


def _old_writer_words(evidence: Evidence) -> str:
    old = evidence.old_writer
    if old.rows is None:
        return f"it does not answer ({old.why_not})"
    return f"it answers and holds {len(old.rows)} rows"


def numbers(rows: tuple[int, ...]) -> str:
    """The first of some row numbers, as an aside; empty where there are none."""
    if not rows:
        return ""
    more = "" if len(rows) <= SHOWN_NUMBERS else f" and {len(rows) - SHOWN_NUMBERS} more"
    return " (rows " + ", ".join(str(n) for n in rows[:SHOWN_NUMBERS]) + more + ")"
