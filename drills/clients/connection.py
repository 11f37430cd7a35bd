"""A PostgreSQL connection with a deadline for every call.

libpq itself waits for ever when a server is frozen: the server's kernel still acknowledges packets, so neither
``tcp_user_timeout`` nor the server's ``statement_timeout`` fires. Drills freeze servers, so the deadline must be on the
client's side: this uses libpq's non-blocking calls
(https://www.postgresql.org/docs/current/libpq-async.html).
"""

from __future__ import annotations

import select
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from psycopg import OperationalError, pq
from psycopg.conninfo import make_conninfo

from lab.target import Target

RESULT_OK = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


class NotConnectedError(Exception):
    """No connection could be made, so nothing was executed.

    Attributes:
        address: the server that was tried; None where there was more than one.
    """

    def __init__(self, why: str, address: str | None = None) -> None:
        super().__init__(why)
        self.address = address


class StatementRefusedError(Exception):
    """The server answered with an error and kept the connection: the statement was rolled back."""


class ConnectionLostError(Exception):
    """The connection broke, or the deadline passed, before the answer came: the statement may be committed or not."""


@dataclass(frozen=True)
class Endpoint:
    """Where to connect, and as whom.

    Attributes:
        address: the server's literal IP, or the host name from a URI, which libpq resolves.
        conninfo: the libpq connection string, with one host.
    """

    address: str
    conninfo: str

    @classmethod
    def of(cls, target: Target, address: str, target_session_attrs: str = "any") -> Endpoint:
        """A database of the system, by its address. Encryption in transit is required.

        Args:
            target: the system.
            address: the database's.
            target_session_attrs: what the server must be, in libpq's words.
        """
        parameters: Mapping[str, str | int] = {
            "host": address,
            "port": target.database_port,
            "dbname": target.database_name,
            "user": target.credentials.user,
            "password": target.credentials.password,
            "sslmode": "require",
            "application_name": "drill",
            "target_session_attrs": target_session_attrs,
        }
        return cls(address=address, conninfo=make_conninfo("", **parameters))


class DeadlineConnection:
    """One connection; every call ends by its deadline. A connection that broke stays broken.

    Attributes:
        address: the literal IP of the server.
    """

    def __init__(self, endpoint: Endpoint, timeout_seconds: float) -> None:
        """Connect.

        Raises:
            NotConnectedError: refused, or not ready before the timeout.
        """
        deadline = time.monotonic() + timeout_seconds
        self.address = endpoint.address
        # libpq applies connect_timeout only where it waits itself, as in PQconnectdb.
        self._raw = pq.PGconn.connect_start(endpoint.conninfo.encode())
        status = pq.PollingStatus.WRITING
        while status is not pq.PollingStatus.OK:
            if status is pq.PollingStatus.FAILED or self._raw.status == pq.ConnStatus.BAD:
                raise self._not_connected(one_line(self._raw.get_error_message()))
            if not _ready(self._raw.socket, deadline, writing=status is pq.PollingStatus.WRITING):
                raise self._not_connected(f"no answer within {timeout_seconds:g} s")
            status = pq.PollingStatus(self._raw.connect_poll())
        self._raw.nonblocking = 1
        self.address = self._raw.hostaddr.decode()

    @property
    def broken(self) -> bool:
        """Whether the server has closed the connection, as far as can be seen without sending anything."""
        try:
            if _ready(self._raw.socket, time.monotonic(), writing=False):
                self._raw.consume_input()
        except OperationalError:
            return True
        return self._raw.status != pq.ConnStatus.OK

    def run(self, sql: str, parameters: tuple[str, ...] = (), *, timeout_seconds: float) -> list[tuple[str, ...]]:
        """Execute one statement in its own transaction and return its rows as text, NULL as an empty one.

        Raises:
            StatementRefusedError: the server refused it; the connection is still good.
            ConnectionLostError: the connection broke or the timeout passed; the connection must not be used again.
        """
        deadline = time.monotonic() + timeout_seconds
        try:
            self._raw.send_query_params(sql.encode(), [value.encode() for value in parameters])
            while self._raw.flush():
                self._wait(deadline, timeout_seconds, writing=True)
            results = []
            while True:
                while self._raw.is_busy():
                    self._wait(deadline, timeout_seconds, writing=False)
                    self._raw.consume_input()
                result = self._raw.get_result()
                if result is None:
                    break
                results.append(result)
        except OperationalError as error:
            raise ConnectionLostError(one_line(str(error))) from error
        for result in results:
            if result.status not in RESULT_OK:
                message = one_line(result.get_error_message())
                severity = result.error_field(pq.DiagnosticField.SEVERITY_NONLOCALIZED)
                if severity == b"ERROR" and self._raw.status == pq.ConnStatus.OK:
                    raise StatementRefusedError(message)
                # FATAL: the backend ended during the statement, before or after its commit.
                raise ConnectionLostError(message)
        return [_row(result, row) for result in results for row in range(result.ntuples)]

    def close(self) -> None:
        """Disconnect at once, whatever is under way."""
        self._raw.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _wait(self, deadline: float, timeout_seconds: float, *, writing: bool) -> None:
        if not _ready(self._raw.socket, deadline, writing=writing):
            raise ConnectionLostError(f"no answer within {timeout_seconds:g} s")

    def _not_connected(self, why: str) -> NotConnectedError:
        self._raw.finish()
        return NotConnectedError(why, self.address)


def _ready(socket: int, deadline: float, *, writing: bool) -> bool:
    poller = select.poll()
    poller.register(socket, select.POLLOUT if writing else select.POLLIN)
    return bool(poller.poll(max(0.0, deadline - time.monotonic()) * 1000))


def _row(result: pq.abc.PGresult, row: int) -> tuple[str, ...]:
    values = (result.get_value(row, column) for column in range(result.nfields))
    return tuple("" if value is None else value.decode() for value in values)


def one_line(message: str) -> str:
    """A server's message on one line."""
    return " ".join(message.split())
