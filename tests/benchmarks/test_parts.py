"""`nox -s bench -- PART ...` measures what is named."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import PARTS, parts_of


def test_without_a_name_everything_is_measured() -> None:
    assert parts_of([]) == list(PARTS)


def test_the_first_run_can_be_left_out() -> None:
    assert parts_of(["--without-first-run"]) == [part for part in PARTS if part != "first-run"]


def test_only_what_is_named_is_measured() -> None:
    assert parts_of(["simulation", "own-time"]) == ["own-time", "simulation"]


def test_an_unknown_part_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parts_of(["simulations"])
    assert stopped.value.code == 2
    assert "PART = simulations: give any of lab, ground" in capsys.readouterr().err
