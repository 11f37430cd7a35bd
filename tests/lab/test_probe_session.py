"""The probe's session against real PostgreSQL, prepared by the file that people run; TLS ends in front, as in RDS."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg
import pytest

from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from health_probe import session
from health_probe.deadline import Deadline
from health_probe.login_token import Keys
from health_probe.one_session import Sessions
from health_probe.session import Login, SessionResult
from health_probe.settings import Target
from lab.home import ChildProcesses, LabHome
from lab.postgres import PostgresServer, find_binaries
from shared.layers import layer
from tests.fake_postgres import HOST, Authority
from tests.lab.running_rds import lab_home, wait_until

PREPARATION = layer("data").folder / "sql" / "prepare_database.sql"
# The lab's RDS checks tokens; here the role has a password.
PASSWORD = "as good as a token"
TIMEOUT_SECONDS = 2.0


class Databases:
    """A writer and its replica, each behind its own end of TLS."""

    def __init__(self, home: LabHome, stack: ExitStack, authority: Authority) -> None:
        self.binaries = find_binaries(home.path)
        children = ChildProcesses(home)
        stack.callback(children.close)
        self.writer = PostgresServer(self.binaries, home.path / "writer", children, "writer")
        self.writer.init("owner", "correct-horse", None, {"wal_receiver_timeout": "3000"})
        self.replica = PostgresServer(self.binaries, home.path / "replica", children, "replica")
        self.writer.make_replica(self.replica, "slot", {})
        tls = authority.server()
        self.ports = {each: stack.enter_context(ending_tls(tls, each.port)) for each in (self.writer, self.replica)}
        self.sessions = Sessions()

    def ask(
        self, server: PostgresServer, observer: Site = Site.PRIMARY, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> SessionResult:
        login = Login(Target(HOST, self.ports[server], "ap-southeast-2"), observer, Keys("none", "none"))
        return self.sessions.ask(login, Deadline(timeout_seconds))

    def execute(self, *statements: str) -> list[tuple[object, ...]]:
        """As the superuser, on the writer, in database postgres; returns the last one's rows."""
        with self.writer.connect("postgres") as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return [] if cursor.description is None else cursor.fetchall()

    def prepare(self) -> None:
        self.execute(PREPARATION.read_text(), f"alter role dr_probe password '{PASSWORD}'")


@contextmanager
def ending_tls(tls: ssl.SSLContext, port: int | None) -> Iterator[int]:
    """A port in front of a server's own that speaks TLS."""
    listener = socket.create_server((HOST, 0))

    def copy(source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                to.sendall(chunk)
        for each in (source, to):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve(plain: socket.socket) -> None:
        with suppress(OSError), plain:
            plain.recv(8, socket.MSG_WAITALL)
            plain.sendall(b"S")
            with tls.wrap_socket(plain, server_side=True) as outside, socket.create_connection((HOST, port)) as inside:
                threading.Thread(target=copy, args=(inside, outside), daemon=True).start()
                copy(outside, inside)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with listener:
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    trusted = authority.trusted()
    with pytest.MonkeyPatch.context() as patch, lab_home() as home, ExitStack() as stack:
        patch.setattr(session, "trusting_rds", lambda: trusted)
        patch.setattr(session, "login_token", lambda *asked: PASSWORD)
        databases = Databases(home, stack, authority)
        yield databases
        databases.replica.destroy()
        databases.writer.destroy()


@pytest.fixture
def prepared(databases: Databases) -> Databases:
    databases.prepare()
    return databases


def test_a_database_that_nobody_has_prepared_is_told_from_one_that_fails(databases: Databases) -> None:
    databases.execute("drop schema if exists dr cascade", "drop role if exists dr_probe")
    # Where the method is a password, PostgreSQL does not say that a role is missing, and neither does RDS.
    assert databases.ask(databases.writer).outcome is SessionOutcome.NOT_ADMITTED
    databases.prepare()
    databases.execute("drop schema dr cascade")
    assert databases.ask(databases.writer).outcome is SessionOutcome.NOT_PREPARED
    databases.prepare()
    assert databases.ask(databases.writer).outcome is SessionOutcome.WORKS


def test_each_observer_commits_a_row_of_its_own_and_the_replica_shows_the_newest(prepared: Databases) -> None:
    for observer in Site:
        result = prepared.ask(prepared.writer, observer)
        assert result.outcome is SessionOutcome.WORKS
    rows = prepared.execute("select observer, extract(epoch from at)::float8 from dr.heartbeat order by at")
    assert [observer for observer, _ in rows] == list(Site)
    assert rows[-1][1] == result.committed_at

    wait_until(lambda: prepared.ask(prepared.replica).heartbeat_at == result.committed_at)
    seen = prepared.ask(prepared.replica)
    assert seen.outcome is SessionOutcome.WORKS
    here = position(prepared)
    assert isinstance(here, int)
    assert seen.received_position is not None
    assert seen.replayed_position is not None
    assert 0 < seen.replayed_position <= seen.received_position <= here
    # Only who has pg_read_all_stats sees it.
    assert seen.stream_message_at is not None
    assert result.committed_at is not None
    assert abs(seen.stream_message_at - result.committed_at) < 60


def test_a_replica_that_streams_no_more_has_no_message_and_keeps_its_positions(prepared: Databases) -> None:
    wait_until(lambda: prepared.ask(prepared.replica).stream_message_at is not None)
    prepared.replica.stall_replication()
    wait_until(lambda: prepared.ask(prepared.replica).stream_message_at is None)
    seen = prepared.ask(prepared.replica)
    assert (seen.outcome, seen.received_position is None) == (SessionOutcome.WORKS, False)
    prepared.replica.resume_replication()


def test_a_writer_that_takes_no_writes_is_read_only(prepared: Databases) -> None:
    prepared.execute("alter role dr_probe set default_transaction_read_only = on")
    assert prepared.ask(prepared.writer).outcome is SessionOutcome.READ_ONLY
    prepared.execute("alter role dr_probe reset default_transaction_read_only")


def test_a_row_that_somebody_holds_and_a_role_with_all_its_sessions_are_no_hung_database(prepared: Databases) -> None:
    prepared.ask(prepared.writer)
    for lock in ("select from dr.heartbeat for update", "lock table dr.heartbeat"):
        with prepared.writer.connect("postgres") as holder, holder.transaction():
            holder.execute(lock.encode())
            # The shortest timeout that a probe can be given.
            assert prepared.ask(prepared.writer, timeout_seconds=1.0).outcome is SessionOutcome.NO_ROOM
    prepared.execute("alter role dr_probe connection limit 0")
    full = prepared.ask(prepared.writer)
    assert (full.outcome, "role" in full.detail) == (SessionOutcome.NO_ROOM, True)
    prepared.prepare()


def test_a_heartbeat_from_the_future_is_no_sign_of_life(prepared: Databases) -> None:
    newest = prepared.ask(prepared.writer).committed_at
    prepared.execute(
        "insert into dr.heartbeat values ('somebody', now() + interval '1 hour'), ('somebody else', 'infinity')"
    )
    wait_until(lambda: prepared.ask(prepared.replica).replayed_position == position(prepared))
    assert prepared.ask(prepared.replica).heartbeat_at == newest
    prepared.execute("delete from dr.heartbeat where observer like 'somebody%'")


def position(databases: Databases) -> object:
    ((here,),) = databases.execute("select (pg_current_wal_lsn() - '0/0'::pg_lsn)::int8")
    return here


def test_in_the_wrong_database_nothing_is_made_although_psql_goes_on_after_an_error(databases: Databases) -> None:
    writer = databases.writer
    conninfo = f"host={writer.sockets} port={writer.port} user=rdsadmin dbname=rdsadmin"
    ran = subprocess.run(
        [databases.binaries.program("psql"), conninfo],
        input=PREPARATION.read_text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "this is database rdsadmin" in ran.stderr
    assert ran.stdout.endswith("ROLLBACK\n")
    with writer.connect("rdsadmin") as elsewhere:
        assert not elsewhere.execute("select from pg_namespace where nspname = 'dr'").fetchall()


def test_who_may_connect_at_all_does_not_depend_on_everybody(prepared: Databases) -> None:
    prepared.execute("revoke connect on database postgres from public")
    assert prepared.ask(prepared.writer).outcome is SessionOutcome.WORKS
    prepared.execute("grant connect on database postgres to public")


def sessions_of_the_probe(databases: Databases) -> int:
    ((count,),) = databases.execute("select count(*)::int from pg_stat_activity where usename = 'dr_probe'")
    assert isinstance(count, int)
    return count


def test_a_commit_that_hangs_is_hung_in_one_session_however_often_it_is_asked(prepared: Databases) -> None:
    # A commit waits for a standby that does not exist, as it would for storage that does not answer.
    prepared.execute("alter system set synchronous_standby_names = 'nobody'", "select pg_reload_conf()")
    wait_until(lambda: prepared.ask(prepared.writer).outcome is SessionOutcome.HUNG)
    assert prepared.ask(prepared.writer).outcome is SessionOutcome.HUNG
    assert sessions_of_the_probe(prepared) == 1
    prepared.execute("alter system reset synchronous_standby_names", "select pg_reload_conf()")
    wait_until(lambda: prepared.ask(prepared.writer).outcome is SessionOutcome.WORKS)


def test_the_probe_may_do_nothing_else(prepared: Databases) -> None:
    conninfo = f"host={HOST} port={prepared.writer.port} user=dr_probe dbname=postgres password='{PASSWORD}'"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for forbidden in ("delete from dr.heartbeat", "create table dr.mine ()", "drop table dr.heartbeat"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden.encode())
