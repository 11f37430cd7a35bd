"""Asks a PostgreSQL server whether it takes connections, as ``pg_isready`` does: up to the request for a password.

The rule is that of libpq's ``PQping`` (https://www.postgresql.org/docs/14/libpq-connect.html#LIBPQ-PQPING, decided in
``internal_ping`` of ``fe-connect.c``): a server that asks for authentication is up; so is one that answers with any
error other than 57P03 ``cannot_connect_now``, because such an error (unknown role, no ``pg_hba.conf`` entry, 53300
``too_many_connections``) comes from a server that runs and did not like this connection. 57P03 is what a server says
that is starting up, shutting down or in crash recovery. A server that says nothing within the timeout is not there: a
frozen one still accepts TCP connections, so a TCP check alone would call it healthy.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from dataclasses import dataclass
from enum import StrEnum

from health_probe.deadline import Deadline

# https://www.postgresql.org/docs/14/protocol-message-formats.html
SSL_REQUEST = struct.pack("!II", 8, 80877103)
PROTOCOL_VERSION = 196608  # 3.0
CANNOT_CONNECT_NOW = "57P03"
# Authentication requests and start-up errors are short. A longer "message" comes from something that is no PostgreSQL.
LONGEST_MESSAGE_BYTES = 30_000


class Reason(StrEnum):
    """Why a server counts as ready, or not."""

    ASKED_FOR_AUTHENTICATION = "asked_for_authentication"
    REFUSED_THIS_CONNECTION = "refused_this_connection"
    CANNOT_CONNECT_NOW = "cannot_connect_now"
    NO_ANSWER = "no_answer"
    NOT_POSTGRESQL = "not_postgresql"


READY_REASONS = frozenset({Reason.ASKED_FOR_AUTHENTICATION, Reason.REFUSED_THIS_CONNECTION})


@dataclass(frozen=True)
class Handshake:
    """What one handshake found.

    Attributes:
        reason: the rule that decided.
        detail: what the server or the network said, for the log.
        latency_ms: from the start of the probe to its end, in milliseconds.
    """

    reason: Reason
    detail: str
    latency_ms: float

    @property
    def ready(self) -> bool:
        """Whether the server takes connections."""
        return self.reason in READY_REASONS


class _NotPostgresqlError(Exception):
    """The peer's bytes are not those of a PostgreSQL server."""


def shake_hands(host: str, port: int, deadline: Deadline) -> Handshake:
    """Ask the server once.

    Args:
        host: name or address.
        port: TCP port.
        deadline: for connect, TLS and answer together (resolving a name is bounded by the resolver only).

    Returns:
        What was found; a server that is dead, frozen or unreachable is a result, not an exception.
    """
    started = time.monotonic()
    try:
        reason, detail = _handshake(host, port, deadline)
    except (OSError, EOFError) as error:  # ssl.SSLError and TimeoutError are OSErrors
        text = str(error)
        reason, detail = Reason.NO_ANSWER, text if text else type(error).__name__
    except _NotPostgresqlError as error:
        reason, detail = Reason.NOT_POSTGRESQL, str(error)
    return Handshake(reason, detail, (time.monotonic() - started) * 1000)


def _handshake(host: str, port: int, deadline: Deadline) -> tuple[Reason, str]:
    address = (host, port)
    with (
        socket.create_connection(address, timeout=deadline.left_seconds()) as plain,
        _encrypted(plain, deadline) as connection,
    ):
        deadline.apply(connection)
        connection.sendall(_startup_message())
        return _verdict(connection, deadline)


def _encrypted(plain: socket.socket, deadline: Deadline) -> socket.socket:
    """The connection under TLS where the server offers it, like ``sslmode=prefer``."""
    deadline.apply(plain)
    plain.sendall(SSL_REQUEST)
    answer = _exactly(plain, 1, deadline)
    if answer == b"N":
        return plain
    if answer != b"S":
        # An error before TLS is not authenticated by anything and libpq no longer shows it (CVE-2024-10977).
        raise _NotPostgresqlError(f"answered {answer!r} to the request for TLS")
    # The certificate is not verified on purpose. No password and no data travel here: the question is whether a
    # server answers, and an expired certificate or a rotated authority must not look like a dead database.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    deadline.apply(plain)
    return context.wrap_socket(plain)


def _startup_message() -> bytes:
    parameters = {"user": "health_probe", "database": "postgres", "application_name": "health-probe"}
    body = struct.pack("!I", PROTOCOL_VERSION)
    for name, value in parameters.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    body += b"\0"
    return struct.pack("!I", len(body) + 4) + body


def _verdict(connection: socket.socket, deadline: Deadline) -> tuple[Reason, str]:
    kind, length = struct.unpack("!cI", _exactly(connection, 5, deadline))
    if kind not in (b"R", b"E") or not 8 <= length <= LONGEST_MESSAGE_BYTES:
        raise _NotPostgresqlError(f"answered a message of type {kind!r} and length {length}")
    body = _exactly(connection, length - 4, deadline)
    if kind == b"R":
        return Reason.ASKED_FOR_AUTHENTICATION, f"authentication request {struct.unpack('!I', body[:4])[0]}"
    fields = {field[:1]: field[1:].decode(errors="replace") for field in body.split(b"\0") if field}
    if b"C" not in fields:
        raise _NotPostgresqlError("answered an error without a code")
    code = fields[b"C"]
    said = f"{code}: {fields[b'M']}" if b"M" in fields else code
    if code == CANNOT_CONNECT_NOW:
        return Reason.CANNOT_CONNECT_NOW, said
    return Reason.REFUSED_THIS_CONNECTION, said


def _exactly(connection: socket.socket, count: int, deadline: Deadline) -> bytes:
    received = b""
    while len(received) < count:
        deadline.apply(connection)
        chunk = connection.recv(count - len(received))
        if not chunk:
            raise EOFError("the connection was closed before an answer")
        received += chunk
    return received
