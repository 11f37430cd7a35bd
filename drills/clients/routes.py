"""The two ways in which a client of libpq finds the writer: the writer's DNS name, and the multi-host URI.

Both use libpq's deadlines as ``writerLibpqUri`` has them. With the URI the hosts are tried in order; each gets
``connect_timeout`` seconds, and one that answers but takes no writes is skipped: psycopg does that
(https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS).
"""

from __future__ import annotations

from typing import Protocol

from psycopg.conninfo import make_conninfo

from drills.clients.connection import Endpoint, ServerConnection
from drills.clients.dns import Resolver
from drills.clients.given import Given


class Route(Protocol):
    """A way to the writer; threads may share it."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def connect(self) -> ServerConnection:
        """A new connection to the writer.

        Raises:
            NameNotResolvedError: DNS does not say where the writer is.
            NotConnectedError: no connection came about.
        """


class ByName:
    """Through the writer's name: DNS says where, and its answer is kept for its TTL."""

    name = "writer's name"

    def __init__(self, given: Given, keeps_seconds: float | None = None, name: str = name) -> None:
        """Know the name.

        Args:
            given: the strings.
            keeps_seconds: how long an answer is kept; None for its TTL.
            name: what the report calls it.
        """
        self.name = name
        self._given = given
        self._resolver = Resolver(given.target.writer_name, given.dns_server, keeps_seconds)

    def connect(self) -> ServerConnection:
        """A new connection to the address that the name resolves to, where a writer answers: libpq asks it.

        The name moves while RDS promotes, and then leads to a hot standby for a while.
        """
        address, target, parameters = self._resolver.address(), self._given.target, self._given.libpq
        parameters |= {"host": target.writer_name, "hostaddr": address, "port": str(target.database_port)}
        if parameters.get("sslmode") == "verify-full":
            # RDS's certificates name the instances, not ours.
            parameters["sslmode"] = "verify-ca"
        return ServerConnection(Endpoint(make_conninfo("", **parameters), address))


class ByUri:
    """Through the multi-host URI: libpq asks each host in turn whether it takes writes; DNS plays no part."""

    name = "multi-host URI"

    def __init__(self, given: Given) -> None:
        self._endpoint = Endpoint(make_conninfo("", **given.libpq))

    def connect(self) -> ServerConnection:
        """A new connection to the first host that is the writer.

        Raises:
            NotConnectedError: none of them is; the message says why for each.
        """
        return ServerConnection(self._endpoint)
