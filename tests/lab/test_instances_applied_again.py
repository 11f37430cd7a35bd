"""Databases that a program changes, retires and makes anew, on real servers: what a reprotect does to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.engine.lab_engine import LabEngine
from lab.engine.registration import EngineError
from tests.engine.fake_account import ACCOUNT, DemoLayer, Sts
from tests.engine.projects import write_project
from tests.lab.fake_account import key_arn
from tests.lab.running_rds import PASSWORD, PORT, PRIMARY, RECOVERY, USER, RunningRds, wait_until

FOR_BOTH = f"""
there = aws.Provider("aws-recovery", region="{RECOVERY}", allowed_account_ids=["{ACCOUNT}"])
both = dict(
    instance_class="db.t3.medium", port={PORT}, db_subnet_group_name="database", parameter_group_name="database",
    vpc_security_group_ids=["sg-database"], storage_encrypted=True, backup_retention_period=7, apply_immediately=True,
)
original = dict(
    engine="postgres", engine_version="14", allocated_storage=20, storage_type="gp3", db_name="orders",
    username="{USER}", password="{PASSWORD}", kms_key_id="{key_arn(PRIMARY)}",
)
moved = ["replicateSourceDb", "vpcSecurityGroupIds"]
here = lambda **more: pulumi.ResourceOptions(provider=provider, ignore_changes=moved, **more)
theirs = lambda **more: pulumi.ResourceOptions(provider=there, ignore_changes=moved, **more)
"""
OLD = """
aws.rds.Instance("old", identifier="writer", skip_final_snapshot=False, final_snapshot_identifier="last-of-writer",
                 delete_automated_backups=False, deletion_protection=True, opts=here(protect=True), **original, **both)
"""
STANDBY = f"""
aws.rds.Instance("standby", identifier="standby", skip_final_snapshot=True, kms_key_id="{key_arn(RECOVERY)}",
                 replicate_source_db="arn:aws:rds:{PRIMARY}:{ACCOUNT}:db:writer", opts=theirs(), **both)
"""
SUCCESSOR = f"""
aws.rds.Instance("old-2", identifier="writer", skip_final_snapshot=True, kms_key_id="{key_arn(PRIMARY)}",
                 replicate_source_db="arn:aws:rds:{RECOVERY}:{ACCOUNT}:db:standby", opts=here(), **both)
"""


class Applied:
    """Programs applied one after the other."""

    def __init__(self, rds: RunningRds, folder: Path) -> None:
        self.engine = LabEngine(lambda service, region: Sts() if service == "sts" else rds.clients[region], ACCOUNT)
        self._layer = DemoLayer("demo", "demo", "", (), "", at=folder)

    def __call__(self, program: str) -> dict[str, int]:
        """Apply a program; how many resources each kind of step was about."""
        write_project(self._layer.folder, FOR_BOTH + program)
        return {str(kind): count for kind, count in self.engine.apply(self._layer, "lab").items()}


@pytest.fixture
def apply(rds: RunningRds, tmp_path: Path) -> Applied:
    return Applied(rds, tmp_path)


def rows(rds: RunningRds, region: str, name: str, statement: str) -> Any:
    with rds.connect(region, name) as connection:
        return connection.execute(statement).fetchall()


def test_a_writer_is_changed_retired_and_succeeded_by_a_replica_of_the_other_site(
    rds: RunningRds, apply: Applied
) -> None:
    assert apply(OLD) == {"create": 1}
    assert apply(OLD + STANDBY) == {"same": 1, "create": 1}
    assert rds.describe(RECOVERY, "standby")["BackupRetentionPeriod"] == 7
    born = rds.describe(PRIMARY, "writer")["DbiResourceId"]

    larger = OLD.replace("opts=", "max_allocated_storage=50, opts=")
    assert apply(larger + STANDBY) == {"update": 1, "same": 1}
    assert rds.describe(PRIMARY, "writer")["MaxAllocatedStorage"] == 50
    assert rds.describe(PRIMARY, "writer")["DbiResourceId"] == born

    with pytest.raises(EngineError, match="unable to replace resource"):
        apply(larger.replace("**original", 'db_name="other", **{k: v for k, v in original.items() if k != "db_name"}'))
    with pytest.raises(EngineError, match="cannot be deleted\nbecause it is protected"):
        apply(STANDBY)

    rds.clients[RECOVERY].promote_read_replica(DBInstanceIdentifier="standby", BackupRetentionPeriod=7)
    wait_until(lambda: "ReadReplicaSourceDBInstanceIdentifier" not in rds.describe(RECOVERY, "standby"))
    rds.wait(RECOVERY, "standby")
    with rds.connect(RECOVERY, "standby") as connection:
        connection.execute("CREATE TABLE written_after (id int)")
    apply.engine.refresh("demo")
    unprotected = larger.replace("protect=True", "protect=False").replace("deletion_protection=True, ", "")
    with pytest.raises(EngineError, match="cannot elect"):
        apply(unprotected + STANDBY.replace("theirs()", "pulumi.ResourceOptions(provider=there)"))
    protected_in_aws = larger.replace("protect=True)", "protect=False)")
    apply(protected_in_aws + STANDBY)
    with pytest.raises(Exception, match="Cannot delete protected DB Instance"):
        apply(STANDBY)
    assert rds.describe(PRIMARY, "writer")["DBInstanceStatus"] == "available"

    apply(protected_in_aws.replace("deletion_protection=True", "deletion_protection=False") + STANDBY)
    assert apply(STANDBY) == {"same": 1, "delete": 1}

    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        rds.describe(PRIMARY, "writer")
    (last,) = rds.clients[PRIMARY].describe_db_snapshots(DBSnapshotIdentifier="last-of-writer")["DBSnapshots"]
    assert (last["Status"], last["DbiResourceId"]) == ("available", born)
    kept = rds.clients[PRIMARY].describe_db_instance_automated_backups(DbiResourceId=born)
    assert [one["Status"] for one in kept["DBInstanceAutomatedBackups"]] == ["retained"]

    assert apply(STANDBY + SUCCESSOR) == {"same": 1, "create": 1}
    successor = rds.describe(PRIMARY, "writer")
    assert successor["ReadReplicaSourceDBInstanceIdentifier"] == rds.describe(RECOVERY, "standby")["DBInstanceArn"]
    assert successor["DbiResourceId"] != born
    wait_until(lambda: rows(rds, PRIMARY, "writer", "SELECT to_regclass('written_after')") != [(None,)])
    assert apply(STANDBY + SUCCESSOR) == {"same": 2}
