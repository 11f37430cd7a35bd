"""PostgreSQL servers over real sockets that do what a test says, and certificates for them."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
PATIENCE_SECONDS = 2.0
CLEARTEXT_PASSWORD = 3
Server = Callable[[socket.socket], None]


@contextmanager
def serving(behave: Server, connections: int = 1) -> Iterator[int]:
    """Connections served by ``behave``, each in a thread; yields the port, and fails where the server itself failed."""
    failures: list[BaseException] = []
    threads: list[threading.Thread] = []
    with socket.create_server((HOST, 0)) as listener:

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                try:
                    behave(connection)
                except AssertionError as failure:
                    failures.append(failure)

        def serve() -> None:
            with suppress(OSError):
                for _ in range(connections):
                    connection, _ = listener.accept()
                    threads.append(threading.Thread(target=one, args=(connection,), daemon=True))
                    threads[-1].start()

        accepting = threading.Thread(target=serve, daemon=True)
        accepting.start()
        yield listener.getsockname()[1]
        # Closing does not wake who waits in accept.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        accepting.join(PATIENCE_SECONDS)
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
    assert not failures


def message(kind: bytes, body: bytes) -> bytes:
    """A message of PostgreSQL's protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


def error(code: str, text: str, severity: str = "FATAL") -> bytes:
    """An error of the server."""
    return message(b"E", b"S" + severity.encode() + b"\0C" + code.encode() + b"\0M" + text.encode() + b"\0\0")


READY = message(b"Z", b"I")


def rows(types: list[int], *values: list[str | None]) -> bytes:
    """An answered query: columns of these types (16 bool, 20 int8, 701 float8), rows of texts."""
    columns = b"".join(b"c\0" + struct.pack("!IHIHIH", 0, 0, each, 8, 0xFFFFFFFF, 0) for each in types)
    answer = message(b"T", struct.pack("!H", len(types)) + columns)
    for row in values:
        texts = [struct.pack("!i", -1) if each is None else _counted(each.encode()) for each in row]
        answer += message(b"D", struct.pack("!H", len(row)) + b"".join(texts))
    return answer + message(b"C", b"SELECT 1\0") + READY


def _counted(text: bytes) -> bytes:
    return struct.pack("!i", len(text)) + text


def exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes, also from a connection under TLS."""
    received = b""
    while len(received) < count:
        chunk = connection.recv(count - len(received))
        if not chunk:
            raise ConnectionError("the client left")
        received += chunk
    return received


def read_startup(connection: socket.socket) -> dict[str, str]:
    """The client's start-up message."""
    (length,) = struct.unpack("!I", exactly(connection, 4))
    body = exactly(connection, length - 4)
    assert struct.unpack("!I", body[:4]) == (196608,)
    words = body[4:].rstrip(b"\0").decode().split("\0")
    return dict(zip(words[::2], words[1::2], strict=True))


def read_message(connection: socket.socket) -> tuple[bytes, bytes]:
    """The kind and the body of the client's next message."""
    kind, length = struct.unpack("!cI", exactly(connection, 5))
    return kind, exactly(connection, length - 4)


class Authority:
    """A certificate authority that signs what a test wants."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("An authority")
        root = self._builder(self._name, self._key.public_key(), 1).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.file = folder / "root.pem"
        self.file.write_bytes(root.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def server(self, address: str = HOST, *, days: int = 1) -> ssl.SSLContext:
        """TLS of a server with a certificate for that address, valid for some days, or over since as many."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        certificate = self._builder(_name(address), key.public_key(), days).add_extension(name, critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._folder / f"{address}.pem"
        file.write_bytes(
            private + certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def trusted(self) -> ssl.SSLContext:
        """TLS of a client that trusts this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.file)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=100))
            .not_valid_after(now + dt.timedelta(days=days))
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
