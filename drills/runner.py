"""One drill from start to end: rehearse, judge, report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from drills.clients.writing_client import Pace
from drills.rehearsal import Rehearsal
from drills.report.drill_page import page_of
from drills.report.json_file import json_of
from drills.report.report import DrillReport, report_of
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
        report_dir: created if it does not exist.
        progress: called with a short line for each thing that happens.

    Returns:
        The report. A drill that could not be completed has one too; it did not pass.
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
    (report_dir / f"drill-{report.scenario.name}.json").write_text(json_of(report), encoding="utf-8")
    page = report_dir / report.page_name
    page.write_text(page_of(report), encoding="utf-8")
    return page
