"""The frame of the HTML pages: one file each, readable without network, scripts or other files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
# The browser itself refuses whatever would be loaded from elsewhere.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html_page(title: str, body: Iterable[str]) -> str:
    """A whole page as HTML text.

    Args:
        title: plain text.
        body: its elements, as HTML.
    """
    head = (
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
    )
    return "\n".join((*head, *body, "</body>", "</html>", ""))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], kinds: Sequence[str], *, narrow: bool = False) -> str:
    """A table.

    Args:
        headings: as HTML; without any text there is no heading row.
        rows: cells as HTML.
        kinds: the style of each column: ``number``, ``word`` or nothing.
        narrow: whether the table is only as wide as it must be.
    """
    head = "".join(f'<th class="{kind}">{heading}</th>' for heading, kind in zip(headings, kinds, strict=True))
    opening = '<table class="narrow">' if narrow else "<table>"
    top = f"<thead><tr>{head}</tr></thead>" if any(headings) else ""
    body = "".join(
        "<tr>" + "".join(f'<td class="{kind}">{cell}</td>' for cell, kind in zip(row, kinds, strict=True)) + "</tr>\n"
        for row in rows
    )
    return f"{opening}{top}<tbody>{body}</tbody></table>"


def result(*, good: bool, yes: str, no: str) -> str:
    """One of two words, in the colour of success or of failure."""
    return f'<span class="true">{yes}</span>' if good else f'<span class="false">{no}</span>'
