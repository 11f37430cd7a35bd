"""One drill from beginning to end: rehearse, judge, report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from drills.client import Pace
from drills.html import page_of
from drills.rehearsal import Rehearsal
from drills.report import DrillReport, report_of
from drills.report_json import json_of
from drills.scenario import Scenario
from drills.scenarios import scenario_named
from drills.system import LabSystem


def run_drill(system: LabSystem, scenario_name: str, report_dir: Path, progress: Callable[[str], None]) -> DrillReport:
    """Run the drill of that name; see `run_scenario`.

    Raises:
        SettingsError: there is no such scenario; nothing was touched.
    """
    return run_scenario(system, scenario_named(scenario_name), report_dir, progress)


def run_scenario(
    system: LabSystem, scenario: Scenario, report_dir: Path, progress: Callable[[str], None]
) -> DrillReport:
    """Run one drill and write ``drill-<scenario>.json`` and ``.html`` into the directory.

    Args:
        system: what to break; it stays broken.
        scenario: what is rehearsed.
        report_dir: made where it does not exist.
        progress: called with a short line for each thing that happens.

    Returns:
        The report, also of a drill that failed or could not be played to its end: that is one that did not pass.
    """
    report = report_of(scenario, Rehearsal(system, progress, Pace()).play(scenario))
    page = write_report(report, report_dir)
    progress(f"{'passed' if report.passed else 'FAILED'}: {report.verdict}")
    progress(f"report: {page}")
    return report


def write_report(report: DrillReport, report_dir: Path) -> Path:
    """Write a report as JSON and as a page.

    Returns:
        The page.
    """
    report_dir.mkdir(parents=True, exist_ok=True)
    (report_dir / f"drill-{report.scenario}.json").write_text(json_of(report), encoding="utf-8")
    page = report_dir / page_name(report.scenario)
    page.write_text(page_of(report), encoding="utf-8")
    return page


def page_name(scenario_name: str) -> str:
    """The file name of a drill's page."""
    return f"drill-{scenario_name}.html"
