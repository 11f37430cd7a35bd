"""One check of a drill: a statement that must be true, with what was seen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from drills.evidence import Evidence

SHOWN_NUMBERS = 8


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: the statement.
        passed: whether it is true.
        evidence: what was seen.
    """

    name: str
    passed: bool
    evidence: str


def numbers(rows: Collection[int]) -> str:
    """The first of some row numbers, in parentheses; empty where there are none."""
    if not rows:
        return ""
    more = "" if len(rows) <= SHOWN_NUMBERS else f" and {len(rows) - SHOWN_NUMBERS} more"
    return " (rows " + ", ".join(str(n) for n in sorted(rows)[:SHOWN_NUMBERS]) + more + ")"


def by_client(evidence: Evidence, rows: Collection[int]) -> str:
    """How many of some rows each client wrote, and which."""
    words = []
    for client in evidence.clients:
        its = {attempt.n for attempt in client.attempts} & set(rows)
        words.append(f"{client.name}: {len(its)}{numbers(its)}")
    return ", ".join(words)
