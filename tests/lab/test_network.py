"""Who reaches whom in the lab: addresses, security groups, cuts, and the door that asks."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.aws import network as network_module
from lab.aws.network import LabNetwork, ingress_rules, loopback_address, vpc_address
from lab.rds.forwarder import Access, Forwarder, ForwarderLoop
from shared.sites import Site
from tests.lab.fake_account import FakeAccount, tcp
from tests.lab.running_rds import PRIMARY, RECOVERY, wait_until

DATABASE = "10.10.1.254"
PORT = 55432


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount()


@pytest.fixture
def network(account: FakeAccount) -> LabNetwork:
    network = LabNetwork(account.client, {Site.PRIMARY: PRIMARY, Site.RECOVERY: RECOVERY})
    network.register(Site.PRIMARY, "10.10.0.0/16")
    network.register(Site.RECOVERY, "10.20.0.0/16")
    return network


@given(st.integers(0, 2**24 - 1))
def test_every_vpc_address_has_a_loopback_address_and_back(host: int) -> None:
    address = f"10.{host >> 16}.{host >> 8 & 255}.{host & 255}"
    assert loopback_address(address).startswith("127.")
    assert vpc_address(loopback_address(address)) == address


def test_an_address_outside_the_labs_networks_is_refused() -> None:
    for translate, address in ((loopback_address, "172.31.0.1"), (vpc_address, "192.168.0.1")):
        with pytest.raises(ValueError, match="does not lie in"):
            translate(address)


def test_a_rule_by_cidr_admits_its_own_sources_to_its_own_ports(network: LabNetwork) -> None:
    assert network.admits("10.20.2.9", DATABASE, ["sg-database"], PORT)
    assert network.admits("10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert not network.admits("10.0.1.1", DATABASE, ["sg-database"], PORT)
    assert not network.admits("10.20.2.9", DATABASE, ["sg-database"], PORT + 1)


def test_a_rule_by_group_admits_who_bears_the_group_on_its_network_interface(
    account: FakeAccount, network: LabNetwork
) -> None:
    account.regions[PRIMARY].rules["sg-database"] = [tcp(PORT, groups=["sg-probe"])]
    account.regions[PRIMARY].interfaces.append(
        {"PrivateIpAddress": "10.10.2.20", "Groups": [{"GroupId": "sg-probe", "GroupName": "probe"}]}
    )
    assert network.admits("10.10.2.20", DATABASE, ["sg-database"], PORT)
    assert not network.admits("10.10.2.21", DATABASE, ["sg-database"], PORT)


def test_a_group_without_rules_and_a_group_that_is_gone_admit_nobody(network: LabNetwork) -> None:
    assert not network.admits("10.20.2.9", DATABASE, ["sg-quarantine"], PORT)
    assert not network.admits("10.20.2.9", DATABASE, ["sg-deleted"], PORT)
    assert not network.admits("10.20.2.9", DATABASE, [], PORT)


def test_other_protocols_are_no_way_in_and_all_protocols_are() -> None:
    everywhere: list[dict[str, Any]] = [{"CidrIp": "0.0.0.0/0"}]
    assert ingress_rules([{"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535, "IpRanges": everywhere}]) == ()
    (every,) = ingress_rules([{"IpProtocol": "-1", "IpRanges": everywhere}])
    assert (every.first_port, every.last_port) == (0, 65535)


def test_a_changed_rule_is_seen_once_the_last_look_is_old(
    account: FakeAccount, network: LabNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert network.admits("10.0.0.1", DATABASE, ["sg-database"], PORT)
    looks = len(account.asked)
    account.regions[PRIMARY].rules["sg-database"] = []
    assert network.admits("10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert len(account.asked) == looks, "a look is good for a while"
    monkeypatch.setattr(network_module, "_RULES_VALID_SECONDS", 0.0)
    assert not network.admits("10.0.0.1", DATABASE, ["sg-database"], PORT)


def test_while_ec2_is_dark_the_last_known_rules_hold_and_unknown_ones_admit_nobody(
    account: FakeAccount, network: LabNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_module, "_RULES_VALID_SECONDS", 0.0)
    assert network.admits("10.0.0.1", DATABASE, ["sg-database"], PORT)
    for region in account.regions.values():
        region.is_dark = True
    assert network.admits("10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert not network.admits("10.0.0.1", "10.20.1.254", ["sg-database"], PORT)


def test_a_cut_separates_the_sites_and_nothing_else_until_it_is_healed(network: LabNetwork) -> None:
    network.cut(Site.RECOVERY, Site.PRIMARY)
    assert not network.admits("10.20.2.9", DATABASE, ["sg-database"], PORT)
    assert not network.admits("10.10.2.9", "10.20.1.254", ["sg-database"], PORT)
    assert network.admits("10.10.2.9", DATABASE, ["sg-database"], PORT)
    assert network.admits("10.0.0.1", DATABASE, ["sg-database"], PORT), "a client's own network is no site"
    network.heal()
    assert network.admits("10.20.2.9", DATABASE, ["sg-database"], PORT)


def test_nothing_gets_into_or_out_of_a_dark_region(network: LabNetwork) -> None:
    network.darken(PRIMARY)
    assert not network.admits("10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert not network.admits("10.10.2.9", DATABASE, ["sg-database"], PORT)
    assert not network.admits("10.10.2.9", "10.20.1.254", ["sg-database"], PORT)
    assert network.admits("10.0.0.1", "10.20.1.254", ["sg-database"], PORT)
    assert network.is_dark_for(RECOVERY, PRIMARY)
    assert network.is_dark_for(PRIMARY, RECOVERY)
    network.heal()
    assert not network.admits("10.0.0.1", DATABASE, ["sg-database"], PORT), "a healed link is no light"
    network.lighten(PRIMARY)
    assert network.admits("10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert not network.is_dark_for(RECOVERY, PRIMARY)


def test_a_region_dark_for_another_one_is_there_for_everybody_else(network: LabNetwork) -> None:
    network.darken(PRIMARY, seen_from=RECOVERY)
    assert not network.admits("10.20.2.9", DATABASE, ["sg-database"], PORT)
    assert network.admits("10.10.2.9", DATABASE, ["sg-database"], PORT)
    assert network.admits("10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert network.admits("10.10.2.9", "10.20.1.254", ["sg-database"], PORT)
    assert network.is_dark_for(RECOVERY, PRIMARY)
    assert not network.is_dark_for(PRIMARY, RECOVERY)
    assert not network.is_dark_for("ap-northeast-1", PRIMARY)


class Echo:
    """Stands in for a server: returns what it gets."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        if self._listening.fileno() >= 0:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(1024):
                    connection.sendall(data)
            except OSError:
                return


class Gate:
    """A door that is opened and shut by hand, before an echo."""

    def __init__(self) -> None:
        self.is_open = True
        self.echo = Echo()
        self.loop = ForwarderLoop()
        access = Access(lambda _: self.is_open, lambda: False, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        listening = socket.create_server(("127.0.0.1", 0))
        self.address = listening.getsockname()
        self.forwarder = Forwarder(self.loop, listening, lambda: self.echo.port, access)

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(self.address, timeout=3, source_address=(source, 0))

    def close(self) -> None:
        self.forwarder.close()
        self.loop.close()
        self.echo.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.close()


def says(connection: socket.socket, message: bytes) -> bytes:
    connection.sendall(message)
    return connection.recv(1024)


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_who_is_not_admitted_is_closed_at_once(gate: Gate) -> None:
    gate.is_open = False
    with gate.connect() as connection:
        assert is_closed(connection)


def test_established_connections_survive_a_change_of_rules_and_fall_with_a_reset(gate: Gate) -> None:
    with gate.connect() as connection:
        assert says(connection, b"12345678") == b"12345678"
        gate.is_open = False
        assert says(connection, b"still here") == b"still here"
        assert gate.forwarder.connection_count() == 1
        gate.forwarder.reset()
        assert is_closed(connection)
    wait_until(lambda: gate.forwarder.connection_count() == 0)


def test_connections_are_dropped_by_where_they_come_from(gate: Gate) -> None:
    with gate.connect() as near, gate.connect("127.20.2.9") as far:
        assert says(near, b"12345678") == says(far, b"12345678") == b"12345678"
        gate.forwarder.drop(lambda source: source == "127.20.2.9")
        assert is_closed(far)
        assert says(near, b"still here") == b"still here"


def test_after_a_reset_the_door_still_answers(gate: Gate) -> None:
    gate.forwarder.reset()
    with gate.connect() as connection:
        assert says(connection, b"12345678") == b"12345678"


def test_a_server_that_is_down_closes_the_connection(gate: Gate) -> None:
    gate.echo.close()
    with gate.connect() as connection:
        connection.sendall(b"12345678")
        assert is_closed(connection)
