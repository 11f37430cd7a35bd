"""Checks on what was brought back from a snapshot."""

from __future__ import annotations

from drills.evidence import Evidence
from drills.judge.check import Check, numbers
from drills.scenario import DrillOutcome, Scenario


def restore_checks(scenario: Scenario, evidence: Evidence) -> list[Check]:
    """The checks where a scenario restores a snapshot."""
    name = "What had been written before the snapshot came back from its copy"
    restored = evidence.restoration
    if restored is None:
        return [Check(name, passed=False, evidence="nothing was restored")]
    before = {attempt.n for client in evidence.clients for attempt in client.acknowledged_before(restored.taken_at)}
    found = {row.n for row in restored.rows}
    missing = before - found
    after = {attempt.n for client in evidence.clients for attempt in client.acknowledged} - found
    point, took = evidence.recovery_point_seconds or 0.0, evidence.recovery_time_seconds or 0.0
    checks = [
        Check(
            name,
            not missing and bool(before),
            f"{len(before)} rows acknowledged before it, {len(missing)} of them missing{numbers(missing)}; "
            f"{len(found)} rows came back from {restored.snapshot}",
        ),
        Check(
            "The recovery point and the recovery time were measured",
            point > 0,
            f"recovery point: {point:.1f} s before the loss, {len(after)} acknowledged rows are not in it; "
            f"recovery time: {took:.1f} s from the order to the first row read",
        ),
    ]
    if scenario.restored_rows is not None:
        checks.append(
            Check(
                f"The emptied table came back with its {scenario.restored_rows} rows",
                restored.count == scenario.restored_rows,
                f"{restored.count} rows",
            )
        )
    if scenario.expected is DrillOutcome.RESTORED:
        told = [each for each in evidence.messages if each.topic == "failures" and evidence.at(each.sent_at) > 0]
        checks.append(
            Check("People were told of the failure", bool(told), f"messages on the failures topic: {len(told)}")
        )
    return checks
