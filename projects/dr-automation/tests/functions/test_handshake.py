"""A server is ready by the rule of ``pg_isready``: it asks for authentication, or refuses for a reason of its own."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from health_probe.handshake import SSL_REQUEST, ProbeResult, Reason, probe

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 2.0
# A server that never answers is waited for until here.
SHORT_SECONDS = 0.2

Server = Callable[[socket.socket], None]


@contextmanager
def serving(behave: Server) -> Iterator[int]:
    """One connection served by ``behave``; yields the port, and fails where the server itself failed."""
    failures: list[BaseException] = []
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    try:
                        behave(connection)
                    except AssertionError as failure:
                        failures.append(failure)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(TIMEOUT_SECONDS)
    assert not failures


def read_startup(connection: socket.socket) -> dict[str, str]:
    (length,) = struct.unpack("!I", connection.recv(4, socket.MSG_WAITALL))
    body = connection.recv(length - 4, socket.MSG_WAITALL)
    assert struct.unpack("!I", body[:4]) == (196608,)
    words = body[4:].rstrip(b"\0").decode().split("\0")
    return dict(zip(words[::2], words[1::2], strict=True))


def without_tls(answer: bytes) -> Server:
    def behave(connection: socket.socket) -> None:
        assert connection.recv(8, socket.MSG_WAITALL) == SSL_REQUEST
        connection.sendall(b"N")
        assert read_startup(connection)["user"]
        connection.sendall(answer)

    return behave


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def error(code: str, text: str) -> bytes:
    return message(b"E", b"SFATAL\0C" + code.encode() + b"\0M" + text.encode() + b"\0\0")


def ask(behave: Server, timeout_seconds: float = TIMEOUT_SECONDS) -> ProbeResult:
    with serving(behave) as port:
        return probe(HOST, port, timeout_seconds)


AUTHENTICATION_SASL = 10


def test_a_server_that_asks_for_authentication_is_ready() -> None:
    result = ask(without_tls(message(b"R", struct.pack("!I", AUTHENTICATION_SASL))))
    assert (result.ready, result.reason) == (True, Reason.ASKED_FOR_AUTHENTICATION)
    assert 0 < result.latency_ms < TIMEOUT_SECONDS * 1000


@pytest.fixture
def expired_certificate(tmp_path: Path) -> Path:
    """Key and certificate in one file: of nobody in particular, signed by nobody, over since 2021."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody else")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2021, 1, 1, tzinfo=dt.UTC))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "server.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_over_tls_an_expired_certificate_does_not_look_like_a_dead_database(expired_certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(expired_certificate)

    def behave(connection: socket.socket) -> None:
        connection.recv(8, socket.MSG_WAITALL)
        connection.sendall(b"S")
        with context.wrap_socket(connection, server_side=True) as encrypted:
            (length,) = struct.unpack("!I", encrypted.recv(4))
            assert len(encrypted.recv(length)) == length - 4
            encrypted.sendall(message(b"R", struct.pack("!I", AUTHENTICATION_SASL)))

    assert ask(behave).reason is Reason.ASKED_FOR_AUTHENTICATION


@pytest.mark.parametrize("code", ["28000", "28P01", "3D000", "53300"])
def test_a_server_that_refuses_this_connection_only_is_ready(code: str) -> None:
    result = ask(without_tls(error(code, "not you")))
    assert (result.ready, result.reason, result.detail) == (
        True,
        Reason.REFUSED_THIS_CONNECTION,
        f"{code}: not you",
    )


def test_a_server_that_starts_up_is_not_ready() -> None:
    result = ask(without_tls(error("57P03", "the database system is starting up")))
    assert (result.ready, result.reason) == (False, Reason.CANNOT_CONNECT_NOW)
    assert "starting up" in result.detail


def test_a_frozen_server_that_accepts_connections_and_says_nothing_is_not_ready() -> None:
    with socket.create_server((HOST, 0)) as frozen:  # the kernel accepts for it
        result = probe(HOST, frozen.getsockname()[1], SHORT_SECONDS)
    assert (result.ready, result.reason) == (False, Reason.NO_ANSWER)
    assert SHORT_SECONDS * 1000 <= result.latency_ms < TIMEOUT_SECONDS * 1000


def test_a_server_that_drips_bytes_gets_no_more_time_than_one_that_is_silent() -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(8, socket.MSG_WAITALL)
        connection.sendall(b"N")
        read_startup(connection)
        stop = threading.Event()
        with suppress(OSError):
            for byte in message(b"R", b"\0" * 400):
                connection.sendall(bytes([byte]))
                stop.wait(SHORT_SECONDS / 10)

    result = ask(drip, SHORT_SECONDS)
    assert (result.ready, result.reason) == (False, Reason.NO_ANSWER)
    assert result.latency_ms < TIMEOUT_SECONDS * 1000


def test_a_port_where_nobody_listens_is_not_ready() -> None:
    with socket.create_server((HOST, 0)) as gone:
        port = gone.getsockname()[1]
    result = probe(HOST, port, TIMEOUT_SECONDS)
    assert (result.ready, result.reason) == (False, Reason.NO_ANSWER)
    assert "refused" in result.detail.lower()


def test_a_name_that_does_not_resolve_is_a_result_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*asked: object, **how: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    result = probe("database.internal", 5432, TIMEOUT_SECONDS)
    assert (result.ready, result.reason) == (False, Reason.NO_ANSWER)


def close_after_tls_refusal(connection: socket.socket) -> None:
    connection.recv(8, socket.MSG_WAITALL)
    connection.sendall(b"N")
    read_startup(connection)


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (lambda connection: None, Reason.NO_ANSWER),
        (close_after_tls_refusal, Reason.NO_ANSWER),
        (without_tls(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Reason.NOT_POSTGRESQL),
        (without_tls(message(b"E", b"SFATAL\0\0")), Reason.NOT_POSTGRESQL),
        (without_tls(b"R" + struct.pack("!I", 2**31)), Reason.NOT_POSTGRESQL),
        (lambda connection: connection.sendall(b"X"), Reason.NOT_POSTGRESQL),
        # S without a server that speaks TLS behind it.
        (lambda connection: connection.sendall(b"S" + b"not tls" * 10), Reason.NO_ANSWER),
    ],
    ids=["closes", "closes-late", "http", "error-without-code", "huge", "no-yes-or-no", "no-tls"],
)
def test_what_is_no_postgresql_is_a_result_and_not_an_exception(behave: Server, reason: Reason) -> None:
    result = ask(behave)
    assert (result.ready, result.reason) == (False, reason)
