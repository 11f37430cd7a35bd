"""What a drill does to the system it rehearses on, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from lab.target import Target


class DatabaseServer(Protocol):
    """The PostgreSQL server behind one instance: what a drill can do to it."""

    def kill(self) -> None:
        """End every process of the server at once, as SIGKILL does; return when they are gone."""

    def freeze(self) -> None:
        """Stop every process of the server (SIGSTOP): it accepts connections and never answers."""

    def thaw(self) -> None:
        """Let a frozen server go on."""

    def start(self) -> None:
        """Bring a killed server back with its data and in its role, as when its host's power returns.

        RDS calls an instance that it found `failed` for it `available` again within a moment.
        """

    def stall_replication(self) -> None:
        """Let a replica receive nothing more while it answers as before: its `ReplicaLag` grows."""

    def resume_replication(self) -> None:
        """Let a stalled replica receive again; a promoted one stays a writer."""


class LabSystem(Protocol):
    """A running system a drill can break and watch."""

    @property
    def target(self) -> Target:
        """What is deployed."""

    @property
    def dns_server(self) -> tuple[str, int]:
        """Address and UDP port of the resolver clients ask."""

    def client(self, service: str, region: str) -> Any:
        """A boto3 client for a service in a region, allowed to read everything and to make a queue."""

    def server(self, region: str, identifier: str) -> DatabaseServer:
        """The server behind an instance.

        Raises:
            SettingsError: there is no such instance.
        """

    def darken(self, region: str, *, seen_from: str | None = None) -> None:
        """Let a region be gone for everybody but `client`, or, with `seen_from`, for that one region alone.

        Calls there get no answer at all. Gone for everybody, its functions do not run, its databases are out of reach
        and nothing is replicated from or to them. Gone for one region, that region's functions and its network reach
        nothing there, and it receives no replication from there; for a partition, darken each for the other.
        """

    def lighten(self, region: str) -> None:
        """Undo every `darken` of a region."""

    def cut_link(self) -> None:
        """Interrupt the connection between the sites' networks, for established connections too.

        Replication goes on: it does not run over that connection.
        """

    def heal_link(self) -> None:
        """Undo `cut_link`."""

    def kill_function(self, region: str, name: str) -> bool:
        """End every process of a function at once (SIGKILL); the next event starts a fresh one.

        Returns:
            Whether one was in the middle of a run.
        """

    def slow_reboots(self, seconds: float) -> None:
        """Let every reboot asked for from now on keep its server down for so long, `rebooting`; 0 ends it."""

    def versions(self) -> Mapping[str, str]:
        """What runs: at least ``project``, ``python``, ``postgresql`` and ``ministack``."""
