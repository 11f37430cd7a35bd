"""Changes of an instance as the provider makes them, and a creation that was interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from lab.engine.registration import EngineError, UnfinishedError, Values
from lab.engine.resource_table import Context
from lab.engine.resources import RESOURCE_TYPES

SOURCE = "arn:aws:rds:ap-southeast-2:000000000000:db:writer"
INSTANCE = RESOURCE_TYPES["aws:rds/instance:Instance"]
STANDBY: Mapping[str, Any] = {
    "identifier": "standby",
    "instanceClass": "db.t3.medium",
    "replicateSourceDb": SOURCE,
    "backupRetentionPeriod": 7,
    "vpcSecurityGroupIds": ["sg-1", "sg-2"],
    "applyImmediately": True,
}


class Rds:
    """RDS with one instance; remembers what was written."""

    def __init__(self, source: str | None = SOURCE) -> None:
        self.written: list[tuple[str, dict[str, Any]]] = []
        self.answers = True
        self.instance = {
            "DBInstanceIdentifier": "standby",
            "DBInstanceStatus": "available",
            "Endpoint": {"Address": "127.0.0.1", "Port": 5432, "HostedZoneId": "Z"},
            "DBInstanceArn": "arn",
            "DbiResourceId": "db-ONE",
            "DBInstanceClass": "db.t3.medium",
            "Engine": "postgres",
            "EngineVersion": "14",
            "MasterUsername": "app",
            "AllocatedStorage": 20,
            "AvailabilityZone": "a",
            "MultiAZ": False,
            "DeletionProtection": False,
            "BackupRetentionPeriod": 7,
            "PreferredBackupWindow": "14:00-14:45",
            "ReadReplicaDBInstanceIdentifiers": [],
            "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-2"}, {"VpcSecurityGroupId": "sg-1"}],
        }
        if source is not None:
            self.instance["ReadReplicaSourceDBInstanceIdentifier"] = source

    def describe_db_instances(self, **_: str) -> dict[str, Any]:
        if not self.answers:
            raise EndpointConnectionError(endpoint_url="https://rds")
        return {"DBInstances": [self.instance]}

    def create_db_instance_read_replica(self, **arguments: Any) -> dict[str, Any]:
        self.written.append(("create", arguments))
        return {"DBInstance": self.instance}

    def modify_db_instance(self, **arguments: Any) -> None:
        self.written.append(("modify", arguments))

    def promote_read_replica(self, **arguments: Any) -> None:
        self.written.append(("promote", arguments))
        del self.instance["ReadReplicaSourceDBInstanceIdentifier"]


def context(rds: Rds) -> Context:
    return Context("ap-southeast-1", "000000000000", lambda service, region: rds)


def update(rds: Rds, new: Values, old: Values = STANDBY) -> None:
    assert INSTANCE.changes.update is not None
    INSTANCE.changes.update(context(rds), "db-ONE", old, new)


def test_only_what_differs_is_written() -> None:
    rds = Rds()
    update(rds, {**STANDBY, "instanceClass": "db.m5.large", "enabledCloudwatchLogsExports": ["postgresql"]})
    ((kind, arguments),) = rds.written
    assert (kind, arguments) == (
        "modify",
        {
            "DBInstanceIdentifier": "standby",
            "ApplyImmediately": True,
            "AllowMajorVersionUpgrade": False,
            "DBInstanceClass": "db.m5.large",
            "CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["postgresql"], "DisableLogTypes": []},
        },
    )


def test_no_other_source_can_be_given_to_a_replica_or_to_what_is_none() -> None:
    for rds in (Rds(), Rds(source=None)):
        with pytest.raises(EngineError, match="cannot elect new source database for replication"):
            update(rds, {**STANDBY, "replicateSourceDb": f"{SOURCE}-2"})
        assert rds.written == []


def test_no_source_any_more_is_a_promotion_and_only_of_a_replica() -> None:
    replica, promoted = Rds(), Rds(source=None)
    alone = {key: value for key, value in STANDBY.items() if key != "replicateSourceDb"}
    for rds in (replica, promoted):
        update(rds, alone)
    assert replica.written == [("promote", {"DBInstanceIdentifier": "standby", "BackupRetentionPeriod": 7})]
    assert promoted.written == []


def test_a_refresh_reads_what_the_system_moves_and_no_order_of_groups() -> None:
    rds = Rds()
    read = INSTANCE.changes.read
    assert read is not None
    assert read(context(rds), "db-ONE", STANDBY) == {
        "instanceClass": "db.t3.medium",
        "replicateSourceDb": SOURCE,
        "backupRetentionPeriod": 7,
        "vpcSecurityGroupIds": ["sg-1", "sg-2"],
    }
    rds.instance["VpcSecurityGroups"] = [{"VpcSecurityGroupId": "sg-closed"}]
    now = read(context(rds), "db-ONE", STANDBY)
    assert now is not None
    assert now["vpcSecurityGroupIds"] == ["sg-closed"]
    assert read(context(rds), "db-OTHER", STANDBY) is None, "another instance under the same name"


def test_a_replica_whose_region_goes_dark_while_it_is_made_is_finished_later() -> None:
    rds = Rds()
    rds.answers = False
    with pytest.raises(UnfinishedError) as unfinished:
        INSTANCE.create(context(rds), STANDBY)
    assert unfinished.value.id == "db-ONE"
    rds.answers = True
    update(rds, STANDBY, {"identifier": "standby"})
    assert [kind for kind, _ in rds.written] == ["create", "modify"]
    assert rds.written[-1][1]["BackupRetentionPeriod"] == 7
