"""An instance that is there already: each difference, what it would mean, and what to do."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from data_layer.adopted import KEPT
from data_layer.adoption import Effect, Facet, Found, facets
from data_layer.adoption_parameters import Group, differing, parameter_facets
from data_layer.parameters import Parameter
from data_layer.settings import DataSettings
from shared.sites import Site
from tests.contracts.settings_of import settings_of

RDSS_OWN = [{"DBParameterGroupName": "default.postgres14"}]
KEY = "arn:aws:kms:ap-southeast-2:000000000000:key/theirs"


@cache
def settings() -> DataSettings:
    """Settings that follow the instance below."""
    followed: DataSettings = settings_of("data", "lab", primaryDatabaseKeyArn=KEY)
    return followed


def found(**changed: Any) -> Found:
    """An instance that differs in nothing but its groups, but for what is changed."""
    instance: dict[str, Any] = {
        "Engine": "postgres",
        "EngineVersion": "14.20",
        "DBInstanceStatus": "available",
        "DBInstanceClass": "db.t3.medium",
        "MultiAZ": False,
        "AllocatedStorage": 20,
        "MaxAllocatedStorage": 100,
        "StorageType": "gp3",
        "StorageEncrypted": True,
        "KmsKeyId": KEY,
        "PreferredBackupWindow": "14:00-14:45",
        "PreferredMaintenanceWindow": "sat:15:30-sat:16:30",
        "BackupRetentionPeriod": 7,
        "MonitoringInterval": 60,
        "CACertificateIdentifier": "rds-ca-rsa2048-g1",
        "DBName": "app",
        "Endpoint": {"Port": 15432},
        "IAMDatabaseAuthenticationEnabled": True,
        "PubliclyAccessible": False,
        "DeletionProtection": False,
        "EnabledCloudwatchLogsExports": ["postgresql", "upgrade"],
        "PerformanceInsightsEnabled": True,
        "AutoMinorVersionUpgrade": True,
        "CopyTagsToSnapshot": True,
        "DBParameterGroups": [{"DBParameterGroupName": "theirs"}],
        "DBSubnetGroup": {"DBSubnetGroupName": "theirs"},
    }
    beside = {"is_offered": True, "key_is_awss": False, "log_groups": frozenset[str]()}
    beside |= {key: changed.pop(key) for key in list(changed) if key in beside}
    return Found({**instance, **changed}, **beside)  # type: ignore[arg-type]


def of(**changed: Any) -> list[Facet]:
    """The differences that the changes make."""
    usual = facets(found(), settings(), Site.PRIMARY, 15432)
    return [facet for facet in facets(found(**changed), settings(), Site.PRIMARY, 15432) if facet not in usual]


def test_only_its_groups_remain_of_one_that_the_settings_follow() -> None:
    left = facets(found(), settings(), Site.PRIMARY, 15432)
    assert [(facet.what, facet.effect) for facet in left] == [
        ("parameter group", Effect.RESTART),
        ("subnet group", Effect.STAYS),
    ]


@pytest.mark.parametrize(
    ("changed", "what", "effect", "note"),
    [
        ({"Engine": "aurora-postgresql"}, "engine", Effect.IMPOSSIBLE, ""),
        ({"DBClusterIdentifier": "c"}, "engine", Effect.IMPOSSIBLE, ""),
        ({"ReadReplicaSourceDBInstanceIdentifier": "x"}, "role", Effect.IMPOSSIBLE, "that takes writes"),
        ({"StorageEncrypted": False}, "storage encryption", Effect.IMPOSSIBLE, "copy a snapshot"),
        ({"EngineVersion": "13.9"}, "engine version", Effect.IMPOSSIBLE, "upgrade"),
        ({"DBInstanceStatus": "modifying"}, "status", Effect.FIRST, "wait"),
        ({"PendingModifiedValues": {"DBInstanceClass": "x"}}, "pending changes", Effect.FIRST, "applyImmediately"),
        ({"MasterUserSecret": {"SecretArn": "x"}}, "master password", Effect.FIRST, "--no-manage-master-user-password"),
        ({"BackupRetentionPeriod": 0}, "automated backups", Effect.FIRST, "--backup-retention-period 7"),
        ({"is_offered": False}, "engine version", Effect.FIRST, "minor version"),
        ({"CACertificateIdentifier": "rds-ca-2019"}, "certificate authority", Effect.RESTART, "clients need"),
        (
            {"DBParameterGroups": [{"DBParameterGroupName": "default.postgres14"}]},
            "parameter group",
            Effect.RESTART,
            "nobody can edit",
        ),
        ({"PubliclyAccessible": True}, "public address", Effect.IN_PLACE, "over the internet"),
        ({"IAMDatabaseAuthenticationEnabled": False}, "login by IAM token", Effect.IN_PLACE, "the probes need it"),
        ({"DeletionProtection": True}, "deletion protection", Effect.IN_PLACE, ""),
        ({"EnabledCloudwatchLogsExports": []}, "exported logs", Effect.IN_PLACE, ""),
        ({"PerformanceInsightsEnabled": False}, "Performance Insights", Effect.IN_PLACE, ""),
        ({"StorageType": "io2", "Iops": 12000}, "storage type", Effect.IN_PLACE, "may not keep up"),
        ({"OptionGroupMemberships": [{"OptionGroupName": "own"}]}, "option group", Effect.STAYS, ""),
        ({"ReadReplicaDBInstanceIdentifiers": ["r"]}, "replicas", Effect.STAYS, "old writer"),
        (
            {"AssociatedRoles": [{"FeatureName": "s3Import"}]},
            "roles of its features",
            Effect.STAYS,
            "a replica has none",
        ),
        ({"NetworkType": "DUAL"}, "network", Effect.STAYS, ""),
        ({"DomainMemberships": [{"Domain": "d-1"}]}, "directory", Effect.STAYS, "Kerberos"),
        ({"DedicatedLogVolume": True}, "dedicated log volume", Effect.STAYS, ""),
        ({"AllocatedStorage": 20, "MaxAllocatedStorage": 21}, "storage that grows", Effect.IN_PLACE, ""),
        (
            {"DBParameterGroups": [{"DBParameterGroupName": "theirs", "ParameterApplyStatus": "pending-reboot"}]},
            "values of its parameter group",
            Effect.PARAMETER,
            "make no replica before",
        ),
    ],
)
def test_a_difference_and_what_it_means(changed: dict[str, Any], what: str, effect: Effect, note: str) -> None:
    (facet,) = of(**changed)
    assert (facet.what, facet.effect) == (what, effect)
    assert note in facet.note
    assert not facet.argument or facet.argument in KEPT


@pytest.mark.parametrize(
    ("changed", "setting"),
    [
        ({"DBInstanceClass": "db.r6g.large"}, {"instanceClass": "db.r6g.large"}),
        ({"MultiAZ": True}, {"multiAz": True}),
        ({"EngineVersion": "16.9"}, {"engineMajorVersion": 16}),
        ({"BackupRetentionPeriod": 14}, {"backupRetentionDays": 14}),
        ({"PreferredBackupWindow": "01:00-01:30"}, {"primaryBackupWindow": "01:00-01:30"}),
        ({"MaxAllocatedStorage": 900}, {"maximumStorageGib": 900}),
        ({"DBName": "orders"}, {"databaseName": "orders"}),
        ({"KmsKeyId": f"{KEY}2"}, {"primaryDatabaseKeyArn": f"{KEY}2"}),
        ({"log_groups": frozenset({"/aws/rds/instance/orders/upgrade"})}, {"primaryLogGroupsExist": True}),
    ],
)
def test_what_the_layers_can_follow_becomes_a_setting(changed: dict[str, Any], setting: dict[str, Any]) -> None:
    (facet,) = of(**changed)
    assert (facet.effect, facet.settings) == (Effect.SETTING, setting)
    settings_of("data", "lab", **setting)


def test_another_port_is_told_to_the_network_layer() -> None:
    (facet,) = of(Endpoint={"Port": 5433})
    assert facet.effect is Effect.SETTING
    assert "postgres-dr-network:databasePort" in facet.note


def test_of_a_key_that_aws_manages_it_says_who_can_never_read() -> None:
    (facet,) = of(KmsKeyId=f"{KEY}2", key_is_awss=True)
    assert "aws/rds" in facet.note


OURS = (Parameter("rds.force_ssl", "1"), Parameter("log_lock_waits", "1"))


def test_parameters_that_are_set_by_hand_are_for_the_replica_too() -> None:
    group = Group("theirs", {"max_connections": "500", "log_lock_waits": "1"}, frozenset({"max_connections"}))
    hand_made, missing = parameter_facets(group, OURS)
    assert hand_made.settings == {"furtherParameters": "max_connections=500"}
    assert "stops replaying" in hand_made.note
    assert (missing.what, missing.found, missing.effect) == ("rds.force_ssl", "RDS's default", Effect.PARAMETER)
    assert differing(group, OURS) == [OURS[0]]


def test_logical_replication_is_kept_and_its_subscribers_are_warned_of() -> None:
    group = Group("theirs", {"rds.logical_replication": "1"}, frozenset({"rds.logical_replication"}))
    (facet, *_) = parameter_facets(group, OURS)
    assert "begin again after a failover" in facet.note
