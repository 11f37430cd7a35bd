"""Where clients connect that find the writer themselves, as each kind of driver writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

Parameters = Mapping[str, str | int]

# The hosts are tried in turn; without a timeout a host that does not answer would delay that for minutes.
CONNECT_TIMEOUT_SECONDS = 5
# A host that falls silent says no goodbye: without deadlines of the client's own an open connection waits for ever.
# libpq's are the kernel's: unacknowledged data ends the connection after this time, and so do three lost keepalives.
LIBPQ_DEADLINES: Parameters = {
    "tcp_user_timeout": 10_000,  # milliseconds
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# pgjdbc can only bound each wait for an answer (seconds): a statement that takes longer is cut off as well.
JDBC_DEADLINES: Parameters = {"loginTimeout": 10, "socketTimeout": 10, "tcpKeepAlive": "true"}


@dataclass(frozen=True)
class WriterAddresses:
    """The databases' own addresses: whichever takes writes is the writer, no DNS switch needed. Without credentials.

    The order matters after a failover: clients ask the hosts in turn and take the first that accepts writes. An old
    writer that returns accepts them until its fence-guard has shut it, up to a minute later. So the standby's host
    should stand first: after a failover the old writer is asked only while the new one does not answer. In normal times
    each new connection first meets the replica, one more round trip, so clients should keep their connections.

    RDS's certificates name these addresses, so ``verify-full`` holds (under the writer's name it cannot). The client
    still has to say where AWS's certificate bundle lies, such as by ``sslrootcert`` or ``PGSSLROOTCERT``.

    Attributes:
        addresses: host names in the order they are tried.
        port: of all of them.
        database: its name.
        ssl_mode: ``sslmode``, which libpq, pgx and pgjdbc call alike.
    """

    addresses: Sequence[str]
    port: int
    database: str
    ssl_mode: str

    @property
    def hosts(self) -> list[str]:
        """``host:port`` of each, in the order they are to be tried."""
        return [f"{address}:{self.port}" for address in self.addresses]

    @property
    def uri(self) -> str:
        """A URI with what libpq and pgx share.

        No more than that: pgx sends a key that it does not know to the server, which refuses the session.
        """
        return self._url(
            "postgresql",
            {
                "target_session_attrs": "read-write",
                "sslmode": self.ssl_mode,
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            },
        )

    @property
    def libpq_uri(self) -> str:
        """The same with deadlines for open connections that only libpq knows, and so psql and psycopg."""
        return f"{self.uri}&{_query(LIBPQ_DEADLINES)}"

    @property
    def jdbc_url(self) -> str:
        """For pgjdbc, which ignores ``target_session_attrs`` and would stay on the replica."""
        return self._url(
            "jdbc:postgresql",
            {
                "targetServerType": "primary",
                "sslmode": self.ssl_mode,
                "connectTimeout": CONNECT_TIMEOUT_SECONDS,
                **JDBC_DEADLINES,
            },
        )

    def _url(self, scheme: str, parameters: Parameters) -> str:
        return f"{scheme}://{','.join(self.hosts)}/{quote(self.database, safe='')}?{_query(parameters)}"


def _query(parameters: Parameters) -> str:
    return "&".join(f"{key}={value}" for key, value in parameters.items())
