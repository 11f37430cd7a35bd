"""What AWS refuses, the lab's RDS refuses, by the same code; and it answers its gateway only."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.fake_account import key_arn
from tests.lab.running_rds import PRIMARY, QUICK, RECOVERY, RunningRds, instance_settings, running_rds


@pytest.fixture(scope="module")
def rds() -> Iterator[RunningRds]:
    # Backups long enough to ask for something meanwhile.
    with running_rds(timings=dataclasses.replace(QUICK, backup_seconds=1.0)) as rds:
        rds.create("orders", DeletionProtection=True)
        rds.create_replica("orders-replica", "orders")
        rds.create("unsaved", BackupRetentionPeriod=0)
        yield rds


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"EngineVersion": "14.2"}, "InvalidParameterCombination"),
        ({"EngineVersion": "9"}, "InvalidParameterCombination"),
        ({"Engine": "mysql"}, "InvalidParameterValue"),
        ({"DBInstanceClass": "db.t3.colossal"}, "InvalidParameterValue"),
        ({"DBInstanceClass": "t3.medium"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "with@sign and more"}, "InvalidParameterValue"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue"),
        ({"KmsKeyId": key_arn(RECOVERY)}, "KMSKeyNotAccessibleFault"),
        ({"VpcSecurityGroupIds": ["sg-missing"]}, "InvalidParameterValue"),
        ({"DBSubnetGroupName": "missing"}, "DBSubnetGroupNotFoundFault"),
        ({"DBParameterGroupName": "missing"}, "DBParameterGroupNotFound"),
        ({"EngineVersion": "15"}, "InvalidParameterCombination"),
        ({"DBInstanceIdentifier": "orders"}, "DBInstanceAlreadyExists"),
    ],
)
def test_a_new_instance_is_refused(rds: RunningRds, changed: dict[str, Any], code: str) -> None:
    settings = {**instance_settings("never"), **changed}
    assert refusal(rds.clients[PRIMARY].create_db_instance, **settings) == code
    assert len(rds.clients[PRIMARY].describe_db_instances()["DBInstances"]) == 2


def replica_settings(rds: RunningRds, source: str) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": "never",
        "SourceDBInstanceIdentifier": rds.describe(PRIMARY, source)["DBInstanceArn"],
        "DBSubnetGroupName": "database",
        "KmsKeyId": key_arn(RECOVERY),
    }


def test_an_encrypted_replica_across_regions_needs_a_key_of_its_own_region(rds: RunningRds) -> None:
    settings = replica_settings(rds, "orders")
    elsewhere = {**settings, "KmsKeyId": key_arn(PRIMARY)}
    create = rds.clients[RECOVERY].create_db_instance_read_replica
    assert refusal(create, **elsewhere) == "KMSKeyNotAccessibleFault"
    del settings["KmsKeyId"]
    assert refusal(create, **settings) == "InvalidParameterCombination"


def test_a_source_without_backups_gets_no_replica(rds: RunningRds) -> None:
    settings = replica_settings(rds, "unsaved")
    create = rds.clients[RECOVERY].create_db_instance_read_replica
    assert refusal(create, **settings) == "InvalidDBInstanceState"


@pytest.mark.parametrize(
    ("source", "changed", "code"),
    [
        ("unsaved", {}, "InvalidDBInstanceState"),
        ("orders", {"KmsKeyId": None}, "InvalidParameterCombination"),
        ("orders", {"KmsKeyId": key_arn(PRIMARY)}, "KMSKeyNotAccessibleFault"),
        ("orders", {"BackupRetentionPeriod": 36}, "InvalidParameterValue"),
    ],
)
def test_a_replication_of_backups_is_refused(rds: RunningRds, source: str, changed: dict[str, Any], code: str) -> None:
    asked = {
        "SourceDBInstanceArn": rds.describe(PRIMARY, source)["DBInstanceArn"],
        "KmsKeyId": key_arn(RECOVERY),
        **changed,
    }
    arguments = {name: value for name, value in asked.items() if value is not None}
    client = rds.clients[RECOVERY]
    assert refusal(client.start_db_instance_automated_backups_replication, **arguments) == code
    assert client.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"] == []


def test_backups_are_replicated_once_and_retained_when_that_stops(rds: RunningRds) -> None:
    client, source = rds.clients[RECOVERY], rds.describe(PRIMARY, "orders")["DBInstanceArn"]
    asked = {"SourceDBInstanceArn": source, "KmsKeyId": key_arn(RECOVERY)}
    started = client.start_db_instance_automated_backups_replication(**asked)["DBInstanceAutomatedBackup"]
    assert (started["Status"], started["DBInstanceArn"]) == ("replicating", source)
    again = refusal(client.start_db_instance_automated_backups_replication, **asked)
    assert again == "InvalidDBInstanceAutomatedBackupState"
    client.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=source)
    (left,) = client.describe_db_instance_automated_backups(
        DBInstanceAutomatedBackupsArn=started["DBInstanceAutomatedBackupsArn"]
    )["DBInstanceAutomatedBackups"]
    assert left["Status"] == "retained"
    assert rds.describe(PRIMARY, "orders").get("DBInstanceAutomatedBackupsReplications", []) == []
    stop = client.stop_db_instance_automated_backups_replication
    assert refusal(stop, SourceDBInstanceArn=source) == "InvalidDBInstanceState"


def test_a_source_keeps_its_backups_while_it_has_a_replica(rds: RunningRds) -> None:
    modify = rds.clients[PRIMARY].modify_db_instance
    code = refusal(modify, DBInstanceIdentifier="orders", BackupRetentionPeriod=0, ApplyImmediately=True)
    assert code == "InvalidParameterCombination"


def test_only_a_replica_is_promoted(rds: RunningRds) -> None:
    promote = rds.clients[PRIMARY].promote_read_replica
    assert refusal(promote, DBInstanceIdentifier="orders") == "InvalidDBInstanceState"


def test_promotion_waits_for_a_backup(rds: RunningRds) -> None:
    client = rds.clients[RECOVERY]
    client.modify_db_instance(DBInstanceIdentifier="orders-replica", BackupRetentionPeriod=7, ApplyImmediately=True)
    rds.wait(RECOVERY, "orders-replica", status="backing-up")
    assert refusal(client.promote_read_replica, DBInstanceIdentifier="orders-replica") == ("InvalidDBInstanceState")
    rds.wait(RECOVERY, "orders-replica")


def test_neither_a_source_nor_a_replica_is_stopped(rds: RunningRds) -> None:
    for region, name in ((PRIMARY, "orders"), (RECOVERY, "orders-replica")):
        stop = rds.clients[region].stop_db_instance
        assert refusal(stop, DBInstanceIdentifier=name) == "InvalidDBInstanceState"


def test_a_protected_instance_is_not_deleted(rds: RunningRds) -> None:
    delete = rds.clients[PRIMARY].delete_db_instance
    code = refusal(delete, DBInstanceIdentifier="orders", SkipFinalSnapshot=True)
    assert code == "InvalidParameterCombination"


def test_deleting_without_a_word_on_the_final_snapshot_is_refused(rds: RunningRds) -> None:
    delete = rds.clients[PRIMARY].delete_db_instance
    assert refusal(delete, DBInstanceIdentifier="unsaved") == "InvalidParameterCombination"


def test_a_subnet_group_covers_two_zones_with_subnets_that_exist(rds: RunningRds) -> None:
    create = rds.clients[PRIMARY].create_db_subnet_group
    for subnets, code in (
        ([f"subnet-a-{PRIMARY}"], "DBSubnetGroupDoesNotCoverEnoughAZs"),
        ([f"subnet-a-{PRIMARY}", f"subnet-b-{RECOVERY}"], "InvalidSubnet"),
    ):
        assert code == refusal(
            create, DBSubnetGroupName="narrow", DBSubnetGroupDescription="too little", SubnetIds=subnets
        )


def test_groups_in_use_are_not_deleted(rds: RunningRds) -> None:
    client = rds.clients[PRIMARY]
    assert refusal(client.delete_db_subnet_group, DBSubnetGroupName="database") == ("InvalidDBSubnetGroupStateFault")
    assert refusal(client.delete_db_parameter_group, DBParameterGroupName="database") == (
        "InvalidDBParameterGroupState"
    )


def test_a_parameter_that_does_not_exist_is_refused(rds: RunningRds) -> None:
    modify = rds.clients[PRIMARY].modify_db_parameter_group
    parameter = {"ParameterName": "max_conections", "ParameterValue": "1", "ApplyMethod": "immediate"}
    assert refusal(modify, DBParameterGroupName="database", Parameters=[parameter]) == "InvalidParameterValue"


def test_regions_do_not_see_each_others_instances(rds: RunningRds) -> None:
    describe = rds.clients[RECOVERY].describe_db_instances
    assert refusal(describe, DBInstanceIdentifier="orders") == "DBInstanceNotFound"


def test_only_the_gateway_is_answered(rds: RunningRds) -> None:
    for secret in ("", "guessed"):
        stranger = rds.client(PRIMARY, secret=secret)
        assert refusal(stranger.describe_db_instances) == "AccessDenied"


def test_an_action_the_lab_does_not_have_is_said_so(rds: RunningRds) -> None:
    assert refusal(rds.clients[PRIMARY].describe_source_regions) == "InvalidAction"
