"""A DNS server for every client of this machine: UDP and TCP, from one thread however many ask."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
from botocore.exceptions import BotoCoreError, ClientError

from lab.aws.dns import NotReadError, Resolver
from lab.aws.dns_answers import NameNotFoundError, UnsupportedRoutingError, canonical
from shared.errors import SettingsError

_LOG = logging.getLogger(__name__)

HOST = "127.0.0.1"
# Longer than Route 53 takes in the lab. Like Route 53's own servers this one answers on when the API does not.
_READ_SECONDS = 1.0
# Nothing can be answered before; clients wait 5 s by default (resolv.conf(5)).
_FIRST_READ_SECONDS = 4.0
# A busy resolver drops questions, and its clients ask again.
_MOST_QUESTIONS = 1000
_TCP_IDLE_SECONDS = 10.0
_ANY_PORT_TRIES = 20
# How long a resolver may keep that there is no such name or no such type: names appear while a lab is being deployed.
_NEGATIVE_TTL_SECONDS = 1


class DnsServer:
    """Answers on a port of 127.0.0.1, over UDP and TCP. No more than one question at a time goes to Route 53."""

    def __init__(self, resolver: Resolver, port: int = 0) -> None:
        """Nothing listens yet; port 0 is any free port."""
        self._resolver = resolver
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lab-dns-zones")
        self._reading: asyncio.Future[None] | None = None
        self._thread: threading.Thread | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._datagrams: asyncio.DatagramTransport | None = None
        self._streams: asyncio.Server | None = None

    def start(self) -> None:
        """Start answering.

        Raises:
            SettingsError: the port is in use, or needs root.
        """
        datagram, stream = _bound_sockets(self._port)
        self._port = datagram.getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab-dns", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(datagram, stream), self._loop).result(10)

    def stop(self) -> None:
        """Stop answering and free the port."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        thread.join(10)
        self._loop.close()
        self._reader.shutdown(wait=False, cancel_futures=True)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port.

        Raises:
            RuntimeError: it has not been started.
        """
        if self._thread is None:
            raise RuntimeError("the DNS server has not been started")
        return HOST, self._port

    async def _serve(self, datagram: socket.socket, stream: socket.socket) -> None:
        self._datagrams, _ = await self._loop.create_datagram_endpoint(lambda: _Datagrams(self._asked), sock=datagram)
        self._streams = await asyncio.start_server(self._connected, sock=stream)

    async def _close(self) -> None:
        if self._datagrams is not None:
            self._datagrams.close()
        if self._streams is not None:
            self._streams.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _asked(self, data: bytes, client: tuple[str, int]) -> None:
        """A datagram has come."""
        if len(self._answering) >= _MOST_QUESTIONS:
            return
        task = self._loop.create_task(self._answer(data, client))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, data: bytes, client: tuple[str, int]) -> None:
        await self._until_known()
        reply = respond(data, self._resolver)
        if reply is not None and self._datagrams is not None and not self._datagrams.is_closing():
            self._datagrams.sendto(reply, client)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the questions of a TCP connection, each with its length before it."""
        with contextlib.suppress(OSError, EOFError, TimeoutError, asyncio.CancelledError):
            while True:
                data = await asyncio.wait_for(_question(reader), _TCP_IDLE_SECONDS)
                await self._until_known()
                reply = respond(data, self._resolver, longest_bytes=65535)
                if reply is None:
                    break
                writer.write(struct.pack("!H", len(reply)) + reply)
                await writer.drain()
        writer.close()

    async def _until_known(self) -> None:
        """Read the zones where that was not done lately. Whoever asks meanwhile waits for the same reading."""
        if self._resolver.is_fresh():
            return
        if self._reading is None or self._reading.done():
            self._reading = self._loop.run_in_executor(self._reader, self._read)
        known = self._resolver.is_known()
        await asyncio.wait({self._reading}, timeout=_READ_SECONDS if known else _FIRST_READ_SECONDS)

    def _read(self) -> None:
        try:
            self._resolver.read()
        except (ClientError, BotoCoreError) as error:
            _LOG.warning("Route 53 did not tell its zones, those that were read last are used: %s", error)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, asked: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._asked = asked

    def datagram_received(self, data: bytes, client: tuple[str, int]) -> None:
        self._asked(data, client)


def _bound_sockets(port: int) -> tuple[socket.socket, socket.socket]:
    """Sockets for UDP and TCP on the same port."""
    if not 0 <= port <= 65535:
        raise SettingsError("--dns-port", port, "give a port number from 0 to 65535; 0 takes any free one")
    for _ in range(_ANY_PORT_TRIES):
        datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            datagram.bind((HOST, port))
            stream.bind(datagram.getsockname())
        except OSError as error:
            datagram.close()
            stream.close()
            if error.errno == errno.EACCES:
                raise SettingsError("--dns-port", port, "choose a port above 1023, or be root") from error
            if port != 0:
                remedy = f"another program has {HOST}:{port}: stop it, or choose another port"
                raise SettingsError("--dns-port", port, remedy) from error
            continue
        return datagram, stream
    raise SettingsError("--dns-port", port, "no port is free for both UDP and TCP: choose one")


async def _question(reader: asyncio.StreamReader) -> bytes:
    (length,) = struct.unpack("!H", await reader.readexactly(2))
    return await reader.readexactly(length)


def respond(data: bytes, resolver: Resolver, longest_bytes: int | None = None) -> bytes | None:
    """The response to a query; None where it is none.

    Args:
        data: what came.
        resolver: answers from what it knows.
        longest_bytes: how long the response may be; None for what the client says it takes over UDP.
    """
    try:
        query = dns.message.from_wire(data)
    except dns.exception.DNSException:
        return None
    if query.flags & dns.flags.QR or query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
        return None
    question = query.question[0]
    response = dns.message.make_response(query)
    response.flags |= dns.flags.AA
    zone: str | None = None
    try:
        records = resolver.known(question.name.to_text(), dns.rdatatype.to_text(question.rdtype))
    except NameNotFoundError as missing:
        zone = missing.zone
        response.set_rcode(dns.rcode.REFUSED if zone is None else dns.rcode.NXDOMAIN)
    except (UnsupportedRoutingError, NotReadError) as error:
        _LOG.warning("%s is not answered: %s", question.name, error)
        response.set_rcode(dns.rcode.SERVFAIL)
    else:
        for record in records:
            values = [canonical(value) if record.type == "CNAME" else value for value in record.values]
            response.answer.append(dns.rrset.from_text_list(record.name, record.ttl_seconds, "IN", record.type, values))
        if not records:
            zone = resolver.zone_of(question.name.to_text())
    if zone is not None:
        response.authority.append(_negative(zone))
    # dnspython reserves room for what EDNS adds; what does not fit is asked for again over TCP.
    return response.to_wire(max_size=longest_bytes or 0, prefer_truncation=True)


def _negative(zone: str) -> dns.rrset.RRset:
    """What says for how long a resolver may keep that there is nothing (RFC 2308)."""
    text = f"ns.{zone} hostmaster.{zone} 1 7200 900 1209600 {_NEGATIVE_TTL_SECONDS}"
    return dns.rrset.from_text(zone, _NEGATIVE_TTL_SECONDS, "IN", "SOA", text)
