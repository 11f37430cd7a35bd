"""The report page of one drill."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from drills.instants import iso
from drills.judge.checks import allowed_words, spoken
from drills.report.comparison import EXPLAINED as COMPARISON_EXPLAINED
from drills.report.comparison import OTHERS_EXPLAINED, comparison_table, finding_lines
from drills.report.html_page import html_page, result, table
from drills.report.picture import picture_of
from drills.report.picture_labels import markers_of
from drills.report.report import ClientReport, DrillReport
from drills.report.timeline import TimelineEvent, timeline_of
from drills.scenario import DrillOutcome

SHOWN_LOST_ROWS = 20
CLIENTS_EXPLAINED = (
    "Two clients write at the same pace, psycopg with the documented deadlines. One finds the writer by its DNS name; "
    "the other uses libpq's multi-host URI and asks both databases which of them takes writes. Each keeps one "
    "connection as long as it works, and also opens a new connection each second to write a single row."
)
OF_THESE = "\u2003of these "

CLIENT_FIGURES: tuple[tuple[str, Callable[[ClientReport], str]], ...] = (
    ("Longest time without an acknowledged write", lambda client: f"{client.outage_seconds:.1f} s"),
    ("Writes attempted", lambda client: str(client.writes.attempted)),
    ("Writes acknowledged", lambda client: str(client.writes.acknowledged)),
    (OF_THESE + "on a connection of their own", lambda client: str(client.writes.on_fresh_connections)),
    ("Writes without an answer (indeterminate)", lambda client: str(client.writes.indeterminate)),
    ("Writes that failed", lambda client: str(client.writes.failed)),
    ("Lost rows beyond the reported data loss", lambda client: str(client.writes.lost_beyond_reported_rpo)),
)


def page_of(report: DrillReport) -> str:
    """The whole page as HTML text."""
    events = timeline_of(report.evidence)
    return html_page(
        f"Drill {report.scenario.name}: {'passed' if report.passed else 'failed'}",
        [
            *_head(report),
            _figures(report),
            "<h2>What happened</h2>",
            f'<div class="picture">{picture_of(report.evidence, markers_of(events), report.astray)}</div>',
            *_clients(report),
            *_decision(report),
            *_losses(report),
            *_checks(report),
            *_messages(report),
            *_timeline(events),
            "<h2>Versions</h2>",
            table(
                ("Part", "Version"),
                [(escape(name), escape(version)) for name, version in report.evidence.versions.items()],
                ("", ""),
                narrow=True,
            ),
        ],
    )


def _head(report: DrillReport) -> list[str]:
    word, kind = ("Passed.", "passed") if report.passed else ("Failed.", "failed")
    evidence, scenario = report.evidence, report.scenario
    return [
        f"<h1>Drill {escape(scenario.name)}</h1>",
        f'<p class="verdict {kind}"><b>{word}</b> {escape(report.verdict)}</p>',
        *(f'<p class="false">{escape(line)}</p>' for line in finding_lines(report)),
        (
            f"<p>{escape(scenario.summary)} Expected: {escape(allowed_words(scenario))}; "
            f"observed: {spoken(report.outcome)}.</p>"
        ),
        (
            f'<p class="soft">Times count from the fault ({escape(evidence.fault.what)}) at '
            f"{iso(evidence.fault.at.wall)}. The drill ran from {iso(evidence.started_at.wall)} to "
            f"{iso(evidence.finished_at.wall)}.</p>"
        ),
    ]


def _figures(report: DrillReport) -> str:
    writes, accepted_by = report.writes, report.evidence.unknown_loss_accepted_by
    lost = (
        "no row could be read back, so every acknowledged one counts as lost"
        if not writes.read_back and writes.lost
        else f"acknowledged, but not in the database at the end; {writes.lost_beyond_reported_rpo} beyond the reported "
        f"data loss, {report.judgement.measured_loss_seconds:.2f} s measured"
    )
    figures = (
        ("Outage", *_outage(report)),
        (
            "Data loss, reported",
            _reported(report, "\u2264 "),
            "the upper bound that the system reported"
            if accepted_by is None
            else f"the system knew no bound; {accepted_by} accepted that",
        ),
        ("Rows lost", str(writes.lost), lost),
        (
            "Writes acknowledged",
            str(writes.acknowledged),
            (f"of {writes.attempted} attempted; {writes.indeterminate} indeterminate, {writes.failed} failed"),
        ),
    )
    point, took = report.evidence.recovery_point_seconds, report.evidence.recovery_time_seconds
    if point is not None and took is not None:
        figures = (
            ("Recovery point", f"{point:.1f} s", "how old the restored snapshot was when the data was lost"),
            (
                "Recovery time",
                f"{took:.1f} s",
                "from a person's order to the first row read from the restored instance",
            ),
            *figures[2:],
        )
    cells = (
        f'<div class="figure"><div class="name">{escape(name)}</div><div class="value">{escape(value)}</div>'
        f'<div class="note">{escape(note)}</div></div>'
        for name, value, note in figures
    )
    return f'<div class="figures">{"".join(cells)}</div>'


def _outage(report: DrillReport) -> tuple[str, str]:
    """The outage of the first client, and those of the others in words."""
    first, *others = (client for client in report.clients if client.history.block == 0)
    if report.outcome is DrillOutcome.FAILED_OVER:
        beside = ", ".join(f"{_seconds(client.rto_seconds, 'never')} through the {client.name}" for client in others)
        note = f"from the fault to the first write acknowledged by the new writer, through the {first.name}; {beside}"
        return _seconds(first.rto_seconds, "not over"), note
    beside = ", ".join(f"{client.outage_seconds:.1f} s through the {client.name}" for client in others)
    note = f"the longest time without an acknowledged write, through the {first.name}; {beside}"
    return f"{first.outage_seconds:.1f} s", note


def _clients(report: DrillReport) -> list[str]:
    headings = ("", *(escape(client.name) for client in report.clients))
    rows = [(what, *(escape(figure(client)) for client in report.clients)) for what, figure in CLIENT_FIGURES]
    kinds = ("", *("number" for _ in report.clients))
    return [
        "<h2>The clients</h2>",
        f'<p class="soft">{escape(CLIENTS_EXPLAINED)}</p>',
        *([f'<p class="soft">{escape(OTHERS_EXPLAINED)}</p>'] if report.evidence.others else []),
        comparison_table(report),
        f'<p class="soft">{escape(COMPARISON_EXPLAINED)}</p>',
        table(headings, rows, kinds, narrow=True),
    ]


def _decision(report: DrillReport) -> list[str]:
    parts = ["<h2>What the controller decided, and why</h2>", f"<p>{escape(report.reason)}</p>"]
    if report.decision is not None:
        parts.append(
            f'<p class="soft">Decision: {escape(report.decision.action)} ({escape(report.decision.code)}).</p>'
        )
    incident, looked = report.evidence.incident, report.evidence.last_look
    if looked is not None:
        after = report.evidence.at(looked.at)
        parts.append(
            f"<p>{after:.1f} s after the fault a last look kept a failover from beginning: {escape(looked.found)}.</p>"
        )
    if incident is not None:
        rows = [(escape(name), escape(value)) for name, value in incident.signals.items()]
        parts.append(table(("Signal", "Answer"), rows, ("", "word"), narrow=True))
        own = "" if incident.rto_seconds is None else f"; the controller counted {incident.rto_seconds:.1f} s"
        ordered = "" if incident.ordered_by is None else f"; ordered by {escape(incident.ordered_by)}"
        parts.append(
            f'<p class="soft">Incident {escape(incident.incident_id)}, epoch {incident.epoch}, '
            f"is {escape(incident.phase)}{own}{ordered}.</p>"
        )
    return parts


def _losses(report: DrillReport) -> list[str]:
    evidence, judgement, writes = report.evidence, report.judgement, report.writes
    lag = None if evidence.incident is None else evidence.incident.lag_before_seconds
    facts = [
        ("Data loss that the system reported, at most", _reported(report)),
        ("Replica lag before the fault, as the controller saw it", _seconds(lag, "unknown")),
        (
            "Data loss measured: from the earliest lost row to the last moment at which a row could be lost",
            f"{judgement.measured_loss_seconds:.2f} s",
        ),
        ("Rows read back from the final writer", str(writes.read_back)),
        ("Acknowledged rows that are lost", str(writes.lost)),
        ("Acknowledged rows that are lost, beyond the reported data loss", str(writes.lost_beyond_reported_rpo)),
        ("Rows the old writer accepted after the switch", str(writes.accepted_by_old_writer_after_switch)),
        ("Rows for which the client got no answer (indeterminate)", str(writes.indeterminate)),
        ("Indeterminate rows that are in the database", str(writes.indeterminate_found)),
    ]
    parts = ["<h2>What was lost</h2>", table(("", ""), facts, ("", "number"), narrow=True)]
    lost = sorted(
        (evidence.at(attempt.finished_at), attempt.n, client.name)
        for client in evidence.judged.clients
        for attempt in client.attempts
        if attempt.n in judgement.lost
    )
    if lost:
        rows = [
            (
                str(n),
                escape(client),
                f"{at_seconds:.2f} s",
                result(good=n not in judgement.lost_beyond_reported_rpo, yes="yes", no="NO"),
            )
            for at_seconds, n, client in lost[:SHOWN_LOST_ROWS]
        ]
        headings = ("Lost row", "written through", "acknowledged at", "within the reported data loss")
        parts.append(table(headings, rows, ("number", "", "number", ""), narrow=True))
    if len(lost) > SHOWN_LOST_ROWS:
        parts.append(f'<p class="soft">and {len(lost) - SHOWN_LOST_ROWS} more rows.</p>')
    return parts


def _checks(report: DrillReport) -> list[str]:
    rows = [
        (
            result(good=check.passed, yes="\u2713 passed", no="\u2717 FAILED"),
            escape(check.name),
            escape(check.evidence),
        )
        for check in report.checks
    ]
    return ["<h2>Checks</h2>", table(("Result", "Check", "What was seen"), rows, ("word", "", ""))]


def _messages(report: DrillReport) -> list[str]:
    parts = ["<h2>Messages to people</h2>"]
    if not report.evidence.messages:
        parts.append("<p>None.</p>")
    for message in report.evidence.messages:
        subject = escape(message.subject) if message.subject else "(no subject)"
        parts.append(
            f'<p><b>{subject}</b> <span class="soft">at {report.evidence.at(message.sent_at):.1f} s, '
            f"{escape(message.topic)} topic</span></p><pre>{escape(message.text)}</pre>"
        )
    return parts


def _timeline(events: tuple[TimelineEvent, ...]) -> list[str]:
    rows = [
        (f"{event.at_seconds:.2f} s", escape(event.event), escape(event.detail), escape(event.source))
        for event in events
    ]
    headings = ("At", "Event", "Detail", "Recorded by")
    return ["<h2>Timeline</h2>", table(headings, rows, ("number", "", "", "word"))]


def _reported(report: DrillReport, at_most: str = "") -> str:
    if report.rpo_seconds is None:
        return "none" if report.evidence.incident is None else "no bound known"
    return f"{at_most}{report.rpo_seconds:.1f} s"


def _seconds(seconds: float | None, otherwise: str) -> str:
    return otherwise if seconds is None else f"{seconds:.1f} s"
