"""One PostgreSQL server of the lab: where it comes from, how it lives, how it is broken."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lab.home import ChildProcesses, LabHome, is_alive
from lab.home.postmaster import clear_leftovers
from lab.postgres import PostgresBinaries, PostgresError, PostgresServer, applicable, find_binaries
from lab.postgres.binaries import PROGRAMS, can_traverse
from shared.errors import SettingsError
from tests.lab.running_rds import lab_home, wait_until


class Bench:
    """A home, the programs, and a writer with one table."""

    def __init__(self, home: LabHome) -> None:
        self.home = home
        self.binaries = find_binaries(home.path)
        self.children = ChildProcesses(home)
        self.writer = self.server("writer")
        self.writer.init("app", "correct-horse", "orders", {"max_slot_wal_keep_size": "512"})
        with self.writer.connect() as connection:
            connection.execute("CREATE TABLE entry (number int)")

    def server(self, name: str) -> PostgresServer:
        return PostgresServer(self.binaries, self.home.path / name, self.children, name)

    def replica(self, name: str) -> PostgresServer:
        replica = self.server(name)
        self.writer.make_replica(replica, f"slot_{name}", {})
        return replica


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with lab_home() as home:
        bench = Bench(home)
        yield bench
        bench.writer.destroy()
        bench.children.close()


def count(server: PostgresServer) -> int:
    with server.connect() as connection:
        row = connection.execute("SELECT count(*) FROM entry").fetchone()
    assert row is not None
    return int(row[0])


def receives(replica: PostgresServer) -> bool:
    with replica.connect() as connection:
        return connection.execute("SELECT 1 FROM pg_stat_wal_receiver").fetchone() is not None


def write(server: PostgresServer, number: int = 1) -> None:
    with server.connect() as connection:
        connection.execute("INSERT INTO entry VALUES (%s)", (number,))


def test_what_is_committed_survives_the_loss_of_every_process(bench: Bench) -> None:
    before = count(bench.writer)
    write(bench.writer)
    bench.writer.kill()
    assert not bench.writer.is_running()
    assert bench.writer.expected_running, "nobody but the process table knows that it died"
    bench.writer.start()
    assert count(bench.writer) == before + 1


def test_a_replica_streams_through_its_slot_and_takes_writes_only_after_promotion(bench: Bench) -> None:
    replica = bench.replica("follower")
    try:
        write(bench.writer)
        wait_until(lambda: count(replica) == count(bench.writer))
        with bench.writer.connect() as connection:
            slots = connection.execute("SELECT slot_name, active FROM pg_replication_slots").fetchall()
        assert slots == [("slot_follower", True)]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            write(replica)

        replica.promote()

        assert not replica.is_replica()
        write(replica)
        bench.writer.drop_slot("slot_follower")
        with bench.writer.connect() as connection:
            assert connection.execute("SELECT 1 FROM pg_replication_slots").fetchall() == []
    finally:
        replica.destroy()
    assert not replica.home.exists()


def test_a_frozen_server_is_connected_to_and_never_answers_until_it_is_thawed(bench: Bench) -> None:
    bench.writer.freeze()
    try:
        assert bench.writer.is_running()
        with socket.create_connection(("127.0.0.1", bench.writer.port), timeout=1) as connection:
            connection.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")  # SSLRequest
            connection.settimeout(0.3)
            with pytest.raises(TimeoutError):
                connection.recv(1)
    finally:
        bench.writer.thaw()
    assert count(bench.writer) >= 0


def test_a_frozen_server_can_be_restarted(bench: Bench) -> None:
    bench.writer.freeze()
    bench.writer.restart(stop_timeout_seconds=0.2)
    assert count(bench.writer) >= 0


def test_a_stalled_replica_answers_and_receives_nothing_until_it_is_resumed(bench: Bench) -> None:
    replica = bench.replica("stalled")
    try:
        replica.stall_replication()
        wait_until(lambda: not receives(replica))
        known = count(replica)
        write(bench.writer)
        replica.restart(stop_timeout_seconds=5)
        time.sleep(1.2)
        assert not receives(replica), "a restart does not undo it"
        assert count(replica) == known

        replica.stall_replication("another cause")
        replica.resume_replication()
        time.sleep(0.8)
        assert count(replica) == known, "one cause is left"
        replica.resume_replication("another cause")

        wait_until(lambda: count(replica) == count(bench.writer))
    finally:
        replica.destroy()
        bench.writer.drop_slot("slot_stalled")


def test_a_stalled_replica_is_promoted_with_what_it_had(bench: Bench) -> None:
    replica = bench.replica("heir")
    try:
        replica.stall_replication()
        wait_until(lambda: not receives(replica))
        known = count(replica)
        write(bench.writer)

        replica.promote()

        assert count(replica) == known
        write(replica)
        assert count(replica) == known + 1

        copy = bench.server("copy")
        try:
            replica.make_replica(copy, "slot_copy", {})
            wait_until(lambda: receives(copy))
            copy.stall_replication()
            wait_until(lambda: not receives(copy))
        finally:
            copy.destroy()
        replica.resume_replication()
        write(replica)
    finally:
        replica.destroy()
        bench.writer.drop_slot("slot_heir")


def test_a_writer_has_no_replication_to_stall(bench: Bench) -> None:
    with pytest.raises(PostgresError, match="is no replica"):
        bench.writer.stall_replication()


def test_the_master_user_is_no_superuser_and_its_password_is_kept_as_scram_only(bench: Bench) -> None:
    with bench.writer.connect() as connection:
        row = connection.execute("SELECT rolsuper, rolpassword FROM pg_authid WHERE rolname = 'app'").fetchone()
    assert row is not None
    is_superuser, verifier = row
    assert not is_superuser
    assert verifier.startswith("SCRAM-SHA-256$")


def test_nobody_enters_over_tcp_as_rdss_own_users(bench: Bench) -> None:
    for user in ("rdsadmin", "rdsrepladmin"):
        with pytest.raises(psycopg.OperationalError, match="rejects connection"):
            psycopg.connect(host="127.0.0.1", port=bench.writer.port, user=user, dbname="postgres")


def test_parameters_take_effect_and_durability_is_never_given_up(bench: Bench) -> None:
    with bench.writer.connect() as connection:
        row = connection.execute(
            "SELECT current_setting('max_slot_wal_keep_size'), current_setting('fsync'), "
            "current_setting('synchronous_commit'), current_setting('full_page_writes')"
        ).fetchone()
    assert row == ("512MB", "on", "on", "on")


def test_parameters_that_mean_nothing_here_are_left_out() -> None:
    group = {
        "rds.force_ssl": "1",
        "shared_buffers": "{DBInstanceClassMemory/32768}",
        "port": "1",
        "log_min_duration_statement": "500",
        "not_in_this_version": "1",
    }
    known = frozenset({"shared_buffers", "port", "log_min_duration_statement"})
    assert applicable(group, known) == {"log_min_duration_statement": "500"}


def test_backends_left_frozen_by_a_killed_lab_are_found_and_ended(bench: Bench) -> None:
    server = bench.server("orphaned")
    server.init("app", "correct-horse", None, {})
    server.freeze()
    left = server.processes()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)

    killed = clear_leftovers(server.home)

    assert killed, "frozen backends cannot notice that their server is gone"
    assert not any(is_alive(process) for process in left)
    server.destroy()


def test_without_any_postgresql_the_error_names_key_value_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"PostgreSQL = \(not found\): install the wheel"):
        find_binaries(tmp_path, iter([]))


def test_a_postgresql_older_than_14_or_incomplete_is_passed_over(tmp_path: Path) -> None:
    old, incomplete = tmp_path / "13" / "bin", tmp_path / "incomplete" / "bin"
    install(old, "13.22", PROGRAMS)
    install(incomplete, "16.1", ("postgres", "initdb"))
    with pytest.raises(SettingsError) as refused:
        find_binaries(tmp_path, iter([old, incomplete]))
    assert str(old) in str(refused.value)
    assert str(incomplete) in str(refused.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
def test_programs_that_the_servers_user_cannot_reach_are_copied_to_where_it_can() -> None:
    with lab_home() as home:
        closed = home.directory("closed", mode=0o700)
        install(closed / "pg" / "bin", "16.1", PROGRAMS)
        found = find_binaries(home.path, iter([closed / "pg" / "bin"]))
        assert found.user is not None
        assert not can_traverse(closed / "pg" / "bin", found.user)
        assert can_traverse(found.directory, found.user)
        assert PostgresBinaries(found.directory, found.version, found.user).run("postgres", "--version")


def install(directory: Path, version: str, programs: tuple[str, ...]) -> None:
    directory.mkdir(parents=True)
    for name in programs:
        program = directory / name
        program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        program.chmod(0o755)
