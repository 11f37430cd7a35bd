"""psycopg with the URI as it is printed and nothing else: libpq's deadlines, and none in the client."""

from __future__ import annotations

import os

import psycopg

from drills.clients.programs.writing import FailedError, keep_writing

INSERT = f"insert into {os.environ['WRITES_TABLE']} (n, writer) values (%s, %s)"  # noqa: S608


class Writer:
    """Keeps one connection as long as it works."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection | None = None

    def write(self, n: int) -> str:
        """Write one row."""
        if self._connection is None:
            try:
                self._connection = psycopg.connect(os.environ["WRITER_LIBPQ_URI"], autocommit=True)
            except psycopg.OperationalError as error:
                raise FailedError(str(error)) from error
        try:
            self._connection.execute(INSERT, (n, os.environ["CLIENT_NAME"]))
        except psycopg.Error as error:
            refused = error.diag.severity_nonlocalized == "ERROR"
            self._connection.close()
            self._connection = None
            if refused:
                raise FailedError(str(error)) from error
            raise
        return self._connection.info.hostaddr


if __name__ == "__main__":
    keep_writing(Writer().write)
