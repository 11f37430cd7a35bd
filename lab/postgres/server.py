"""One PostgreSQL server: created, started, stopped, promoted, and broken in the ways that drills need."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from lab.home import ChildProcesses, read_pid_file, release_shared_memory, wait_until_dead
from lab.postgres.binaries import PostgresBinaries, PostgresError
from lab.postgres.breakable import BreakableServer
from lab.postgres.configuration import ADMIN_DATABASE, REPLICATION_USER, SUPERUSER, write_configuration
from lab.postgres.databases import create_databases, drop_slot, takes_token
from lab.postgres.private_port import reserved_port
from lab.postgres.process_tree import kill_tree, tree_of
from lab.postgres.small_disk import SmallDisk
from shared.errors import SettingsError

_LONGEST_SOCKET_PATH = 100  # a Unix socket's address has 107 bytes


class PostgresServer(BreakableServer):
    """A server with a data directory of its own, which listens on a private port of 127.0.0.1.

    Calls that start or stop it exclude each other; reading its state never waits for them.
    """

    def __init__(
        self,
        binaries: PostgresBinaries,
        home: Path,
        children: ChildProcesses,
        name: str,
        disk_bytes: int | None = None,
    ) -> None:
        """Describe a server; nothing is created yet.

        Args:
            binaries: the programs to run.
            home: a folder of its own, made by `init` or `make_replica`.
            children: starts its process.
            name: what it is called in errors and as a replica's application name.
            disk_bytes: the size of a disk of its own, on which it is made; None for none.
        """
        disk = None if disk_bytes is None else SmallDisk(home / "disk", disk_bytes)
        super().__init__(name, (home if disk is None else disk.folder) / "data", disk)
        self.home = home
        self.sockets = home / "s"
        self.log = home / "server.log"
        self.port = 0
        self._binaries = binaries
        self._children = children
        self._reservation: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._parameters: Mapping[str, str] = {}
        self._life = threading.RLock()
        self.source: PostgresServer | None = None
        """The server it replicates, until it is promoted."""
        self.expected_running = False
        """Whether it should be running: where this is true and `is_running` is not, it has crashed."""

    def init(self, master_user: str, master_password: str, database: str | None, parameters: Mapping[str, str]) -> None:
        """Create the data directory, start the server and create the master user, as RDS does.

        Args:
            master_user: the role that RDS gives its customer; no superuser.
            master_password: its password, stored as SCRAM verifier.
            database: a database to create; None for only `postgres`.
            parameters: settings for postgresql.conf besides the lab's own.

        Raises:
            PostgresError: initdb or the server failed.
        """
        with self._life:
            self._make_home()
            # No fsync of what initdb writes: a lab that loses it starts again.
            self._binaries.run(
                "initdb", "--pgdata", str(self.data), "--username", SUPERUSER, "--auth", "trust",
                "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions",
            )  # fmt: skip
            self.configure(parameters)
            self.start()
            create_databases(self.connect, master_user, master_password, database)

    def make_replica(self, replica: PostgresServer, slot: str, parameters: Mapping[str, str]) -> None:
        """Create a streaming replica of this server and start it.

        Args:
            replica: a server that has not been created yet.
            slot: the physical replication slot to create here and to stream from.
            parameters: settings for the replica's postgresql.conf besides the lab's own.

        Raises:
            PostgresError: pg_basebackup or the replica failed.
        """
        with replica._life:
            replica._make_home()
            self._binaries.run(
                "pg_basebackup", "--pgdata", str(replica.data), "--wal-method", "stream", "--checkpoint", "fast",
                "--create-slot", "--slot", slot, "--write-recovery-conf", "--no-sync",
                "--dbname", self._conninfo(REPLICATION_USER, application_name=replica.name),
                timeout_seconds=120,
            )  # fmt: skip
            replica.configure(parameters)
            replica.start()
            replica.source = self

    def base_backup(self, folder: Path) -> None:
        """Write a base backup of this server into a folder, which is made.

        Raises:
            PostgresError: pg_basebackup failed.
        """
        if self.is_silent:
            raise PostgresError(f"server {self.name} is on a lost host: nobody can back it up")
        folder.parent.mkdir(parents=True, exist_ok=True)
        for each in (folder.parent.parent, folder.parent):
            each.chmod(0o711)
        folder.mkdir(mode=0o700)
        self._binaries.own(folder)
        self._binaries.run(
            "pg_basebackup", "--pgdata", str(folder), "--wal-method", "stream", "--checkpoint", "fast", "--no-sync",
            "--dbname", self._conninfo(REPLICATION_USER, application_name="snapshot"),
            timeout_seconds=120,
        )  # fmt: skip

    def restore(self, folder: Path, parameters: Mapping[str, str]) -> None:
        """Create this server from a base backup, and start it.

        Args:
            folder: the base backup; it is copied.
            parameters: settings for postgresql.conf besides the lab's own.

        Raises:
            PostgresError: the server failed.
        """
        with self._life:
            self._make_home()
            shutil.copytree(folder, self.data, symlinks=True, dirs_exist_ok=True)
            for each in (self.data, *self.data.rglob("*")):
                self._binaries.own(each)
            # A backup of a replica would go on as one.
            for name in ("standby.signal", "postmaster.pid"):
                (self.data / name).unlink(missing_ok=True)
            (self.data / "postgresql.auto.conf").write_text("")
            self.configure(parameters)
            self.start()

    def configure(self, parameters: Mapping[str, str] | None = None) -> None:
        """Write the configuration files, and have a running server reload them.

        Args:
            parameters: settings besides the lab's own; None for those of the last call.
        """
        if parameters is not None:
            self._parameters = dict(parameters)
        write_configuration(self.data, self.port, self.sockets, self._parameters)
        for name in ("postgresql.conf", "pg_hba.conf"):
            self._binaries.own(self.data / name)
        self.reload()

    def start(self, timeout_seconds: float = 30.0) -> None:
        """Start the server and wait until it accepts connections (a replica: read-only ones).

        Raises:
            PostgresError: it exited or was not ready in time; the message has the end of its log.
        """
        with self._life:
            if self.is_running():
                return
            arguments = [self._binaries.program("postgres"), "-D", str(self.data)]
            self._process = self._children.start("postgres", arguments, user=self._binaries.user, log=self.log)
            deadline = time.monotonic() + timeout_seconds
            while not self._says_ready(self._process.pid):
                if self._process.poll() is not None:
                    raise PostgresError(f"server {self.name} did not start: {self.log_tail()}")
                if time.monotonic() > deadline:
                    self._kill_processes()
                    raise PostgresError(f"server {self.name} not ready in {timeout_seconds:.0f} s: {self.log_tail()}")
                time.sleep(0.02)
            self.expected_running = True

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Shut the server down (fast shutdown), and kill it where that takes too long, as with a frozen server."""
        with self._life:
            self.expected_running = False
            process = self._alive()
            if process is None:
                return
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                self._kill_processes()
            self.release_shared_memory()

    def restart(self, stop_timeout_seconds: float, while_down: Callable[[], None] = lambda: None) -> None:
        """Stop and start.

        Args:
            stop_timeout_seconds: how long it may take to shut down before it is killed.
            while_down: called in between.

        Raises:
            PostgresError: it did not start again.
        """
        with self._life:
            self.stop(stop_timeout_seconds)
            while_down()
            self.start()

    def kill(self) -> None:
        """Kill every process of the server (SIGKILL), as losing the host would. `start` starts it again."""
        self._kill_processes()
        self.release_shared_memory()

    def reload(self) -> None:
        """Have a running server reload its configuration files."""
        process = self._alive()
        if process is not None:
            process.send_signal(signal.SIGHUP)

    def is_ready(self) -> bool:
        """Whether the server is up and accepts connections; a frozen one counts as ready."""
        process = self._alive()
        return process is not None and self._says_ready(process.pid)

    def is_running(self) -> bool:
        """Whether the postmaster is alive; a frozen one is."""
        return self._alive() is not None

    @property
    def pid(self) -> int | None:
        """The postmaster's process id; None before the first start."""
        return None if self._process is None else self._process.pid

    def promote(self) -> None:
        """Promote a replica and wait until it accepts writes.

        Raises:
            PostgresError: it was no replica, or the promotion took more than a minute.
        """
        self._binaries.run("pg_ctl", "promote", "--pgdata", str(self.data), "--wait", "--timeout", "60")
        self.source = None

    def is_replica(self) -> bool:
        """Whether the server starts, or was started, as a replica."""
        return (self.data / "standby.signal").exists()

    def set_password(self, user: str, password: str) -> None:
        """Change a role's password."""
        with self.connect() as connection:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(password)))

    def drop_slot(self, slot: str) -> None:
        """Remove a replication slot that no replica needs any more; one that does not exist is fine."""
        with self.connect() as connection:
            drop_slot(connection, slot)

    def takes_token(self, user: str) -> bool:
        """Whether a user logs in with IAM tokens.

        Raises:
            psycopg.Error: the server did not say.
        """
        with self.connect() as connection:
            return takes_token(connection, user)

    @property
    def socket_file(self) -> Path:
        """Its Unix socket, which only the lab can connect to."""
        return self.sockets / f".s.PGSQL.{self.port}"

    def connect(self, database: str = ADMIN_DATABASE) -> psycopg.Connection:
        """Connect as RDS's own superuser through the Unix socket, with autocommit.

        Raises:
            psycopg.OperationalError: the server did not answer within two seconds.
        """
        return psycopg.connect(
            self._conninfo(SUPERUSER, dbname=database, application_name="rdsadmin", connect_timeout="2"),
            autocommit=True,
        )

    def release_shared_memory(self) -> None:
        """Remove the shared memory of a server that was killed; PostgreSQL would only do so at its next start."""
        if not self.is_running():
            release_shared_memory(self.data)

    def destroy(self) -> None:
        """End the server and remove its folder."""
        self.expected_running = False
        with self._life:
            self.kill()
            if self._reservation is not None:
                self._reservation.close()
            if self.disk is not None:
                self.disk.unmount()
            shutil.rmtree(self.home, ignore_errors=True)

    def log_tail(self, lines: int = 8) -> str:
        """The last lines of the server's log, on one line."""
        if not self.log.exists():
            return "(no log)"
        return " | ".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _make_home(self) -> None:
        longest = len(os.fsencode(self.sockets)) + len("/.s.PGSQL.12345.lock")
        if longest > _LONGEST_SOCKET_PATH:
            raise SettingsError(
                "lab home", self.home, "choose a shorter path: a Unix socket's path has at most 107 bytes"
            )
        if self.disk is not None:
            self.home.mkdir(parents=True, exist_ok=True)
            self.disk.mount()
        for folder in (self.home, self.data, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._binaries.own(folder)
        self._reservation = reserved_port()
        self.port = self._reservation.getsockname()[1]

    def _conninfo(self, user: str, **more: str) -> str:
        return psycopg.conninfo.make_conninfo(host=str(self.sockets), port=self.port, user=user, **more)

    def _says_ready(self, pid: int) -> bool:
        """Whether this postmaster wrote "ready" to postmaster.pid, which is what `pg_ctl --wait` looks for."""
        lines = read_pid_file(self.data)
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def processes(self) -> list[psutil.Process]:
        """The server's processes, the postmaster first; none where it is down."""
        process = self._alive()
        return [] if process is None else tree_of(process.pid)

    def _alive(self) -> subprocess.Popen[bytes] | None:
        process = self._process
        return None if process is None or process.poll() is not None else process

    def _kill_processes(self) -> None:
        process = self._process
        doomed = kill_tree(self.processes)
        if process is not None and doomed:
            process.wait(10)
            wait_until_dead(doomed)
