"""One probe of one database: a handshake, which anything that listens answers, and a session in it where it does.

What the handshake says does not depend on the session: a login has failures of its own, and none of them is a dead
database.
"""

from __future__ import annotations

from dataclasses import dataclass

from health_probe.deadline import Deadline
from health_probe.handshake import Handshake, shake_hands
from health_probe.one_session import Sessions
from health_probe.session import Login, SessionResult

SESSIONS = Sessions()
"""Those of this process."""


@dataclass(frozen=True)
class ProbeResult:
    """What one probe found; no session where the handshake brought nothing."""

    handshake: Handshake
    session: SessionResult | None


def probe(login: Login, timeout_seconds: float) -> ProbeResult:
    """Probe one database.

    Args:
        login: which, and who logs in there.
        timeout_seconds: for everything together (resolving a name for the handshake is bounded by the resolver only).
    """
    deadline = Deadline(timeout_seconds)
    handshake = shake_hands(login.target.host, login.target.port, deadline)
    return ProbeResult(handshake, SESSIONS.ask(login, deadline) if handshake.ready else None)
