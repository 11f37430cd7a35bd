"""Packets that are lost on their way to a socket, as in a network that drops them: no FIN, no RST, no ACK.

Done by the socket's own filter in the kernel, which needs no privileges: it sees each packet before TCP does
(https://www.kernel.org/doc/html/latest/networking/filter.html). Only Linux has it.
"""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
import sys
from asyncio.trsock import TransportSocket
from collections.abc import Iterable

CAN_BE_LOST = sys.platform == "linux"
"""Whether this machine's kernel can drop the packets of a socket."""

Verdict = tuple[ipaddress.IPv4Network, bool]
"""Whether packets from a network arrive."""

# <asm/socket.h>; Python does not have them.
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
# <linux/filter.h>: the source address is in the header of the network layer, 12 bytes from its start.
_SOURCE_ADDRESS = 0x100000000 - 0x100000 + 12
_LOAD, _AND, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
_WHOLE_PACKET, _NOTHING = 0xFFFFFFFF, 0

Instruction = tuple[int, int, int, int]
AnySocket = socket.socket | TransportSocket


def arrives(verdicts: Iterable[Verdict], source: str) -> bool:
    """Whether packets of a source arrive: the first network that holds it decides, and without any they do not."""
    address = ipaddress.IPv4Address(source)
    return next((passes for network, passes in verdicts if address in network), False)


def pass_only(receiving: AnySocket, verdicts: Iterable[Verdict]) -> None:
    """Drop the packets to a socket that do not arrive; see `arrives`. On one that listens SYNs get no answer."""
    program: list[Instruction] = []
    for network, passes in verdicts:
        program += [
            (_LOAD, 0, 0, _SOURCE_ADDRESS),
            (_AND, 0, 0, int(network.netmask)),
            (_JUMP_IF_EQUAL, 0, 1, int(network.network_address)),
            (_RETURN, 0, 0, _WHOLE_PACKET if passes else _NOTHING),
        ]
    _attach(receiving, [*program, (_RETURN, 0, 0, _NOTHING)])


def drop_all(receiving: AnySocket) -> None:
    """Drop every packet to a socket: its peer gets no answer any more, whatever it sends."""
    pass_only(receiving, ())


def pass_all(receiving: AnySocket) -> None:
    """Let packets through again; one that has never dropped any stays as it is."""
    if CAN_BE_LOST:
        try:
            receiving.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        except FileNotFoundError:
            return


def _attach(receiving: AnySocket, program: list[Instruction]) -> None:
    if not CAN_BE_LOST:
        return
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    kept = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog; the kernel copies the program before it returns.
    receiving.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(kept)))
