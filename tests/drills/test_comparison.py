"""Clients beside a drill's own two: what is said of them, and which of them the drill is judged by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from drills.clients.history import ROWS_IN_BLOCK, Attempt, ClientHistory, Outcome
from drills.clients.writes_table import StoredRow
from drills.evidence import Evidence
from drills.report.comparison import comparison_lines
from drills.report.report import ClientReport, DrillReport, report_of
from drills.report.story_report import story_report_of
from drills.runner import write_report
from drills.scenarios import scenario_named
from tests.drills.stories import FAULT_WALL, NEW, OLD, moment, recovered
from tests.drills.there_and_back import there_and_back

SILENT = scenario_named("silent-host")
FIRST_ROW = 4 * ROWS_IN_BLOCK + 1
AGAIN_SECONDS = 18.0
"""When the other client writes to the new writer: 3 s after the promotion that the controller saw."""


def other(*, documented: bool, server: str | None = NEW, waits_until: float = 2.0) -> ClientHistory:
    """Another client: one attempt breaks, and it writes again after the failover."""
    before = [attempt(n, -5.0 + n * 0.1, OLD) for n in range(50)]
    broken = Attempt(FIRST_ROW + 50, moment(0.0), moment(waits_until), Outcome.INDETERMINATE, OLD, "timeout")
    after = [attempt(51 + n, max(AGAIN_SECONDS, waits_until) + n * 0.1, server) for n in range(50)]
    return ClientHistory("jvm-like", (*before, broken, *after), 4, documented)


def attempt(n: int, at_seconds: float, server: str | None) -> Attempt:
    return Attempt(FIRST_ROW + n, moment(at_seconds - 0.01), moment(at_seconds), Outcome.ACKNOWLEDGED, server)


def beside(client: ClientHistory, *, lost: frozenset[int] = frozenset()) -> Evidence:
    """A drill with that client, whose acknowledged rows are in the new writer but for those that are lost."""
    story = recovered()
    final = story.final_writer
    assert final.rows is not None
    rows = tuple(StoredRow(each.n, each.finished_at.wall) for each in client.acknowledged if each.n not in lost)
    return replace(story, others=(client,), final_writer=replace(final, rows=(*final.rows, *rows)))


def astray(client: ClientHistory) -> ClientHistory:
    """The same, and the old writer acknowledged a row of it when it had come back."""
    return replace(client, attempts=(*client.attempts, attempt(900, 22.0, OLD)))


ASTRAY_ROW = frozenset({FIRST_ROW + 900})


def failed(report: DrillReport) -> list[str]:
    return [check.name for check in report.checks if not check.passed]


def of_other(report: DrillReport) -> ClientReport:
    return report.clients[2]


@pytest.mark.parametrize("documented", [True, False])
def test_a_client_that_does_as_it_should_is_compared_with_the_two(documented: bool) -> None:
    report = report_of(SILENT, beside(other(documented=documented)))
    assert failed(report) == []
    client = of_other(report)
    assert client.rto_seconds == pytest.approx(18.0)
    assert client.after_promotion_seconds == pytest.approx(3.0)
    assert client.after_name_moved_seconds == pytest.approx(0.1)
    assert (client.writes.acknowledged, client.writes.lost, client.hung) == (100, 0, False)


def test_what_goes_wrong_with_a_client_of_other_settings_is_said_and_fails_no_drill() -> None:
    client = astray(other(documented=False, waits_until=60.0))
    evidence = beside(client, lost=ASTRAY_ROW)
    report = report_of(SILENT, evidence)
    assert failed(report) == []
    assert report.writes == report_of(SILENT, recovered()).writes
    writes = of_other(report).writes
    assert (writes.lost, writes.accepted_by_old_writer_after_switch) == (1, 1)
    assert comparison_lines(report)[-1] == "jvm-like: wrote 1 row to the old writer after the switch; hung for 60 s"


def test_the_same_of_a_client_with_documented_settings_fails_the_drill() -> None:
    late = report_of(SILENT, beside(other(documented=True, waits_until=60.0)))
    assert failed(late) == [
        "Every client writes again within 15 s of the promotion, or with the name of its move",
        "No client hung: none waited more than 25 s for an attempt to end",
    ]
    wrong = report_of(SILENT, beside(astray(other(documented=True)), lost=ASTRAY_ROW))
    assert "The old writer accepted nothing after the switch" in failed(wrong)


def test_a_client_by_name_has_its_time_from_the_name_s_move() -> None:
    """Its first write comes 18.4 s after the fault, the promotion 15.0 s and the move 17.9 s after it."""
    moved = recovered().name_changes
    strict = replace(SILENT, back_within_seconds=3.0)
    assert failed(report_of(strict, recovered())) == []
    early = replace(recovered(), name_changes=(moved[0], replace(moved[1], at=moment(9.0))))
    assert len(failed(report_of(strict, early))) == 1


def test_only_the_silent_host_demands_that_of_clients() -> None:
    late = beside(other(documented=True, waits_until=60.0))
    assert failed(report_of(scenario_named("primary-crash"), late)) == []


def test_a_client_that_does_not_know_its_server_is_taken_to_be_back_once_there_is_a_new_one() -> None:
    for unknown in (None, "192.0.2.1"):
        early = attempt(800, 0.1, unknown)
        history = other(documented=False, server=unknown)
        report = report_of(SILENT, beside(replace(history, attempts=(early, *history.attempts))))
        assert of_other(report).rto_seconds == pytest.approx(18.0)
        assert failed(report) == []


def test_a_row_of_a_program_that_said_nothing_of_it_is_no_row_of_the_drill() -> None:
    story = beside(other(documented=False))
    rows = story.final_writer.rows
    assert rows is not None
    unsaid = replace(story.final_writer, rows=(*rows, StoredRow(FIRST_ROW + 999, FAULT_WALL)))
    assert failed(report_of(SILENT, replace(story, final_writer=unsaid))) == []


def test_writes_to_the_old_writer_are_not_drawn_as_if_all_were_well(tmp_path: Path) -> None:
    for client, drawn in ((other(documented=False), False), (astray(other(documented=False)), True)):
        report = report_of(SILENT, beside(client, lost=ASTRAY_ROW))
        page = write_report(report, tmp_path).read_text(encoding="utf-8")
        assert ("by the old writer</text>" in page) is drawn
        assert ("1 astray" in page) is drawn


def test_a_story_compares_them_in_each_failover_and_is_judged_without_them(tmp_path: Path) -> None:
    story = there_and_back()
    alone = story_report_of(story)
    lost = replace(other(documented=False), attempts=(attempt(0, -1.0, OLD), attempt(1, 20.0, NEW)))
    report = story_report_of(replace(story, whole=replace(story.whole, others=(lost,))))
    assert report.passed
    assert (report.lost, report.acknowledged) == (alone.lost, alone.acknowledged)
    page = write_report(report, tmp_path).read_text(encoding="utf-8")
    assert page.partition("The clients in each failover")[2].count("<b>jvm-like</b>") == 2
    assert "The clients in each failover" not in write_report(alone, tmp_path).read_text(encoding="utf-8")


def test_the_page_says_who_is_judged_and_what_was_wrong_with_the_others(tmp_path: Path) -> None:
    client = replace(other(documented=False), name="my-client", trouble="it printed nonsense: <b>")
    page = write_report(report_of(SILENT, beside(client)), tmp_path).read_text(encoding="utf-8")
    for words in ("my-client", "a program of your own", "it printed nonsense: &lt;b&gt;", "neither pass nor fail"):
        assert words in page
