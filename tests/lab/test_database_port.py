"""A database port that is in use is refused before anything is made."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.database_port import refuse_taken_port
from shared.errors import SettingsError

VPC = "10.20.0.0/16"


@contextmanager
def listener(address: str) -> Iterator[int]:
    with socket.socket() as server:
        server.bind((address, 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize("address", ["0.0.0.0", "127.20.3.4"])
def test_a_listener_where_a_database_would_listen_is_named(address: str) -> None:
    with listener(address) as port, pytest.raises(SettingsError, match=rf"databasePort = {port}: .*{address}:{port}"):
        refuse_taken_port(port, [VPC])


def test_a_listener_at_another_address_is_no_obstacle() -> None:
    with listener("127.0.0.1") as port:
        refuse_taken_port(port, [VPC])
