"""One drill from start to end: rehearse, judge, report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from drills.catalogue import Drill
from drills.clients.others import Wanted
from drills.clients.writing_client import Pace
from drills.rehearsal import Rehearsal
from drills.report.comparison import comparison_lines
from drills.report.drill_page import page_of
from drills.report.json_file import json_of
from drills.report.report import DrillReport, report_of
from drills.report.story_json import story_json_of
from drills.report.story_page import story_page_of
from drills.report.story_report import StoryReport, story_report_of
from drills.scenario import Scenario
from drills.stories.telling import Telling
from drills.system import LabSystem


def run_drill(
    system: LabSystem,
    drill: Drill,
    report_dir: Path,
    progress: Callable[[str], None],
    others: Sequence[Wanted] = (),
) -> DrillReport | StoryReport:
    """Run one drill and write ``drill-<name>.json`` and ``.html`` into the directory.

    Args:
        system: what to break; it stays broken.
        drill: what is rehearsed.
        report_dir: created if it does not exist.
        progress: called with a short line for each thing that happens.
        others: clients to set beside the drill's own two.

    Returns:
        The report. A drill that could not be completed has one too; it did not pass.
    """
    if isinstance(drill, Scenario):
        return run_scenario(system, drill, report_dir, progress, others)
    report = story_report_of(Telling(system, drill, progress, others).tell(Pace()))
    _hand_in(report, report_dir, progress)
    return report


def run_scenario(
    system: LabSystem,
    scenario: Scenario,
    report_dir: Path,
    progress: Callable[[str], None],
    others: Sequence[Wanted] = (),
) -> DrillReport:
    """Run one that is no story; see `run_drill`."""
    report = report_of(scenario, Rehearsal(system, progress, Pace(), others).play(scenario))
    _hand_in(report, report_dir, progress)
    return report


def write_report(report: DrillReport | StoryReport, report_dir: Path) -> Path:
    """Write a report as JSON and as a page.

    Returns:
        The page.
    """
    report_dir.mkdir(parents=True, exist_ok=True)
    if isinstance(report, StoryReport):
        content, html = story_json_of(report), story_page_of(report)
    else:
        content, html = json_of(report), page_of(report)
    (report_dir / f"drill-{report.scenario.name}.json").write_text(content, encoding="utf-8")
    page = report_dir / report.page_name
    page.write_text(html, encoding="utf-8")
    return page


def _hand_in(report: DrillReport | StoryReport, report_dir: Path, progress: Callable[[str], None]) -> None:
    page = write_report(report, report_dir)
    if isinstance(report, DrillReport) and report.evidence.others:
        progress("\n".join(comparison_lines(report)))
    progress(f"{'passed' if report.passed else 'FAILED'}: {report.verdict}")
    progress(f"report: {page}")
