"""The ways in which drills break a server that runs, and how each is undone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import psutil
import psycopg

from lab.postgres.binaries import PostgresError
from lab.postgres.hung_commits import HungCommits
from lab.postgres.process_tree import freeze_tree, thaw_tree
from lab.postgres.replication_stall import stall_in, unstall_in
from lab.postgres.small_disk import NoSmallDiskError, SmallDisk


class BreakableServer(ABC):
    """The part of a server that breaks it."""

    def __init__(self, name: str, data: Path, disk: SmallDisk | None) -> None:
        """A server of this name, data directory and disk; None for a disk that it shares with all else."""
        self.name = name
        self.data = data
        self.disk = disk
        self.is_silent = False
        """Whether its host is lost: nothing reaches it, and to RDS it is gone although its processes are there."""
        self._stalls: set[str] = set()
        self._hung_commits = HungCommits(self.connect)

    @abstractmethod
    def connect(self) -> psycopg.Connection:
        """Connect as superuser, with autocommit."""

    @abstractmethod
    def start(self) -> None:
        """Start the server where it does not run."""

    @abstractmethod
    def reload(self) -> None:
        """Have the server reload its configuration files where it runs."""

    @abstractmethod
    def is_replica(self) -> bool:
        """Whether it is a replica."""

    @abstractmethod
    def processes(self) -> list[psutil.Process]:
        """The server's processes, the postmaster first; none where it is down."""

    def freeze(self) -> None:
        """Stop every process of the server (SIGSTOP): the kernel still accepts connections, nobody answers them."""
        freeze_tree(self.processes)

    def thaw(self) -> None:
        """Continue every process of a frozen server (SIGCONT); commits that hung go on as well."""
        thaw_tree(self.processes)
        self._hung_commits.end()

    def stall_replication(self, cause: str = "drill") -> None:
        """Let a replica receive no more WAL while it runs and answers queries, as with a stuck WAL receiver.

        Done by an empty primary_conninfo. With SIGSTOP the WAL receiver would keep a promotion waiting, and would
        later apply what is in its socket. A restart does not undo it; a promotion works.

        Args:
            cause: who stalls it; replication resumes when every cause has been removed.

        Raises:
            PostgresError: it is no replica.
        """
        if not self.is_replica():
            raise PostgresError(f"server {self.name} is no replica: there is no replication to stall")
        self._stalls.add(cause)
        stall_in(self.data)
        self.reload()

    def resume_replication(self, cause: str = "drill") -> None:
        """Remove a cause of a stall, if it is one; without any left the replica receives again, within a second."""
        self._stalls.discard(cause)
        if not self._stalls and self.data.exists():
            unstall_in(self.data)
            self.reload()

    def hang_commits(self) -> None:
        """Let every commit hang while logins and reads work and the stream goes on; a fast shutdown hangs as well.

        Raises:
            PostgresError: it did not succeed; nothing hangs.
            psycopg.Error: the server does not answer.
        """
        self._hung_commits.begin()

    def release_commits(self) -> None:
        """Let commits go on. Those that hung take effect now."""
        self._hung_commits.end()

    def fill_disk(self) -> None:
        """Fill the server's disk.

        Raises:
            NoSmallDiskError: it has none of its own.
        """
        self._own_disk().fill()

    def free_disk(self) -> None:
        """Make room on the server's disk again, and start the server where it has died of the lack of it.

        Raises:
            NoSmallDiskError: it has none of its own.
            PostgresError: it did not start.
        """
        self._own_disk().empty()
        self.start()

    def _own_disk(self) -> SmallDisk:
        if self.disk is None:
            raise NoSmallDiskError("disk", self.name, "start the lab with small disks: this server shares a large one")
        return self.disk
