"""asyncpg with the list of hosts: it would hand what it does not know of a URI to the server, which refuses it."""

from __future__ import annotations

import asyncio
import os

import asyncpg  # type: ignore[import-untyped]

from drills.clients.programs.writing import FailedError, keep_writing
from drills.clients.settings import ASYNCPG_CONNECT_SECONDS, CALL_DEADLINE_SECONDS

INSERT = f"insert into {os.environ['WRITES_TABLE']} (n, writer) values ($1, $2)"  # noqa: S608


class Writer:
    """Keeps one connection as long as it works."""

    def __init__(self) -> None:
        self._connection: asyncpg.Connection | None = None

    async def write(self, n: int) -> str:
        """Write one row."""
        if self._connection is None:
            self._connection = await _connect()
        try:
            await self._connection.execute(INSERT, n, os.environ["CLIENT_NAME"])
        except Exception as error:
            self._connection.terminate()
            self._connection = None
            if isinstance(error, asyncpg.PostgresError) and error.severity_en == "ERROR":
                raise FailedError(str(error)) from error
            raise
        return str(self._connection._addr[0])  # asyncpg does not say it otherwise


async def _connect() -> asyncpg.Connection:
    """Host by host: one ``timeout`` covers all that it is given, so that a silent one leaves nothing for the next.

    User, password, database and what must be verified it takes from libpq's variables.
    """
    failures = []
    for host, _, port in (each.rpartition(":") for each in os.environ["WRITER_HOSTS"].split(",")):
        try:
            return await asyncpg.connect(
                host=host,
                port=int(port),
                target_session_attrs="read-write",
                timeout=ASYNCPG_CONNECT_SECONDS,
                command_timeout=CALL_DEADLINE_SECONDS,
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            failures.append(f"{host}: {type(error).__name__}: {error}")
    raise FailedError("; ".join(failures))


if __name__ == "__main__":
    writer, loop = Writer(), asyncio.new_event_loop()
    keep_writing(lambda n: loop.run_until_complete(writer.write(n)))
