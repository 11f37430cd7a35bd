"""The examples in a document: a command at a prompt, and what it prints. Parts of that may be left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# What stands for lines that are left out.
GAPS = ("...", "(as in the status)")


class Example(NamedTuple):
    """One.

    Attributes:
        command: what is typed.
        lines: what is shown below it.
    """

    command: str
    lines: tuple[str, ...]


def examples_of(document: Path) -> list[Example]:
    """Every command of a document that has its output below it."""
    blocks = re.findall(r"^```console\n(\$ .*?)^```$", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [Example(command, tuple(lines)) for command, *lines in (part.splitlines() for part in parts)]


def difference(shown: Sequence[str], printed: Sequence[str]) -> str | None:
    """The first line of an example that is not printed where the example has it; None where all of it is there."""
    at, after_a_gap = 0, False
    for line in shown:
        if line.strip() in GAPS:
            after_a_gap = True
            continue
        if after_a_gap:
            at = next((number for number in range(at, len(printed)) if printed[number] == line), len(printed))
        if at >= len(printed) or printed[at] != line:
            return f"shown: {line!r}; printed: {printed[at : at + 1]}"
        at, after_a_gap = at + 1, False
    return None
