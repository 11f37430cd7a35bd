"""The network of a function. Python runs this first in every function's process, and in no other.

On AWS a function in a private subnet without NAT and endpoints reaches only the addresses of its VPC and of the peered
one; a function outside every VPC reaches the AWS API and no VPC address. On one machine everything is reachable, so
this blocks what is not on AWS. A VPC's address 10.a.b.c is 127.a.b.c here, and 127.0.0.0/24 is the machine itself,
with the gateway.

A database's certificate is signed by the lab's own authority here. Who trusts RDS's authorities trusts that one too.

It is here so that the function's code is the same as on AWS. A connection that AWS would drop times out here too.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import ssl
import threading
import time
from typing import Any, NoReturn

_VPC_ADDRESS = os.environ.get("LAB_FUNCTION_VPC_ADDRESS")
_AUTHORITY = os.environ.get("LAB_DATABASE_AUTHORITY")
_VPC = ipaddress.ip_network("10.0.0.0/8")
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
_MACHINE = ipaddress.ip_network("127.0.0.0/24")
# What Linux waits for an answer to its SYNs (tcp(7), tcp_syn_retries = 6).
_KERNEL_TIMEOUT_SECONDS = 127.0

# Of every certificate in RDS's bundles: https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
_OF_RDS = ("organizationalUnitName", "Amazon RDS")

_connect = socket.socket.connect
_load_verify_locations = ssl.SSLContext.load_verify_locations


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def on_this_machine(address: Address) -> Address:
    """The loopback address that stands for an IPv4 address; the address itself where none does."""
    if address in _VPC:
        return ipaddress.ip_address(int(address) - int(_VPC[0]) + int(_LOOPBACK[0]))
    return address


def is_reachable(address: Address, vpc_address: str | None) -> bool:
    """Whether a function with this VPC address (None: outside every VPC) reaches an address of this machine."""
    in_a_vpc = address in _LOOPBACK and address not in _MACHINE
    return in_a_vpc if vpc_address is not None else not in_a_vpc


def _connect_from_function(self: socket.socket, target: Any) -> None:
    if self.family not in (socket.AF_INET, socket.AF_INET6):
        _connect(self, target)
        return
    host, port = target[0], target[1]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = ipaddress.ip_address(socket.getaddrinfo(host, port, self.family, self.type)[0][4][0])
    address = on_this_machine(address)
    if not is_reachable(address, _VPC_ADDRESS):
        _wait_in_vain(self)
    if _VPC_ADDRESS is not None and self.getsockname()[1] == 0:
        self.bind((str(on_this_machine(ipaddress.ip_address(_VPC_ADDRESS))), 0))
    _connect(self, (str(address), port, *target[2:]))


def _wait_in_vain(connecting: socket.socket) -> NoReturn:
    timeout = connecting.gettimeout()
    time.sleep(_KERNEL_TIMEOUT_SECONDS if timeout is None else timeout)
    raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def _connect_ex_from_function(self: socket.socket, target: Any) -> int:
    try:
        _connect_from_function(self, target)
    except OSError as error:
        if error.errno is None:
            return errno.EAGAIN  # a timeout of the socket's own, as the built-in reports it
        return error.errno
    return 0


def _trust_from_function(self: ssl.SSLContext, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
    _load_verify_locations(self, cafile, capath, cadata)
    trusted: list[dict[str, Any]] = self.get_ca_certs()
    if _AUTHORITY is not None and any((_OF_RDS,) in each["subject"] for each in trusted):
        _load_verify_locations(self, _AUTHORITY)


def _end_with_the_host(host: int) -> NoReturn:
    """End the function's process when the lab's AWS has ended."""
    while os.getppid() == host:
        time.sleep(1)
    os._exit(1)


socket.socket.connect = _connect_from_function  # type: ignore[assignment,method-assign]
socket.socket.connect_ex = _connect_ex_from_function  # type: ignore[assignment,method-assign]
ssl.SSLContext.load_verify_locations = _trust_from_function  # type: ignore[method-assign]
threading.Thread(target=_end_with_the_host, args=(os.getppid(),), name="lab-host-watch", daemon=True).start()
