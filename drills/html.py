"""The report for people: one page that needs no network, no script and no other file."""

from __future__ import annotations

from html import escape

from drills.checks import spoken
from drills.clients_html import clients_of
from drills.html_table import table
from drills.page_style import STYLE
from drills.report import DataLoss, DrillReport
from drills.scenario import DrillOutcome
from drills.svg import picture_of
from drills.svg_markers import markers_of

SHOWN_LOST_ROWS = 20

# The browser itself refuses whatever would leave the page.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page_of(report: DrillReport) -> str:
    """The whole page as HTML text."""
    title = f"Drill {report.scenario}: {'passed' if report.passed else 'failed'}"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{STYLE}</style>",
            "</head>",
            "<body>",
            *_head(report),
            _figures(report),
            "<h2>What happened</h2>",
            f'<div class="picture">{picture_of(report.series, markers_of(report.timeline))}</div>',
            *clients_of(report),
            *_decision(report),
            *_losses(report),
            *_checks(report),
            *_messages(report),
            *_timeline(report),
            *_versions(report),
            "</body>",
            "</html>",
            "",
        ]
    )


def _head(report: DrillReport) -> list[str]:
    kind, word = ("passed", "Passed.") if report.passed else ("failed", "Failed.")
    return [
        f"<h1>Drill {escape(report.scenario)}</h1>",
        f'<p class="verdict {kind}"><b>{word}</b> {escape(report.verdict)}</p>',
        (f"<p>{escape(report.summary)} Expected: {escape(report.expected)}; observed: {spoken(report.outcome)}.</p>"),
        (
            f'<p class="soft">Second 0 is the fault ({escape(report.fault)}) at {escape(report.fault_at)}. '
            f"The drill ran from {escape(report.started_at)} to {escape(report.finished_at)}.</p>"
        ),
    ]


def _figures(report: DrillReport) -> str:
    writes, loss = report.writes, report.data_loss
    figures = (
        ("Outage", *_outage(report)),
        (
            "Data loss, reported",
            _reported(loss, "\u2264 "),
            "the system's own upper bound"
            if loss.accepted_by is None
            else f"the system could not say; {loss.accepted_by} accepted that",
        ),
        (
            "Rows lost",
            str(writes.lost),
            "no row could be read back, so every acknowledged one counts as lost"
            if not writes.read_back and writes.lost
            else (
                f"acknowledged and gone; {writes.lost_beyond_reported_rpo} beyond the reported loss, "
                f"{loss.measured_seconds:.2f} s measured"
            ),
        ),
        (
            "Writes acknowledged",
            str(writes.acknowledged),
            (
                f"of {writes.attempted} attempted by both clients; {writes.indeterminate} indeterminate, "
                f"{writes.failed} failed"
            ),
        ),
    )
    cells = (
        f'<div class="figure"><div class="name">{escape(name)}</div><div class="value">{escape(value)}</div>'
        f'<div class="note">{escape(note)}</div></div>'
        for name, value, note in figures
    )
    return f'<div class="figures">{"".join(cells)}</div>'


def _outage(report: DrillReport) -> tuple[str, str]:
    """The outage of the first client, and that of the others in words."""
    first, *others = report.clients
    if report.outcome is DrillOutcome.FAILED_OVER:
        beside = ", ".join(f"{_seconds(client.rto_seconds, 'never')} through the {client.name}" for client in others)
        note = f"from the fault to the first write acknowledged by the new writer, through the {first.name}; {beside}"
        return _seconds(first.rto_seconds, "not over"), note
    beside = ", ".join(f"{client.outage_seconds:.1f} s through the {client.name}" for client in others)
    note = f"the longest time without an acknowledged write, through the {first.name}; {beside}"
    return f"{first.outage_seconds:.1f} s", note


def _decision(report: DrillReport) -> list[str]:
    parts = ["<h2>Why the system did it</h2>", f"<p>{escape(report.reason)}</p>"]
    decision = report.decision
    if decision is not None:
        parts.append(f'<p class="soft">Decision: {escape(decision.action)} ({escape(decision.code)}).</p>')
        if decision.signals:
            rows = [(escape(name), escape(value)) for name, value in decision.signals.items()]
            parts.append(table(("Signal", "Answer"), rows, ("", "word"), narrow=True))
    incident = report.incident
    if incident is not None:
        own = "" if incident.rto_seconds is None else f"; by its own count it took {incident.rto_seconds:.1f} s"
        ordered = "" if incident.ordered_by is None else f"; ordered by {escape(incident.ordered_by)}"
        parts.append(
            f'<p class="soft">Incident {escape(incident.incident_id)}, epoch {incident.epoch}, '
            f"is {escape(incident.phase)}{own}{ordered}.</p>"
        )
    return parts


def _losses(report: DrillReport) -> list[str]:
    loss, writes = report.data_loss, report.writes
    facts = [
        ("Loss that the system reported, at most", _reported(loss)),
        ("Replica's lag before the trouble, as the system saw it", _seconds(loss.lag_before_seconds, "unknown")),
        ("Loss measured: from the earliest lost row to the last moment to lose one", f"{loss.measured_seconds:.2f} s"),
        ("Rows read back from the writer of the end", str(writes.read_back)),
        ("Acknowledged rows that are gone", str(writes.lost)),
        ("Acknowledged rows that are gone, beyond the reported loss", str(writes.lost_beyond_reported_rpo)),
        ("Rows the old writer accepted after the switch", str(writes.accepted_by_old_writer_after_switch)),
        ("Rows of which the client did not learn the end (indeterminate)", str(writes.indeterminate)),
        ("Indeterminate rows that are there", str(writes.indeterminate_found)),
    ]
    parts = ["<h2>What was lost</h2>", table(("", ""), facts, ("", "number"), narrow=True)]
    if loss.rows:
        rows = [
            (
                str(row.n),
                escape(row.client),
                f"{row.acknowledged_at_seconds:.2f} s",
                _truth(holds=not row.beyond_reported, yes="yes", no="NO"),
            )
            for row in loss.rows[:SHOWN_LOST_ROWS]
        ]
        parts.append(
            table(
                ("Lost row", "written through", "acknowledged at", "within the reported loss"),
                rows,
                ("number", "", "number", ""),
                narrow=True,
            )
        )
    if len(loss.rows) > SHOWN_LOST_ROWS:
        parts.append(f'<p class="soft">and {len(loss.rows) - SHOWN_LOST_ROWS} more rows.</p>')
    return parts


def _checks(report: DrillReport) -> list[str]:
    rows = [
        (
            _truth(holds=check.passed, yes="\u2713 true", no="\u2717 NOT TRUE"),
            escape(check.name),
            escape(check.evidence),
        )
        for check in report.checks
    ]
    return ["<h2>Checks</h2>", table(("Result", "Statement", "What was seen"), rows, ("word", "", ""))]


def _messages(report: DrillReport) -> list[str]:
    parts = ["<h2>What people were told</h2>"]
    if not report.messages:
        parts.append("<p>Nothing.</p>")
    for message in report.messages:
        subject = escape(message.subject) if message.subject else "(no subject)"
        parts.append(
            f'<p><b>{subject}</b> <span class="soft">at {message.at_seconds:.1f} s, '
            f"{escape(message.topic)} topic</span></p><pre>{escape(message.text)}</pre>"
        )
    return parts


def _timeline(report: DrillReport) -> list[str]:
    rows = [
        (f"{event.at_seconds:.2f} s", escape(event.event), escape(event.detail), escape(event.source))
        for event in report.timeline
    ]
    headings = ("At", "Event", "Detail", "Whose record")
    return ["<h2>Every recorded event</h2>", table(headings, rows, ("number", "", "", "word"))]


def _versions(report: DrillReport) -> list[str]:
    rows = [(escape(name), escape(version)) for name, version in report.versions.items()]
    return ["<h2>What ran</h2>", table(("Part", "Version"), rows, ("", ""), narrow=True)]


def _truth(*, holds: bool, yes: str, no: str) -> str:
    return f'<span class="true">{yes}</span>' if holds else f'<span class="false">{no}</span>'


def _reported(loss: DataLoss, at_most: str = "") -> str:
    if loss.reported_seconds is None:
        return "not bounded" if loss.not_bounded else "none stated"
    return f"{at_most}{loss.reported_seconds:.1f} s"


def _seconds(seconds: float | None, otherwise: str) -> str:
    return otherwise if seconds is None else f"{seconds:.1f} s"
