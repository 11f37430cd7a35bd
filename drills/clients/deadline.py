"""A deadline on every call, in the client: what psycopg needs beside libpq's own deadlines."""

from __future__ import annotations

from psycopg import Connection, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from drills.clients.settings import CALL_DEADLINE_SECONDS


class DeadlineConnection(Connection[TupleRow]):
    """psycopg's connection; a call that is not answered in time raises `OperationalError`.

    It is closed then, as the answer may still come. Asking the server to cancel would be a call to a server that does
    not answer.

    Attributes:
        call_seconds: how long a call may take.
    """

    call_seconds = CALL_DEADLINE_SECONDS

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for a call to end; psycopg calls this for each."""
        try:
            return super().wait(gen, interval, self.call_seconds if timeout is None else timeout)
        except OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise
