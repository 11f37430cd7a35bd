"""The index page of several drills: what was rehearsed, with which result, and the links to the reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from drills.report.html_page import html_page, result, table
from drills.report.report import DrillReport
from drills.report.story_report import StoryReport

INDEX = "index.html"
HEADINGS = ("Drill", "Result", "Outcome", "RTO", "Acknowledged rows lost", "Reported data loss")
KINDS = ("", "word", "word", "number", "number", "number")


@dataclass(frozen=True)
class Entry:
    """One drill of several.

    Attributes:
        name: the scenario's name.
        summary: what was rehearsed, in a sentence.
        report: None where the drill produced none.
        why_not: what went wrong with its lab; empty where nothing did.
        taken_seconds: how long it took, its lab included.
        why_skipped: why this machine cannot run it; empty where it was run.
    """

    name: str
    summary: str
    report: DrillReport | StoryReport | None
    why_not: str
    taken_seconds: float
    why_skipped: str = ""

    @property
    def passed(self) -> bool:
        """Whether its report says so and its lab could be stopped."""
        return self.report is not None and self.report.passed and not self.why_not

    @property
    def figures(self) -> tuple[str, str, str, str]:
        """Outcome, RTO, acknowledged rows lost and reported data loss, in words."""
        return ("(no report)", "-", "-", "-") if self.report is None else self.report.figures


def write_index(entries: Sequence[Entry], planned: int, report_dir: Path) -> Path:
    """Write ``index.html`` beside the reports.

    Args:
        entries: the drills that were run.
        planned: how many were to be run.
        report_dir: made where it does not exist.

    Returns:
        The page.
    """
    report_dir.mkdir(parents=True, exist_ok=True)
    page = report_dir / INDEX
    page.write_text(index_of(entries, planned), encoding="utf-8")
    return page


def index_of(entries: Sequence[Entry], planned: int) -> str:
    """The whole page as HTML text."""
    passed = sum(entry.passed for entry in entries)
    skipped = sum(bool(entry.why_skipped) for entry in entries)
    kind = "passed" if passed + skipped == planned else "failed"
    verdict = f"{passed} of {planned} drills passed"
    if skipped:
        verdict += f", {skipped} skipped"
    if len(entries) < planned:
        # Also what remains when a series was interrupted.
        verdict += f", {planned - len(entries)} not run"
    rows = [(_name(entry), _result(entry), *map(escape, entry.figures)) for entry in entries]
    return html_page(
        f"Drills: {verdict}",
        ["<h1>Drills</h1>", f'<p class="verdict {kind}"><b>{verdict}.</b></p>', table(HEADINGS, rows, KINDS)],
    )


def _result(entry: Entry) -> str:
    return "skipped" if entry.why_skipped else result(good=entry.passed, yes="passed", no="failed")


def _name(entry: Entry) -> str:
    title = escape(entry.name)
    if entry.report is not None:
        title = f'<a href="{escape(entry.report.page_name)}">{title}</a>'
    reason = entry.why_not or entry.why_skipped
    why_not = f'<br><span class="false">{escape(reason)}</span>' if reason else ""
    return f'{title}<br><span class="soft">{escape(entry.summary)}</span>{why_not}'
