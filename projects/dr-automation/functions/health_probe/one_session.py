"""At most one session of this process in each database, however long it lasts.

A probe waits for its session until its deadline, but the session itself goes on in a thread of its own until the server
answers or the connection ends: a backend that waits for its storage ends neither by a timeout nor by the client's
leaving, so a new session every few seconds would fill a hung server (and soon reach the limit of the role). While one
is open, the next probes open none. It lasts from one run of the function to the next; Lambda freezes it between them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from function_runtime.session_outcome import SessionOutcome
from health_probe.deadline import Deadline
from health_probe.session import Login, NoTimeLeftError, SessionResult, hold
from health_probe.settings import Target

Holder = Callable[[Login, Deadline, Callable[[], None]], SessionResult]
NOT_KNOWN = SessionResult(SessionOutcome.NOT_ENDED, "the probe failed; its error is in the log")


@dataclass
class _Session:
    """One session in its thread; the two sides agree under the lock on whether its commit was sent in time."""

    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    result: SessionResult = NOT_KNOWN
    commit_is_sent: bool = False
    is_given_up: bool = False


class Sessions:
    """The sessions of one process, by database.

    Args:
        holder: holds one session to its end; never raises for what the database does.
    """

    def __init__(self, holder: Holder = hold) -> None:
        self._holder = holder
        self._open: dict[Target, _Session] = {}
        self._lock = threading.Lock()

    def ask(self, login: Login, deadline: Deadline) -> SessionResult:
        """Hold a session, or go on waiting for the one that is still open; return by the deadline.

        A commit is sent only in the first two thirds of the time: "not answered" must not mean "sent a moment ago".

        Args:
            login: who logs in where.
            deadline: when the probe is over.

        Returns:
            How the session ended; `HUNG` as long as its commit was sent and is not answered.
        """
        with self._lock:
            earlier = self._open.get(login.target)
        if earlier is not None and not deadline.wait_for(earlier.ended):
            return _unanswered(earlier)
        session = _Session()
        with self._lock:
            self._open[login.target] = session
        threading.Thread(target=self._hold, args=(session, login, deadline), name="probe-session", daemon=True).start()
        if deadline.wait_for(session.ended):
            return session.result
        return _unanswered(session)

    def _hold(self, session: _Session, login: Login, deadline: Deadline) -> None:
        def about_to_commit() -> None:
            with session.lock:
                if session.is_given_up or deadline.is_mostly_over():
                    raise NoTimeLeftError
                session.commit_is_sent = True

        try:
            session.result = self._holder(login, deadline, about_to_commit)
        finally:
            session.ended.set()


def _unanswered(session: _Session) -> SessionResult:
    with session.lock:
        session.is_given_up = True
        if session.commit_is_sent:
            return SessionResult(SessionOutcome.HUNG, "the commit of a heartbeat is not answered")
    return SessionResult(SessionOutcome.NOT_ENDED, "the session takes too long")
