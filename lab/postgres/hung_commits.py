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

_PATIENCE_SECONDS = 30.0
# Longer than a flush takes where storage answers.
_SURELY_SECONDS = 0.7
# How soon the next commit comes to the lock, also on a busy machine.
_SOON_SECONDS = 0.3
_LOOK_SECONDS = 0.02
# A process may be stopped while it holds a spinlock as well. Then everybody spins, and the server panics in the end.
_SPINS_SECONDS = 2.0

# Writes WAL, no row, and commits; `synchronous_commit` may be off for the whole server.
_COMMIT = "SELECT pg_logical_emit_message(true, 'lab', 'commit')"
_STATE = """
SELECT pg_current_wal_flush_lsn()::text,
       (SELECT wait_event_type = 'LWLock' AND wait_event = 'WALWrite' FROM pg_stat_activity WHERE pid = %s),
       (SELECT count(*) FROM pg_stat_replication)
"""
"""What is flushed, and whether a process waits for the lock. It takes the spinlocks that logins and the stream need."""


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
                self._stopped = holder
                os.kill(holder, signal.SIGSTOP)
                # Who comes later has to wait, too: the process may just have released the lock and woken nobody.
                if self._hangs(looking, waiting) and self._hangs(looking, self._start_committing()):
                    return
                self._continue()
                # Not in step with what it does.
                time.sleep(random.uniform(0.0, 0.01))  # noqa: S311 - no secret
        self.end()
        raise PostgresError(f"no commit hangs: no process was stopped in a flush within {_PATIENCE_SECONDS:.0f} s")

    def end(self) -> None:
        """Let commits go on; those that hang take effect. Nothing to do where none hang, or the server was killed."""
        self._over.set()
        self._continue()

    def _continue(self) -> None:
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

    def _hangs(self, looking: psycopg.Connection, waiting: int) -> bool:
        """Whether nothing is flushed while a committing process waits for the lock, for some time."""
        began = time.monotonic()
        waits_since: float | None = None
        flushed: str | None = None
        while True:
            flushed_now, waits = self._look(looking, waiting)
            now = time.monotonic()
            if self._stopped is None or flushed_now != (flushed or flushed_now):
                return False
            flushed = flushed_now
            if not waits:
                waits_since = None
                if now - began > _SOON_SECONDS:
                    return False
            elif waits_since is None:
                waits_since = now
            elif now - waits_since > _SURELY_SECONDS:
                return True
            time.sleep(_LOOK_SECONDS)

    def _look(self, looking: psycopg.Connection, waiting: int) -> tuple[str, bool]:
        rescue = threading.Timer(_SPINS_SECONDS, self._continue)
        rescue.start()
        try:
            row = looking.execute(_STATE, (waiting,)).fetchone()
        finally:
            rescue.cancel()
        return ("", False) if row is None else (row[0], bool(row[1]))
