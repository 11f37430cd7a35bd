"""The servers behind the instances, and the forwarders that are their endpoints."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab.aws import LabNetwork, loopback_network, vpc_address
from lab.home import ChildProcesses
from lab.postgres import PostgresBinaries, PostgresServer, parameter_names
from lab.rds.certificates import CertificateAuthority
from lab.rds.forwarder import Access, Forwarder
from lab.rds.forwarder_loop import ForwarderLoop
from lab.rds.iam_login import IamLogins, Judge, TokenLogin
from lab.rds.packets import Verdict


@dataclass(frozen=True)
class Member:
    """One instance's server and endpoint."""

    region: str
    identifier: str
    server: PostgresServer
    forwarder: Forwarder


class DatabaseFleet:
    """Every database server of the lab. Drills break servers here; RDS learns of it only as its workflows look."""

    def __init__(
        self,
        home: Path,
        binaries: PostgresBinaries,
        children: ChildProcesses,
        network: LabNetwork,
        judge: Judge = lambda _: "the lab has no IAM",
        disk_bytes: int | None = None,
    ) -> None:
        """Prepare; there are no servers yet.

        Args:
            home: the folder for the servers, which their user must be able to enter; it is made if need be.
            binaries: the PostgreSQL to run.
            children: starts the servers' processes.
            network: decides which connections get through.
            judge: decides whom an IAM token logs in.
            disk_bytes: the size of each server's own disk; None where all share the home's.
        """
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711)
        self.binaries = binaries
        self.known_parameters = parameter_names(binaries)
        certificates = home / "certificates"
        certificates.mkdir(exist_ok=True)
        self.authority = CertificateAuthority(certificates)
        self._children = children
        self._network = network
        self._judge = judge
        self._disk_bytes = disk_bytes
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

    def member(self, region: str, identifier: str) -> Member:
        """Server and endpoint of an instance.

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
        listening: socket.socket,
        security_groups: Callable[[], list[str]],
        requires_tls: Callable[[], bool],
        takes_tokens: Callable[[], bool],
        resource_id: str,
    ) -> None:
        """Add an instance, whose server is not created yet. Its endpoint rejects everybody until then.

        Args:
            region: the instance's region.
            identifier: its identifier.
            listening: listens on the address and port that clients use.
            security_groups: tells the ids of its security groups.
            requires_tls: tells whether it refuses clients without TLS.
            takes_tokens: tells whether its IAM database authentication is on.
            resource_id: its `DbiResourceId`.
        """
        address, port = listening.getsockname()
        with self._state:
            self._created += 1
            # Numbered and short: the path of the server's Unix socket has to fit 107 bytes.
            home = self.home / f"{self._created}"
        server = PostgresServer(self.binaries, home, self._children, identifier, self._disk_bytes)

        def admission() -> tuple[Verdict, ...]:
            if server.port == 0 or server.is_silent:
                return ()
            found = self._network.admission(vpc_address(address), security_groups(), port)
            return tuple((near, passes) for each, passes in found if (near := loopback_network(each)) is not None)

        def loses(source: str) -> bool:
            return server.is_silent or self._network.is_interrupted(vpc_address(source), vpc_address(address))

        def judge(user: str, token: str) -> str | None:
            return self._judge(TokenLogin(token, address, port, user, region, resource_id))

        iam = IamLogins(server, takes_tokens, judge)
        access = Access(admission, requires_tls, self.authority.server_context(address), loses, iam)
        forwarder = Forwarder(self._loop, listening, lambda: server.port, access)
        member = Member(region, identifier.lower(), server, forwarder)
        with self._state:
            self._members[member.region, member.identifier] = member

    def remove(self, region: str, identifier: str) -> None:
        """Kill an instance's server, close its endpoint, remove its data."""
        member = self.member(region, identifier)
        _end(member)
        with self._state:
            del self._members[member.region, member.identifier]

    def silence(self, region: str, identifier: str) -> None:
        """Lose an instance's host: no packet gets to its endpoint or from it, and nothing is closed.

        Its server is stopped as a process, and streams nothing more. RDS soon finds out, as with a crash.

        Raises:
            LookupError: there is no such instance.
        """
        member = self.member(region, identifier)
        member.server.is_silent = True
        member.forwarder.follow()
        member.server.freeze()

    def end_silence(self, region: str, identifier: str) -> None:
        """Start a silent host again, and its server with its data: it resets the connections that clients still hold.

        Raises:
            LookupError: there is no such instance.
            PostgresError: the server did not start.
        """
        member = self.member(region, identifier)
        member.server.kill()
        member.server.start()
        member.server.is_silent = False
        member.forwarder.follow()

    def follow_interruptions(self) -> None:
        """Apply a change of the network: silence and end what is established, stall and resume replication.

        Replication between regions runs over AWS's network, so only a dark region interrupts it, and no cut of the
        sites' peering: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.html
        """
        members = self.members()
        for member in members:
            member.forwarder.follow()
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
        """Kill every server, close every endpoint, remove the data."""
        members = self.members()
        if members:
            with ThreadPoolExecutor(len(members)) as pool:
                list(pool.map(_end, members))
        with self._state:
            self._members.clear()
        self._loop.close()


def _end(member: Member) -> None:
    member.forwarder.close()
    member.server.destroy()
