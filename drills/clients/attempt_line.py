"""The line that a client program prints for each attempt, and reading it.

    {"n": 20000007, "outcome": "acknowledged", "server": "10.0.1.10", "error": null, "seconds": 0.004}

- ``n``: the row's number; the first is ``FIRST_ROW``, each is used once, whatever its outcome.
- ``outcome``: ``acknowledged`` (the commit was confirmed), ``failed`` (certainly not committed: not connected, or
  refused by the server), ``indeterminate`` (sent, and no answer came).
- ``server`` (may be missing or null): the address that the connection leads to, as the driver sees it.
- ``error`` (may be missing or null): why it was not acknowledged.
- ``seconds`` (may be missing): how long the attempt took; without it, it is taken to last since the line before.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass

from drills.clients.history import Outcome

SHOWN_CHARACTERS = 120


class NonsenseError(Exception):
    """A line that is no attempt; the message says why not."""


@dataclass(frozen=True)
class AttemptLine:
    """What a line says; see the module.

    Attributes:
        n: the row's number.
        outcome: what the client knows about it.
        server: the server's literal IP; None where the client did not say, or said a name.
        error: empty where there was none.
        seconds: how long it took; None where the client did not say.
    """

    n: int
    outcome: Outcome
    server: str | None
    error: str
    seconds: float | None


def read_line(line: str) -> AttemptLine:
    """Read a line.

    Raises:
        NonsenseError: it is none.
    """
    try:
        said = json.loads(line)
    except ValueError:
        raise _nonsense(line, "is no JSON") from None
    if not isinstance(said, dict):
        raise _nonsense(line, "is no JSON object")
    n, outcome, server, error, seconds = (said.get(key) for key in ("n", "outcome", "server", "error", "seconds"))
    if type(n) is not int:
        raise _nonsense(line, "has no whole number n")
    if not isinstance(outcome, str) or outcome not in set(Outcome):
        raise _nonsense(line, f"has no outcome of {', '.join(Outcome)}")
    if not isinstance(server, str | None) or not isinstance(error, str | None):
        raise _nonsense(line, "has a server or an error that is no text")
    if seconds is not None and (not isinstance(seconds, int | float) or not 0 <= seconds < float("inf")):
        raise _nonsense(line, "has seconds that are no number")
    return AttemptLine(n, Outcome(outcome), None if server is None else _literal(server), error or "", seconds)


def _literal(server: str) -> str | None:
    """The address alone: drivers say it with a port, PostgreSQL with a mask."""
    for text in (server, server.partition("/")[0], server.rpartition(":")[0].strip("[]")):
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            continue
    return None


def _nonsense(line: str, why: str) -> NonsenseError:
    shown = line if len(line) <= SHOWN_CHARACTERS else line[:SHOWN_CHARACTERS] + "\u2026"
    return NonsenseError(f"the line {shown!r} {why}")
