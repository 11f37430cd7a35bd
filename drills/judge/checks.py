"""The checks of a drill: which of them apply, and whether they pass."""

from __future__ import annotations

from drills.evidence import PROMOTED_PHASES, Evidence
from drills.judge.check import Check, by_client
from drills.judge.failover_checks import failover_checks
from drills.judge.lost_rows import Judgement
from drills.judge.restore_checks import restore_checks
from drills.judge.write_checks import write_checks, wrote_steadily
from drills.scenario import DrillOutcome, Scenario


def observed_outcome(evidence: Evidence) -> DrillOutcome:
    """What the system did, judged by what it recorded and by what clients saw."""
    if evidence.restoration is not None and evidence.final_writer.rows is None and evidence.old_writer.rows is None:
        return DrillOutcome.RESTORED
    promoted = any(each.phase in PROMOTED_PHASES and not each.is_taken_back for each in evidence.incidents)
    if promoted or evidence.switch is not None:
        return DrillOutcome.FAILED_OVER
    if any(evidence.at(message.sent_at) > 0 for message in evidence.messages):
        return DrillOutcome.ALERTED
    return DrillOutcome.HELD


def checks_of(scenario: Scenario, evidence: Evidence, judgement: Judgement) -> tuple[Check, ...]:
    """All checks of this scenario."""
    outcome = observed_outcome(evidence)
    checks = [
        Check(
            "The drill was completed and all records were read",
            not evidence.unfinished,
            "; ".join(evidence.unfinished) if evidence.unfinished else "nothing is missing",
        ),
        Check(
            f"The system reacted as this failure requires: {allowed_words(scenario)}",
            outcome in scenario.outcomes,
            f"observed: {spoken(outcome)}",
        ),
    ]
    if scenario.expected is DrillOutcome.RESTORED:
        return (*checks, wrote_steadily(evidence), *restore_checks(scenario, evidence))
    checks += write_checks(evidence, judgement)
    if scenario.restored_rows is not None:
        checks += restore_checks(scenario, evidence)
    if _judged_as_failover(scenario, outcome):
        checks += failover_checks(scenario, evidence)
    else:
        checks += _hold_checks(evidence, judgement)
    return tuple(checks)


def spoken(outcome: DrillOutcome) -> str:
    """The outcome in words."""
    return outcome.value.replace("_", " ")


def allowed_words(scenario: Scenario) -> str:
    """What the system may do in a scenario, starting with what is expected."""
    others = sorted(scenario.outcomes - {scenario.expected})
    return " or ".join(spoken(outcome) for outcome in (scenario.expected, *others))


def _judged_as_failover(scenario: Scenario, outcome: DrillOutcome) -> bool:
    """Judged by what the system did, if that is allowed; else by what it should have done, to show what is missing."""
    judged = outcome if outcome in scenario.outcomes else scenario.expected
    return judged is DrillOutcome.FAILED_OVER


def _hold_checks(evidence: Evidence, judgement: Judgement) -> list[Check]:
    moved = evidence.name_moved
    last_action = max((action.at for action in (*evidence.actions, evidence.fault)), key=lambda at: at.monotonic)
    last_writes = {client.name: len(client.acknowledged_after(last_action)) for client in evidence.clients}
    return [
        Check(
            "No acknowledged row is lost",
            not judgement.lost,
            f"lost: {by_client(evidence, judgement.lost)}",
        ),
        Check(
            "The writer's name did not move",
            moved is None and bool(evidence.name_changes),
            f"it answered {moved.address}" if moved is not None else f"{len(evidence.name_changes)} answer(s) seen",
        ),
        Check(
            "The writer is still the same, and answers",
            evidence.final_writer.takes_writes is True and evidence.final_writer.address == evidence.old_address,
            evidence.final_writer.why_not or f"{evidence.final_writer.address} answers",
        ),
        Check(
            "Every client can write at the end",
            all(last_writes.values()),
            ", ".join(f"{name}: {rows} rows" for name, rows in last_writes.items())
            + " acknowledged after the drill's last action",
        ),
    ]
