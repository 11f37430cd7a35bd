"""What a cut link, a dark region and a silent host do to real databases: to connections, and to replication."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from lab.postgres import PostgresError
from shared.sites import Site
from tests.lab.running_rds import PRIMARY, RECOVERY, RunningRds, wait_until

NAMES = {PRIMARY: "orders", RECOVERY: "orders-replica"}
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
CLIENT, PROBE_OF_RECOVERY, PROBE_OF_PRIMARY = "127.0.0.1", "127.20.2.9", "127.10.2.9"


@pytest.fixture(scope="module", autouse=True)
def table(rds: RunningRds) -> None:
    with rds.fleet.server(PRIMARY, "orders").connect("orders") as connection:
        connection.execute("CREATE TABLE entry (number int)")


@pytest.fixture(autouse=True)
def healed(rds: RunningRds) -> Iterator[None]:
    yield
    rds.network.heal()
    for region in (PRIMARY, RECOVERY):
        rds.network.lighten(region)
    rds.fleet.follow_interruptions()


def connect_from(rds: RunningRds, source: str, region: str = PRIMARY) -> socket.socket:
    """Connect from an address of this machine, as a function in a VPC does, until the server has answered."""
    endpoint = rds.describe(region, NAMES[region])["Endpoint"]
    target = (endpoint["Address"], endpoint["Port"])
    # A SYN is sent again after 1 s.
    connection = socket.create_connection(target, timeout=1.5, source_address=(source, 0))
    try:
        connection.sendall(SSL_REQUEST)
        assert connection.recv(1) == b"S"
    except BaseException:
        connection.close()
        raise
    return connection


def is_answered(connection: socket.socket) -> bool:
    """Whether a connection that has begun TLS is answered when it speaks nonsense; False where it hears nothing."""
    connection.settimeout(0.5)
    try:
        connection.sendall(b"no hello of TLS")
        return connection.recv(1) is not None
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def is_reset(connection: socket.socket) -> bool:
    connection.settimeout(1)
    try:
        return connection.recv(1) is None
    except ConnectionResetError:
        return True


def gets_in(rds: RunningRds, source: str, region: str = PRIMARY) -> bool:
    try:
        connect_from(rds, source, region).close()
    except TimeoutError:
        return False
    return True


def write(rds: RunningRds) -> None:
    with rds.fleet.server(PRIMARY, "orders").connect("orders") as connection:
        connection.execute("INSERT INTO entry VALUES (1)")


def count(rds: RunningRds, region: str) -> int:
    with rds.fleet.server(region, NAMES[region]).connect("orders") as connection:
        row = connection.execute("SELECT count(*) FROM entry").fetchone()
    assert row is not None
    return int(row[0])


def is_replicated(rds: RunningRds) -> bool:
    return count(rds, RECOVERY) == count(rds, PRIMARY)


def reported_lag_seconds(rds: RunningRds) -> float:
    lag_seconds = rds.account.regions[RECOVERY].latest("orders-replica", "ReplicaLag")
    assert lag_seconds is not None
    return lag_seconds


def test_a_cut_link_loses_what_crosses_it_and_leaves_replication_alone(rds: RunningRds) -> None:
    with connect_from(rds, CLIENT) as near, connect_from(rds, PROBE_OF_RECOVERY) as far:
        rds.network.cut(Site.PRIMARY, Site.RECOVERY)
        rds.fleet.follow_interruptions()
        assert is_answered(near)
        assert not is_answered(far)
    assert gets_in(rds, CLIENT)
    assert gets_in(rds, PROBE_OF_PRIMARY)
    assert not gets_in(rds, PROBE_OF_RECOVERY)
    assert not gets_in(rds, PROBE_OF_PRIMARY, RECOVERY)
    write(rds)
    wait_until(lambda: is_replicated(rds), timeout_seconds=3)
    rds.network.heal()
    rds.fleet.follow_interruptions()
    assert gets_in(rds, PROBE_OF_RECOVERY)


def test_who_waits_at_a_cut_link_gets_in_once_it_is_healed(rds: RunningRds) -> None:
    rds.network.cut(Site.PRIMARY, Site.RECOVERY)
    rds.fleet.follow_interruptions()

    def heal() -> None:
        rds.network.heal()
        rds.fleet.follow_interruptions()

    healing = threading.Timer(0.4, heal)
    healing.start()
    connect_from(rds, PROBE_OF_RECOVERY).close()
    healing.join()


def test_a_dark_region_lets_nobody_in_and_replicates_nothing(rds: RunningRds) -> None:
    with connect_from(rds, CLIENT) as client, connect_from(rds, PROBE_OF_PRIMARY) as own:
        rds.network.darken(PRIMARY)
        rds.fleet.follow_interruptions()
        assert not is_answered(client)
        assert not is_answered(own)
        assert not gets_in(rds, CLIENT)
        assert not gets_in(rds, PROBE_OF_PRIMARY)
        assert gets_in(rds, CLIENT, RECOVERY)
        write(rds)
        lag_seconds = reported_lag_seconds(rds)
        wait_until(lambda: reported_lag_seconds(rds) > lag_seconds + 1, timeout_seconds=3)
        assert not is_replicated(rds)
        rds.network.lighten(PRIMARY)
        rds.fleet.follow_interruptions()
        assert is_reset(client)
    wait_until(lambda: is_replicated(rds))
    assert gets_in(rds, CLIENT)


def test_a_region_dark_for_the_other_is_cut_off_from_it_alone(rds: RunningRds) -> None:
    with connect_from(rds, CLIENT) as client, connect_from(rds, PROBE_OF_RECOVERY) as far:
        rds.network.darken(PRIMARY, seen_from=RECOVERY)
        rds.fleet.follow_interruptions()
        assert is_answered(client)
        assert not is_answered(far)
    assert gets_in(rds, PROBE_OF_PRIMARY)
    assert not gets_in(rds, PROBE_OF_RECOVERY)
    assert gets_in(rds, PROBE_OF_PRIMARY, RECOVERY), "the other way is another darkness"
    write(rds)
    time.sleep(1.0)
    assert not is_replicated(rds)


def test_a_drills_own_stall_outlives_a_darkness(rds: RunningRds) -> None:
    replica = rds.fleet.server(RECOVERY, "orders-replica")
    replica.stall_replication()
    rds.network.darken(PRIMARY)
    rds.fleet.follow_interruptions()
    rds.network.lighten(PRIMARY)
    rds.fleet.follow_interruptions()
    write(rds)
    time.sleep(1.0)
    assert not is_replicated(rds)
    replica.resume_replication()
    wait_until(lambda: is_replicated(rds))


def test_a_silent_host_is_failed_for_rds_and_answers_neither_clients_nor_its_replica(rds: RunningRds) -> None:
    primary, replica = rds.fleet.server(PRIMARY, "orders"), rds.fleet.server(RECOVERY, "orders-replica")
    with connect_from(rds, CLIENT) as client:
        rds.fleet.silence(PRIMARY, "orders")
        rds.wait(PRIMARY, "orders", "failed")
        assert not is_answered(client)
        assert not gets_in(rds, CLIENT)
        with replica.connect() as looking:
            streaming = looking.execute("SELECT status FROM pg_stat_wal_receiver").fetchone()
        assert streaming == ("streaming",), "no FIN: the replica takes the stream for living"
        with pytest.raises(PostgresError, match="lost host"):
            primary.base_backup(rds.fleet.home / "backup")
        rds.fleet.end_silence(PRIMARY, "orders")
        assert is_reset(client)
    wait_until(lambda: rds.describe(PRIMARY, "orders")["DBInstanceStatus"] == "available")
    assert gets_in(rds, CLIENT)
    write(rds)
    wait_until(lambda: is_replicated(rds))
