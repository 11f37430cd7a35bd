"""The door of a database instance: it listens on the instance's address, admits or closes, and ends TLS."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from lab.postgres.configuration import PLAINTEXT_SOURCE
from shared.errors import SettingsError

logger = logging.getLogger(__name__)
T = TypeVar("T")

# The first message of a connection: length, then a protocol version or one of these requests.
# https://www.postgresql.org/docs/current/protocol-message-formats.html
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_GSS_REQUEST = struct.pack("!ii", 8, 80877104)
_CHUNK_BYTES = 64 * 1024
# What Linux waits for an answer to its SYNs (tcp(7), tcp_syn_retries = 6).
_KERNEL_TIMEOUT_SECONDS = 127.0
_LOOK_AGAIN_SECONDS = 0.2


class ForwarderLoop:
    """The one thread that moves the bytes of every forwarder."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # Judging a connection may ask EC2, which takes its time.
        self._judges = ThreadPoolExecutor(max_workers=8, thread_name_prefix="forwarder-judge")
        self._loop.set_default_executor(self._judges)
        self._thread = threading.Thread(target=self._loop.run_forever, name="forwarders", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout_seconds: float = 10.0) -> T:
        """Run a coroutine in the loop and wait for it, from any other thread."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout_seconds)

    def close(self) -> None:
        """Stop the thread; forwarders are to be closed before."""
        if self._loop.is_closed():
            return
        self.run(_end_other_tasks())
        self._judges.shutdown(wait=False, cancel_futures=True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


async def _end_other_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@dataclass(frozen=True)
class Door:
    """What a forwarder asks about each new connection.

    Attributes:
        admits: whether a client's loopback address gets in now.
        requires_tls: whether a client without TLS is to be refused now (`rds.force_ssl`).
        tls: the certificate that is shown.
        is_hidden_from: whether nothing of a client's gets here now, so that it is neither admitted nor refused.
    """

    admits: Callable[[str], bool]
    requires_tls: Callable[[], bool]
    tls: ssl.SSLContext
    is_hidden_from: Callable[[str], bool] = lambda _: False


class Forwarder:
    """Forwards connections to a server's private port.

    Every connection is judged once, when it comes: as with security groups on AWS, established ones survive a
    change of the rules, until `reset`. A client that is refused sees its connection closed at once; one whose way is
    interrupted waits for its own timeout, or for the way to be free again. Bytes are forwarded as they come, so a
    frozen server is a connection that opens and never answers, TLS included.
    """

    def __init__(
        self, loop: ForwarderLoop, address: str, port: int, upstream_port: Callable[[], int], door: Door
    ) -> None:
        """Describe a forwarder; it listens after `open`.

        Args:
            loop: where it runs.
            address: the loopback address of the instance.
            port: the instance's port.
            upstream_port: tells the server's private port on 127.0.0.1.
            door: what decides on each connection.
        """
        self.address = address
        self.port = port
        self._upstream_port = upstream_port
        self._loop = loop
        self._door = door
        self._server: asyncio.Server | None = None
        self._sources: dict[asyncio.BaseTransport, str] = {}

    def open(self) -> None:
        """Start to listen.

        Raises:
            SettingsError: the port is taken on that address.
        """
        listening = bound_socket(self.address, self.port)
        try:
            self._server = self._loop.run(self._serve(listening))
        except BaseException:
            listening.close()
            raise

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self._loop.run(self._shut())

    def reset(self) -> None:
        """Drop every connection and go on listening, as a reboot or the loss of the host does."""
        self._loop.run(self._drop(lambda _: True))

    def drop(self, concerned: Callable[[str], bool]) -> None:
        """Drop some connections, and go on listening.

        Args:
            concerned: tells of a client's loopback address whether its connections are to be dropped.
        """
        self._loop.run(self._drop(concerned))

    def connection_count(self) -> int:
        """How many clients are connected now."""
        return len(self._sources) // 2

    async def _serve(self, listening: socket.socket) -> asyncio.Server:
        return await asyncio.start_server(self._accepted, sock=listening)

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
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
            await self._way_of(source, plain)
            if await asyncio.get_running_loop().run_in_executor(None, self._door.admits, source):
                await self._forward(source, client, to_client)
        except (OSError, EOFError, ssl.SSLError) as error:
            logger.debug("connection from %s to %s ended: %s", source, self.address, error)
        finally:
            self._sources.pop(plain, None)
            plain.abort()

    async def _way_of(self, source: str, plain: asyncio.WriteTransport) -> None:
        """Wait while a client's packets would be lost, for as long as its system would send them again."""
        deadline = asyncio.get_running_loop().time() + _KERNEL_TIMEOUT_SECONDS
        while self._door.is_hidden_from(source):
            if plain.is_closing() or asyncio.get_running_loop().time() > deadline:
                raise ConnectionError("it did not get through")
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _forward(self, source: str, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        first = await client.readexactly(8)
        while first == _GSS_REQUEST:
            to_client.write(b"N")
            first = await client.readexactly(8)
        encrypted = first == _SSL_REQUEST
        # The server sees the client's own address, except where its missing TLS is to be refused.
        seen_as = source if encrypted or not self._door.requires_tls() else PLAINTEXT_SOURCE
        server, to_server = await asyncio.open_connection("127.0.0.1", self._upstream_port(), local_addr=(seen_as, 0))
        self._sources[to_server.transport] = source
        try:
            to_server.write(first)
            if encrypted:
                # Only a server that answers gets TLS ended in its name: a frozen one leaves the client waiting here.
                if await server.readexactly(1) != b"N":
                    raise ConnectionError("the server offers TLS of its own")
                to_client.write(b"S")
                await to_client.drain()
                await _start_tls(to_client, self._door.tls)
            done, pending = await asyncio.wait(
                (
                    asyncio.ensure_future(_copy(client, to_server)),
                    asyncio.ensure_future(_copy(server, to_client)),
                ),
                return_when=asyncio.FIRST_COMPLETED,
            )
            for copying in pending:
                copying.cancel()
            await asyncio.gather(*done, *pending, return_exceptions=True)
        finally:
            self._sources.pop(to_server.transport, None)
            to_server.close()
            await _flushed(to_client)


async def _start_tls(writer: asyncio.StreamWriter, context: ssl.SSLContext) -> None:
    plain = writer.transport
    try:
        await writer.start_tls(context)
    except AttributeError as error:
        # asyncio takes the loss of the connection during the handshake for its success, and then lacks the transport.
        writer._transport = plain  # type: ignore[attr-defined]
        raise ConnectionError("lost during the TLS handshake") from error


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK_BYTES):
        target.write(chunk)
        await target.drain()


async def _flushed(writer: asyncio.StreamWriter) -> None:
    """Let the last words of the server (why it refuses) reach the client."""
    if not writer.is_closing():
        writer.close()
    try:
        await asyncio.wait_for(writer.wait_closed(), 1.0)
    except (OSError, TimeoutError, ssl.SSLError):
        return


def bound_socket(address: str, port: int) -> socket.socket:
    """A socket that holds an address and port, not listening yet.

    Raises:
        SettingsError: something else listens there, or this machine has no such address.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
        # Listening here already: two sockets that only bound a port with SO_REUSEADDR would both succeed.
        bound.listen(128)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                "databasePort", port, f"free the port (something listens on {address}:{port}) or choose another"
            ) from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise SettingsError(
                "address", address, "run the lab on Linux, where all of 127.0.0.0/8 is this machine"
            ) from error
        if error.errno == errno.EACCES:
            raise SettingsError("databasePort", port, "choose a port above 1023") from error
        raise
    return bound
