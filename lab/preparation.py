"""Preparing the database for probes that log in, as whoever owns it does on AWS: by its master user, over TLS."""

from __future__ import annotations

from pathlib import Path

import psycopg

from lab.target import Credentials
from shared.layers import REPOSITORY_ROOT

PREPARATION = REPOSITORY_ROOT / "projects" / "data" / "sql" / "prepare_database.sql"
_DATABASE = "postgres"


def prepare_database(address: str, port: int, master: Credentials, authority: Path) -> None:
    """Run the file that prepares a database, on the writer.

    Args:
        address: the writer's endpoint.
        port: its port.
        master: its master user.
        authority: the certificate of who signs the databases' certificates.

    Raises:
        psycopg.Error: the database cannot be reached, or refuses a statement.
    """
    with psycopg.connect(
        host=address,
        port=port,
        dbname=_DATABASE,
        user=master.user,
        password=master.password,
        sslmode="verify-full",
        sslrootcert=str(authority),
        connect_timeout=10,
    ) as connection:
        connection.execute(PREPARATION.read_bytes())
