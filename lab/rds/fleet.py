"""The servers behind the instances: which server and which door belong to which instance."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab.aws import Door, Forwarder, ForwarderLoop, LabNetwork, vpc_address
from lab.postgres.binaries import PostgresBinaries, parameter_names
from lab.postgres.server import PostgresServer
from lab.postgres.spawn import Spawn
from lab.rds.certificates import CertificateAuthority


@dataclass(frozen=True)
class Member:
    """One instance's server and the door clients come through."""

    region: str
    identifier: str
    server: PostgresServer
    forwarder: Forwarder


class DatabaseFleet:
    """Every database server of the lab. A drill breaks servers here; RDS only learns of it by looking."""

    def __init__(self, home: Path, binaries: PostgresBinaries, spawn: Spawn, network: LabNetwork) -> None:
        """Prepare; no server exists yet.

        Args:
            home: the folder for the servers, which the servers' user can enter; it is made if need be.
            binaries: the PostgreSQL to run.
            spawn: how server processes are started.
            network: decides which connections get through.
        """
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711)
        self.binaries = binaries
        self.known_parameters = parameter_names(binaries)
        certificates = home / "certificates"
        certificates.mkdir(exist_ok=True)
        self.authority = CertificateAuthority(certificates)
        self._spawn = spawn
        self._network = network
        self._loop = ForwarderLoop()
        self._members: dict[tuple[str, str], Member] = {}
        self._state = threading.Lock()
        self._created = 0

    def server(self, region: str, identifier: str) -> PostgresServer:
        """The server behind an instance.

        Raises:
            LookupError: there is no such instance.
        """
        return self.member(region, identifier).server

    def forwarder(self, region: str, identifier: str) -> Forwarder:
        """The door of an instance.

        Raises:
            LookupError: there is no such instance.
        """
        return self.member(region, identifier).forwarder

    def member(self, region: str, identifier: str) -> Member:
        """Server and door of an instance.

        Raises:
            LookupError: there is no such instance.
        """
        with self._state:
            member = self._members.get((region, identifier.lower()))
        if member is None:
            raise LookupError(f"no database {identifier} in {region}")
        return member

    def members(self) -> list[Member]:
        """All of them."""
        with self._state:
            return list(self._members.values())

    def addresses(self) -> set[str]:
        """The loopback addresses in use."""
        return {member.forwarder.address for member in self.members()}

    def add(
        self,
        region: str,
        identifier: str,
        address: str,
        port: int,
        security_groups: Callable[[], list[str]],
        requires_tls: Callable[[], bool],
    ) -> Member:
        """Make room for an instance and open its door; its server is only described, nobody gets in yet.

        Args:
            region: the instance's region.
            identifier: its identifier.
            address: the loopback address clients use.
            port: the port clients use.
            security_groups: tells the groups it bears now.
            requires_tls: tells whether it refuses clients without TLS now.

        Raises:
            SettingsError: the port is taken on that address.
        """
        with self._state:
            self._created += 1
            # Numbered and short: the path of the server's Unix socket has to fit 107 bytes.
            home = self.home / f"{self._created}"
        server = PostgresServer(self.binaries, home, self._spawn, identifier)

        def admits(source: str) -> bool:
            return server.port != 0 and self._network.admits(
                vpc_address(source), vpc_address(address), security_groups(), port
            )

        def is_hidden_from(source: str) -> bool:
            return self._network.is_interrupted(vpc_address(source), vpc_address(address))

        door = Door(admits, requires_tls, self.authority.server_context(address), is_hidden_from)
        forwarder = Forwarder(self._loop, address, port, lambda: server.port, door)
        forwarder.open()
        member = Member(region, identifier.lower(), server, forwarder)
        with self._state:
            self._members[member.region, member.identifier] = member
        return member

    def remove(self, region: str, identifier: str) -> None:
        """End an instance's server, close its door, remove its data."""
        member = self.member(region, identifier)
        _end(member)
        with self._state:
            del self._members[member.region, member.identifier]

    def follow_interruptions(self) -> None:
        """Bring what is established to what the network says now: drop connections, stall and resume replication.

        A cut of the sites' own link drops connections only. Replication runs on AWS's network and falls silent with a
        dark region alone: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.html
        """
        members = self.members()
        for member in members:
            destination = vpc_address(member.forwarder.address)

            def is_interrupted(source: str, destination: str = destination) -> bool:
                return self._network.is_interrupted(vpc_address(source), destination)

            member.forwarder.drop(is_interrupted)
        regions = {id(member.server): member.region for member in members}
        for member in members:
            source = member.server.source
            if source is None or not member.server.is_replica():
                continue
            if self._network.is_dark_for(member.region, regions.get(id(source), member.region)):
                member.server.stall_replication("darkness")
            else:
                member.server.resume_replication("darkness")

    def stop_all(self) -> None:
        """End every server and door and remove the data: the end of the lab."""
        members = self.members()
        if members:
            with ThreadPoolExecutor(len(members)) as pool:
                list(pool.map(_end, members))
        with self._state:
            self._members.clear()
        self._loop.close()

    def processes(self) -> Mapping[str, int]:
        """The head process of each running server, by instance."""
        return {
            f"{member.region}/{member.identifier}": member.server.pid
            for member in self.members()
            if member.server.pid is not None and member.server.is_running()
        }


def _end(member: Member) -> None:
    member.forwarder.close()
    member.server.destroy()
