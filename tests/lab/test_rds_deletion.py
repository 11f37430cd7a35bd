"""What a deleted instance leaves behind: its final snapshot, its automated backups, and nothing for its successor."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.fake_account import key_arn
from tests.lab.running_rds import PRIMARY, RECOVERY, RunningRds, wait_until


def backups(rds: RunningRds, region: str, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rds.clients[region].describe_db_instance_automated_backups(**asked)[
        "DBInstanceAutomatedBackups"
    ]
    return found


def delete(rds: RunningRds, region: str, name: str, **settings: Any) -> None:
    rds.clients[region].delete_db_instance(DBInstanceIdentifier=name, **settings)
    wait_until(lambda: name not in rds.backend.regions[region].databases)


def test_a_final_snapshot_is_there_when_the_instance_is_gone_and_its_backups_stay(rds: RunningRds) -> None:
    born = rds.create("retired")
    with rds.connect(PRIMARY, "retired") as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id")
    arn = born["DBInstanceArn"]
    started = rds.clients[RECOVERY].start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=arn, KmsKeyId=key_arn(RECOVERY)
    )["DBInstanceAutomatedBackup"]

    delete(rds, PRIMARY, "retired", FinalDBSnapshotIdentifier="last", DeleteAutomatedBackups=False)

    snapshots = rds.clients[PRIMARY].describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"]
    assert [(one["Status"], one["DbiResourceId"]) for one in snapshots] == [("available", born["DbiResourceId"])]
    (own,) = backups(rds, PRIMARY, DbiResourceId=born["DbiResourceId"])
    assert own["Status"] == "retained"
    (replicated,) = backups(rds, RECOVERY, DBInstanceAutomatedBackupsArn=started["DBInstanceAutomatedBackupsArn"])
    assert replicated["Status"] == "retained"

    successor = rds.create("retired")

    found = backups(rds, PRIMARY, DBInstanceIdentifier="retired")
    assert {one["DbiResourceId"]: one["Status"] for one in found} == {
        born["DbiResourceId"]: "retained",
        successor["DbiResourceId"]: "active",
    }
    again = rds.clients[RECOVERY].start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=arn, KmsKeyId=key_arn(RECOVERY)
    )["DBInstanceAutomatedBackup"]
    assert again["DbiResourceId"] == successor["DbiResourceId"]
    delete(rds, PRIMARY, "retired", SkipFinalSnapshot=True)
    left = backups(rds, PRIMARY, DBInstanceIdentifier="retired")
    assert [one["DbiResourceId"] for one in left] == [born["DbiResourceId"]], "only its own are deleted with it"


@pytest.mark.parametrize(
    "settings",
    [{"FinalDBSnapshotIdentifier": "of-a-replica"}, {}],
)
def test_a_replica_is_deleted_without_a_final_snapshot_only(rds: RunningRds, settings: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        rds.clients[RECOVERY].delete_db_instance(DBInstanceIdentifier="orders-replica", **settings)
    assert rds.describe(RECOVERY, "orders-replica")["DBInstanceStatus"] == "available"


def test_a_snapshot_is_not_wanted_and_named_at_once(rds: RunningRds) -> None:
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        rds.clients[PRIMARY].delete_db_instance(
            DBInstanceIdentifier="orders", SkipFinalSnapshot=True, FinalDBSnapshotIdentifier="last-of-orders"
        )
