"""One PostgreSQL server, from initdb to its end, and everything a rehearsal does to it in between."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from lab.postgres.binaries import PostgresBinaries, PostgresError
from lab.postgres.configuration import (
    ADMIN_DATABASE,
    REPLICATION_USER,
    SUPERUSER,
    write_configuration,
)
from lab.postgres.liveness import wait_until_dead
from lab.postgres.pid_file import read_pid_file, release_shared_memory
from lab.postgres.private_port import free_private_port
from lab.postgres.process_tree import freeze_tree, kill_tree, thaw_tree, tree_of
from lab.postgres.replication_stall import stall_in, unstall_in
from lab.postgres.spawn import Spawn
from shared.errors import SettingsError

_LONGEST_SOCKET_PATH = 100  # of the 107 bytes a Unix socket's address has


class PostgresServer:
    """A server with a data directory of its own, listening where only the lab reaches it.

    Calls that change its life (start, stop, kill, ...) exclude each other; reading its state never waits for them.
    """

    def __init__(self, binaries: PostgresBinaries, home: Path, spawn: Spawn, name: str) -> None:
        """Describe a server; nothing is created yet.

        Args:
            binaries: the programs to run.
            home: a folder of its own, made by `init` or `make_replica`.
            spawn: how its process is started.
            name: what it is called in errors and as a replica's application name.
        """
        self.name = name
        self.home = home
        self.data = home / "data"
        self.sockets = home / "s"
        self.log = home / "server.log"
        self.port = 0
        self._binaries = binaries
        self._spawn = spawn
        self._process: subprocess.Popen[bytes] | None = None
        self._parameters: Mapping[str, str] = {}
        self._life = threading.RLock()
        self._stalls: set[str] = set()
        self.source: PostgresServer | None = None
        """The server it was made a replica of, until it is promoted."""
        self.expected_running = False
        """Whether it should be running as far as we know: a gap between this and `is_running` is a crash."""

    def init(self, master_user: str, master_password: str, database: str | None, parameters: Mapping[str, str]) -> None:
        """Create the data directory, start the server and make the master user, as RDS does.

        The master user is no superuser: RDS keeps that for itself.

        Args:
            master_user: the login RDS hands out.
            master_password: its password, stored as SCRAM verifier.
            database: a database to create; None for only `postgres`.
            parameters: what postgresql.conf is to say besides the lab's own.

        Raises:
            PostgresError: initdb or the server failed.
        """
        with self._life:
            self._make_home()
            # What initdb writes may be lost in a power cut; what the running server commits may not.
            self._binaries.run(
                "initdb", "--pgdata", str(self.data), "--username", SUPERUSER, "--auth", "trust",
                "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions",
            )  # fmt: skip
            self.configure(parameters)
            self.start()
            with self.connect("postgres") as connection:
                self._create_roles(connection, master_user, master_password)
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(ADMIN_DATABASE)))
                if database is not None and database != "postgres":
                    connection.execute(
                        sql.SQL("CREATE DATABASE {} OWNER {}").format(
                            sql.Identifier(database), sql.Identifier(master_user)
                        )
                    )
            with self.connect() as connection:
                connection.execute("CREATE TABLE heartbeat (id int PRIMARY KEY, beat_at timestamptz NOT NULL)")

    def make_replica(self, replica: PostgresServer, slot: str, parameters: Mapping[str, str]) -> None:
        """Create a streaming replica of this server and start it.

        Args:
            replica: a server that was only described so far.
            slot: the physical replication slot to create here and to stream from.
            parameters: what the replica's postgresql.conf is to say besides the lab's own.

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

    def configure(self, parameters: Mapping[str, str] | None = None) -> None:
        """Write the configuration files, and have a running server read them again.

        Args:
            parameters: what they are to say besides the lab's own; None for what they said before. What needs a
                restart waits for one.
        """
        if parameters is not None:
            self._parameters = dict(parameters)
        write_configuration(self.data, self.port, self.sockets, self._parameters)
        for name in ("postgresql.conf", "pg_hba.conf"):
            self._binaries.own(self.data / name)
        self.reload()

    def start(self, timeout_seconds: float = 30.0) -> None:
        """Start the server and wait until it takes connections (a replica: read-only ones).

        It is also how a killed server comes back, as when its host's power returns: with the data it had, and in the
        role it had. RDS's watch sees it and calls its instance `available` again.

        Raises:
            PostgresError: it ended or did not become ready in time; the message holds the end of its log.
        """
        with self._life:
            if self.is_running():
                return
            arguments = [self._binaries.program("postgres"), "-D", str(self.data)]
            self._process = self._spawn(arguments, user=self._binaries.user, log=self.log)
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
        """Shut the server down, ending its sessions; what does not go in time is killed."""
        with self._life:
            self.expected_running = False
            process = self._process
            if process is None or process.poll() is not None:
                return
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                # A frozen or overloaded host: RDS's reboot does not wait for it either.
                self._kill_processes()
            self.release_shared_memory()

    def restart(self, stop_timeout_seconds: float, while_down: Callable[[], None] = lambda: None) -> None:
        """Stop and start, as a reboot of the instance does.

        Args:
            stop_timeout_seconds: how long it may take to shut down before it is killed.
            while_down: called in between.

        Raises:
            PostgresError: it did not come back.
        """
        with self._life:
            self.stop(stop_timeout_seconds)
            while_down()
            self.start()

    def kill(self) -> None:
        """End every process of the server at once (SIGKILL), as losing the host would. Nothing is told about it."""
        self._kill_processes()
        self.release_shared_memory()

    def freeze(self) -> None:
        """Stop every process of the server (SIGSTOP): connections are still accepted by the kernel, none answered."""
        freeze_tree(self.processes)

    def thaw(self) -> None:
        """Let a frozen server go on where it stopped."""
        thaw_tree(self.processes)

    def stall_replication(self, cause: str = "drill") -> None:
        """Let a replica receive nothing more while it lives and answers, as with a stuck WAL receiver.

        Its source is taken from it by configuration: a stopped receiver process (SIGSTOP) would keep a promotion
        waiting for its end, and go on with what is in its socket. Restarts do not undo it; a promotion works.

        Args:
            cause: who stalls; it goes on when every cause has been taken back.

        Raises:
            PostgresError: it is no replica.
        """
        if not self.is_replica():
            raise PostgresError(f"server {self.name} is no replica: there is no replication to stall")
        self._stalls.add(cause)
        stall_in(self.data)
        self.reload()

    def resume_replication(self, cause: str = "drill") -> None:
        """Take a cause of a stall back; without any left the replica receives again, within a second.

        Args:
            cause: as in `stall_replication`; one that was never given is fine.
        """
        self._stalls.discard(cause)
        if not self._stalls and self.data.exists():
            unstall_in(self.data)
            self.reload()

    def reload(self) -> None:
        """Have a running server read its configuration files again."""
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGHUP)

    def is_ready(self) -> bool:
        """Whether the server is up and has said that it takes connections; a frozen one has."""
        process = self._process
        return process is not None and process.poll() is None and self._says_ready(process.pid)

    def is_running(self) -> bool:
        """Whether the server's first process is alive; a frozen one is."""
        process = self._process
        return process is not None and process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process at the head of the server's group; None before the first start."""
        return None if self._process is None else self._process.pid

    def promote(self) -> None:
        """Turn a replica into a writer and wait until it is one.

        Raises:
            PostgresError: it was no replica, or did not become a writer within a minute.
        """
        self._binaries.run("pg_ctl", "promote", "--pgdata", str(self.data), "--wait", "--timeout", "60")
        self.source = None

    def is_replica(self) -> bool:
        """Whether the server on disk is a replica (it would start as one)."""
        return (self.data / "standby.signal").exists()

    def set_password(self, user: str, password: str) -> None:
        """Change a login's password."""
        with self.connect() as connection:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(password)))

    def drop_slot(self, slot: str) -> None:
        """Remove a replication slot that nothing streams from any more; one that is not there is fine."""
        with self.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s AND active",
                (slot,),
            )
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                try:
                    connection.execute(
                        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
                        (slot,),
                    )
                except psycopg.errors.ObjectInUse:
                    time.sleep(0.05)
                else:
                    return

    def connect(self, database: str = ADMIN_DATABASE) -> psycopg.Connection:
        """Connect as RDS's own superuser, past the network: each statement commits by itself.

        Raises:
            psycopg.OperationalError: the server did not answer within two seconds.
        """
        return psycopg.connect(
            self._conninfo(SUPERUSER, dbname=database, application_name="rdsadmin", connect_timeout="2"),
            autocommit=True,
        )

    def release_shared_memory(self) -> None:
        """Give back the System V segment of a server that is gone; PostgreSQL would only do so at its next start."""
        if not self.is_running():
            release_shared_memory(self.data)

    def destroy(self) -> None:
        """End the server and remove its folder."""
        self.expected_running = False
        with self._life:
            self.kill()
            shutil.rmtree(self.home, ignore_errors=True)

    def log_tail(self, lines: int = 8) -> str:
        """The end of the server's log, on one line."""
        if not self.log.exists():
            return "(no log)"
        return " | ".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _make_home(self) -> None:
        longest = len(os.fsencode(self.sockets)) + len("/.s.PGSQL.12345.lock")
        if longest > _LONGEST_SOCKET_PATH:
            raise SettingsError("lab home", self.home, "choose a shorter path: a Unix socket's has 107 bytes")
        for folder in (self.home, self.data, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._binaries.own(folder)
        self.port = free_private_port()

    def _create_roles(self, connection: psycopg.Connection, master_user: str, master_password: str) -> None:
        master = sql.Identifier(master_user)
        connection.execute(sql.SQL("CREATE ROLE {} REPLICATION LOGIN").format(sql.Identifier(REPLICATION_USER)))
        connection.execute("CREATE ROLE rds_superuser NOLOGIN")
        connection.execute("GRANT pg_monitor, pg_signal_backend, pg_read_all_data TO rds_superuser WITH ADMIN OPTION")
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(master, sql.Literal(master_password))
        )
        connection.execute(sql.SQL("GRANT rds_superuser TO {}").format(master))
        # PostgreSQL 15 took CREATE on schema public from everybody; the database's owner keeps it.
        connection.execute(sql.SQL("ALTER DATABASE postgres OWNER TO {}").format(master))

    def _conninfo(self, user: str, **more: str) -> str:
        return psycopg.conninfo.make_conninfo(host=str(self.sockets), port=self.port, user=user, **more)

    def _says_ready(self, pid: int) -> bool:
        """Whether the server wrote "ready" for this very process to postmaster.pid, as `pg_ctl --wait` reads it."""
        lines = read_pid_file(self.data)
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def processes(self) -> list[psutil.Process]:
        """The server's processes, its first one first; none where it is down."""
        process = self._process
        return [] if process is None or process.poll() is not None else tree_of(process.pid)

    def _kill_processes(self) -> None:
        process = self._process
        doomed = kill_tree(self.processes)
        if process is not None and doomed:
            process.wait(10)
            wait_until_dead(doomed)
