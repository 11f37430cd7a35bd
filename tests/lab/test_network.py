"""Who reaches whom in the lab: addresses, security groups, cuts, and the door that asks."""

from __future__ import annotations

import errno
import fcntl
import socket
import ssl
import sys
import termios
import threading
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.aws import network as network_module
from lab.aws.network import LabNetwork, ingress_rules, loopback_address, loopback_network, vpc_address
from lab.rds.forwarder import Access, Forwarder
from lab.rds.forwarder_loop import ForwarderLoop
from lab.rds.packets import Verdict, arrives
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


def admits(network: LabNetwork, source: str, destination: str, groups: list[str], port: int) -> bool:
    return arrives(network.admission(destination, groups, port), source)


@given(st.integers(0, 2**24 - 1))
def test_every_vpc_address_has_a_loopback_address_and_back(host: int) -> None:
    address = f"10.{host >> 16}.{host >> 8 & 255}.{host & 255}"
    assert loopback_address(address).startswith("127.")
    assert vpc_address(loopback_address(address)) == address


def test_a_network_is_that_of_the_loopback_addresses_that_stand_for_its_own() -> None:
    for network, near in (
        ("10.20.0.0/16", "127.20.0.0/16"),
        ("10.1.2.3/32", "127.1.2.3/32"),
        ("0.0.0.0/0", "127.0.0.0/8"),
        ("172.16.5.0/24", None),
    ):
        assert loopback_network(IPv4Network(network)) == (None if near is None else IPv4Network(near))


def test_an_address_outside_the_labs_networks_is_refused() -> None:
    for translate, address in ((loopback_address, "172.31.0.1"), (vpc_address, "192.168.0.1")):
        with pytest.raises(ValueError, match="does not lie in"):
            translate(address)


def test_a_rule_by_cidr_admits_its_own_sources_to_its_own_ports(network: LabNetwork) -> None:
    assert admits(network, "10.20.2.9", DATABASE, ["sg-database"], PORT)
    assert admits(network, "10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert not admits(network, "10.0.1.1", DATABASE, ["sg-database"], PORT)
    assert not admits(network, "10.20.2.9", DATABASE, ["sg-database"], PORT + 1)


def test_a_rule_by_group_admits_who_bears_the_group_on_its_network_interface(
    account: FakeAccount, network: LabNetwork
) -> None:
    account.regions[PRIMARY].rules["sg-database"] = [tcp(PORT, groups=["sg-probe"])]
    account.regions[PRIMARY].interfaces.append(
        {"PrivateIpAddress": "10.10.2.20", "Groups": [{"GroupId": "sg-probe", "GroupName": "probe"}]}
    )
    assert admits(network, "10.10.2.20", DATABASE, ["sg-database"], PORT)
    assert not admits(network, "10.10.2.21", DATABASE, ["sg-database"], PORT)


def test_a_group_without_rules_and_a_group_that_is_gone_admit_nobody(network: LabNetwork) -> None:
    assert not admits(network, "10.20.2.9", DATABASE, ["sg-quarantine"], PORT)
    assert not admits(network, "10.20.2.9", DATABASE, ["sg-deleted"], PORT)
    assert not admits(network, "10.20.2.9", DATABASE, [], PORT)


def test_other_protocols_are_no_way_in_and_all_protocols_are() -> None:
    everywhere: list[dict[str, Any]] = [{"CidrIp": "0.0.0.0/0"}]
    assert ingress_rules([{"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535, "IpRanges": everywhere}]) == ()
    (every,) = ingress_rules([{"IpProtocol": "-1", "IpRanges": everywhere}])
    assert (every.first_port, every.last_port) == (0, 65535)


def test_a_changed_rule_is_seen_once_the_last_look_is_old(
    account: FakeAccount, network: LabNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert admits(network, "10.0.0.1", DATABASE, ["sg-database"], PORT)
    looks = len(account.asked)
    account.regions[PRIMARY].rules["sg-database"] = []
    assert admits(network, "10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert len(account.asked) == looks, "a look is good for a while"
    monkeypatch.setattr(network_module, "_RULES_VALID_SECONDS", 0.0)
    assert not admits(network, "10.0.0.1", DATABASE, ["sg-database"], PORT)


def test_while_ec2_is_dark_the_last_known_rules_hold_and_unknown_ones_admit_nobody(
    account: FakeAccount, network: LabNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_module, "_RULES_VALID_SECONDS", 0.0)
    assert admits(network, "10.0.0.1", DATABASE, ["sg-database"], PORT)
    for region in account.regions.values():
        region.is_dark = True
    assert admits(network, "10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert not admits(network, "10.0.0.1", "10.20.1.254", ["sg-database"], PORT)


def test_a_cut_separates_the_sites_and_nothing_else_until_it_is_healed(network: LabNetwork) -> None:
    network.cut(Site.RECOVERY, Site.PRIMARY)
    assert not admits(network, "10.20.2.9", DATABASE, ["sg-database"], PORT)
    assert not admits(network, "10.10.2.9", "10.20.1.254", ["sg-database"], PORT)
    assert admits(network, "10.10.2.9", DATABASE, ["sg-database"], PORT)
    assert admits(network, "10.0.0.1", DATABASE, ["sg-database"], PORT), "a client's own network is no site"
    network.heal()
    assert admits(network, "10.20.2.9", DATABASE, ["sg-database"], PORT)


def test_nothing_gets_into_or_out_of_a_dark_region(network: LabNetwork) -> None:
    network.darken(PRIMARY)
    assert not admits(network, "10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert not admits(network, "10.10.2.9", DATABASE, ["sg-database"], PORT)
    assert not admits(network, "10.10.2.9", "10.20.1.254", ["sg-database"], PORT)
    assert admits(network, "10.0.0.1", "10.20.1.254", ["sg-database"], PORT)
    assert network.is_dark_for(RECOVERY, PRIMARY)
    assert network.is_dark_for(PRIMARY, RECOVERY)
    network.heal()
    assert not admits(network, "10.0.0.1", DATABASE, ["sg-database"], PORT), "a healed link is no light"
    network.lighten(PRIMARY)
    assert admits(network, "10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert not network.is_dark_for(RECOVERY, PRIMARY)


def test_a_region_dark_for_another_one_is_there_for_everybody_else(network: LabNetwork) -> None:
    network.darken(PRIMARY, seen_from=RECOVERY)
    assert not admits(network, "10.20.2.9", DATABASE, ["sg-database"], PORT)
    assert admits(network, "10.10.2.9", DATABASE, ["sg-database"], PORT)
    assert admits(network, "10.0.0.1", DATABASE, ["sg-database"], PORT)
    assert admits(network, "10.10.2.9", "10.20.1.254", ["sg-database"], PORT)
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


EVERYBODY: tuple[Verdict, ...] = ((IPv4Network("0.0.0.0/0"), True),)
FAR = "127.20.2.9"


class Gate:
    """A door whose rules and losses are set by hand, before an echo."""

    def __init__(self) -> None:
        self.admission = EVERYBODY
        self.lost: set[str] = set()
        self.echo = Echo()
        self.loop = ForwarderLoop()
        access = Access(
            lambda: self.admission,
            lambda: False,
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            lambda source: source in self.lost,
        )
        listening = socket.create_server(("127.0.0.1", 0))
        self.address = listening.getsockname()
        self.forwarder = Forwarder(self.loop, listening, lambda: self.echo.port, access)

    def admit(self, *admission: Verdict) -> None:
        self.admission = admission
        self.forwarder.follow()

    def connect(self, source: str = "127.0.0.1", timeout: float = 3) -> socket.socket:
        return socket.create_connection(self.address, timeout=timeout, source_address=(source, 0))

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


def unanswered_bytes(connection: socket.socket) -> int:
    """What the client's kernel has sent and nobody has acknowledged (SIOCOUTQ)."""
    return int.from_bytes(fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4), sys.byteorder)


def test_who_is_not_admitted_gets_no_answer_until_a_rule_lets_him_in(gate: Gate) -> None:
    gate.admit((IPv4Network(FAR), True))
    with pytest.raises(TimeoutError):
        gate.connect(timeout=0.3)
    with gate.connect(FAR) as connection:
        assert says(connection, b"12345678") == b"12345678"
    admitting = threading.Timer(0.2, lambda: gate.admit(*EVERYBODY))
    admitting.start()
    gate.connect().close()  # its SYN was sent before, and is sent again
    admitting.join()


def test_the_first_network_that_holds_a_client_decides(gate: Gate) -> None:
    gate.admit((IPv4Network("127.20.0.0/16"), False), *EVERYBODY)
    gate.connect().close()
    with pytest.raises(TimeoutError):
        gate.connect(FAR, timeout=0.3)


def test_a_rule_that_changes_takes_effect_without_being_told(gate: Gate) -> None:
    gate.admission = ()

    def is_refused() -> bool:
        try:
            gate.connect(timeout=0.2).close()
        except TimeoutError:
            return True
        return False

    wait_until(is_refused, timeout_seconds=3)


def test_established_connections_survive_a_change_of_rules_and_fall_with_a_reset(gate: Gate) -> None:
    with gate.connect() as connection:
        assert says(connection, b"12345678") == b"12345678"
        gate.admit()
        assert says(connection, b"still here") == b"still here"
        assert gate.forwarder.connection_count() == 1
        gate.forwarder.reset()
        assert is_closed(connection)
    wait_until(lambda: gate.forwarder.connection_count() == 0)


def test_a_client_whose_packets_are_lost_hears_nothing_and_is_reset_when_they_arrive_again(gate: Gate) -> None:
    with gate.connect() as near, gate.connect(FAR) as far:
        assert says(near, b"12345678") == says(far, b"12345678") == b"12345678"
        gate.lost.add(FAR)
        gate.forwarder.follow()
        far.settimeout(0.3)
        with pytest.raises(TimeoutError):
            says(far, b"hello?")
        assert unanswered_bytes(far) == 6, "not even the kernel has acknowledged it"
        gate.forwarder.reset()
        gate.echo.close()
        with pytest.raises(TimeoutError):
            far.recv(1)
        assert is_closed(near)
        gate.lost.clear()
        gate.forwarder.follow()
        with pytest.raises(ConnectionResetError):
            far.recv(1)


def test_a_client_with_a_deadline_for_acknowledgements_notices_a_silent_host(gate: Gate) -> None:
    with gate.connect() as connection:
        assert says(connection, b"12345678") == b"12345678"
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 300)
        gate.lost.add("127.0.0.1")
        gate.forwarder.follow()
        with pytest.raises(TimeoutError, match="timed out") as gone:
            says(connection, b"hello?")
        assert gone.value.errno == errno.ETIMEDOUT


def test_after_a_reset_the_door_still_answers(gate: Gate) -> None:
    gate.forwarder.reset()
    with gate.connect() as connection:
        assert says(connection, b"12345678") == b"12345678"


def test_a_server_that_is_down_closes_the_connection(gate: Gate) -> None:
    gate.echo.close()
    with gate.connect() as connection:
        connection.sendall(b"12345678")
        assert is_closed(connection)
