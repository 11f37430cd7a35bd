"""libpq's multi-host URI, connected to as ``PQconnectdb`` does it, and never for longer than its own timeouts.

``PQconnectdb`` tries the hosts in their order, gives each ``connect_timeout`` seconds, and passes over one that answers
and is not what ``target_session_attrs`` asks for
(https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS). Where the caller waits, as a
`DeadlineConnection` does, libpq does not apply ``connect_timeout``: a frozen first host would hide the second for ever.
So each host is tried by itself, by its own deadline; libpq still judges whether it is the writer.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from drills.connection import DeadlineConnection, Endpoint, NotConnectedError
from lab.target import Credentials

DEFAULT_PORT = "5432"


@dataclass(frozen=True)
class MultiHostUri:
    """A URI taken apart.

    Attributes:
        hosts: its hosts, in its order.
        timeout_seconds: how long each may take to let a client in.
    """

    hosts: tuple[Endpoint, ...]
    timeout_seconds: float

    @classmethod
    def of(cls, uri: str, credentials: Credentials, default_timeout_seconds: float) -> MultiHostUri:
        """Take a URI apart; everything in it but hosts, ports and timeout is libpq's to read.

        Args:
            uri: with one or more hosts, without credentials.
            credentials: who signs in.
            default_timeout_seconds: for a URI without ``connect_timeout``, with which libpq would wait for ever.

        Raises:
            psycopg.ProgrammingError: it is no URI that libpq knows.
            ValueError: it has neither one port for all hosts nor one for each.
        """
        parameters = {name: str(value) for name, value in conninfo_to_dict(uri).items()}
        names = parameters.pop("host").split(",")
        ports = parameters.pop("port", DEFAULT_PORT).split(",")
        if len(ports) == 1:
            ports *= len(names)
        timeout = int(parameters.pop("connect_timeout", "0"))
        parameters |= {"user": credentials.user, "password": credentials.password, "application_name": "drill"}
        return cls(
            hosts=tuple(
                Endpoint(name, make_conninfo("", **parameters, host=name, port=port or DEFAULT_PORT))
                for name, port in zip(names, ports, strict=True)
            ),
            timeout_seconds=float(timeout) if timeout > 0 else default_timeout_seconds,
        )

    def connect(self) -> DeadlineConnection:
        """A connection to the first host that is the writer.

        Raises:
            NotConnectedError: none of them is; it says of each why not.
        """
        refusals = []
        for host in self.hosts:
            try:
                return DeadlineConnection(host, self.timeout_seconds)
            except NotConnectedError as error:
                refusals.append(f"{host.address}: {error}")
        raise NotConnectedError("; ".join(refusals))
