"""One session in a database: log in with a token, then commit a heartbeat on a writer, or read on a replica.

The writer is what is not in recovery, whatever the configuration says. Each observer has a row of its own, so that none
waits for another. The statements run in autocommit: one that is answered is committed.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pg8000.exceptions import Error  # type: ignore[import-untyped]
from pg8000.native import Connection, literal  # type: ignore[import-untyped]

from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from health_probe.authorities import trusting_rds
from health_probe.deadline import Deadline
from health_probe.endings import ending_of
from health_probe.handshake import SSL_REQUEST
from health_probe.login_token import USER, Keys, login_token
from health_probe.settings import Target

DATABASE = "postgres"
APPLICATION = "health-probe"
IS_REPLICA = "select pg_is_in_recovery()"
HEARTBEAT = """
insert into dr.heartbeat as own (observer, at) values ({observer}, clock_timestamp())
on conflict (observer) do update set at = excluded.at
returning extract(epoch from own.at)::float8
"""
# https://www.postgresql.org/docs/14/monitoring-stats.html#MONITORING-PG-STAT-WAL-RECEIVER-VIEW: no row without a
# receiver, and without pg_read_all_stats a row without details. A heartbeat from the future, of a wrong clock or
# somebody's hand, would be a sign of life until its time has come.
REPLICATION = """
select (select extract(epoch from max(at))::float8 from dr.heartbeat
         where at < clock_timestamp() + interval '1 minute'),
       (pg_last_wal_receive_lsn() - '0/0'::pg_lsn)::int8,
       (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::int8,
       (select extract(epoch from max(last_msg_receipt_time))::float8 from pg_stat_wal_receiver)
"""
# A session whose commit is not sent is given up by then for good. No server keeps a login waiting longer:
# https://www.postgresql.org/docs/14/runtime-config-connection.html#GUC-AUTHENTICATION-TIMEOUT
LONGEST_SILENCE_SECONDS = 60.0
# A host that is gone says nothing, so its connection must end by itself: tcp(7), after 30 s of silence.
GONE_HOST = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 30_000}
# What the driver raises, and what it stumbles over where the peer does not speak PostgreSQL's protocol.
BROKEN = (OSError, Error, LookupError, ValueError, struct.error)


@dataclass(frozen=True)
class SessionResult:
    """How a session ended and what it found. Moments are seconds since 1970 by the database's clock.

    Attributes:
        outcome: what it says about the database.
        detail: what the server or the network said, for the log.
        heartbeat_at: on a replica the newest heartbeat that has arrived.
        received_position: how far a replica has received the writer's log, in bytes.
        replayed_position: how far it has replayed it.
        stream_message_at: when a replica's receiver last heard from the writer.
        committed_at: the heartbeat that it committed; only on a writer.
    """

    outcome: SessionOutcome
    detail: str = ""
    heartbeat_at: float | None = None
    received_position: int | None = None
    replayed_position: int | None = None
    stream_message_at: float | None = None
    committed_at: float | None = None


@dataclass(frozen=True)
class Login:
    """Who logs in where.

    Attributes:
        target: the database.
        observer: the site that looks.
        keys: what the token is signed with; None where the function has none.
    """

    target: Target
    observer: Site
    keys: Keys | None


class NoTimeLeftError(Exception):
    """The commit must not be sent: nobody would wait for its answer."""


class NoTlsError(Exception):
    """The server offers no TLS, so it cannot show who it is."""


class _Asked(Protocol):
    """What is used of the driver's connection."""

    def run(self, sql: str) -> list[list[Any]]: ...


def hold(login: Login, deadline: Deadline, about_to_commit: Callable[[], None]) -> SessionResult:
    """Hold one session to its end, which can be long after the deadline.

    Args:
        login: who logs in where.
        deadline: for connecting. What follows is waited for: a session that nobody waits for stays in the server.
        about_to_commit: called right before the heartbeat is sent; raises `NoTimeLeftError` to prevent it.

    Returns:
        How it ended; whatever ends it is a result, not an exception.
    """
    if login.keys is None:
        return SessionResult(SessionOutcome.NOT_ADMITTED, "the function has no keys to sign a token with")
    target = login.target
    try:
        with _encrypted(target, deadline) as encrypted:
            encrypted.settimeout(LONGEST_SILENCE_SECONDS)
            token = login_token(login.keys, target.host, target.port, target.region, datetime.now(UTC))
            connection = Connection(
                USER,
                database=DATABASE,
                password=token,
                application_name=APPLICATION,
                sock=encrypted,
                ssl_context=False,
            )
            with _ended(connection):
                if connection.run(IS_REPLICA)[0][0]:
                    return _read(connection)
                about_to_commit()
                # Its answer is waited for as long as the connection lives, or the sessions would pile up.
                encrypted.settimeout(None)
                return _commit(connection, login.observer)
    except NoTimeLeftError:
        return SessionResult(SessionOutcome.NOT_ENDED, "logging in left too little time for a commit")
    except NoTlsError as error:
        return SessionResult(SessionOutcome.NOT_VERIFIED, str(error))
    except BROKEN as error:
        return SessionResult(*ending_of(error, USER))


@contextmanager
def _encrypted(target: Target, deadline: Deadline) -> Iterator[ssl.SSLSocket]:
    """A connection to a server that has shown that it is the instance of that name."""
    with socket.create_connection((target.host, target.port), timeout=deadline.left_seconds()) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in GONE_HOST.items():
            # Not every system has all of them; Lambda's has.
            if hasattr(socket, option):
                plain.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        deadline.apply(plain)
        plain.sendall(SSL_REQUEST)
        answer = plain.recv(1)
        if answer == b"N":
            raise NoTlsError("the server offers no TLS")
        if answer != b"S":
            raise ConnectionError(f"answered {answer!r} to the request for TLS")
        deadline.apply(plain)
        with trusting_rds().wrap_socket(plain, server_hostname=target.host) as encrypted:
            yield encrypted


@contextmanager
def _ended(connection: Connection) -> Iterator[None]:
    """Say goodbye at the end, to a server that may be gone."""
    try:
        yield
    finally:
        with suppress(*BROKEN):
            connection.close()


def _commit(connection: _Asked, observer: Site) -> SessionResult:
    ((at,),) = connection.run(HEARTBEAT.format(observer=literal(str(observer))))
    return SessionResult(SessionOutcome.WORKS, committed_at=at)


def _read(connection: _Asked) -> SessionResult:
    ((heartbeat_at, received, replayed, message_at),) = connection.run(REPLICATION)
    return SessionResult(
        SessionOutcome.WORKS,
        heartbeat_at=heartbeat_at,
        received_position=received,
        replayed_position=replayed,
        stream_message_at=message_at,
    )
