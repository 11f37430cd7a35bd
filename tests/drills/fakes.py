"""A DNS server and a PostgreSQL server of which a test decides how they answer."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

import dns.flags
import dns.message
import dns.rrset

SSL_REQUEST = 80877103
READY = b"Z" + struct.pack("!I", 5) + b"I"


class Manner(Enum):
    """How the server treats a statement, or a client."""

    ACKNOWLEDGE = "acknowledge"
    REFUSE = "refuse"
    HANG = "hang"
    HANG_UP = "hang up"
    DIE = "die"
    SILENT = "silent from the first byte"
    SHUT_OUT = "silent to newcomers"


class FakePostgres:
    """Speaks as much of the protocol as a client's INSERT needs, over TLS."""

    def __init__(self, address: str, port: int, context: ssl.SSLContext) -> None:
        self.manner = Manner.ACKNOWLEDGE
        self.standby = False
        self.statements = 0
        self.clients = 0
        self._context = context
        self._listener = socket.create_server((address, port))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close every connection, as a server that dies does."""
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._open.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                raw, _ = self._listener.accept()
                self._open.append(raw)
                if self.manner not in (Manner.SILENT, Manner.SHUT_OUT):
                    threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with suppress(OSError, EOFError):
            assert struct.unpack("!II", exactly(raw, 8))[1] == SSL_REQUEST
            raw.sendall(b"S")
            connection = self._context.wrap_socket(raw, server_side=True)
            self._open.append(connection)
            exactly(connection, struct.unpack("!I", exactly(connection, 4))[0] - 4)
            self.clients += 1
            # What libpq goes by where a client asks for a writer.
            said = {"server_version": "16.2", "default_transaction_read_only": "off"}
            said["in_hot_standby"] = "on" if self.standby else "off"
            status = b"".join(message(b"S", f"{name}\0{value}\0".encode()) for name, value in said.items())
            connection.sendall(message(b"R", struct.pack("!I", 0)) + status + READY)
            while True:
                kind = exactly(connection, 1)
                exactly(connection, struct.unpack("!I", exactly(connection, 4))[0] - 4)
                if kind == b"S":
                    self.statements += 1
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        if self.manner in (Manner.ACKNOWLEDGE, Manner.SHUT_OUT):
            done = message(b"1") + message(b"2") + message(b"n") + message(b"C", b"INSERT 0 1\0")
            connection.sendall(done + READY)
        elif self.manner is Manner.REFUSE:
            connection.sendall(error(b"ERROR", b"25006", b"cannot execute INSERT in a read-only transaction") + READY)
        elif self.manner is Manner.DIE:
            connection.sendall(error(b"FATAL", b"57P01", b"terminating connection due to administrator command"))
            connection.shutdown(socket.SHUT_RDWR)
            raise EOFError
        elif self.manner is Manner.HANG_UP:
            connection.shutdown(socket.SHUT_RDWR)
            raise EOFError


class FakeDns:
    """Answers every question with one address, as an alias to a literal IP or as an address record."""

    def __init__(self, address: str, ttl_seconds: int = 0, *, alias: bool = True) -> None:
        self.address = address
        self.questions = 0
        self._ttl_seconds = ttl_seconds
        self._alias = alias
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.server: tuple[str, int] = self._socket.getsockname()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                wire, client = self._socket.recvfrom(512)
                self.questions += 1
                question = dns.message.from_wire(wire)
                response = dns.message.make_response(question)
                response.flags |= dns.flags.AA
                name, kind = question.question[0].name, "CNAME" if self._alias else "A"
                data = f"{self.address}." if self._alias else self.address
                response.answer.append(dns.rrset.from_text(name, self._ttl_seconds, "IN", kind, data))
                self._socket.sendto(response.to_wire(), client)


@contextmanager
def closing(*servers: FakePostgres | FakeDns) -> Iterator[None]:
    try:
        yield
    finally:
        for server in servers:
            server.close()


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def error(severity: bytes, code: bytes, text: bytes) -> bytes:
    return message(b"E", b"S" + severity + b"\0V" + severity + b"\0C" + code + b"\0M" + text + b"\0\0")


def exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data
