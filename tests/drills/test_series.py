"""Several drills in a row: one lab each, the next one runs also after a failure, and an index of all reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from drills.catalogue import Drill
from drills.report.index_page import Entry, index_of
from drills.report.report import DrillReport, report_of
from drills.scenario import Scenario
from drills.scenarios import scenario_named
from drills.series import Series
from drills.system import LabSystem
from lab.aws.process import AwsDidNotStartError
from lab.postgres import NoSmallDiskError
from tests.drills.stories import never_recovered, recovered
from tests.drills.test_runner import dead_system

CRASH, CUT, FROZEN = (scenario_named(name) for name in ("primary-crash", "link-cut", "primary-frozen"))


class Labs:
    """Makes labs and counts those that are up."""

    def __init__(self, *, broken: tuple[str, ...] = (), impossible: tuple[str, ...] = ()) -> None:
        self.made: list[str] = []
        self.up = 0
        self._broken = broken
        self._impossible = impossible

    def lab_for(self, scenario: Drill) -> AbstractContextManager[LabSystem]:
        return self._lab(scenario)

    @contextmanager
    def _lab(self, scenario: Drill) -> Iterator[LabSystem]:
        assert self.up == 0, "one lab at a time"
        self.made.append(scenario.name)
        if scenario.name in self._broken:
            raise AwsDidNotStartError("no port <is> free")
        if scenario.name in self._impossible:
            raise NoSmallDiskError("small disk", "no right to mount", "run as root")
        self.up += 1
        yield dead_system()
        self.up -= 1


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every drill but the link's cut passes."""

    def run(system: LabSystem, scenario: Scenario, report_dir: Path, progress: object, others: object) -> DrillReport:
        return replace(report_of(CRASH, never_recovered() if scenario is CUT else recovered()), scenario=scenario)

    monkeypatch.setattr("drills.series.run_drill", run)


def test_each_drill_has_a_lab_of_its_own_in_the_order_given(tmp_path: Path, passing: None) -> None:
    labs = Labs()
    assert Series(labs.lab_for, tmp_path, lambda line: None).run([FROZEN, CRASH])
    assert labs.made == ["primary-frozen", "primary-crash"]


def test_a_failed_drill_fails_the_series_and_the_next_one_is_run(tmp_path: Path, passing: None) -> None:
    labs, said = Labs(), list[str]()
    assert not Series(labs.lab_for, tmp_path, said.append).run([CUT, CRASH])
    assert labs.made == ["link-cut", "primary-crash"]
    assert "1 of 2 drills passed" in "\n".join(said)


def test_a_lab_that_does_not_come_up_fails_its_drill_alone(tmp_path: Path, passing: None) -> None:
    labs = Labs(broken=("primary-crash",))
    assert not Series(labs.lab_for, tmp_path, lambda line: None).run([CRASH, FROZEN])
    assert labs.made == ["primary-crash", "primary-frozen"]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "no port &lt;is&gt; free" in page
    assert 'href="drill-primary-crash.html"' not in page
    assert 'href="drill-primary-frozen.html"' in page


def test_a_drill_that_this_machine_cannot_run_is_skipped_and_told(tmp_path: Path, passing: None) -> None:
    labs = Labs(impossible=("primary-frozen",))
    said = list[str]()
    assert Series(labs.lab_for, tmp_path, said.append).run([FROZEN, CRASH])
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "1 of 2 drills passed, 1 skipped" in page
    assert '<p class="verdict passed">' in page
    assert "run as root" in page
    assert any(line.startswith("skipped: ") and "run as root" in line for line in said)


def test_a_drill_that_could_not_be_completed_is_still_in_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drills.readiness.READY_DEADLINE_SECONDS", 0.1)
    assert not Series(Labs().lab_for, tmp_path, lambda line: None).run([CUT])
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert (tmp_path / "drill-link-cut.html").is_file()
    assert 'href="drill-link-cut.html"' in page
    assert "0 of 1 drills passed" in page


def test_a_series_that_was_stopped_does_not_look_as_if_it_had_passed() -> None:
    page = index_of([Entry("primary-crash", "A crash.", report_of(CRASH, recovered()), "", 40.0)], planned=3)
    assert "1 of 3 drills passed, 2 not run" in page
    assert '<p class="verdict failed">' in page


def test_a_drill_whose_lab_could_not_be_stopped_has_not_passed() -> None:
    assert not Entry("primary-crash", "A crash.", report_of(CRASH, recovered()), "it did not stop", 40.0).passed
