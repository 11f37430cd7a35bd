"""Statuses in which an instance works, or does not: what RDS says, and what it refuses meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from shared.errors import SettingsError
from tests.lab.running_rds import PRIMARY, RECOVERY, RunningRds, running_rds, wait_until

# Half a minute and more of real servers that hang: the drills play the same.
pytestmark = pytest.mark.exhaustive

BUSY = "storage-optimization"
A_WHILE_SECONDS = 4.0


def status(rds: RunningRds, region: str, name: str) -> str:
    return str(rds.describe(region, name)["DBInstanceStatus"])


def refused(call: Callable[..., Any], name: str) -> str:
    with pytest.raises(ClientError) as error:
        call(DBInstanceIdentifier=name)
    return str(error.value.response["Error"]["Code"])


def test_a_busy_replica_is_neither_promoted_nor_rebooted_until_it_is_available_again(rds: RunningRds) -> None:
    rds.backend.set_status(RECOVERY, "orders-replica", BUSY, A_WHILE_SECONDS)
    assert status(rds, RECOVERY, "orders-replica") == BUSY
    client = rds.clients[RECOVERY]
    assert refused(client.promote_read_replica, "orders-replica") == "InvalidDBInstanceState"
    assert refused(client.reboot_db_instance, "orders-replica") == "InvalidDBInstanceState"
    rds.connect(RECOVERY, "orders-replica").close()
    rds.wait(RECOVERY, "orders-replica")
    client.reboot_db_instance(DBInstanceIdentifier="orders-replica")
    rds.wait(RECOVERY, "orders-replica")


def test_a_busy_instance_gets_other_groups_and_is_busy_still(rds: RunningRds) -> None:
    rds.backend.set_status(RECOVERY, "orders-replica", BUSY, A_WHILE_SECONDS)
    change = {"DBInstanceIdentifier": "orders-replica", "ApplyImmediately": True}
    rds.clients[RECOVERY].modify_db_instance(**change, VpcSecurityGroupIds=["sg-quarantine"])
    assert status(rds, RECOVERY, "orders-replica") == "modifying"
    wait_until(lambda: status(rds, RECOVERY, "orders-replica") == BUSY)
    rds.wait(RECOVERY, "orders-replica")
    rds.clients[RECOVERY].modify_db_instance(**change, VpcSecurityGroupIds=["sg-database"])
    rds.wait(RECOVERY, "orders-replica")


def test_a_crash_does_not_end_a_backup_and_shows_when_it_is_over(rds: RunningRds) -> None:
    server = rds.fleet.server(PRIMARY, "orders")
    rds.backend.set_status(PRIMARY, "orders", "backing-up", A_WHILE_SECONDS)
    server.kill()
    wait_until(lambda: not server.expected_running)  # RDS has seen it
    assert status(rds, PRIMARY, "orders") == "backing-up"
    rds.wait(PRIMARY, "orders", "failed")
    server.start()
    wait_until(lambda: status(rds, PRIMARY, "orders") == "available")


def test_an_instance_that_came_back_during_its_backup_is_available_after_it(rds: RunningRds) -> None:
    server = rds.fleet.server(PRIMARY, "orders")
    rds.backend.set_status(PRIMARY, "orders", "backing-up", A_WHILE_SECONDS)
    server.kill()
    wait_until(lambda: not server.expected_running)
    server.start()
    wait_until(lambda: server.expected_running)
    assert status(rds, PRIMARY, "orders") == "backing-up"
    rds.wait(PRIMARY, "orders")


def test_only_what_exists_has_a_status(rds: RunningRds) -> None:
    with pytest.raises(SettingsError, match=PRIMARY):
        rds.backend.set_status(PRIMARY, "another", BUSY, 1.0)


def test_a_hung_writer_is_available_and_measured_and_a_reboot_frees_it(rds: RunningRds) -> None:
    rds.fleet.server(PRIMARY, "orders").hang_commits()
    time.sleep(2 * rds.timings.heartbeat_seconds)
    metrics = rds.account.regions[PRIMARY].metrics
    measured = len(metrics)
    wait_until(lambda: len(metrics) > measured)
    assert status(rds, PRIMARY, "orders") == "available"
    rds.clients[PRIMARY].reboot_db_instance(DBInstanceIdentifier="orders")
    rds.wait(PRIMARY, "orders")
    with rds.connect(PRIMARY, "orders") as connection:
        connection.execute("CREATE TABLE after_hanging (id int)")


@pytest.fixture
def small_rds(disks: None) -> Iterator[RunningRds]:
    with running_rds(disk_bytes=200 * 1024 * 1024) as rds:
        rds.create("orders")
        yield rds


def test_an_instance_whose_disk_is_full_says_so_until_there_is_room(small_rds: RunningRds) -> None:
    server = small_rds.fleet.server(PRIMARY, "orders")
    server.fill_disk()
    small_rds.wait(PRIMARY, "orders", "storage-full")
    with pytest.raises(psycopg.OperationalError), small_rds.connect(PRIMARY, "orders") as connection:
        connection.execute("CREATE TABLE much AS SELECT generate_series(1, 1000000)")
    time.sleep(0.5)
    assert status(small_rds, PRIMARY, "orders") == "storage-full", "also where the server has died of it"
    server.free_disk()
    small_rds.wait(PRIMARY, "orders")
    with small_rds.connect(PRIMARY, "orders") as connection:
        connection.execute("CREATE TABLE little (id int)")
