"""The command line of the drills: what it runs, with which settings, and its exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drills import __main__ as command
from drills.catalogue import DRILLS, SWAPPED, Drill
from drills.clients.others import KNOWN, Wanted
from drills.scenarios import scenario_named
from lab.command_line import BAD_INPUT


class Drills:
    """Runs nothing, and records what it should have run with which settings."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.configurations: list[dict[str, dict[str, object]]] = []
        self.wishes: list[dict[str, bool]] = []
        self.report_dirs: set[Path] = set()
        self.others: list[list[str]] = []
        self.passed = True

    def lab(self, settings: Any, progress: object, **wishes: bool) -> nullcontext[None]:
        self.wishes.append(wishes)
        self.configurations.append({layer: dict(values) for layer, values in settings.configuration.items()})
        return nullcontext()

    def run_drill(
        self, lab: None, drill: Drill, report_dir: Path, progress: object, others: Sequence[Wanted]
    ) -> SimpleNamespace:
        self.ran.append(drill.name)
        self.others.append([other.name for other in others])
        self.report_dirs.add(report_dir)
        return SimpleNamespace(passed=self.passed)

    def series(self, lab_for: Any, report_dir: Path, progress: object, others: Sequence[Wanted]) -> SimpleNamespace:
        def run(drills: Sequence[Drill]) -> bool:
            for drill in drills:
                with lab_for(drill) as lab:
                    self.run_drill(lab, drill, report_dir, progress, others)
            return self.passed

        return SimpleNamespace(run=run)


@pytest.fixture
def drills(monkeypatch: pytest.MonkeyPatch) -> Drills:
    drills = Drills()
    monkeypatch.setattr("drills.__main__.Lab", drills.lab)
    monkeypatch.setattr("drills.__main__.run_drill", drills.run_drill)
    monkeypatch.setattr("drills.__main__.Series", drills.series)
    monkeypatch.setattr("lab.command_line.signal.signal", lambda *_: None)
    return drills


def drill(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["drills", *arguments])
    return command.main()


def test_the_default_is_the_crash_of_the_primary(monkeypatch: pytest.MonkeyPatch, drills: Drills) -> None:
    assert drill(monkeypatch) == 0
    assert drills.ran == ["primary-crash"]


def test_one_scenario_by_name_with_its_own_settings(monkeypatch: pytest.MonkeyPatch, drills: Drills) -> None:
    assert drill(monkeypatch, "--scenario", "lag-too-high") == 0
    assert drills.configurations == [{"dr-automation": {"maxDataLossSeconds": "5"}}]


def test_settings_of_the_command_line_win_over_the_scenarios(monkeypatch: pytest.MonkeyPatch, drills: Drills) -> None:
    drill(monkeypatch, "--scenario", "lag-too-high", "--config", "maxDataLossSeconds=7")
    assert drills.configurations == [{"dr-automation": {"maxDataLossSeconds": "7"}}]


def test_a_scenario_gets_the_lab_that_it_needs(monkeypatch: pytest.MonkeyPatch, drills: Drills) -> None:
    picky = replace(scenario_named("primary-crash"), is_prepared=False, has_small_disks=True)
    monkeypatch.setattr("drills.__main__.drill_named", lambda name: picky)
    assert drill(monkeypatch, "--scenario", "primary-crash") == 0
    assert drills.wishes == [{"prepared": False, "small_disks": True}]


def test_clients_are_set_beside_the_drills_own_each_under_a_name_of_its_own(
    monkeypatch: pytest.MonkeyPatch, drills: Drills
) -> None:
    asked = [word for name in ("jvm-like", "command:sh -c a", "command:/bin/sh -c b") for word in ("--client", name)]
    drill(monkeypatch, *asked)
    drill(monkeypatch, "--scenario", "flapping", "--scenario", "link-cut", *asked)
    assert drills.others == [["jvm-like", "sh", "sh #2"]] * 3


def test_a_drill_that_does_not_pass_ends_with_1(monkeypatch: pytest.MonkeyPatch, drills: Drills) -> None:
    drills.passed = False
    assert drill(monkeypatch) == 1
    assert drill(monkeypatch, "--seed", "7") == 1


def test_all_means_every_drill_in_a_lab_of_its_own(
    monkeypatch: pytest.MonkeyPatch, drills: Drills, tmp_path: Path
) -> None:
    monkeypatch.setattr("drills.__main__.DRILLS", {name: scenario_named(name) for name in ("flapping", "link-cut")})
    assert drill(monkeypatch, "--all", "--reports", str(tmp_path)) == 0
    assert drills.ran == ["flapping", "link-cut"]
    assert len(drills.configurations) >= 2
    assert drills.report_dirs == {tmp_path}


def test_a_seed_and_a_count_mean_random_drills_that_can_be_repeated(
    monkeypatch: pytest.MonkeyPatch, drills: Drills
) -> None:
    drill(monkeypatch, "--seed", "7", "--count", "3")
    assert drills.ran == ["random-7-1", "random-7-2", "random-7-3"]
    drill(monkeypatch, "--scenario", "random-7-2")
    assert drills.ran[-1] == "random-7-2"


def test_a_count_alone_draws_a_seed_of_its_own(monkeypatch: pytest.MonkeyPatch, drills: Drills) -> None:
    drill(monkeypatch, "--count", "2")
    seeds = {name.split("-")[1] for name in drills.ran}
    assert len(seeds) == 1
    assert [name.split("-")[2] for name in drills.ran] == ["1", "2"]


def test_the_list_names_every_drill_and_runs_none(
    monkeypatch: pytest.MonkeyPatch, drills: Drills, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drill(monkeypatch, "--list") == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in listed] == [*DRILLS, *(f"--client {name}" for name in KNOWN)]
    assert drills.ran == []


def test_a_story_is_a_drill_by_its_name(monkeypatch: pytest.MonkeyPatch, drills: Drills) -> None:
    assert drill(monkeypatch, "--scenario", "there-and-back") == 0
    assert drills.ran == ["there-and-back"]


def test_swapped_is_an_initial_state_of_the_lab_and_part_of_the_name(
    monkeypatch: pytest.MonkeyPatch, drills: Drills
) -> None:
    assert drill(monkeypatch, "--scenario", "lag-too-high", "--scenario", "there-and-back", "--swapped") == 0
    assert drills.ran == ["lag-too-high-swapped", "there-and-back-swapped"]
    used = [each for each in drills.configurations if each]
    assert used == [{"data": dict(SWAPPED), "dr-automation": {"maxDataLossSeconds": "5"}}, {"data": dict(SWAPPED)}]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--all", "--scenario", "flapping"),
        ("--all", "--seed", "7"),
        ("--all", "--count", "2"),
        ("--scenario", "flapping", "--count", "2"),
        ("--seed", "0"),
        ("--seed", "seven"),
        ("--seed", "7", "--count", "-1"),
    ],
)
def test_contradicting_options_and_bad_numbers_are_refused_as_bad_input(
    monkeypatch: pytest.MonkeyPatch, drills: Drills, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ended:
        drill(monkeypatch, *arguments)
    assert ended.value.code == BAD_INPUT
    assert drills.ran == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--scenario", "earthquake"),
        ("--all", "--config", "nonsense=1"),
        ("--seed", "7", "--config", "nonsense=1"),
        ("--client", "telnet"),
        ("--client", "asyncpg", "--client", "asyncpg"),
        ("--client", "command:"),
        ("--client", "command:./no-such-client --fast"),
        ("--client", "command:sh 'not closed"),
    ],
)
def test_an_unknown_scenario_client_or_setting_is_bad_input_before_any_lab_is_up(
    monkeypatch: pytest.MonkeyPatch, drills: Drills, arguments: tuple[str, ...]
) -> None:
    assert drill(monkeypatch, *arguments) == BAD_INPUT
    assert drills.configurations == []
