"""One client's connection to an endpoint, with those to the server that belong to it: silent, or ended."""

from __future__ import annotations

import asyncio
import socket
import struct

from lab.rds import packets

# A socket that lingers for no time sends RST when it is closed, and not FIN.
_RESET_WHEN_CLOSED = struct.pack("ii", 1, 0)


class ClientConnection:
    """A client's connection, from a loopback address."""

    def __init__(self, to_client: asyncio.StreamWriter) -> None:
        """A connection that was just accepted."""
        self.source = str(to_client.get_extra_info("peername")[0])
        self._socket = to_client.get_extra_info("socket")
        self._transports = [to_client.transport]
        self._heard = asyncio.Event()
        self._heard.set()

    def belongs(self, to_server: asyncio.StreamWriter) -> None:
        """A connection to the server ends with this one."""
        self._transports.append(to_server.transport)

    async def until_heard(self) -> None:
        """Wait while packets to and from the client are lost; what is written meanwhile would arrive."""
        await self._heard.wait()

    def follow(self, *, is_lost: bool) -> None:
        """Let what the client sends be lost, without a word to it, or no longer.

        One that was not heard for a time is a stranger afterwards, as to a host that has started anew: it gets RST.
        Where the kernel cannot drop packets, it is closed at once.
        """
        if self._socket.fileno() < 0:
            self._heard.set()  # the connection has ended by itself
        elif is_lost and not packets.CAN_BE_LOST:
            self.end()
        elif is_lost and self._heard.is_set():
            packets.drop_all(self._socket)
            self._heard.clear()
        elif not is_lost and not self._heard.is_set():
            packets.pass_all(self._socket)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_WHEN_CLOSED)
            self.end()

    def reset(self) -> None:
        """End it if the client can hear that."""
        if self._heard.is_set():
            self.end()

    def end(self) -> None:
        """Close it, and the connections to the server."""
        self._heard.set()
        for transport in self._transports:
            transport.abort()
