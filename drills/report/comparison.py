"""The clients of a drill side by side: how long each was away, what it lost, whether it hung or went astray."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from drills.clients.others import KNOWN
from drills.clients.routes import ByName, ByUri
from drills.report.html_page import result, table
from drills.report.report import ClientReport, DrillReport

COLUMNS: tuple[tuple[str, Callable[[ClientReport], str]], ...] = (
    ("away", lambda client: _seconds(client.rto_seconds)),
    ("after promotion", lambda client: _seconds(client.after_promotion_seconds)),
    ("after name moved", lambda client: _seconds(client.after_name_moved_seconds)),
    ("longest attempt", lambda client: f"{client.history.longest_wait_seconds:.1f} s"),
    ("lost", lambda client: str(client.writes.lost)),
    ("to old writer", lambda client: str(client.writes.accepted_by_old_writer_after_switch)),
)
SUMMARIES = {
    ByName.name: "psycopg as documented, by the writer's DNS name",
    ByUri.name: "psycopg as documented, by writerLibpqUri",
    **{name: known.summary for name, known in KNOWN.items()},
}
EXPLAINED = (
    "Away: from the fault to the first write that the new writer acknowledged. The same is counted from the promotion, "
    "as the controller or a client first saw it, and from the move of the writer's name; with a minus it came before "
    "that. Lost: acknowledged, and not in the new writer at the end. To old writer: acknowledged by it after the "
    "switch, so lost as well."
)
OTHERS_EXPLAINED = (
    "The drill is judged by the clients with documented settings. What happened to the others is shown for comparison: "
    "they neither pass nor fail it."
)


def comparison_table(report: DrillReport) -> str:
    """The table as HTML."""
    headings = ("Client", "Settings", *(escape(heading) for heading, _ in COLUMNS))
    rows = [
        (
            f'<b>{escape(client.name)}</b><br><span class="soft">{escape(_summary(client))}</span>'
            + (f"<br>{result(good=False, yes='', no=escape(found))}" if (found := _findings(client)) else ""),
            "documented" if client.history.is_documented else "its own",
            *(escape(figure(client)) for _, figure in COLUMNS),
        )
        for client in report.clients
    ]
    return table(headings, rows, ("", "word", *("number" for _ in COLUMNS)))


def comparison_lines(report: DrillReport) -> list[str]:
    """The same for a terminal."""
    rows = [("client", "settings", *(heading for heading, _ in COLUMNS))]
    rows += [
        (
            client.name,
            "documented" if client.history.is_documented else "its own",
            *(figure(client) for _, figure in COLUMNS),
        )
        for client in report.clients
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if index < 2 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return [*lines, *finding_lines(report)]


def finding_lines(report: DrillReport) -> list[str]:
    """What a reader must not overlook, a line for each client of which there is something to say."""
    return [f"{client.name}: {found}" for client in report.clients if (found := _findings(client))]


def _summary(client: ClientReport) -> str:
    return SUMMARIES.get(client.name, "a program of your own")


def _findings(client: ClientReport) -> str:
    words = []
    if count := client.writes.accepted_by_old_writer_after_switch:
        words.append(f"wrote {count} row{'s' if count > 1 else ''} to the old writer after the switch")
    if client.hung:
        words.append(f"hung for {client.history.longest_wait_seconds:.0f} s")
    return "; ".join([*words, *filter(None, [client.history.trouble])])


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{round(seconds, 1) + 0.0:.1f} s".replace("-", "\u2212")
