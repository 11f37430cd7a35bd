"""The metrics of `AWS/RDS`: measured on the servers, once a period, and never held up by one that hangs."""

from __future__ import annotations

import time

import pytest

from tests.lab.running_rds import PRIMARY, QUICK, RECOVERY, RunningRds, wait_until


def latest(rds: RunningRds, region: str, name: str, metric: str) -> float | None:
    return rds.account.regions[region].latest(name, metric)


def test_a_source_tells_of_its_connections_its_log_and_its_oldest_slot(rds: RunningRds) -> None:
    with rds.connect(PRIMARY, "orders"), rds.connect(PRIMARY, "orders"):
        wait_until(lambda: latest(rds, PRIMARY, "orders", "DatabaseConnections") == 2)
    wait_until(lambda: latest(rds, PRIMARY, "orders", "DatabaseConnections") == 0)
    wal_bytes = latest(rds, PRIMARY, "orders", "TransactionLogsDiskUsage")
    free_bytes = latest(rds, PRIMARY, "orders", "FreeStorageSpace")
    assert wal_bytes is not None
    assert wal_bytes >= 16 * 1024**2
    assert free_bytes is not None
    assert 0 < free_bytes < 20 * 1024**3
    assert latest(rds, PRIMARY, "orders", "OldestReplicationSlotLag") is not None
    assert latest(rds, PRIMARY, "orders", "ReplicaLag") is None, "only replicas have a lag"


def test_an_idle_pair_shows_little_lag_because_of_the_heartbeat(rds: RunningRds) -> None:
    wait_until(lambda: (latest(rds, RECOVERY, "orders-replica", "ReplicaLag") or -1) >= 0)
    time.sleep(0.9)
    lag_seconds = latest(rds, RECOVERY, "orders-replica", "ReplicaLag")
    assert lag_seconds is not None
    assert 0 <= lag_seconds < QUICK.heartbeat_seconds + 2 * QUICK.measure_seconds


def test_while_the_source_hangs_its_metrics_stop_and_the_replicas_lag_climbs(rds: RunningRds) -> None:
    wait_until(lambda: (latest(rds, RECOVERY, "orders-replica", "ReplicaLag") or -1) >= 0)
    source, replica = rds.account.regions[PRIMARY], rds.account.regions[RECOVERY]
    rds.fleet.server(PRIMARY, "orders").freeze()
    try:
        time.sleep(0.5)
        source.metrics.clear()
        replica.metrics.clear()
        time.sleep(1.0)
        assert source.metrics == []
        lags = [datum["Value"] for datum in replica.metrics if datum["MetricName"] == "ReplicaLag"]
        assert len(lags) >= 3, "nobody waits for the one that hangs"
        assert lags == sorted(lags)
        assert lags[-1] > 0.7
    finally:
        rds.fleet.server(PRIMARY, "orders").thaw()
    wait_until(lambda: latest(rds, PRIMARY, "orders", "DatabaseConnections") is not None)


def test_a_sample_has_the_time_of_its_period_and_is_read_after_its_end(rds: RunningRds) -> None:
    region = rds.account.regions[PRIMARY]
    region.metrics.clear()
    wait_until(lambda: region.latest("orders", "CPUUtilization") is not None)
    read_at, period = time.time(), QUICK.measure_seconds
    at = region.metrics[0]["Timestamp"].timestamp()
    assert at / period == pytest.approx(round(at / period), abs=1e-3)
    assert read_at >= at + period + QUICK.metric_delay.shortest


def test_one_call_carries_all_metrics_of_an_instance_at_standard_resolution(rds: RunningRds) -> None:
    region = rds.account.regions[PRIMARY]
    wait_until(lambda: region.latest("orders", "CPUUtilization") is not None)
    assert {datum["MetricName"] for datum in region.put_calls[-1]} == {
        "DatabaseConnections",
        "TransactionLogsDiskUsage",
        "FreeStorageSpace",
        "CPUUtilization",
        "OldestReplicationSlotLag",
    }
    assert {datum["Namespace"] for datum in region.metrics} == {"AWS/RDS"}
    assert not any("StorageResolution" in datum for datum in region.metrics)
