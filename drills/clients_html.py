"""The part of the page that sets the two clients side by side."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from drills.html_table import table
from drills.report import DrillReport
from drills.writes_report import ClientReport

EXPLANATION = (
    "Two clients write at the same pace. One finds the writer by its name, so it depends on DNS; the other by libpq's "
    "multi-host URI, so it asks both databases which of them takes writes. Each keeps one connection as long as that "
    "works, and besides opens a new one each second for a single row."
)


OF_THESE = "\u2003of these "


def _recovery(client: ClientReport) -> str:
    return "no failover" if client.rto_seconds is None else f"{client.rto_seconds:.1f} s"


ROWS: tuple[tuple[str, Callable[[ClientReport], str]], ...] = (
    ("From the fault to the first write acknowledged by the new writer", _recovery),
    ("Longest time without an acknowledged write", lambda client: f"{client.outage_seconds:.1f} s"),
    ("Writes attempted", lambda client: str(client.writes.attempted)),
    ("Writes acknowledged", lambda client: str(client.writes.acknowledged)),
    (OF_THESE + "on a connection of their own", lambda client: str(client.writes.on_fresh_connections)),
    ("Writes of which it did not learn the end (indeterminate)", lambda client: str(client.writes.indeterminate)),
    ("Writes that failed", lambda client: str(client.writes.failed)),
    ("Acknowledged rows that are gone", lambda client: str(client.writes.lost)),
    (OF_THESE + "beyond the reported loss", lambda client: str(client.writes.lost_beyond_reported_rpo)),
    (
        "Rows the old writer accepted after the switch",
        lambda client: str(client.writes.accepted_by_old_writer_after_switch),
    ),
)


def clients_of(report: DrillReport) -> list[str]:
    """A heading, what the two clients do, and their figures in one table."""
    headings = ("", *(escape(f"Through the {client.name}") for client in report.clients))
    rows = [(what, *(escape(figure(client)) for client in report.clients)) for what, figure in ROWS]
    kinds = ("", *("number" for _ in report.clients))
    return [
        "<h2>The two ways to the writer</h2>",
        f'<p class="soft">{escape(EXPLANATION)}</p>',
        table(headings, rows, kinds, narrow=True),
    ]
