"""The sockets on which databases' endpoints listen, and the errors of a port that cannot be had."""

from __future__ import annotations

import errno
import socket

from shared.errors import SettingsError

# No VPC's address stands behind this one, so only somebody who listens on every address is in the way here.
_NO_DATABASES_ADDRESS = "127.255.255.253"


class AddressInUseError(SettingsError):
    """Somebody on this machine listens on the port at this address."""


def require_free_port(port: int) -> None:
    """Refuse a port for the databases that cannot be listened on, whatever the address.

    Raises:
        SettingsError: somebody listens on it at every address (0.0.0.0 or ::), or it needs root, or this machine does
            not have all of 127.0.0.0/8.
    """
    try:
        _bound_socket(_NO_DATABASES_ADDRESS, port).close()
    except AddressInUseError as error:
        raise SettingsError(
            "databasePort",
            port,
            "a program listens on it at every address: stop it, or choose another port (--config databasePort=15433)",
        ) from error


def listening_socket(address: str, port: int) -> socket.socket:
    """A socket that listens on a loopback address.

    Raises:
        AddressInUseError: somebody listens there, such as another lab.
        SettingsError: see `require_free_port`.
    """
    listening = _bound_socket(address, port)
    try:
        # Two sockets with SO_REUSEADDR can both bind a port; only one of them can listen.
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise _in_use(address, port) from error
    return listening


def _bound_socket(address: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise _in_use(address, port) from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise SettingsError(
                "address", address, "run the lab on Linux, where all of 127.0.0.0/8 is this machine"
            ) from error
        if error.errno == errno.EACCES:
            raise SettingsError("databasePort", port, "choose a port above 1023") from error
        raise
    return bound


def _in_use(address: str, port: int) -> AddressInUseError:
    return AddressInUseError("databasePort", port, f"stop what listens on {address}:{port}, or choose another port")
