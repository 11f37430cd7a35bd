"""A connection to PostgreSQL as a drill needs it: psycopg with a deadline on every call, and what an error means."""

from __future__ import annotations

import select
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import RawCursor, pq
from psycopg.conninfo import make_conninfo

from drills.clients.deadline import DeadlineConnection
from lab.target import Target

DIRECT_CONNECT_SECONDS = 2


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
        conninfo: the libpq connection string.
        address: the server's literal IP; None where there are several hosts.
    """

    conninfo: str
    address: str | None = None

    @classmethod
    def of(cls, target: Target, address: str) -> Endpoint:
        """A database of the system, by its address, whatever it is. Encryption in transit is required."""
        parameters: Mapping[str, str | int] = {
            "host": address,
            "port": target.database_port,
            "dbname": target.database_name,
            "user": target.credentials.user,
            "password": target.credentials.password,
            "sslmode": "require",
            "connect_timeout": DIRECT_CONNECT_SECONDS,
            "application_name": "drill",
        }
        return cls(make_conninfo("", **parameters), address)


class ServerConnection:
    """One connection. A connection that broke stays broken.

    Attributes:
        address: the literal IP of the server.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        """Connect.

        Raises:
            NotConnectedError: refused, or not ready within the ``connect_timeout``.
        """
        try:
            self._psycopg = DeadlineConnection.connect(
                endpoint.conninfo, autocommit=True, prepare_threshold=None, cursor_factory=RawCursor
            )
        except psycopg.OperationalError as error:
            raise NotConnectedError(one_line(str(error)), endpoint.address) from error
        self.address = self._psycopg.info.hostaddr

    @property
    def broken(self) -> bool:
        """Whether the server has closed the connection, as far as can be seen without sending anything."""
        raw = self._psycopg.pgconn
        try:
            if raw.status == pq.ConnStatus.OK:
                # Not select(): a lab has more files open than that can name.
                said = select.poll()
                said.register(raw.socket, select.POLLIN)
                if said.poll(0):
                    raw.consume_input()
        except psycopg.OperationalError:
            return True
        return raw.status != pq.ConnStatus.OK

    def run(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Execute one statement in its own transaction and return its rows.

        Raises:
            StatementRefusedError: the server refused it; the connection is still good.
            ConnectionLostError: the connection broke or a deadline passed; the connection must not be used again.
        """
        try:
            cursor = self._psycopg.execute(sql.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            # FATAL: the backend ended during the statement, before or after its commit.
            refused = error.diag.severity_nonlocalized == "ERROR" and not self._psycopg.closed
            raise (StatementRefusedError if refused else ConnectionLostError)(one_line(str(error))) from error

    def close(self) -> None:
        """Disconnect at once, whatever is under way."""
        self._psycopg.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def one_line(message: str) -> str:
    """A server's message on one line."""
    return " ".join(message.split())
