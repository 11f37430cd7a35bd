"""The client of a drill: it writes numbered rows through the writer's name, all the time, and remembers what it saw."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

from lab.drill.connection import (
    ConnectionLostError,
    DeadlineConnection,
    Endpoint,
    NotConnectedError,
    StatementRefusedError,
)
from lab.drill.history import Attempt, Outcome
from lab.drill.instants import Instant
from lab.drill.names import NameNotResolvedError, Resolver
from lab.drill.system import Target
from lab.drill.writes_table import INSERT_ROW


@dataclass(frozen=True)
class Pace:
    """How the client works.

    Attributes:
        interval_seconds: from one write to the next while all is well.
        retry_seconds: pause after a write that was not acknowledged; it is the resolution of the measured outage.
        connect_timeout_seconds: when a server that does not answer is given up.
        statement_timeout_seconds: when a write without an answer is given up, as indeterminate.
    """

    interval_seconds: float = 0.05
    retry_seconds: float = 0.1
    connect_timeout_seconds: float = 2.0
    statement_timeout_seconds: float = 2.0


class WritingClient:
    """Writes from `start` to `stop`, one row at a time; a number is used once, whatever becomes of it.

    It keeps its connection as long as that works and asks for the name only to connect again. That client is the
    hardest on the fence: one that followed the name without need would leave the old writer before it could be caught
    accepting rows.
    """

    def __init__(self, target: Target, dns_server: tuple[str, int], pace: Pace, label: str = "by-name") -> None:
        self._target = target
        self._resolver = Resolver(target.writer_name, dns_server)
        self._pace = pace
        self._label = label
        self._attempts: list[Attempt] = []
        self._connection: DeadlineConnection | None = None
        self._done = Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drill-client")
        self._running: Future[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._running = self._thread.submit(self._write_until_stopped)

    def stop(self) -> None:
        """Finish the write under way and hang up.

        Raises:
            Exception: whatever ended the client before it was stopped; its history is incomplete then.
        """
        self._done.set()
        if self._running is not None:
            self._running.result()
        self._thread.shutdown()

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Everything tried so far, in order."""
        return tuple(self._attempts)

    def acknowledged_since(self, moment: Instant, *, not_by: str | None = None) -> Attempt | None:
        """The first acknowledgement after a moment, if there is one yet.

        Args:
            moment: acknowledgements up to it do not count.
            not_by: address of a server whose acknowledgements do not count.
        """
        for attempt in self.attempts:
            if (
                attempt.outcome is Outcome.ACKNOWLEDGED
                and attempt.finished_at.monotonic > moment.monotonic
                and attempt.server_address != not_by
            ):
                return attempt
        return None

    def _write_until_stopped(self) -> None:
        n = 0
        try:
            while not self._done.is_set():
                n += 1
                attempt = self._attempt(n)
                self._attempts.append(attempt)
                if attempt.outcome is Outcome.ACKNOWLEDGED:
                    taken_seconds = time.monotonic() - attempt.invoked_at.monotonic
                    self._done.wait(max(0.0, self._pace.interval_seconds - taken_seconds))
                else:
                    self._done.wait(self._pace.retry_seconds)
        finally:
            self._hang_up()

    def _attempt(self, n: int) -> Attempt:
        invoked_at = Instant.now()
        address: str | None = None
        detail = ""
        try:
            if self._connection is not None and self._connection.broken:
                self._hang_up()
            if self._connection is None:
                address = self._resolver.address()
                self._connection = DeadlineConnection(
                    Endpoint.of(self._target, address), self._pace.connect_timeout_seconds
                )
            address = self._connection.address
            self._connection.run(
                INSERT_ROW, (str(n), self._label), timeout_seconds=self._pace.statement_timeout_seconds
            )
            outcome = Outcome.ACKNOWLEDGED
        except (NameNotResolvedError, NotConnectedError) as error:
            outcome, detail = Outcome.FAILED, str(error)
        except StatementRefusedError as error:
            # A server that refuses a write (read-only, for one) is not the writer: leave it and ask for the name again.
            outcome, detail = Outcome.FAILED, str(error)
            self._hang_up()
        except ConnectionLostError as error:
            outcome, detail = Outcome.INDETERMINATE, str(error)
            self._hang_up()
        return Attempt(n, invoked_at, Instant.now(), outcome, address, detail)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
