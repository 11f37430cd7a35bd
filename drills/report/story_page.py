"""The report page of one story."""

from __future__ import annotations

from html import escape

from drills.instants import iso
from drills.judge.check import Check
from drills.judge.checks import spoken
from drills.report.comparison import OTHERS_EXPLAINED, comparison_table
from drills.report.drill_page import CLIENTS_EXPLAINED
from drills.report.html_page import html_page, result, table
from drills.report.report import DrillReport
from drills.report.story_picture import story_picture_of
from drills.report.story_report import StoryReport
from drills.report.story_timeline import story_timeline_of
from drills.scenario import DrillOutcome


def story_page_of(report: StoryReport) -> str:
    """The whole page as HTML text."""
    whole = report.evidence.whole
    return html_page(
        f"Drill {report.scenario.name}: {'passed' if report.passed else 'failed'}",
        [
            *_head(report),
            _figures(report),
            "<h2>What happened</h2>",
            f'<p class="soft">{escape(CLIENTS_EXPLAINED)} They write from the start to the end.</p>',
            f'<div class="picture">{story_picture_of(report.evidence)}</div>',
            '<p class="soft">Each bar and each tick says what it is when a pointer rests on it.</p>',
            *_chapters(report),
            *_clients(report),
            *_checks(report),
            *_messages(report),
            *_timeline(report),
            "<h2>Versions</h2>",
            table(
                ("Part", "Version"),
                [(escape(name), escape(version)) for name, version in whole.versions.items()],
                ("", ""),
                narrow=True,
            ),
        ],
    )


def _head(report: StoryReport) -> list[str]:
    word, kind = ("Passed.", "passed") if report.passed else ("Failed.", "failed")
    whole = report.evidence.whole
    return [
        f"<h1>Drill {escape(report.scenario.name)}</h1>",
        f'<p class="verdict {kind}"><b>{word}</b> {escape(report.verdict)}</p>',
        f"<p>{escape(report.scenario.summary)}</p>",
        (
            f'<p class="soft">Times count from the start of the story at {iso(whole.fault.at.wall)}. Everything was '
            f"read at {iso(whole.finished_at.wall)}. A second of the lab stands for twelve of AWS.</p>"
        ),
    ]


def _clients(report: StoryReport) -> list[str]:
    """Where clients were set beside the two: all of them, in each failover."""
    if not report.evidence.whole.others:
        return []
    parts = ["<h2>The clients in each failover</h2>", f'<p class="soft">{escape(OTHERS_EXPLAINED)}</p>']
    for chapter in report.failovers:
        parts += [f"<p><b>{escape(chapter.scenario.name)}</b></p>", comparison_table(chapter)]
    return parts


def _figures(report: StoryReport) -> str:
    whole = report.evidence.whole
    figures = [
        (
            f"Outage {number}",
            "not over" if chapter.rto_seconds is None else f"{chapter.rto_seconds:.1f} s",
            _outage_words(chapter),
        )
        for number, chapter in enumerate(report.failovers, start=1)
    ]
    figures += [
        (
            "Rows lost",
            str(report.lost),
            f"of {report.acknowledged} acknowledged ones; {_lost_where(report)}",
        ),
        (
            "Name watched",
            f"{whole.times_asked} times",
            (
                f"one answer each 0.1 s, at most {whole.longest_unwatched_seconds:.2f} s between two; "
                f"it moved {max(len(whole.name_changes) - 1, 0)} times"
            ),
        ),
    ]
    cells = (
        f'<div class="figure"><div class="name">{escape(name)}</div><div class="value">{escape(value)}</div>'
        f'<div class="note">{escape(note)}</div></div>'
        for name, value, note in figures
    )
    return f'<div class="figures">{"".join(cells)}</div>'


def _outage_words(chapter: DrillReport) -> str:
    reported = chapter.rpo_seconds
    loss = "no loss was reported" if reported is None else f"at most {reported:.1f} s of writes reported as lost"
    return (
        f"{chapter.scenario.name}: from \u201c{chapter.evidence.fault.what}\u201d to the first write acknowledged "
        f"by the new writer, through the name; {loss}, {chapter.writes.lost} rows lost"
    )


def _lost_where(report: StoryReport) -> str:
    where = [f"{chapter.writes.lost} in {chapter.scenario.name}" for chapter in report.chapters if chapter.writes.lost]
    return ", ".join(where) or "in no chapter"


def _chapters(report: StoryReport) -> list[str]:
    rows = []
    for number, chapter in enumerate(report.chapters, start=1):
        evidence = chapter.evidence
        began = report.evidence.whole.at(evidence.started_at)
        lasted = evidence.finished_at.seconds_since(evidence.started_at)
        outage = max(client.outage_seconds for client in chapter.clients)
        rows.append(
            (
                str(number),
                f'{escape(chapter.scenario.name)}<br><span class="soft">{escape(chapter.scenario.summary)}</span>',
                f"{began:.0f} s",
                f"{lasted:.0f} s",
                escape(_writer_words(chapter)),
                f"{outage:.1f} s",
                str(chapter.writes.lost),
                result(good=chapter.passed, yes="\u2713 passed", no="\u2717 FAILED"),
            )
        )
    headings = ("", "Chapter", "From", "Took", "Writer", "Longest outage", "Rows lost", "Result")
    kinds = ("number", "", "number", "number", "word", "number", "number", "word")
    return ["<h2>The chapters</h2>", table(headings, rows, kinds)]


def _writer_words(chapter: DrillReport) -> str:
    writer = chapter.evidence.writer
    if chapter.outcome is DrillOutcome.FAILED_OVER:
        return f"{writer} \u2192 {writer.other}"
    return f"{writer} ({spoken(chapter.outcome)})"


def _checks(report: StoryReport) -> list[str]:
    parts = ["<h2>Checks on the whole</h2>", _table_of(report.checks)]
    for number, chapter in enumerate(report.chapters, start=1):
        parts += [f"<h2>Checks on chapter {number}, {escape(chapter.scenario.name)}</h2>", _table_of(chapter.checks)]
    return parts


def _table_of(checks: tuple[Check, ...]) -> str:
    rows = [
        (
            result(good=check.passed, yes="\u2713 passed", no="\u2717 FAILED"),
            escape(check.name),
            escape(check.evidence),
        )
        for check in checks
    ]
    return table(("Result", "Check", "What was seen"), rows, ("word", "", ""))


def _messages(report: StoryReport) -> list[str]:
    whole = report.evidence.whole
    parts = ["<h2>Messages to people</h2>"]
    if not whole.messages:
        parts.append("<p>None.</p>")
    for message in whole.messages:
        subject = escape(message.subject) if message.subject else "(no subject)"
        parts.append(
            f"<details><summary><b>{subject}</b> "
            f'<span class="soft">at {whole.at(message.sent_at):.1f} s, {escape(message.topic)} topic</span></summary>'
            f"<pre>{escape(message.text)}</pre></details>"
        )
    return parts


def _timeline(report: StoryReport) -> list[str]:
    rows = [
        (f"{event.at_seconds:.2f} s", escape(event.event), escape(event.detail), escape(event.source))
        for event in story_timeline_of(report.evidence)
    ]
    headings = ("At", "Event", "Detail", "Recorded by")
    return ["<h2>Timeline</h2>", table(headings, rows, ("number", "", "", "word"))]
