"""The two ways in which a client finds the writer: the writer's name, and libpq's multi-host URI."""

from __future__ import annotations

from typing import Protocol

from drills.connection import DeadlineConnection, Endpoint
from drills.multi_host_uri import MultiHostUri
from drills.names import Resolver
from lab.target import Target


class Route(Protocol):
    """A way to the writer; threads may share it."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def connect(self) -> DeadlineConnection:
        """A new connection to what is the writer by this way.

        Raises:
            NameNotResolvedError: nobody says where the writer is.
            NotConnectedError: no connection came about.
        """


class ByName:
    """Through the writer's name: DNS says where, for as long as its answer is good."""

    name = "writer's name"

    def __init__(self, target: Target, dns_server: tuple[str, int], connect_timeout_seconds: float) -> None:
        self._target = target
        self._resolver = Resolver(target.writer_name, dns_server)
        self._connect_timeout_seconds = connect_timeout_seconds

    def connect(self) -> DeadlineConnection:
        """A new connection to the address that the name answers with."""
        return DeadlineConnection(Endpoint.of(self._target, self._resolver.address()), self._connect_timeout_seconds)


class ByUri:
    """Through the multi-host URI: libpq asks each host in turn whether it takes writes; DNS has no part in it."""

    name = "multi-host URI"

    def __init__(self, target: Target, connect_timeout_seconds: float) -> None:
        self._uri = MultiHostUri.of(target.writer_uri, target.credentials, connect_timeout_seconds)

    def connect(self) -> DeadlineConnection:
        """A new connection to the first host of the URI that takes writes."""
        return self._uri.connect()
