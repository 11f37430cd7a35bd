"""The table that the clients write to, and reading it back from one server by its address."""

from __future__ import annotations

from dataclasses import dataclass

from drills.clients.connection import Endpoint, ServerConnection
from lab.target import Target

TABLE = "drill_writes"
INSERT_ROW = "insert into drill_writes (n, writer) values ($1, $2)"

CREATE_TABLE = """\
create table drill_writes (
    n bigint primary key,
    written_at timestamptz not null default clock_timestamp(),
    writer text not null
)"""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row found on a server.

    Attributes:
        n: its number.
        written_at: seconds since 1970 by the clock of the server that accepted it.
    """

    n: int
    written_at: float


def make_empty_table(target: Target, address: str) -> None:
    """Create the table anew, also where an earlier drill left one.

    Raises:
        NotConnectedError, StatementRefusedError, ConnectionLostError: it could not be created.
    """
    with _connection(target, address) as connection:
        connection.run("drop table if exists drill_writes")
        connection.run(CREATE_TABLE)


def read_rows(target: Target, address: str) -> tuple[StoredRow, ...]:
    """All rows on this server.

    Raises:
        NotConnectedError, StatementRefusedError, ConnectionLostError: it does not answer, or has no such table.
    """
    with _connection(target, address) as connection:
        rows = connection.run("select n, extract(epoch from written_at) from drill_writes order by n")
    return tuple(StoredRow(int(n), float(written_at)) for n, written_at in rows)


def newest_row(target: Target, address: str) -> int:
    """The highest number on this server, 0 where there is none.

    Raises:
        NotConnectedError, StatementRefusedError, ConnectionLostError: it does not answer, or has no such table yet.
    """
    with _connection(target, address) as connection:
        rows = connection.run("select coalesce(max(n), 0) from drill_writes")
    return int(rows[0][0])


def takes_writes(target: Target, address: str) -> bool:
    """Whether this server is a writer: not in recovery.

    Raises:
        NotConnectedError, StatementRefusedError, ConnectionLostError: it does not answer.
    """
    with _connection(target, address) as connection:
        rows = connection.run("select pg_is_in_recovery()")
    return rows[0][0] is False


def server_started_at(target: Target, address: str) -> str:
    """When this server was started, in its own words.

    Raises:
        NotConnectedError, StatementRefusedError, ConnectionLostError: it does not answer.
    """
    with _connection(target, address) as connection:
        rows = connection.run("select pg_postmaster_start_time()::text")
    return str(rows[0][0])


def run_sql(target: Target, address: str, *statements: str) -> None:
    """Run statements, as somebody at a terminal does.

    Raises:
        NotConnectedError, StatementRefusedError, ConnectionLostError: one could not be run.
    """
    with _connection(target, address) as connection:
        for statement in statements:
            connection.run(statement)


def count_rows(target: Target, address: str, table: str) -> int:
    """How many rows a table has.

    Raises:
        NotConnectedError, StatementRefusedError, ConnectionLostError: it does not answer, or has no such table.
    """
    with _connection(target, address) as connection:
        rows = connection.run(f"select count(*) from {table}")  # noqa: S608
    return int(rows[0][0])


def _connection(target: Target, address: str) -> ServerConnection:
    return ServerConnection(Endpoint.of(target, address))
