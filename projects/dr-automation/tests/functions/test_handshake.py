"""A server is ready by the rule of ``pg_isready``: it asks for authentication, or refuses for a reason of its own."""

from __future__ import annotations

import socket
import struct
import threading
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from health_probe.deadline import Deadline
from health_probe.handshake import SSL_REQUEST, Handshake, Reason, shake_hands
from tests.fake_postgres import HOST, Authority, Server, error, message, read_startup, serving

TIMEOUT_SECONDS = 2.0
# A server that never answers is waited for until here.
SHORT_SECONDS = 0.2


def without_tls(answer: bytes) -> Server:
    def behave(connection: socket.socket) -> None:
        assert connection.recv(8, socket.MSG_WAITALL) == SSL_REQUEST
        connection.sendall(b"N")
        assert read_startup(connection)["user"]
        connection.sendall(answer)

    return behave


def ask(behave: Server, timeout_seconds: float = TIMEOUT_SECONDS) -> Handshake:
    with serving(behave) as port:
        return shake_hands(HOST, port, Deadline(timeout_seconds))


AUTHENTICATION_SASL = 10


def test_a_server_that_asks_for_authentication_is_ready() -> None:
    result = ask(without_tls(message(b"R", struct.pack("!I", AUTHENTICATION_SASL))))
    assert (result.ready, result.reason) == (True, Reason.ASKED_FOR_AUTHENTICATION)
    assert 0 < result.latency_ms < TIMEOUT_SECONDS * 1000


def test_over_tls_an_expired_certificate_of_anybody_does_not_look_like_a_dead_database(tmp_path: Path) -> None:
    context = Authority(tmp_path).server("192.0.2.1", days=-1)

    def behave(connection: socket.socket) -> None:
        connection.recv(8, socket.MSG_WAITALL)
        connection.sendall(b"S")
        with context.wrap_socket(connection, server_side=True) as encrypted:
            (length,) = struct.unpack("!I", encrypted.recv(4))
            assert len(encrypted.recv(length)) == length - 4
            encrypted.sendall(message(b"R", struct.pack("!I", AUTHENTICATION_SASL)))

    assert ask(behave).reason is Reason.ASKED_FOR_AUTHENTICATION
    with warnings.catch_warnings(record=True) as unclosed:
        warnings.simplefilter("always", ResourceWarning)
        ask(behave)
    assert not unclosed, "Python closes what was forgotten, some time, and says so"


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
        result = shake_hands(HOST, frozen.getsockname()[1], Deadline(SHORT_SECONDS))
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
    result = shake_hands(HOST, port, Deadline(TIMEOUT_SECONDS))
    assert (result.ready, result.reason) == (False, Reason.NO_ANSWER)
    assert "refused" in result.detail.lower()


def test_a_name_that_does_not_resolve_is_a_result_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*asked: object, **how: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    result = shake_hands("database.internal", 5432, Deadline(TIMEOUT_SECONDS))
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
