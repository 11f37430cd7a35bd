"""The report renders for each kind of ending, and its JSON has the keys that tools read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from drills.evidence import Evidence
from drills.report.report import report_of
from drills.runner import write_report
from drills.scenarios import scenario_named
from tests.drills.stories import held, never_recovered, recovered, unfinished

KEYS = {
    "scenario", "passed", "outcome", "reason", "rto_seconds", "rpo_seconds", "writes", "recovery_point_seconds",
    "recovery_time_seconds", "timeline", "started_at",
    "versions", "checks", "signals", "messages", "clients",
}  # fmt: skip
CLIENT = {
    "name", "documented_settings", "writes", "outage_seconds", "rto_seconds", "after_promotion_seconds",
    "after_name_moved_seconds", "longest_wait_seconds", "hung", "trouble",
}  # fmt: skip
WRITES = {
    "attempted", "acknowledged", "indeterminate", "lost", "lost_beyond_reported_rpo",
    "accepted_by_old_writer_after_switch",
}  # fmt: skip


def accepted_without_a_bound() -> Evidence:
    story = recovered()
    return replace(story, incidents=(replace(story.incidents[0], data_loss_seconds=None),))


@pytest.mark.parametrize(
    ("scenario", "story", "word"),
    [
        ("primary-crash", recovered(), "Passed."),
        ("primary-crash", accepted_without_a_bound(), "Failed."),
        ("primary-crash", never_recovered(), "Failed."),
        ("primary-crash", unfinished(), "Failed."),
        ("maintenance-reboot", held(), "Passed."),
    ],
)
def test_every_ending_makes_a_page_that_says_which_and_loads_nothing_from_elsewhere(
    tmp_path: Path, scenario: str, story: Evidence, word: str
) -> None:
    report = report_of(scenario_named(scenario), story)
    page = write_report(report, tmp_path).read_text(encoding="utf-8")
    assert f"<b>{word}</b>" in page
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(|\ssrc=|\shref=", page)
    if story.messages:
        assert "Writes go to &lt;recovery&gt; &amp; are accepted." in page


def test_the_json_has_exactly_the_keys_that_tools_read(tmp_path: Path) -> None:
    write_report(report_of(scenario_named("primary-crash"), recovered()), tmp_path)
    content = json.loads((tmp_path / "drill-primary-crash.json").read_text(encoding="utf-8"))
    assert set(content) == KEYS
    assert set(content["writes"]) == WRITES
    assert [client["name"] for client in content["clients"]] == ["writer's name", "multi-host URI"]
    for client in content["clients"]:
        assert set(client) == CLIENT
        assert set(client["writes"]) == WRITES | {"failed", "acknowledged_on_fresh_connections"}
    assert all(set(event) == {"at_seconds", "event", "detail"} for event in content["timeline"])
