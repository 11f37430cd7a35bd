"""The outputs file is whole at any moment (P2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployment.flat_outputs import write


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    file = tmp_path / "flat-outputs.json"
    write({"a": "old"}, file)
    before = file.read_text()
    with pytest.raises(TypeError):
        write({"a": object()}, file)
    assert file.read_text() == before
    assert list(tmp_path.iterdir()) == [file]


def test_every_tool_on_the_machine_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "flat-outputs.json"
    write({}, file)
    assert file.stat().st_mode & 0o044 == 0o044
