"""Snapshots in the lab's RDS: base backups of real servers, real copies, and servers restored from them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.fake_account import key_arn
from tests.lab.running_rds import PRIMARY, RECOVERY, RunningRds, wait_until


def snapshot(rds: RunningRds, region: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = rds.clients[region].describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]
    return found


def available(rds: RunningRds, region: str, name: str) -> dict[str, Any]:
    wait_until(lambda: snapshot(rds, region, name)["Status"] in ("available", "failed"))
    found = snapshot(rds, region, name)
    assert (found["Status"], found["PercentProgress"]) == ("available", 100)
    return found


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return str(raised.value.response["Error"]["Code"])


def restore(rds: RunningRds, region: str, name: str, of: str) -> None:
    rds.clients[region].restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=name,
        DBSnapshotIdentifier=of,
        DBSubnetGroupName="database",
        DBParameterGroupName="database",
        VpcSecurityGroupIds=["sg-database"],
    )


def test_rows_come_back_from_a_copy_in_another_region_and_what_came_later_does_not(rds: RunningRds) -> None:
    with rds.connect(PRIMARY, "orders") as connection:
        connection.execute("CREATE TABLE kept (id int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    rds.clients[PRIMARY].create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="before")
    source = available(rds, PRIMARY, "before")
    assert source["SnapshotType"] == "manual"
    with rds.connect(PRIMARY, "orders") as connection:
        connection.execute("DELETE FROM kept")
    copy = {
        "SourceDBSnapshotIdentifier": source["DBSnapshotArn"],
        "TargetDBSnapshotIdentifier": "copy-before",
        "Tags": [{"Key": "Owner", "Value": "team"}],
    }
    there = rds.clients[RECOVERY]
    assert refused(there.copy_db_snapshot, **copy) == "InvalidParameterCombination", "it needs a key of its region"
    assert refused(there.copy_db_snapshot, KmsKeyId=key_arn(PRIMARY), **copy) == "KMSKeyNotAccessibleFault"
    there.copy_db_snapshot(KmsKeyId=key_arn(RECOVERY), **copy)
    copied = available(rds, RECOVERY, "copy-before")
    assert copied["OriginalSnapshotCreateTime"] == source["SnapshotCreateTime"]
    assert (copied["KmsKeyId"], copied["TagList"]) == (key_arn(RECOVERY), [{"Key": "Owner", "Value": "team"}])
    assert refused(there.copy_db_snapshot, KmsKeyId=key_arn(RECOVERY), **copy) == "DBSnapshotAlreadyExists"
    rds.clients[PRIMARY].delete_db_snapshot(DBSnapshotIdentifier="before")
    restore(rds, RECOVERY, "restored-orders", "copy-before")
    restored = rds.wait(RECOVERY, "restored-orders")
    assert "ReadReplicaSourceDBInstanceIdentifier" not in restored
    with rds.connect(RECOVERY, "restored-orders") as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
        connection.execute("INSERT INTO kept VALUES (1001)")
    with rds.connect(PRIMARY, "orders") as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,), "the living writer is as it was"
    with pytest.raises(ClientError, match="DBInstanceAlreadyExists"):
        restore(rds, RECOVERY, "orders-replica", "copy-before")


def test_an_instance_has_automated_snapshots_that_are_listed_by_it(rds: RunningRds) -> None:
    name = rds.backend.take_automated_snapshot(PRIMARY, "orders")
    available(rds, PRIMARY, name)
    assert name.startswith("rds:orders-")
    listed = rds.clients[PRIMARY].describe_db_snapshots(DBInstanceIdentifier="orders", SnapshotType="automated")
    assert name in {each["DBSnapshotIdentifier"] for each in listed["DBSnapshots"]}
    manual = rds.clients[PRIMARY].describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert name not in {each["DBSnapshotIdentifier"] for each in manual}


def test_a_copy_whose_source_is_deleted_meanwhile_fails(rds: RunningRds) -> None:
    name = rds.backend.take_automated_snapshot(PRIMARY, "orders")
    arn = available(rds, PRIMARY, name)["DBSnapshotArn"]
    rds.clients[RECOVERY].copy_db_snapshot(
        SourceDBSnapshotIdentifier=arn, TargetDBSnapshotIdentifier="copy-lost", KmsKeyId=key_arn(RECOVERY)
    )
    rds.clients[PRIMARY].delete_db_snapshot(DBSnapshotIdentifier=name)
    wait_until(lambda: snapshot(rds, RECOVERY, "copy-lost")["Status"] == "failed")
    rds.clients[RECOVERY].delete_db_snapshot(DBSnapshotIdentifier="copy-lost")


def test_no_tag_of_awss_own_is_taken(rds: RunningRds) -> None:
    name = rds.backend.take_automated_snapshot(PRIMARY, "orders")
    arn = available(rds, PRIMARY, name)["DBSnapshotArn"]
    code = refused(
        rds.clients[RECOVERY].copy_db_snapshot,
        SourceDBSnapshotIdentifier=arn,
        TargetDBSnapshotIdentifier="copy-tags",
        KmsKeyId=key_arn(RECOVERY),
        Tags=[{"Key": "aws:backup", "Value": "x"}],
    )
    assert code == "InvalidParameterCombination"


def gone(rds: RunningRds, name: str) -> bool:
    try:
        rds.clients[PRIMARY].describe_db_instances(DBInstanceIdentifier=name)
    except ClientError:
        return True
    return False


def test_a_deleted_database_leaves_its_final_snapshot(rds: RunningRds) -> None:
    rds.create("parting")
    with rds.connect(PRIMARY, "parting") as connection:
        connection.execute("CREATE TABLE last AS SELECT 1 AS id")
    rds.clients[PRIMARY].delete_db_instance(DBInstanceIdentifier="parting", FinalDBSnapshotIdentifier="last")
    wait_until(lambda: gone(rds, "parting"))
    assert snapshot(rds, PRIMARY, "last")["Status"] == "available"
    restore(rds, PRIMARY, "looked-at", "last")
    rds.wait(PRIMARY, "looked-at")
    with rds.connect(PRIMARY, "looked-at") as connection:
        assert connection.execute("SELECT id FROM last").fetchone() == (1,)


def test_no_final_snapshot_is_taken_of_a_replica(rds: RunningRds) -> None:
    # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
    parameters = {"DBInstanceIdentifier": "orders-replica", "FinalDBSnapshotIdentifier": "last-of-replica"}
    assert refused(rds.clients[RECOVERY].delete_db_instance, **parameters) == "InvalidParameterCombination"
