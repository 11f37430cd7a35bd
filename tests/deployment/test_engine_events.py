"""What an operation did is read from the engine's own events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deployment.engine_events import Summary, read_summary
from tests.deployment.answers import event, event_log, summary_event


def log(tmp_path: Path, *lines: Mapping[str, Any], rest: bytes = b"") -> Path:
    file = tmp_path / "events"
    file.write_bytes("".join(json.dumps(line) + "\n" for line in lines).encode() + rest)
    return file


def test_an_operation_that_never_began_has_an_empty_summary(tmp_path: Path) -> None:
    assert read_summary(tmp_path / "missing") == Summary()
    assert read_summary(log(tmp_path)) == Summary()


def test_a_summary_has_the_changes(tmp_path: Path) -> None:
    file = log(tmp_path, *event_log({"create": 3, "same": 2}, is_preview=False, result="failed"))
    assert read_summary(file) == Summary(changes={"create": 3, "same": 2}, is_preview=False)


def test_the_last_summary_wins(tmp_path: Path) -> None:
    preview, update = summary_event({"create": 3}, is_preview=True), summary_event({"create": 2}, is_preview=False)
    assert read_summary(log(tmp_path, preview, update)).changes == {"create": 2}
    assert not read_summary(log(tmp_path, preview, update)).is_preview
    assert read_summary(log(tmp_path, update, preview)).is_preview


def test_other_events_are_passed_over(tmp_path: Path) -> None:
    lines = [event(0, "diagnosticEvent", {"message": "summaryEvent"}), event(1, "resourcePreEvent", {})]
    assert read_summary(log(tmp_path, *lines)) == Summary()


def test_the_half_written_line_of_a_killed_process_is_passed_over(tmp_path: Path) -> None:
    file = log(tmp_path, summary_event({"update": 1}, is_preview=True), rest=b'{"sequence":7,"summaryEv')
    assert read_summary(file).changes == {"update": 1}


def test_a_line_that_was_cut_within_a_character_is_passed_over(tmp_path: Path) -> None:
    cut = b'{"diagnosticEvent":{"message":"gr\xc3'
    assert read_summary(log(tmp_path, summary_event({"update": 1}, is_preview=True), rest=cut)).changes == {"update": 1}


def test_a_summary_without_changes_is_read_too(tmp_path: Path) -> None:
    empty = event(1, "summaryEvent", {"resourceChanges": None, "isPreview": False, "result": "succeeded"})
    assert read_summary(log(tmp_path, empty)).text() == "0 changes"


@pytest.mark.parametrize(
    ("changes", "is_preview", "text"),
    [
        ({}, True, "0 changes"),
        ({"same": 73}, True, "0 changes, 73 unchanged"),
        ({"create": 3}, True, "3 to create"),
        ({"create": 3}, False, "3 created"),
        ({"create": 1, "update": 2, "same": 5}, True, "1 to create, 2 to update, 5 unchanged"),
        ({"delete": 4, "replace": 1}, False, "4 deleted, 1 replaced"),
        ({"refresh": 2, "import": 1}, False, "2 refreshed, 1 imported"),
        # References to other stacks, which every run reads anew.
        ({"read": 3, "discard": 3, "same": 2}, False, "0 changes, 2 unchanged"),
        ({"create": 0, "same": 1}, False, "0 changes, 1 unchanged"),
    ],
)
def test_the_changes_are_told_in_a_few_words(changes: dict[str, int], is_preview: bool, text: str) -> None:
    assert Summary(changes=changes, is_preview=is_preview).text() == text
