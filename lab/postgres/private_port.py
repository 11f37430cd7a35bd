"""Ports for servers that only the lab itself reaches."""

from __future__ import annotations

import errno
import os
import socket

from lab.postgres.binaries import PostgresError

_PRIVATE_PORTS = range(20000, 30000)  # below Linux's ephemeral range: a restart finds its port free again


def free_private_port() -> int:
    """A port on 127.0.0.1 that nothing listens on now.

    Raises:
        PostgresError: the whole private range is taken.
    """
    first = int.from_bytes(os.urandom(2), "big") % len(_PRIVATE_PORTS)
    for offset in range(len(_PRIVATE_PORTS)):
        port = _PRIVATE_PORTS[(first + offset) % len(_PRIVATE_PORTS)]
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            return port
    raise PostgresError(f"no free port between {_PRIVATE_PORTS.start} and {_PRIVATE_PORTS.stop}")
