"""The endpoint of a database instance: it checks who may connect, terminates TLS and forwards to the server."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from lab.postgres import PLAINTEXT_SOURCE
from lab.rds import packets
from lab.rds.client_connection import ClientConnection
from lab.rds.forwarder_loop import ForwarderLoop
from lab.rds.iam_login import IamLogins, ask_for_token, read_startup, refusal_message, user_of
from lab.rds.packets import Verdict

logger = logging.getLogger(__name__)
T = TypeVar("T")
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

# The first message of a connection: length, then a protocol version or one of these requests.
# https://www.postgresql.org/docs/current/protocol-message-formats.html
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_GSS_REQUEST = struct.pack("!ii", 8, 80877104)
_CHUNK_BYTES = 64 * 1024
# What Linux waits for an answer to its SYNs (tcp(7), tcp_syn_retries = 6).
_KERNEL_TIMEOUT_SECONDS = 127.0
_LOOK_AGAIN_SECONDS = 0.2
# How late a changed rule of a security group takes effect, at most. AWS promises "as soon as possible".
_FOLLOW_SECONDS = 1.0
# EC2 may be asked for the rules, on a machine that has other things to do.
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Access:
    """Who may connect to an endpoint.

    Attributes:
        admission: whose new connections arrive, by loopback addresses. Asked each second, and by `Forwarder.follow`.
        requires_tls: whether a client without TLS is refused (`rds.force_ssl`). Asked for each new connection.
        tls: the server certificate.
        loses: whether the packets of a client's loopback address are lost on their way, whatever they belong to.
        iam: the logins with IAM tokens; None where there are none.
    """

    admission: Callable[[], tuple[Verdict, ...]]
    requires_tls: Callable[[], bool]
    tls: ssl.SSLContext
    loses: Callable[[str], bool] = lambda _: False
    iam: IamLogins | None = None


class Forwarder:
    """Forwards connections to a server's private port.

    Who is not admitted gets no answer to its SYNs, as with security groups on AWS, which drop and do not refuse.
    Whoever is connected survives a change of the rules, until `reset`. A client whose packets are lost on their way
    sees nothing either, whether it is connected or not; one that was connected gets RST when they arrive again. Where
    the server is frozen, a connection opens and is never answered, also with TLS.

    Where the kernel cannot drop packets (`packets.CAN_BE_LOST`: anything but Linux), the connection of a client that is
    not admitted opens and is not answered, and established ones are closed instead of lost.
    """

    def __init__(
        self, loop: ForwarderLoop, listening: socket.socket, upstream_port: Callable[[], int], access: Access
    ) -> None:
        """Accept connections from now on.

        Args:
            loop: where it runs.
            listening: listens on the endpoint's address and port; `close` closes it.
            upstream_port: tells the server's private port on 127.0.0.1.
            access: who may connect.
        """
        self.address: str = listening.getsockname()[0]
        self._upstream_port = upstream_port
        self._loop = loop
        self._access = access
        self._listening = listening
        self._connections: set[ClientConnection] = set()
        self._admission: tuple[Verdict, ...] | None = None
        self._server, self._following = loop.run(self._serve(), _PATIENCE_SECONDS)

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self._loop.run(self._shut())

    def reset(self) -> None:
        """Drop every connection and go on listening, as a reboot does. Who hears nothing does not hear that either."""
        self._loop.run(self._reset())

    def follow(self) -> None:
        """Apply at once what has changed of who is admitted and of whose packets are lost."""
        self._loop.run(self._follow(), _PATIENCE_SECONDS)

    def connection_count(self) -> int:
        """How many clients are connected now."""
        return len(self._connections)

    async def _serve(self) -> tuple[asyncio.Server, asyncio.Task[None]]:
        self._one_at_a_time = asyncio.Lock()
        await self._follow()
        server = await asyncio.start_server(self._accepted, sock=self._listening)
        return server, asyncio.create_task(self._keep_following())

    async def _shut(self) -> None:
        self._following.cancel()
        self._server.close()
        for connection in list(self._connections):
            connection.end()

    async def _reset(self) -> None:
        for connection in list(self._connections):
            connection.reset()

    async def _keep_following(self) -> None:
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            await self._follow()

    async def _follow(self) -> None:
        self._follow_losses()
        async with self._one_at_a_time:
            admission = await _in_a_thread(self._access.admission)
            if admission != self._admission and self._listening.fileno() >= 0:
                packets.pass_only(self._listening, admission)
            self._admission = admission

    def _follow_losses(self) -> None:
        for connection in list(self._connections):
            connection.follow(is_lost=self._access.loses(connection.source))

    async def _accepted(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        connection = ClientConnection(to_client)
        self._connections.add(connection)
        connection.follow(is_lost=self._access.loses(connection.source))
        try:
            await self._until_end(connection, client, to_client)
            await connection.until_heard()
        except asyncio.CancelledError:
            # The loop is closed; asyncio would print a traceback.
            logger.debug("connection from %s to %s ended with the lab", connection.source, self.address)
        finally:
            self._connections.discard(connection)
            connection.end()

    async def _until_admitted(self, connection: ClientConnection) -> None:
        """Wait while a client is not admitted, where the kernel has answered it all the same."""
        deadline = asyncio.get_running_loop().time() + _KERNEL_TIMEOUT_SECONDS
        while not packets.arrives(self._admission or (), connection.source):
            if asyncio.get_running_loop().time() > deadline:
                raise ConnectionError("timed out")
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _until_end(
        self, connection: ClientConnection, client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        try:
            await self._until_admitted(connection)
            await self._forward(connection, client, to_client)
        except (OSError, EOFError, ssl.SSLError) as error:
            logger.debug("connection from %s to %s ended: %s", connection.source, self.address, error)

    async def _forward(
        self, connection: ClientConnection, client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        first = await client.readexactly(8)
        while first == _GSS_REQUEST:
            to_client.write(b"N")
            first = await client.readexactly(8)
        encrypted = first == _SSL_REQUEST
        # The server sees the client's own address, except where it is to refuse the client for want of TLS.
        seen_as = connection.source if encrypted or not self._access.requires_tls() else PLAINTEXT_SOURCE
        async with AsyncExitStack() as upstreams:
            server, to_server = await upstreams.enter_async_context(_upstream(connection, self._tcp(seen_as)))
            upstreams.push_async_callback(_flushed, connection, to_client)
            if encrypted:
                # TLS begins only once the server has answered: a frozen one leaves the client waiting here.
                to_server.write(first)
                if await server.readexactly(1) != b"N":
                    raise ConnectionError("the server speaks TLS itself")
                await connection.until_heard()
                to_client.write(b"S")
                await to_client.drain()
                await _start_tls(to_client, self._access.tls)
                first = b""
            iam = self._access.iam
            if iam is not None and iam.enabled():
                first = await read_startup(client, first)
                user = user_of(first)
                if user is not None and await _in_a_thread(iam.concern, user):
                    to_server.close()
                    enter = (
                        self._entered_by_token(iam, user, connection, client, to_client) if encrypted else self._tcp()
                    )
                    server, to_server = await upstreams.enter_async_context(_upstream(connection, enter))
            to_server.write(first)
            await _copy_both(connection, client, to_server, server, to_client)

    async def _entered_by_token(
        self,
        iam: IamLogins,
        user: str,
        connection: ClientConnection,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
    ) -> Connection:
        """Ask for a token, and connect where only the lab can: there the server asks for no password."""
        await connection.until_heard()
        token = await ask_for_token(client, to_client)
        admitted = await _in_a_thread(iam.admit, user, token)
        await connection.until_heard()
        if not admitted:
            to_client.write(refusal_message(user))
            await to_client.drain()
            raise ConnectionError("the token was refused")
        return await asyncio.open_unix_connection(iam.server.socket_file)

    async def _tcp(self, seen_as: str = PLAINTEXT_SOURCE) -> Connection:
        return await asyncio.open_connection("127.0.0.1", self._upstream_port(), local_addr=(seen_as, 0))


@asynccontextmanager
async def _upstream(connection: ClientConnection, opening: Awaitable[Connection]) -> AsyncIterator[Connection]:
    """A connection to the server, which ends with its client's."""
    server, to_server = await opening
    connection.belongs(to_server)
    try:
        yield server, to_server
    finally:
        to_server.close()


async def _in_a_thread(work: Callable[..., T], *arguments: str) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


async def _copy_both(
    connection: ClientConnection,
    client: asyncio.StreamReader,
    to_server: asyncio.StreamWriter,
    server: asyncio.StreamReader,
    to_client: asyncio.StreamWriter,
) -> None:
    """Copy in both directions until one of them ends."""
    done, pending = await asyncio.wait(
        (
            asyncio.ensure_future(_copy(client, to_server)),
            asyncio.ensure_future(_copy(server, to_client, connection.until_heard)),
        ),
        return_when=asyncio.FIRST_COMPLETED,
    )
    for copying in pending:
        copying.cancel()
    await asyncio.gather(*done, *pending, return_exceptions=True)


async def _start_tls(writer: asyncio.StreamWriter, context: ssl.SSLContext) -> None:
    plain = writer.transport
    try:
        await writer.start_tls(context)
    except AttributeError as error:
        # asyncio takes a connection lost during the handshake for a successful one, and then has no transport.
        writer._transport = plain  # type: ignore[attr-defined]
        raise ConnectionError("lost during the TLS handshake") from error


async def _copy(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, ready: Callable[[], Awaitable[None]] | None = None
) -> None:
    while chunk := await source.read(_CHUNK_BYTES):
        if ready is not None:
            await ready()
        target.write(chunk)
        await target.drain()


async def _flushed(connection: ClientConnection, writer: asyncio.StreamWriter) -> None:
    """Let what the server sent last, such as an error, reach the client."""
    await connection.until_heard()
    if not writer.is_closing():
        writer.close()
    try:
        await asyncio.wait_for(writer.wait_closed(), 1.0)
    except (OSError, TimeoutError, ssl.SSLError):
        return
