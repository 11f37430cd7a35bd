"""psycopg_pool with its documented settings: each connection is checked before it is handed out."""

from __future__ import annotations

import logging
import os

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from drills.clients.deadline import DeadlineConnection
from drills.clients.programs.writing import FailedError, keep_writing
from drills.clients.settings import POOL_RECONNECT_SECONDS, POOL_WAIT_SECONDS

INSERT = f"insert into {os.environ['WRITES_TABLE']} (n, writer) values (%s, %s)"  # noqa: S608


def pool() -> ConnectionPool[DeadlineConnection]:
    """A pool of one connection."""
    return ConnectionPool(
        os.environ["WRITER_LIBPQ_URI"],
        connection_class=DeadlineConnection,
        kwargs={"autocommit": True},
        min_size=1,
        max_size=1,
        open=True,
        check=ConnectionPool.check_connection,
        timeout=POOL_WAIT_SECONDS,
        reconnect_timeout=POOL_RECONNECT_SECONDS,
    )


def write(pool: ConnectionPool[DeadlineConnection], n: int) -> str:
    """Write one row."""
    try:
        connection: psycopg.Connection[TupleRow]
        with pool.connection() as connection:
            connection.execute(INSERT, (n, os.environ["CLIENT_NAME"]))
            return connection.info.hostaddr
    except PoolTimeout as error:
        raise FailedError(str(error)) from error
    except psycopg.Error as error:
        if error.diag.severity_nonlocalized == "ERROR":
            raise FailedError(str(error)) from error
        raise


if __name__ == "__main__":
    logging.disable()
    connections = pool()
    keep_writing(lambda n: write(connections, n))
