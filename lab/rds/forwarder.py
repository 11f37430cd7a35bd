"""The endpoint of a database instance: it checks who may connect, terminates TLS and forwards to the server."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from lab.postgres import PLAINTEXT_SOURCE
from lab.rds.iam_login import IamLogins, ask_for_token, read_startup, refusal_message, user_of

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


class ForwarderLoop:
    """The one thread in which all forwarders run."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # Whether a connection is admitted may have to be asked of EC2.
        self._admissions = ThreadPoolExecutor(max_workers=8, thread_name_prefix="forwarder-admission")
        self._loop.set_default_executor(self._admissions)
        self._thread = threading.Thread(target=self._loop.run_forever, name="forwarders", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout_seconds: float = 10.0) -> T:
        """Run a coroutine in the loop and wait for it, from any other thread."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout_seconds)

    def close(self) -> None:
        """Stop the thread. Close the forwarders first."""
        if self._loop.is_closed():
            return
        self.run(_end_other_tasks())
        self._admissions.shutdown(wait=False, cancel_futures=True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


async def _end_other_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@dataclass(frozen=True)
class Access:
    """Who may connect to an endpoint. All is asked for each new connection.

    Attributes:
        admits: whether security groups admit a client's loopback address.
        requires_tls: whether a client without TLS is refused (`rds.force_ssl`).
        tls: the server certificate.
        drops: whether the packets of a client's loopback address are lost on their way.
        iam: the logins with IAM tokens; None where there are none.
    """

    admits: Callable[[str], bool]
    requires_tls: Callable[[], bool]
    tls: ssl.SSLContext
    drops: Callable[[str], bool] = lambda _: False
    iam: IamLogins | None = None


class Forwarder:
    """Forwards connections to a server's private port.

    A connection is checked once, when it is made: as with security groups on AWS, established ones survive a change of
    the rules, until `reset`. A client that is refused sees its connection closed at once; one whose packets are lost
    waits for its own timeout, or until they get through again. Where the server is frozen, a connection opens and is
    never answered, also with TLS.
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
        self._sources: dict[asyncio.BaseTransport, str] = {}
        self._server = loop.run(self._serve(listening))

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self._loop.run(self._shut())

    def reset(self) -> None:
        """Drop every connection and go on listening, as a reboot or the loss of the host does."""
        self.drop(lambda _: True)

    def drop(self, concerned: Callable[[str], bool]) -> None:
        """Drop the connections of some clients, told by their loopback address, and go on listening."""
        self._loop.run(self._drop(concerned))

    def connection_count(self) -> int:
        """How many clients are connected now."""
        return len(self._sources) // 2

    async def _serve(self, listening: socket.socket) -> asyncio.Server:
        return await asyncio.start_server(self._accepted, sock=listening)

    async def _shut(self) -> None:
        self._server.close()
        await self._drop(lambda _: True)

    async def _drop(self, concerned: Callable[[str], bool]) -> None:
        for transport, source in list(self._sources.items()):
            if isinstance(transport, asyncio.WriteTransport) and concerned(source):
                transport.abort()

    async def _accepted(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        source = str(to_client.get_extra_info("peername")[0])
        plain = to_client.transport
        self._sources[plain] = source
        try:
            await self._until_not_dropped(source, plain)
            if await _in_a_thread(self._access.admits, source):
                await self._forward(source, client, to_client)
        # Cancelled when the loop is closed; asyncio would print a traceback of a cancelled connection.
        except (OSError, EOFError, ssl.SSLError, asyncio.CancelledError) as error:
            logger.debug("connection from %s to %s ended: %s", source, self.address, error)
        finally:
            self._sources.pop(plain, None)
            plain.abort()

    async def _until_not_dropped(self, source: str, plain: asyncio.WriteTransport) -> None:
        """Wait while a client's packets are lost, for as long as its kernel would send them again."""
        deadline = asyncio.get_running_loop().time() + _KERNEL_TIMEOUT_SECONDS
        while self._access.drops(source):
            if plain.is_closing() or asyncio.get_running_loop().time() > deadline:
                raise ConnectionError("timed out")
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _forward(self, source: str, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        first = await client.readexactly(8)
        while first == _GSS_REQUEST:
            to_client.write(b"N")
            first = await client.readexactly(8)
        encrypted = first == _SSL_REQUEST
        # The server sees the client's own address, except where it is to refuse the client for want of TLS.
        seen_as = source if encrypted or not self._access.requires_tls() else PLAINTEXT_SOURCE
        async with AsyncExitStack() as upstreams:
            server, to_server = await upstreams.enter_async_context(self._upstream(source, self._tcp(seen_as)))
            upstreams.push_async_callback(_flushed, to_client)
            if encrypted:
                # TLS begins only once the server has answered: a frozen one leaves the client waiting here.
                to_server.write(first)
                if await server.readexactly(1) != b"N":
                    raise ConnectionError("the server speaks TLS itself")
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
                    entered = self._entered_by_token(iam, user, client, to_client) if encrypted else self._tcp()
                    server, to_server = await upstreams.enter_async_context(self._upstream(source, entered))
            to_server.write(first)
            await _copy_both(client, to_server, server, to_client)

    async def _entered_by_token(
        self, iam: IamLogins, user: str, client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> Connection:
        """Ask for a token, and connect where only the lab can: there the server asks for no password."""
        token = await ask_for_token(client, to_client)
        if not await _in_a_thread(iam.admit, user, token):
            to_client.write(refusal_message(user))
            await to_client.drain()
            raise ConnectionError("the token was refused")
        return await asyncio.open_unix_connection(iam.server.socket_file)

    async def _tcp(self, seen_as: str = PLAINTEXT_SOURCE) -> Connection:
        return await asyncio.open_connection("127.0.0.1", self._upstream_port(), local_addr=(seen_as, 0))

    @asynccontextmanager
    async def _upstream(self, source: str, opening: Awaitable[Connection]) -> AsyncIterator[Connection]:
        """A connection to the server, which `drop` drops with its client's."""
        server, to_server = await opening
        self._sources[to_server.transport] = source
        try:
            yield server, to_server
        finally:
            self._sources.pop(to_server.transport, None)
            to_server.close()


async def _in_a_thread(work: Callable[..., bool], *arguments: str) -> bool:
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


async def _copy_both(
    client: asyncio.StreamReader,
    to_server: asyncio.StreamWriter,
    server: asyncio.StreamReader,
    to_client: asyncio.StreamWriter,
) -> None:
    """Copy in both directions until one of them ends."""
    done, pending = await asyncio.wait(
        (asyncio.ensure_future(_copy(client, to_server)), asyncio.ensure_future(_copy(server, to_client))),
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


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK_BYTES):
        target.write(chunk)
        await target.drain()


async def _flushed(writer: asyncio.StreamWriter) -> None:
    """Let what the server sent last, such as an error, reach the client."""
    if not writer.is_closing():
        writer.close()
    try:
        await asyncio.wait_for(writer.wait_closed(), 1.0)
    except (OSError, TimeoutError, ssl.SSLError):
        return
