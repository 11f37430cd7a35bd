"""A client of a drill: it writes numbered rows until stopped, decides when to reconnect, and records each outcome."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event, Lock

from drills.clients.connection import ConnectionLostError, NotConnectedError, ServerConnection, StatementRefusedError
from drills.clients.dns import NameNotResolvedError
from drills.clients.history import ROWS_IN_BLOCK, Attempt, ClientHistory, Outcome
from drills.clients.routes import Route
from drills.clients.writes_table import INSERT_ROW
from drills.instants import Instant


@dataclass(frozen=True)
class Pace:
    """How a client works.

    Attributes:
        interval_seconds: from one write to the next while they are acknowledged.
        retry_seconds: pause after a write that was not acknowledged; it is the resolution of the measured outage.
        fresh_connection_seconds: pause between two writes that each open a connection of their own.
    """

    interval_seconds: float = 0.05
    retry_seconds: float = 0.1
    fresh_connection_seconds: float = 1.0


class RowNumbers:
    """The row numbers of one block, each handed out once; clients may share them."""

    def __init__(self, block: int = 0) -> None:
        self.block = block
        self._lock = Lock()
        self._given = block * ROWS_IN_BLOCK

    def take(self) -> int:
        """A number that nobody has used."""
        with self._lock:
            self._given += 1
            return self._given


class WritingClient:
    """Writes from `start` to `stop`; each number is used once, whatever the outcome.

    It writes in two ways at once, each in a thread of its own, as an application's connection pool does:

    - On one connection that it keeps as long as it works; only then it looks for the writer again. This tests the fence
      hardest: a client that looked earlier would leave the old writer before that could be seen accepting rows.
    - On a new connection for a single row every now and then, as a pool does that recycles its connections. This
      detects an old writer that came back and accepts new clients.
    """

    def __init__(self, route: Route, numbers: RowNumbers, pace: Pace, *, is_documented: bool = True) -> None:
        self._route = route
        self._numbers = numbers
        self._pace = pace
        self._is_documented = is_documented
        self._resting = Event()
        self._attempts: list[Attempt] = []
        self._done = Event()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="drill-client")
        self._running: list[Future[None]] = []

    def start(self) -> None:
        """Start writing."""
        self._running = [
            self._threads.submit(self._write_on_a_kept_connection),
            self._threads.submit(self._write_on_fresh_connections),
        ]

    def stop(self) -> None:
        """Finish the writes under way and disconnect.

        Raises:
            Exception: whatever ended the client before it was stopped; its history is incomplete then.
        """
        self._done.set()
        self._threads.shutdown()
        for running in self._running:
            running.result()

    def rest(self) -> None:
        """Keep the connection and write nothing."""
        self._resting.set()

    def go_on(self) -> None:
        """Write again."""
        self._resting.clear()

    @property
    def is_over(self) -> bool:
        """It writes until it is stopped."""
        return False

    @property
    def history(self) -> ClientHistory:
        """Everything tried so far."""
        ended = sorted(self._attempts, key=lambda attempt: attempt.finished_at.monotonic)
        return ClientHistory(self._route.name, tuple(ended), self._numbers.block, self._is_documented)

    def _write_on_a_kept_connection(self) -> None:
        connection: ServerConnection | None = None
        try:
            while not self._done.is_set():
                if self._resting.is_set():
                    self._done.wait(self._pace.retry_seconds)
                    continue
                if connection is not None and connection.broken:
                    connection.close()
                    connection = None
                attempt, connection = self._attempt(connection, fresh=False)
                self._attempts.append(attempt)
                if attempt.outcome is Outcome.ACKNOWLEDGED:
                    taken_seconds = time.monotonic() - attempt.invoked_at.monotonic
                    self._done.wait(max(0.0, self._pace.interval_seconds - taken_seconds))
                else:
                    self._done.wait(self._pace.retry_seconds)
        finally:
            if connection is not None:
                connection.close()

    def _write_on_fresh_connections(self) -> None:
        while not self._done.wait(self._pace.fresh_connection_seconds):
            if self._resting.is_set():
                continue
            attempt, connection = self._attempt(None, fresh=True)
            self._attempts.append(attempt)
            if connection is not None:
                connection.close()

    def _attempt(self, connection: ServerConnection | None, *, fresh: bool) -> tuple[Attempt, ServerConnection | None]:
        """Write one row.

        Args:
            connection: the connection to use; None opens one.
            fresh: whether the connection is for this row only.

        Returns:
            The outcome, and the connection if it can still be used.
        """
        n = self._numbers.take()
        invoked_at = Instant.now()
        address: str | None = None
        detail = ""
        kept: ServerConnection | None = None
        try:
            if connection is None:
                connection = self._route.connect()
            address = connection.address
            connection.run(INSERT_ROW, (n, self._route.name))
            outcome, kept = Outcome.ACKNOWLEDGED, connection
        except NameNotResolvedError as error:
            outcome, detail = Outcome.FAILED, str(error)
        except NotConnectedError as error:
            outcome, detail, address = Outcome.FAILED, str(error), error.address
        except StatementRefusedError as error:
            # A server that refuses a write, as a read-only one does, is not the writer: look for the writer again.
            outcome, detail = Outcome.FAILED, str(error)
        except ConnectionLostError as error:
            outcome, detail = Outcome.INDETERMINATE, str(error)
        attempt = Attempt(n, invoked_at, Instant.now(), outcome, address, detail, fresh)
        if connection is not None and kept is None:
            connection.close()
        return attempt, kept
