"""Faults of a real server that leave it half alive: commits that hang, and a disk that is full."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lab.home import ChildProcesses, LabHome
from lab.postgres import (
    NoSmallDiskError,
    PostgresServer,
    applicable,
    find_binaries,
    parameter_names,
)
from shared.layers import REPOSITORY_ROOT
from tests.lab.running_rds import lab_home, wait_until

# Half a minute and more of real servers that hang: the drills play the same.
pytestmark = pytest.mark.exhaustive

DISK_BYTES = 200 * 1024 * 1024


class Bench:
    """A writer with one table."""

    def __init__(self, home: LabHome, disk_bytes: int | None = None) -> None:
        self.home = home
        self.children = ChildProcesses(home)
        self.binaries = find_binaries(home.path)
        self.writer = self.server("writer", disk_bytes)
        self.writer.init("app", "correct-horse", "orders", {"max_wal_size": "64", "wal_keep_size": "0"})
        with self.writer.connect() as connection:
            connection.execute("CREATE TABLE entry (number int, filling text)")

    def server(self, name: str, disk_bytes: int | None = None) -> PostgresServer:
        return PostgresServer(self.binaries, self.home.path / name, self.children, name, disk_bytes)

    def close(self) -> None:
        self.writer.destroy()
        self.children.close()


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with lab_home() as home:
        bench = Bench(home)
        yield bench
        bench.close()


class Write:
    """A commit in a thread of its own, which may hang."""

    def __init__(self, server: PostgresServer) -> None:
        self.committed = False
        self._server = server
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            write(self._server)
        except psycopg.Error:
            return
        self.committed = True

    def hangs(self) -> bool:
        self._thread.join(1.0)
        return self._thread.is_alive()


def write(server: PostgresServer, filling: str = "") -> None:
    with server.connect() as connection:
        connection.execute("SET statement_timeout = '500ms'")
        connection.execute("INSERT INTO entry VALUES (1, %s)", (filling,))


def count(server: PostgresServer) -> int:
    with server.connect() as connection:
        row = connection.execute("SELECT count(*) FROM entry").fetchone()
    assert row is not None
    return int(row[0])


def test_commits_hang_past_every_timeout_while_logins_and_reads_work_until_they_are_released(bench: Bench) -> None:
    before = count(bench.writer)
    bench.writer.hang_commits()
    hung = Write(bench.writer)
    assert hung.hangs(), "the statement_timeout of 0.5 s is over"
    assert count(bench.writer) == before
    bench.writer.release_commits()
    wait_until(lambda: hung.committed)
    assert count(bench.writer) == before + 1
    write(bench.writer)


def test_the_stream_of_a_hung_writer_says_that_it_lives_and_brings_nothing_new(bench: Bench) -> None:
    replica = bench.server("follower")
    bench.writer.make_replica(replica, "follower", {"wal_receiver_timeout": "2000"})
    seen = "SELECT status, last_msg_receipt_time, pg_last_wal_receive_lsn()::text FROM pg_stat_wal_receiver"
    try:
        bench.writer.hang_commits()
        Write(bench.writer)
        time.sleep(0.5)  # what was flushed before has arrived
        with replica.connect() as connection:
            before = connection.execute(seen).fetchone()
            time.sleep(3.0)
            after = connection.execute(seen).fetchone()
        assert before is not None
        assert after is not None
        assert after[0] == "streaming"
        assert after[1] > before[1], "it sends messages"
        assert after[2] == before[2], "and no positions"
    finally:
        bench.writer.release_commits()
        replica.destroy()
        bench.writer.drop_slot("follower")


def test_a_hung_writer_is_restarted_by_force_and_keeps_what_was_committed(bench: Bench) -> None:
    write(bench.writer)
    before = count(bench.writer)
    bench.writer.hang_commits()
    hung = Write(bench.writer)
    started = time.monotonic()
    bench.writer.restart(1.0)
    assert time.monotonic() - started < 15
    assert not hung.hangs()
    assert not hung.committed
    assert count(bench.writer) >= before
    write(bench.writer)


def test_a_hung_writer_dies_as_others_do_and_may_hang_again(bench: Bench) -> None:
    bench.writer.hang_commits()
    bench.writer.kill()
    bench.writer.start()
    bench.writer.hang_commits()
    bench.writer.release_commits()
    write(bench.writer)


@pytest.mark.parametrize(
    ("name", "value"),
    [("wal_receiver_timeout", "7000"), ("wal_sender_timeout", "9000"), ("wal_receiver_status_interval", "3")],
)
def test_the_timeouts_of_the_stream_are_those_of_the_parameter_group(bench: Bench, name: str, value: str) -> None:
    def set_to() -> str:
        with bench.writer.connect() as connection:
            row = connection.execute("SELECT setting FROM pg_settings WHERE name = %s", (name,)).fetchone()
        assert row is not None
        return str(row[0])

    bench.writer.configure(applicable({name: value}, parameter_names(bench.binaries)))
    wait_until(lambda: set_to() == value)


def test_a_server_without_a_disk_of_its_own_has_none_to_fill(bench: Bench) -> None:
    with pytest.raises(NoSmallDiskError, match="start the lab with small disks"):
        bench.writer.fill_disk()


@pytest.fixture
def small(disks: None) -> Iterator[Bench]:
    with lab_home() as home:
        bench = Bench(home, DISK_BYTES)
        yield bench
        bench.close()
        assert str(home.path) not in mounts()


def mounts() -> str:
    return Path("/proc/self/mounts").read_text()


def test_a_full_disk_takes_no_rows_and_a_freed_one_does_again(small: Bench) -> None:
    write(small.writer)
    small.writer.fill_disk()
    with pytest.raises(psycopg.errors.DiskFull):
        write_much(small.writer)
    assert small.writer.is_running()
    small.writer.free_disk()
    write_much(small.writer)


def test_a_server_that_died_of_a_full_disk_comes_back_with_it(small: Bench) -> None:
    write(small.writer)
    small.writer.fill_disk()
    with pytest.raises(psycopg.OperationalError):
        use_up_wal(small.writer)
    small.writer.free_disk()
    wait_until(lambda: answers(small.writer))
    assert count(small.writer) == 1


def write_much(server: PostgresServer) -> None:
    with server.connect() as connection:
        connection.execute(
            "INSERT INTO entry SELECT n, (SELECT string_agg(md5(random()::text), '') FROM generate_series(n, n + 9))"
            " FROM generate_series(1, 10000) n"
        )


def use_up_wal(server: PostgresServer) -> None:
    with server.connect() as connection:
        for _ in range(20):
            connection.execute("SELECT pg_switch_wal(), pg_logical_emit_message(true, 'lab', 'next segment')")


def answers(server: PostgresServer) -> bool:
    try:
        server.connect().close()
    except psycopg.Error:
        return False
    return True


LEFT_BEHIND = """
import os, signal, sys
from pathlib import Path
from lab.home import LabHome
from lab.postgres.small_disk import SmallDisk
home = LabHome.open(Path(sys.argv[1]))
SmallDisk(home.path / "databases" / "disk", 1048576).mount()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_lab_unmounts_what_a_killed_one_has_left(disks: None, tmp_path: Path) -> None:
    home = tmp_path / "home"
    subprocess.run(
        [sys.executable, "-c", LEFT_BEHIND, str(home)], cwd=REPOSITORY_ROOT, env={**os.environ}, check=False, timeout=30
    )
    assert str(home) in mounts()
    LabHome.open(home).close()
    assert str(home) not in mounts()
    assert not home.exists()
