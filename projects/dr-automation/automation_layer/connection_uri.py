"""The URI for clients that find the writer themselves."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

# libpq tries the hosts in turn; without a timeout a host that does not answer would delay it for minutes.
CONNECT_TIMEOUT_SECONDS = 5


def writer_uri(hosts: Sequence[str], port: int, database: str, ssl_mode: str) -> str:
    """libpq's multi-host URI, without credentials: whichever host takes writes is the writer, no DNS switch needed.

    The order matters after a failover: libpq asks the hosts in turn and takes the first that accepts writes. An old
    writer that returns accepts them until its fence-guard has shut it, up to a minute later. So the standby's host
    should stand first: after a failover the old writer is asked only while the new one does not answer. In normal times
    each new connection first meets the replica, one more round trip, so clients should keep their connections.

    The hosts are the instances' own addresses, which RDS's certificates name, so ``verify-full`` holds (under the
    writer's name it cannot). The client still has to say where AWS's certificate bundle lies: ``sslrootcert`` or
    ``PGSSLROOTCERT``.

    Args:
        hosts: addresses in the order they are tried.
        port: of all of them.
        database: its name.
        ssl_mode: libpq's ``sslmode``.
    """
    authority = ",".join(f"{host}:{port}" for host in hosts)
    return (
        f"postgresql://{authority}/{quote(database, safe='')}"
        f"?target_session_attrs=read-write&sslmode={ssl_mode}&connect_timeout={CONNECT_TIMEOUT_SECONDS}"
    )
