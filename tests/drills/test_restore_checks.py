"""What a drill asks of a restore: the rows of the snapshot, how old they were, and that people were told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.clients.writes_table import StoredRow
from drills.evidence import Evidence
from drills.judge.check import Check
from drills.judge.restore_checks import restore_checks
from drills.records.restoration import Restoration
from drills.scenarios import scenario_named
from tests.drills.stories import moment, recovered, time

TAKEN_AT = moment(-3.0)
BEFORE = tuple(
    StoredRow(each.n, each.finished_at.wall)
    for client in recovered().clients
    for each in client.acknowledged_before(TAKEN_AT)
)
COMPLETE = Restoration("copy-1", TAKEN_AT, time(-2.5), moment(10.0), moment(14.0), BEFORE, 1000)
EXPECTED = {
    "restore-from-snapshot": [
        "What had been written before the snapshot came back from its copy",
        "The recovery point and the recovery time were measured",
        "People were told of the failure",
    ],
    "bad-delete": [
        "What had been written before the snapshot came back from its copy",
        "The recovery point and the recovery time were measured",
        "The emptied table came back with its 1000 rows",
    ],
}


def judged(scenario: str, restoration: Restoration | None, evidence: Evidence | None = None) -> list[Check]:
    return restore_checks(scenario_named(scenario), replace(evidence or recovered(), restoration=restoration))


def failed(checks: list[Check]) -> list[str]:
    return [each.name for each in checks if not each.passed]


@pytest.mark.parametrize("scenario", EXPECTED)
def test_a_copy_with_all_that_was_written_before_it_passes_and_its_age_and_time_are_told(scenario: str) -> None:
    checks = judged(scenario, COMPLETE)
    assert failed(checks) == []
    assert [each.name for each in checks] == EXPECTED[scenario]
    assert "recovery point: 2.5 s before the loss" in checks[1].evidence
    assert "recovery time: 4.0 s from the order" in checks[1].evidence


@pytest.mark.parametrize("rows", [BEFORE[1:], ()], ids=["one is missing", "it is empty"])
def test_a_row_of_before_the_snapshot_that_did_not_come_back_fails_the_drill(rows: tuple[StoredRow, ...]) -> None:
    checks = judged("restore-from-snapshot", replace(COMPLETE, rows=rows))
    assert failed(checks) == EXPECTED["restore-from-snapshot"][:1]
    assert f"{len(BEFORE) - len(rows)} of them missing" in checks[0].evidence


def test_a_table_that_came_back_in_part_fails_the_drill() -> None:
    assert failed(judged("bad-delete", replace(COMPLETE, count=999))) == EXPECTED["bad-delete"][2:]


def test_a_loss_of_both_databases_that_nobody_was_told_of_fails_the_drill() -> None:
    unheard = replace(recovered(), messages=())
    assert failed(judged("restore-from-snapshot", COMPLETE, unheard)) == EXPECTED["restore-from-snapshot"][2:]


def test_a_drill_in_which_nothing_was_restored_fails() -> None:
    assert failed(judged("bad-delete", None)) == EXPECTED["bad-delete"][:1]
