"""What RDS creates in a new server, and how it drops a replication slot."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
from psycopg import sql

from lab.postgres.configuration import ADMIN_DATABASE, IAM_ROLE, REPLICATION_USER

_DROP_PATIENCE_SECONDS = 5.0
# From here on who may create roles may not grant every role, and a membership may be good for granting the role only.
_ADMIN_OPTION_NEEDED = 160000


def create_databases(
    connect: Callable[[str], psycopg.Connection], master_user: str, master_password: str, database: str | None
) -> None:
    """Create RDS's own roles and database, the master user and its database.

    Args:
        connect: connects to a database as superuser.
        master_user: as with RDS no superuser.
        master_password: its password.
        database: a database that belongs to it; None for only `postgres`.
    """
    master = sql.Identifier(master_user)
    with connect("postgres") as connection:
        connection.execute(sql.SQL("CREATE ROLE {} REPLICATION LOGIN").format(sql.Identifier(REPLICATION_USER)))
        connection.execute("CREATE ROLE rds_superuser NOLOGIN")
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(IAM_ROLE)))
        connection.execute(
            "GRANT pg_monitor, pg_read_all_stats, pg_signal_backend, pg_read_all_data "
            "TO rds_superuser WITH ADMIN OPTION"
        )
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(master, sql.Literal(master_password))
        )
        connection.execute(sql.SQL("GRANT rds_superuser TO {}").format(master))
        if connection.info.server_version >= _ADMIN_OPTION_NEEDED:
            grant = sql.SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
            connection.execute(grant.format(sql.Identifier(IAM_ROLE), master))
        # PostgreSQL 15 took CREATE on schema public from everybody; the database's owner keeps it.
        connection.execute(sql.SQL("ALTER DATABASE postgres OWNER TO {}").format(master))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(ADMIN_DATABASE)))
        if database is not None and database != "postgres":
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), master))
    with connect(ADMIN_DATABASE) as connection:
        connection.execute("CREATE TABLE heartbeat (id int PRIMARY KEY, beat_at timestamptz NOT NULL)")


def takes_token(connection: psycopg.Connection, user: str) -> bool:
    """Whether a user has RDS's role for logins with IAM tokens; who may only grant it does not."""
    kinds = ("USAGE", "SET") if connection.info.server_version >= _ADMIN_OPTION_NEEDED else ("MEMBER",)
    found = connection.execute(
        "SELECT bool_or(pg_has_role(oid, %s, kind)) FROM pg_roles, unnest(%s::text[]) kind "
        "WHERE rolname = %s AND NOT rolsuper",
        (IAM_ROLE, list(kinds), user),
    ).fetchone()
    return found is not None and found[0] is True


def drop_slot(connection: psycopg.Connection, slot: str) -> None:
    """Drop a replication slot, and end the connection that streams from it; a slot that does not exist is fine."""
    of_slot = "FROM pg_replication_slots WHERE slot_name = %s"
    connection.execute(f"SELECT pg_terminate_backend(active_pid) {of_slot} AND active", (slot,))
    deadline = time.monotonic() + _DROP_PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            connection.execute(f"SELECT pg_drop_replication_slot(slot_name) {of_slot}", (slot,))
        except psycopg.errors.ObjectInUse:
            time.sleep(0.05)
        else:
            return
