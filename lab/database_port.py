"""Whether the port of the lab's databases is free, asked before anything is made."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import psutil

from lab.aws import loopback_address
from shared.errors import SettingsError

EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - looked for, not listened on


def refuse_taken_port(port: int, vpc_cidrs: Iterable[str]) -> None:
    """Refuse a port that somebody listens on at an address a database could get.

    Args:
        port: the port of the databases.
        vpc_cidrs: the networks their addresses come from, as in AWS (10.x).

    Raises:
        SettingsError: it is taken.
    """
    networks = [
        ipaddress.ip_network(f"{loopback_address(str(network.network_address))}/{network.prefixlen}")
        for network in map(ipaddress.ip_network, vpc_cidrs)
    ]
    for connection in psutil.net_connections("tcp"):
        if connection.status != psutil.CONN_LISTEN or not connection.laddr or connection.laddr.port != port:
            continue
        address = connection.laddr.ip
        if address in EVERY_ADDRESS or any(ipaddress.ip_address(address) in network for network in networks):
            raise SettingsError(
                "databasePort",
                port,
                f"the port is in use ({address}:{port}): stop what listens there, or give another one "
                "(-- --config databasePort=15433)",
            )
