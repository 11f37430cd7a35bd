"""The two ways in which a client finds the writer: the writer's DNS name, and libpq's multi-host URI.

With the URI, ``PQconnectdb`` tries the hosts in order, gives each ``connect_timeout`` seconds, and skips one that
answers but is not what ``target_session_attrs`` asks for
(https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS). A `DeadlineConnection` waits itself,
and then libpq does not apply ``connect_timeout``: a frozen first host would hide the second for ever. So each host is
tried on its own, with its own deadline; libpq still judges whether it is the writer.
"""

from __future__ import annotations

from typing import Protocol

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from drills.clients.connection import DeadlineConnection, Endpoint, NotConnectedError
from drills.clients.dns import Resolver
from lab.target import Target

DEFAULT_PORT = "5432"


class Route(Protocol):
    """A way to the writer; threads may share it."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def connect(self) -> DeadlineConnection:
        """A new connection to the writer.

        Raises:
            NameNotResolvedError: DNS does not say where the writer is.
            NotConnectedError: no connection came about.
        """


class ByName:
    """Through the writer's name: DNS says where, and its answer is kept for its TTL."""

    name = "writer's name"

    def __init__(self, target: Target, dns_server: tuple[str, int], connect_timeout_seconds: float) -> None:
        self._target = target
        self._resolver = Resolver(target.writer_name, dns_server)
        self._connect_timeout_seconds = connect_timeout_seconds

    def connect(self) -> DeadlineConnection:
        """A new connection to the address that the name resolves to, where a writer answers: libpq asks it.

        The name moves while RDS promotes, and then leads to a hot standby for a while.
        """
        endpoint = Endpoint.of(self._target, self._resolver.address(), target_session_attrs="read-write")
        return DeadlineConnection(endpoint, self._connect_timeout_seconds)


class ByUri:
    """Through the multi-host URI: libpq asks each host in turn whether it takes writes; DNS plays no part.

    Attributes:
        hosts: the URI's hosts, in order.
        timeout_seconds: how long each may take to let a client in.
    """

    name = "multi-host URI"

    def __init__(self, target: Target, default_timeout_seconds: float) -> None:
        """Split the URI into its hosts; everything but hosts, ports and timeout is left to libpq.

        Args:
            target: has the URI, without credentials, and the credentials.
            default_timeout_seconds: for a URI without ``connect_timeout``, with which libpq would wait for ever.

        Raises:
            psycopg.ProgrammingError: libpq cannot parse the URI.
            ValueError: it has neither one port for all hosts nor one for each.
        """
        parameters = {name: str(value) for name, value in conninfo_to_dict(target.writer_uri).items()}
        names = parameters.pop("host").split(",")
        ports = parameters.pop("port", DEFAULT_PORT).split(",")
        if len(ports) == 1:
            ports *= len(names)
        timeout = int(parameters.pop("connect_timeout", "0"))
        credentials = target.credentials
        parameters |= {"user": credentials.user, "password": credentials.password, "application_name": "drill"}
        self.hosts = tuple(
            Endpoint(name, make_conninfo("", **parameters, host=name, port=port or DEFAULT_PORT))
            for name, port in zip(names, ports, strict=True)
        )
        self.timeout_seconds = float(timeout) if timeout > 0 else default_timeout_seconds

    def connect(self) -> DeadlineConnection:
        """A new connection to the first host that is the writer.

        Raises:
            NotConnectedError: none of them is; the message says why for each.
        """
        refusals = []
        for host in self.hosts:
            try:
                return DeadlineConnection(host, self.timeout_seconds)
            except NotConnectedError as error:
                refusals.append(f"{host.address}: {error}")
        raise NotConnectedError("; ".join(refusals))
