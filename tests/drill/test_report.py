"""What a drill's report says, for machines and for people."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from lab.drill.evidence import Evidence
from lab.drill.history import StoredRow
from lab.drill.report import DrillReport, report_of
from lab.drill.runner import write_report
from lab.drill.scenarios import scenario_named
from lab.drill.svg_markers import Marker, placed
from tests.drill.stories import FAULT_WALL, LOST, never_recovered, recovered

KEYS = {
    "scenario",
    "passed",
    "outcome",
    "reason",
    "rto_seconds",
    "rpo_seconds",
    "writes",
    "timeline",
    "started_at",
    "versions",
    "checks",
    "signals",
    "messages",
}
WRITES = {
    "attempted",
    "acknowledged",
    "indeterminate",
    "lost",
    "lost_beyond_reported_rpo",
    "accepted_by_old_writer_after_switch",
}


def reported(evidence: Evidence) -> DrillReport:
    return report_of(scenario_named("primary-crash"), evidence)


def failed_checks(report: DrillReport) -> list[str]:
    return [check.name for check in report.checks if not check.passed]


def test_the_json_has_exactly_the_keys_that_tools_read(tmp_path: Path) -> None:
    write_report(reported(recovered()), tmp_path)
    content = json.loads((tmp_path / "drill-primary-crash.json").read_text(encoding="utf-8"))
    assert set(content) == KEYS
    assert set(content["writes"]) == WRITES
    assert all(set(event) == {"at_seconds", "event", "detail"} for event in content["timeline"])


def test_a_recovery_with_a_loss_within_the_reported_one_passes() -> None:
    report = reported(recovered())
    assert failed_checks(report) == []
    assert report.passed
    assert report.outcome == "failed_over"
    assert report.rto_seconds is not None
    assert abs(report.rto_seconds - 18.4) < 0.01
    assert (report.writes.lost, report.writes.lost_beyond_reported_rpo) == (len(LOST), 0)
    assert "2 acknowledged writes were lost" in report.verdict


def test_a_drill_without_recovery_fails_and_says_why(tmp_path: Path) -> None:
    report = reported(never_recovered())
    assert not report.passed
    assert report.rto_seconds is None
    assert "Writes are accepted again within 60 s" in failed_checks(report)
    page = write_report(report, tmp_path).read_text(encoding="utf-8")
    assert "Failed." in page
    assert "NOT TRUE" in page


def test_a_drill_that_stopped_in_the_middle_fails_with_the_cause_as_its_reason() -> None:
    report = reported(replace(recovered(), unfinished=("the drill ended early: the system is not ready",)))
    assert not report.passed
    assert report.reason == "the drill ended early: the system is not ready"
    assert report.reason in report.verdict


def test_a_row_the_old_writer_took_after_the_switch_fails_the_drill() -> None:
    story = recovered()
    split = (StoredRow(121, FAULT_WALL + 19.0),)
    report = reported(replace(story, old_writer=replace(story.old_writer, rows=split, takes_writes=True, why_not="")))
    assert failed_checks(report) == ["The old writer accepted nothing after the switch"]


def test_a_loss_that_was_reported_too_small_fails_the_drill() -> None:
    story = recovered()
    small = replace(story.incidents[0], data_loss_seconds=0.0, trouble_since=FAULT_WALL)
    report = reported(replace(story, incidents=(small,)))
    assert report.writes.lost_beyond_reported_rpo == len(LOST)
    assert not report.passed


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    page = write_report(reported(recovered()), tmp_path).read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(|\ssrc=|\shref=", page)
    assert "prefers-color-scheme: dark" in page


def test_the_page_shows_what_others_wrote_as_text(tmp_path: Path) -> None:
    page = write_report(reported(recovered()), tmp_path).read_text(encoding="utf-8")
    assert "Writes go to &lt;recovery&gt; &amp; are accepted." in page


def test_labels_of_close_moments_neither_overlap_nor_are_crossed_by_a_line() -> None:
    markers = [Marker(at, "a long enough label", "drill") for at in (0.0, 0.1, 0.1, 1.0, 6.0, 19.0, 20.0)]
    labels = placed(markers, lambda at: 100 + 40 * at, right_edge=1080)
    for index, label in enumerate(labels):
        assert label.ends_at <= 1080
        for later in labels[index + 1 :]:
            assert later.x >= label.ends_at or later.row > label.row
