"""The page that leads to the reports of several drills: what was rehearsed, and how each came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from drills.checks import spoken
from drills.html import POLICY
from drills.page_style import STYLE
from drills.report import DrillReport
from drills.runner import page_name

INDEX = "index.html"
HEADINGS = ("Drill", "Result", "Outcome", "RTO", "Acknowledged rows lost", "Reported loss")


@dataclass(frozen=True)
class Entry:
    """One drill of several.

    Attributes:
        name: the scenario's.
        summary: what was rehearsed, in a sentence.
        report: None where the drill did not come to one.
        why_not: what went wrong around the drill; empty where nothing did.
        taken_seconds: how long it took, its lab included.
    """

    name: str
    summary: str
    report: DrillReport | None
    why_not: str
    taken_seconds: float

    @property
    def passed(self) -> bool:
        """Whether it came to a report that says so, and its lab went down again."""
        return self.report is not None and self.report.passed and not self.why_not

    @property
    def outcome_words(self) -> str:
        """What the system did."""
        return "(no report)" if self.report is None else spoken(self.report.outcome)

    @property
    def rto_words(self) -> str:
        """From the fault to the first write that another database acknowledged."""
        return "-" if self.report is None or self.report.rto_seconds is None else f"{self.report.rto_seconds:.1f} s"

    @property
    def loss_words(self) -> str:
        """How many acknowledged rows are gone."""
        return "-" if self.report is None else f"{self.report.writes.lost}"

    @property
    def reported_loss_words(self) -> str:
        """What the system said may be lost."""
        if self.report is None or self.report.rpo_seconds is None:
            return "-"
        return f"at most {self.report.rpo_seconds:.3g} s"


def write_index(entries: Sequence[Entry], planned: int, report_dir: Path) -> Path:
    """Write ``index.html`` beside the reports.

    Args:
        entries: the drills that were played.
        planned: how many were to be played.
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
    kind = "passed" if passed == planned else "failed"
    verdict = f"{passed} of {planned} drills passed"
    if len(entries) < planned:
        # Also what is left of a series that was stopped.
        verdict += f", {planned - len(entries)} not played"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f"<title>Drills: {verdict}</title>",
            f"<style>\n{STYLE}</style>",
            "</head>",
            "<body>",
            "<h1>Drills</h1>",
            f'<p class="verdict {kind}"><b>{verdict}.</b></p>',
            "<table>",
            "<tr>" + "".join(f"<th>{heading}</th>" for heading in HEADINGS) + "</tr>",
            *(_row(entry) for entry in entries),
            "</table>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _row(entry: Entry) -> str:
    result = '<span class="true">passed</span>' if entry.passed else '<span class="false">failed</span>'
    numbers = (entry.rto_words, entry.loss_words, entry.reported_loss_words)
    cells = [
        f"<td>{_name(entry)}</td>",
        f'<td class="word">{result}</td>',
        f'<td class="word">{escape(entry.outcome_words)}</td>',
        *(f'<td class="number">{escape(words)}</td>' for words in numbers),
    ]
    return "<tr>" + "".join(cells) + "</tr>"


def _name(entry: Entry) -> str:
    title = escape(entry.name)
    if entry.report is not None:
        title = f'<a href="{escape(page_name(entry.name))}">{title}</a>'
    why_not = f'<br><span class="false">{escape(entry.why_not)}</span>' if entry.why_not else ""
    return f'{title}<br><span class="soft">{escape(entry.summary)}</span>{why_not}'
