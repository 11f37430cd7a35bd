"""`nox -s bench -- PART ...` measures what is named."""

from __future__ import annotations

import pytest

from benchmarks import simulation
from benchmarks.__main__ import PARTS, chosen


def test_without_a_name_everything_is_measured() -> None:
    assert chosen([]) == (list(PARTS), simulation.RUNS)


def test_the_first_run_can_be_left_out() -> None:
    parts, _ = chosen(["--without-first-run"])
    assert parts == [part for part in PARTS if part != "first-run"]


def test_only_what_is_named_is_measured() -> None:
    parts, _ = chosen(["simulation", "own-time"])
    assert parts == ["own-time", "simulation"]


def test_the_simulation_can_play_more_runs_and_not_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen(["simulation", "--runs", "10000"]) == (["simulation"], 10_000)
    with pytest.raises(SystemExit):
        chosen(["simulation", "--runs", "0"])
    assert "--runs = 0: give 1 or more" in capsys.readouterr().err


def test_an_unknown_part_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        chosen(["simulations"])
    assert stopped.value.code == 2
    assert "PART = simulations: give any of lab, ground" in capsys.readouterr().err
