"""Commits that hang, as when the storage does not answer a flush any more.

The process that holds PostgreSQL's lock for writing WAL is stopped (SIGSTOP). Whoever commits waits for that lock and
cannot be cancelled; whoever logs in, reads, or streams what is already flushed does not need it.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable

import psycopg

from lab.postgres.binaries import PostgresError

_PATIENCE_SECONDS = 20.0
# Longer than a flush takes where storage answers.
_SURELY_SECONDS = 0.7
_LOOK_SECONDS = 0.02

# Writes WAL, no row, and commits; `synchronous_commit` may be off for the whole server.
_COMMIT = "SELECT pg_logical_emit_message(true, 'lab', 'commit')"
_STATE = """
SELECT pg_current_wal_flush_lsn()::text,
       (SELECT wait_event_type = 'LWLock' AND wait_event = 'WALWrite' FROM pg_stat_activity WHERE pid = %s)
"""


class HungCommits:
    """Lets the commits of one server hang, and go on."""

    def __init__(self, connect: Callable[[], psycopg.Connection]) -> None:
        """Nothing hangs yet; ``connect`` connects as superuser, with autocommit."""
        self._connect = connect
        self._over = threading.Event()
        self._stopped: int | None = None

    def begin(self) -> None:
        """Let every commit hang from now on.

        Raises:
            PostgresError: no process could be stopped at the right moment; nothing hangs.
            psycopg.Error: the server does not answer.
        """
        self.end()
        self._over = threading.Event()
        with self._connect() as looking:
            holder, waiting = (self._start_committing() for _ in range(2))
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while time.monotonic() < deadline:
                os.kill(holder, signal.SIGSTOP)
                self._stopped = holder
                if _hang(looking, waiting):
                    return
                os.kill(holder, signal.SIGCONT)
                # Not in step with what it does.
                time.sleep(random.uniform(0.0, 0.01))  # noqa: S311 - no secret
        self.end()
        raise PostgresError(f"no commit hangs: no process was stopped in a flush within {_PATIENCE_SECONDS:.0f} s")

    def end(self) -> None:
        """Let commits go on; those that hang take effect. Nothing to do where none hang, or the server was killed."""
        self._over.set()
        stopped, self._stopped = self._stopped, None
        if stopped is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(stopped, signal.SIGCONT)

    def _start_committing(self) -> int:
        """Commit over and over; gives the process that does it."""
        connection = self._connect()
        over = self._over

        def commit() -> None:
            with contextlib.suppress(psycopg.Error), connection:
                connection.execute("SET synchronous_commit = 'local'")
                while not over.is_set():
                    connection.execute(_COMMIT)

        threading.Thread(target=commit, name="lab-commits", daemon=True).start()
        return connection.info.backend_pid


def _hang(looking: psycopg.Connection, waiting: int) -> bool:
    """Whether nothing is flushed, and a committing process waits for the lock, for some time."""
    deadline = time.monotonic() + _SURELY_SECONDS
    flushed = None
    while True:
        row = looking.execute(_STATE, (waiting,)).fetchone()
        if row is None or (flushed is not None and (row[0] != flushed or not row[1])):
            return False
        flushed = row[0]
        if time.monotonic() > deadline:
            return True
        time.sleep(_LOOK_SECONDS)
