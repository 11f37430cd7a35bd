"""Logins with IAM tokens, as RDS takes them: who has the role `rds_iam` is asked for a token, over TLS only.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from lab.postgres import PostgresServer

logger = logging.getLogger(__name__)

PROTOCOL_3 = 3
_ASK_FOR_CLEARTEXT = b"R" + struct.pack("!ii", 8, 3)
# PostgreSQL's limits of a startup message and, a little more than it, of a password.
_LONGEST_STARTUP_BYTES = 10_000
_LONGEST_PASSWORD_BYTES = 65_536
# authentication_timeout, which RDS leaves at PostgreSQL's default.
_AUTHENTICATION_SECONDS = 60.0


@dataclass(frozen=True)
class TokenLogin:
    """One attempt to log in with a token.

    Attributes:
        token: what the client sent as password.
        host: the host of the database's endpoint.
        port: its port.
        user: the database user.
        region: the database's region.
        resource_id: its `DbiResourceId`.
    """

    token: str = field(repr=False)
    host: str
    port: int
    user: str
    region: str
    resource_id: str


Judge = Callable[[TokenLogin], str | None]
"""Says why a token does not log a user in; None where it does. May take a while."""


@dataclass(frozen=True)
class IamLogins:
    """The logins with tokens of one instance.

    Attributes:
        server: tells who has `rds_iam`.
        enabled: whether IAM database authentication is on.
        judge: whether a user gets in with a token.
    """

    server: PostgresServer
    enabled: Callable[[], bool]
    judge: Callable[[str, str], str | None]

    def concern(self, user: str) -> bool:
        """Whether a user logs in with a token and not with a password."""
        try:
            return self.server.takes_token(user)
        except psycopg.Error as error:
            # The server says itself what is wrong with it.
            logger.debug("nobody can tell whether %s has rds_iam: %s", user, error)
            return False

    def admit(self, user: str, token: str) -> bool:
        """Whether a token logs a user in."""
        try:
            refusal = self.judge(user, token)
        except (OSError, RuntimeError) as error:
            refusal = f"IAM does not answer: {error}"
        if refusal is not None:
            logger.info("%s: no login of %s with a token: %s", self.server.name, user, refusal)
        return refusal is None


async def read_startup(client: asyncio.StreamReader, begin: bytes) -> bytes:
    """Read a connection's startup message, or what comes in its place.

    Args:
        client: what the client sends.
        begin: its first 8 bytes, or nothing where they are still to be read.

    Raises:
        EOFError: the client has gone.
        ConnectionError: it is too long.
    """
    head = begin or await client.readexactly(8)
    (length,) = struct.unpack("!i", head[:4])
    if not 8 <= length <= _LONGEST_STARTUP_BYTES:
        raise ConnectionError(f"a startup message of {length} bytes")
    return head + await client.readexactly(length - 8)


def user_of(startup: bytes) -> str | None:
    """The user whom a startup message names; None for a message of another kind, such as a cancellation."""
    if struct.unpack("!h", startup[4:6])[0] != PROTOCOL_3:
        return None
    names = startup[8:].split(b"\0")
    parameters = dict(zip(names[::2], names[1::2], strict=False))
    user = parameters.get(b"user")
    return None if user is None else user.decode(errors="replace")


async def ask_for_token(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> str:
    """Ask the client for its token as RDS does, as a password in clear text.

    Raises:
        EOFError: the client has gone, as `psql` does to ask a person for the password.
        ConnectionError: it answers something else, or too late.
    """
    to_client.write(_ASK_FOR_CLEARTEXT)
    await to_client.drain()
    try:
        async with asyncio.timeout(_AUTHENTICATION_SECONDS):
            kind, length = struct.unpack("!ci", await client.readexactly(5))
            if kind != b"p" or not 4 <= length <= _LONGEST_PASSWORD_BYTES:
                raise ConnectionError(f"expected a password, got message {kind!r} of {length} bytes")
            answer = await client.readexactly(length - 4)
    except TimeoutError as error:
        raise ConnectionError("no token in time") from error
    return answer.rstrip(b"\0").decode(errors="replace")


def refusal_message(user: str) -> bytes:
    """The error that a client gets whose token is not good; RDS does not say why."""
    fields = {"S": "FATAL", "V": "FATAL", "C": "28000", "M": f'PAM authentication failed for user "{user}"'}
    content = b"".join(name.encode() + text.encode() + b"\0" for name, text in fields.items()) + b"\0"
    return b"E" + struct.pack("!i", len(content) + 4) + content
