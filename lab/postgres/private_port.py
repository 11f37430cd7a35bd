"""Ports for servers that only the lab itself reaches."""

from __future__ import annotations

import errno
import random
import socket

from lab.postgres.binaries import PostgresError

_PRIVATE_PORTS = range(20000, 30000)  # below Linux's ephemeral range: no client gets one while its server restarts


def reserved_port() -> socket.socket:
    """A socket that keeps a port of 127.0.0.1 for one server, over all its restarts, until it is closed.

    Another lab that looks for a port at the same moment cannot bind it: it binds without SO_REUSEADDR, as this does.
    PostgreSQL binds with it, which Linux lets it do beside a socket that has it and does not listen.

    Raises:
        PostgresError: the whole private range is taken.
    """
    for port in random.sample(_PRIVATE_PORTS, len(_PRIVATE_PORTS)):
        reservation = socket.socket()
        try:
            reservation.bind(("127.0.0.1", port))
        except OSError as error:
            reservation.close()
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return reservation
    raise PostgresError(f"no free port between {_PRIVATE_PORTS.start} and {_PRIVATE_PORTS.stop}")
