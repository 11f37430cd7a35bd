"""A table of the report page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], kinds: Sequence[str], *, narrow: bool = False) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f'<th class="{kind}">{heading}</th>' for heading, kind in zip(headings, kinds, strict=True))
    opening = '<table class="narrow">' if narrow else "<table>"
    top = f"<thead><tr>{head}</tr></thead>" if any(headings) else ""
    body = "".join(
        "<tr>" + "".join(f'<td class="{kind}">{cell}</td>' for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    )
    return f"{opening}{top}<tbody>{body}</tbody></table>"
