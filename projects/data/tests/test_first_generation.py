"""An environment of before there were generations is taken over as it is: nothing of it is replaced or renamed.

A resource is known by its URN: its parents' types, its own type and its logical name. Another URN is another database.
"""

from __future__ import annotations

import pytest

from lab.engine.recording import RecordedProgram, run_recorded
from shared.sites import Site
from tests.contracts.settings_of import PRODUCTION

PROJECT = "urn:pulumi:dev::postgres-dr-data::"
REPLICATION = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
RDS = {
    "postgres-dr:data:PrimaryDatabase$aws:rds/instance:Instance::database-primary-dev",
    "postgres-dr:data:ReplicaDatabase$aws:rds/instance:Instance::database-recovery-dev",
    f"postgres-dr:data:BackupReplication${REPLICATION}::database-backups-recovery-dev",
    "postgres-dr:data:DatabaseFoundation$aws:rds/subnetGroup:SubnetGroup::database-primary-dev",
    "postgres-dr:data:DatabaseFoundation$aws:rds/subnetGroup:SubnetGroup::database-recovery-dev",
    "postgres-dr:data:DatabaseFoundation$aws:rds/parameterGroup:ParameterGroup::postgres14-primary-dev",
    "postgres-dr:data:DatabaseFoundation$aws:rds/parameterGroup:ParameterGroup::postgres14-recovery-dev",
}
FINAL_SNAPSHOT = "postgres-dr:data:PrimaryDatabase$random:index/randomId:RandomId::final-snapshot-primary-dev"
# What the provider would replace an instance for, and what the writer of such an environment was made with.
ORIGINAL = {
    "identifier": "database-primary-dev",
    "engine": "postgres",
    "engineVersion": "14",
    "engineLifecycleSupport": "open-source-rds-extended-support-disabled",
    "dbName": "app",
    "username": "postgres",
    "password": "recorded-secret",
    "allocatedStorage": 20,
    "multiAz": False,
    "storageEncrypted": True,
}
REPLICA = {
    "identifier": "database-recovery-dev",
    "replicateSourceDb": "arn:aws:rds:ap-southeast-2:111122223333:db:database-primary-dev",
    "skipFinalSnapshot": True,
    "storageEncrypted": True,
}
COMMON = {
    "allowMajorVersionUpgrade",
    "applyImmediately",
    "autoMinorVersionUpgrade",
    "backupRetentionPeriod",
    "backupWindow",
    "caCertIdentifier",
    "copyTagsToSnapshot",
    "databaseInsightsMode",
    "dbSubnetGroupName",
    "deleteAutomatedBackups",
    "deletionProtection",
    "enabledCloudwatchLogsExports",
    "iamDatabaseAuthenticationEnabled",
    "instanceClass",
    "kmsKeyId",
    "maintenanceWindow",
    "maxAllocatedStorage",
    "monitoringInterval",
    "monitoringRoleArn",
    "networkType",
    "parameterGroupName",
    "performanceInsightsEnabled",
    "performanceInsightsKmsKeyId",
    "performanceInsightsRetentionPeriod",
    "port",
    "publiclyAccessible",
    "storageType",
    "tags",
    "vpcSecurityGroupIds",
}


@pytest.fixture(scope="module", params=["default", "production"])
def program(request: pytest.FixtureRequest) -> RecordedProgram:
    overrides = PRODUCTION if request.param == "production" else {}
    below = {"network": run_recorded("network", stack="dev").outputs}
    return run_recorded("data", overrides, below=below, stack="dev")


def is_production(program: RecordedProgram) -> bool:
    return any(one.registration.protect for one in program.resources)


def test_each_resource_of_rds_has_its_old_name_type_and_parent(program: RecordedProgram) -> None:
    urns = {
        one.urn.removeprefix(PROJECT)
        for one in program.resources
        if one.type.startswith("aws:rds/") or one.name.startswith("final-snapshot")
    }
    assert urns == RDS | ({FINAL_SNAPSHOT} if is_production(program) else set())


def test_the_writer_has_its_old_arguments(program: RecordedProgram) -> None:
    inputs = program.resource("database-primary-dev", "Instance").inputs
    production = is_production(program)
    assert {key: inputs[key] for key in ORIGINAL} == ORIGINAL
    assert set(inputs) == ORIGINAL.keys() | COMMON | {"skipFinalSnapshot"} | (
        {"finalSnapshotIdentifier"} if production else set()
    )
    assert inputs["skipFinalSnapshot"] is not production


def test_the_replica_has_its_old_arguments(program: RecordedProgram) -> None:
    inputs = program.resource("database-recovery-dev", "Instance").inputs
    assert {key: inputs[key] for key in REPLICA} == REPLICA
    assert set(inputs) == REPLICA.keys() | COMMON


def test_protection_is_what_it_was(program: RecordedProgram) -> None:
    production = is_production(program)
    for site in Site:
        one = program.resource(f"database-{site}-dev", "Instance")
        assert (one.registration.protect, one.inputs["deletionProtection"]) == (production, production)
        assert one.inputs["deleteAutomatedBackups"] is not production


def test_the_replica_is_still_made_after_its_source(program: RecordedProgram) -> None:
    source, replica = (program.resource(f"database-{site}-dev", "Instance") for site in Site)
    assert source.urn in replica.dependencies
    (replication,) = program.of_type("InstanceAutomatedBackupsReplication")
    assert replication.dependencies == {source.urn}
    assert replication.inputs["sourceDbInstanceArn"] == REPLICA["replicateSourceDb"]
