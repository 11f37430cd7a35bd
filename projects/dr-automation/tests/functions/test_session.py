"""A session commits on a writer and reads on a replica; what ends it says no more than it can."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from health_probe import session
from health_probe.deadline import Deadline
from health_probe.login_token import Keys
from health_probe.one_session import Sessions
from health_probe.session import Login, NoTimeLeftError, SessionResult, hold
from health_probe.settings import Target
from tests.fake_postgres import (
    CLEARTEXT_PASSWORD,
    HOST,
    READY,
    Authority,
    Server,
    error,
    message,
    read_message,
    read_startup,
    rows,
    serving,
)

KEYS = Keys("AKIDEXAMPLE", "secret-key", "session-token")
BOOL, INT8, FLOAT8 = 16, 20, 701
NO_ROW: list[str | None] = [None, None, None, None]
ADMITTED = message(b"R", struct.pack("!I", 0)) + READY
ASKS_FOR_PASSWORD = message(b"R", struct.pack("!I", CLEARTEXT_PASSWORD))
WRITER, REPLICA = rows([BOOL], ["f"]), rows([BOOL], ["t"])
TIMEOUT_SECONDS = 2.0


@dataclass
class Stage:
    """A server under TLS, and what it was told."""

    tls: ssl.SSLContext
    password: str = ""
    application: str = ""
    asked: tuple[str, ...] = ()

    def server(self, *answers: bytes, login: bytes = ADMITTED, after: Callable[[], object] = lambda: None) -> Server:
        """It asks for the password, answers the login, then each statement in turn; then it waits, and closes."""

        def behave(plain: socket.socket) -> None:
            plain.recv(8, socket.MSG_WAITALL)
            plain.sendall(b"S")
            with self.tls.wrap_socket(plain, server_side=True) as connection:
                startup = read_startup(connection)
                assert (startup["user"], startup["database"]) == ("dr_probe", "postgres")
                self.application = startup["application_name"]
                connection.sendall(ASKS_FOR_PASSWORD)
                kind, body = read_message(connection)
                assert kind == b"p"
                self.password = body.rstrip(b"\0").decode()
                connection.sendall(login)
                for answer in answers:
                    kind, body = read_message(connection)
                    assert kind == b"Q"
                    self.asked = (*self.asked, body.rstrip(b"\0").decode())
                    connection.sendall(answer)
                after()

        return behave


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def stage(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Stage:
    trusted = authority.trusted()
    monkeypatch.setattr(session, "trusting_rds", lambda: trusted)
    return Stage(authority.server())


def login_at(port: int, keys: Keys | None = KEYS) -> Login:
    return Login(Target(HOST, port, "ap-southeast-2"), Site.RECOVERY, keys)


def held(server: Server, about_to_commit: Callable[[], None] = lambda: None) -> SessionResult:
    with serving(server) as port:
        return hold(login_at(port), Deadline(TIMEOUT_SECONDS), about_to_commit)


def outcome(server: Server) -> SessionOutcome:
    return held(server).outcome


def test_on_a_writer_it_commits_its_own_row_and_learns_the_moment(stage: Stage) -> None:
    result = held(stage.server(WRITER, rows([FLOAT8], ["1764320000.123456"])))
    assert result == SessionResult(SessionOutcome.WORKS, committed_at=1764320000.123456)
    assert len(stage.asked) == 2
    assert "insert into dr.heartbeat" in stage.asked[1]
    assert "values ('recovery', clock_timestamp())" in stage.asked[1]


def test_on_a_replica_it_writes_nothing_and_learns_how_far_it_is(stage: Stage) -> None:
    types = [FLOAT8, INT8, INT8, FLOAT8]
    values: list[str | None] = ["1764320000.5", "50331648", "50331600", "1764320001"]
    assert held(stage.server(REPLICA, rows(types, values))) == SessionResult(
        SessionOutcome.WORKS,
        heartbeat_at=1764320000.5,
        received_position=50331648,
        replayed_position=50331600,
        stream_message_at=1764320001.0,
    )
    assert not [sql for sql in stage.asked if "insert" in sql]


def test_what_a_replica_does_not_know_is_not_made_up(stage: Stage) -> None:
    result = held(stage.server(REPLICA, rows([FLOAT8, INT8, INT8, FLOAT8], NO_ROW)))
    assert result == SessionResult(SessionOutcome.WORKS)


def test_the_password_is_a_token_for_the_database_that_is_asked(stage: Stage) -> None:
    with serving(stage.server(WRITER, rows([FLOAT8], ["1"]))) as port:
        hold(login_at(port), Deadline(TIMEOUT_SECONDS), lambda: None)
    assert stage.password.startswith(f"{HOST}:{port}/?Action=connect&DBUser=dr_probe&")
    assert "ap-southeast-2%2Frds-db" in stage.password
    assert stage.application == "health-probe"


REFUSED_LOGINS = [
    ("28000", 'role "dr_probe" does not exist', SessionOutcome.NOT_PREPARED),
    ("28000", 'PAM authentication failed for user "dr_probe"', SessionOutcome.NOT_ADMITTED),
    ("28P01", 'password authentication failed for user "dr_probe"', SessionOutcome.NOT_ADMITTED),
    ("3D000", 'database "postgres" does not exist', SessionOutcome.NOT_PREPARED),
    ("42501", 'permission denied for database "postgres"', SessionOutcome.NOT_ADMITTED),
    ("53300", 'too many connections for role "dr_probe"', SessionOutcome.NO_ROOM),
    ("53300", "sorry, too many clients already", SessionOutcome.NO_ROOM),
    ("57P03", "the database system is in recovery mode", SessionOutcome.NOT_ENDED),
    ("XX000", "something new", SessionOutcome.NOT_ENDED),
]


@pytest.mark.parametrize(("code", "text", "expected"), REFUSED_LOGINS)
def test_a_refused_login_is_told_by_its_code(stage: Stage, code: str, text: str, expected: SessionOutcome) -> None:
    result = held(stage.server(login=error(code, text)))
    assert (result.outcome, result.detail) == (expected, f"{code}: {text}")


REFUSED_COMMITS = [
    ("3F000", 'schema "dr" does not exist', SessionOutcome.NOT_PREPARED),
    ("42P01", 'relation "dr.heartbeat" does not exist', SessionOutcome.NOT_PREPARED),
    ("42P10", "there is no unique constraint", SessionOutcome.NOT_PREPARED),
    ("42501", "permission denied for table heartbeat", SessionOutcome.NOT_ADMITTED),
    ("55P03", "canceling statement due to lock timeout", SessionOutcome.NO_ROOM),
    ("25006", "cannot execute INSERT in a read-only transaction", SessionOutcome.READ_ONLY),
    ("53100", "could not extend file", SessionOutcome.FULL),
    ("58030", "could not write: No space left on device", SessionOutcome.FULL),
    ("57014", "canceling statement due to statement timeout", SessionOutcome.NOT_ENDED),
]


@pytest.mark.parametrize(("code", "text", "expected"), REFUSED_COMMITS)
def test_a_refused_commit_is_told_by_its_code(stage: Stage, code: str, text: str, expected: SessionOutcome) -> None:
    refusal = error(code, text, "ERROR") + READY
    result = held(stage.server(WRITER, refusal))
    assert (result.outcome, result.detail) == (expected, f"{code}: {text}")


def test_an_end_before_or_after_the_commit_was_sent_is_no_answer_to_it(stage: Stage) -> None:
    shutdown = error("57P01", "terminating connection due to administrator command")
    for answers in (
        (),
        (b"",),
        (WRITER,),
        (WRITER, b""),
        (WRITER, shutdown),
        (WRITER, error("XX000", "panic", "PANIC")),
    ):
        assert outcome(stage.server(*answers)) is SessionOutcome.NOT_ENDED


def test_a_commit_that_nobody_waits_for_is_not_sent(stage: Stage) -> None:
    def too_late() -> None:
        raise NoTimeLeftError

    result = held(stage.server(WRITER), too_late)
    assert result.outcome is SessionOutcome.NOT_ENDED
    assert len(stage.asked) == 1


def certificates(authority: Authority, folder: Path) -> Iterator[ssl.SSLContext]:
    (folder / "other").mkdir()
    yield authority.server("192.0.2.1")
    yield authority.server(days=-1)
    yield Authority(folder / "other").server()


def test_no_token_goes_to_a_server_with_a_certificate_of_another_or_an_expired_one(
    stage: Stage, authority: Authority, tmp_path: Path
) -> None:
    for wrong in certificates(authority, tmp_path):
        suspect = replace(stage, tls=wrong)
        assert outcome(suspect.server(WRITER)) is SessionOutcome.NOT_VERIFIED
        assert suspect.password == ""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"N", SessionOutcome.NOT_VERIFIED),
        (b"E", SessionOutcome.NOT_ENDED),
        (b"", SessionOutcome.NOT_ENDED),
        (b"S" + b"not tls" * 10, SessionOutcome.NOT_ENDED),
    ],
    ids=["no-tls", "error", "closes", "broken-tls"],
)
def test_nothing_is_told_to_a_server_without_tls(stage: Stage, answer: bytes, expected: SessionOutcome) -> None:
    def behave(connection: socket.socket) -> None:
        connection.recv(8, socket.MSG_WAITALL)
        connection.sendall(answer)
        assert b"dr_probe" not in connection.recv(1000)

    assert outcome(behave) is expected


@pytest.mark.parametrize(
    "garbage", [b"?" + struct.pack("!i", 4), b"\0" * 100, rows([BOOL])], ids=["unknown", "zeros", "empty"]
)
def test_what_is_no_postgresql_is_a_result_and_not_an_exception(stage: Stage, garbage: bytes) -> None:
    assert outcome(stage.server(garbage)) is SessionOutcome.NOT_ENDED


SHORT_SECONDS = 0.5


def test_a_server_that_drips_bytes_gets_no_more_time_than_one_that_is_silent(stage: Stage) -> None:
    over = threading.Event()

    def drip(plain: socket.socket) -> None:
        plain.recv(8, socket.MSG_WAITALL)
        plain.sendall(b"S")
        with stage.tls.wrap_socket(plain, server_side=True) as connection:
            read_startup(connection)
            for byte in message(b"N", b"S" * 400):
                connection.sendall(bytes([byte]))
                if over.wait(SHORT_SECONDS / 20):
                    return

    with serving(drip) as port:
        began = time.monotonic()
        result = Sessions().ask(login_at(port), Deadline(SHORT_SECONDS))
        assert SHORT_SECONDS <= time.monotonic() - began < SHORT_SECONDS + 1
        over.set()
    assert result.outcome is SessionOutcome.NOT_ENDED


def test_a_hung_commit_is_asked_about_again_when_its_connection_has_ended(stage: Stage) -> None:
    ends = threading.Event()
    works = stage.server(WRITER, rows([FLOAT8], ["1"]))
    servers = iter([stage.server(WRITER, b"", after=lambda: ends.wait(TIMEOUT_SECONDS)), works])
    sessions = Sessions()
    with serving(lambda connection: next(servers)(connection), connections=2) as port:
        for _ in range(2):
            assert sessions.ask(login_at(port), Deadline(SHORT_SECONDS)).outcome is SessionOutcome.HUNG
        ends.set()
        assert sessions.ask(login_at(port), Deadline(TIMEOUT_SECONDS)).outcome is SessionOutcome.WORKS


def test_a_connection_to_a_host_that_has_vanished_ends_by_itself(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[int, int] = {}
    set_option = socket.socket.setsockopt

    def note(connection: socket.socket, level: int, option: int, value: int) -> None:
        made[option] = value
        set_option(connection, level, option, value)

    monkeypatch.setattr(socket.socket, "setsockopt", note)
    held(stage.server(WRITER, rows([FLOAT8], ["1"])))
    assert made[socket.SO_KEEPALIVE] == 1
    # Silent while nothing is under way, or with a question that nobody acknowledges: 30 s either way.
    assert made[socket.TCP_KEEPIDLE] + made[socket.TCP_KEEPINTVL] * made[socket.TCP_KEEPCNT] == 30
    assert made[socket.TCP_USER_TIMEOUT] == 30_000


def test_without_keys_no_login_is_tried() -> None:
    assert hold(login_at(1, keys=None), Deadline(1), lambda: None).outcome is SessionOutcome.NOT_ADMITTED


def test_a_port_where_nobody_listens_is_a_result_too() -> None:
    assert hold(login_at(1), Deadline(1), lambda: None).outcome is SessionOutcome.NOT_ENDED
