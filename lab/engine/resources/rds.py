"""RDS: subnet and parameter groups, instances (all but originals in the provider's two steps), replicated backups."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.engine.registration import Created, EngineError, UnfinishedError, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, renamed, required, wait_until
from lab.engine.tags import tag_list

INSTANCE_PATIENCE_SECONDS = 300.0
# ModifyDBParameterGroup takes no more at once.
PARAMETERS_PER_CALL = 20

_MISSING = "DBInstanceNotFound"
# What the APIs that make an instance and a replica share.
_ON_CREATION = {
    "identifier": "DBInstanceIdentifier",
    "instanceClass": "DBInstanceClass",
    "port": "Port",
    "dbSubnetGroupName": "DBSubnetGroupName",
    "vpcSecurityGroupIds": "VpcSecurityGroupIds",
    "publiclyAccessible": "PubliclyAccessible",
    "networkType": "NetworkType",
    "storageType": "StorageType",
    "allocatedStorage": "AllocatedStorage",
    "kmsKeyId": "KmsKeyId",
    "copyTagsToSnapshot": "CopyTagsToSnapshot",
    "autoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "databaseInsightsMode": "DatabaseInsightsMode",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
    "performanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "deletionProtection": "DeletionProtection",
    "monitoringInterval": "MonitoringInterval",
    "monitoringRoleArn": "MonitoringRoleArn",
    "multiAz": "MultiAZ",
    "maxAllocatedStorage": "MaxAllocatedStorage",
}
# A primary is born with these; a replica gets them by a ModifyDBInstance afterwards.
_LATER_ON_REPLICAS = {
    "backupRetentionPeriod": "BackupRetentionPeriod",
    "backupWindow": "PreferredBackupWindow",
    "maintenanceWindow": "PreferredMaintenanceWindow",
    "caCertIdentifier": "CACertificateIdentifier",
}
_ON_PRIMARIES = {
    **_ON_CREATION,
    **_LATER_ON_REPLICAS,
    "parameterGroupName": "DBParameterGroupName",
    "storageEncrypted": "StorageEncrypted",
    "engine": "Engine",
    "engineVersion": "EngineVersion",
    "engineLifecycleSupport": "EngineLifecycleSupport",
    "dbName": "DBName",
    "username": "MasterUsername",
    "password": "MasterUserPassword",
}
# The provider refuses a replica with most of these, or takes them from the source.
_PRIMARIES_ONLY = frozenset({"engine", "engineVersion", "engineLifecycleSupport", "dbName", "username", "password"})
# A restored instance has the rest of its snapshot, and gets what RestoreDBInstanceFromDBSnapshot does not take by a
# ModifyDBInstance afterwards.
_LATER_ON_RESTORED = {
    **_LATER_ON_REPLICAS,
    "maxAllocatedStorage": "MaxAllocatedStorage",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
    "performanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "monitoringInterval": "MonitoringInterval",
    "monitoringRoleArn": "MonitoringRoleArn",
    "password": "MasterUserPassword",
}
_ON_RESTORATION = {
    **{name: word for name, word in _ON_CREATION.items() if name not in _LATER_ON_RESTORED},
    "snapshotIdentifier": "DBSnapshotIdentifier",
    "parameterGroupName": "DBParameterGroupName",
    "engineLifecycleSupport": "EngineLifecycleSupport",
}
_NOT_RESTORED = frozenset({"databaseInsightsMode", "kmsKeyId"})
# Said by the program for later changes or for deletion; no API call of a creation has them.
_NOT_ON_CREATION = frozenset(
    {
        "allowMajorVersionUpgrade",
        "applyImmediately",
        "deleteAutomatedBackups",
        "skipFinalSnapshot",
        "finalSnapshotIdentifier",
        "replicateSourceDb",
        "snapshotIdentifier",
        "tags",
    }
)


def _create_subnet_group(ctx: Context, inputs: Values) -> Created:
    name = required(inputs, "name")
    group = ctx.client("rds").create_db_subnet_group(
        DBSubnetGroupName=name,
        DBSubnetGroupDescription=required(inputs, "description"),
        SubnetIds=list(required(inputs, "subnetIds")),
        Tags=tag_list(ctx.tags),
    )["DBSubnetGroup"]
    return Created(name, {"name": name, "arn": group["DBSubnetGroupArn"], "vpcId": group["VpcId"]})


def _delete_subnet_group(ctx: Context, made: Made) -> None:
    with absence_is_fine("DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound"):
        ctx.client("rds").delete_db_subnet_group(DBSubnetGroupName=made.id)


def _create_parameter_group(ctx: Context, inputs: Values) -> Created:
    name = required(inputs, "name")
    rds = ctx.client("rds")
    group = rds.create_db_parameter_group(
        DBParameterGroupName=name,
        DBParameterGroupFamily=required(inputs, "family"),
        Description=required(inputs, "description"),
        Tags=tag_list(ctx.tags),
    )["DBParameterGroup"]
    parameters = [
        renamed(parameter, {"name": "ParameterName", "value": "ParameterValue", "applyMethod": "ApplyMethod"})
        for parameter in inputs.get("parameters", [])
    ]
    for first in range(0, len(parameters), PARAMETERS_PER_CALL):
        rds.modify_db_parameter_group(
            DBParameterGroupName=name, Parameters=parameters[first : first + PARAMETERS_PER_CALL]
        )
    return Created(name, {"name": name, "arn": group["DBParameterGroupArn"]})


def _delete_parameter_group(ctx: Context, made: Made) -> None:
    with absence_is_fine("DBParameterGroupNotFound", "DBParameterGroupNotFoundFault"):
        ctx.client("rds").delete_db_parameter_group(DBParameterGroupName=made.id)


def _create_instance(ctx: Context, inputs: Values) -> Created:
    rds = ctx.client("rds")
    identifier = required(inputs, "identifier")
    later: dict[str, Any] = {}
    if "replicateSourceDb" in inputs:
        asked = _create_replica(ctx, rds, identifier, inputs)
        later = renamed(inputs, _LATER_ON_REPLICAS)
    elif "snapshotIdentifier" in inputs:
        restored = {name: value for name, value in inputs.items() if name not in _NOT_RESTORED}
        asked = rds.restore_db_instance_from_db_snapshot(**renamed(restored, _ON_RESTORATION), Tags=tag_list(ctx.tags))
        later = renamed(inputs, _LATER_ON_RESTORED)
    else:
        asked = rds.create_db_instance(**renamed(inputs, _ON_PRIMARIES), Tags=tag_list(ctx.tags))
    try:
        _wait_until_available(rds, identifier)
        if later:
            rds.modify_db_instance(DBInstanceIdentifier=identifier, ApplyImmediately=True, **later)
            _wait_until_available(rds, identifier)
        return _described(rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0])
    except (BotoCoreError, ClientError, EngineError) as error:
        # It is there: another attempt to make it would find its name taken.
        raise UnfinishedError(asked["DBInstance"]["DbiResourceId"], error) from error


def _create_replica(ctx: Context, rds: Any, identifier: str, inputs: Values) -> Values:
    refused = sorted(_PRIMARIES_ONLY & inputs.keys())
    if refused:
        raise EngineError(f"{', '.join(refused)} of the replica {identifier}: it has its source's, leave it out")
    source = str(inputs["replicateSourceDb"])
    arguments = renamed(inputs, _ON_CREATION)
    source_region = source.split(":")[3] if source.startswith("arn:") else ctx.region
    if source_region != ctx.region:
        # The provider names the source's region (for the presigned URL that AWS wants with a key) and the parameter
        # group only across regions; within one, the replica shares its source's group.
        arguments["SourceRegion"] = source_region
        arguments.update(renamed(inputs, {"parameterGroupName": "DBParameterGroupName"}))
    asked: Values = rds.create_db_instance_read_replica(
        SourceDBInstanceIdentifier=source, **arguments, Tags=tag_list(ctx.tags)
    )
    return asked


def _wait_until_available(rds: Any, identifier: str) -> None:
    def is_available() -> bool:
        status = str(rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]["DBInstanceStatus"])
        if status == "failed" or status.startswith("incompatible-"):
            raise EngineError(f"the instance {identifier} is {status}: its log in the lab's home says why")
        return status in ("available", "storage-optimization")

    wait_until(f"{identifier} available", is_available, timeout_seconds=INSTANCE_PATIENCE_SECONDS)


def _described(instance: dict[str, Any]) -> Created:
    endpoint = instance["Endpoint"]
    # Since version 6 of the provider the id of an instance is its resource id, not its identifier.
    outputs = {
        "identifier": instance["DBInstanceIdentifier"],
        "address": endpoint["Address"],
        "port": endpoint["Port"],
        "endpoint": f"{endpoint['Address']}:{endpoint['Port']}",
        "hostedZoneId": endpoint["HostedZoneId"],
        "arn": instance["DBInstanceArn"],
        "resourceId": instance["DbiResourceId"],
        "status": instance["DBInstanceStatus"],
        "engine": instance["Engine"],
        "engineVersionActual": instance["EngineVersion"],
        "username": instance["MasterUsername"],
        "allocatedStorage": instance["AllocatedStorage"],
        "availabilityZone": instance["AvailabilityZone"],
        "multiAz": instance["MultiAZ"],
        "replicas": list(instance["ReadReplicaDBInstanceIdentifiers"]),
        **renamed(instance, {"DBName": "dbName"}),
    }
    return Created(str(instance["DbiResourceId"]), outputs)


def _delete_instance(ctx: Context, made: Made) -> None:
    rds = ctx.client("rds")
    identifier = required(made.inputs, "identifier")
    skip = made.inputs.get("skipFinalSnapshot") is True
    arguments: dict[str, Any] = {
        "DBInstanceIdentifier": identifier,
        "SkipFinalSnapshot": skip,
        # The provider's default.
        "DeleteAutomatedBackups": made.inputs.get("deleteAutomatedBackups", True),
    }
    if not skip:
        arguments["FinalDBSnapshotIdentifier"] = required(made.inputs, "finalSnapshotIdentifier")
    with absence_is_fine(_MISSING):
        _ask_to_delete(rds, arguments)
    wait_until(f"{identifier} gone", lambda: not _exists(rds, identifier), timeout_seconds=INSTANCE_PATIENCE_SECONDS)


def _ask_to_delete(rds: Any, arguments: dict[str, Any]) -> None:
    try:
        rds.delete_db_instance(**arguments)
    except ClientError as error:
        # Somebody else asked before; the provider waits for that as well.
        if "already being deleted" not in error.response["Error"]["Message"]:
            raise


def _exists(rds: Any, identifier: str) -> bool:
    try:
        rds.describe_db_instances(DBInstanceIdentifier=identifier)
    except ClientError as error:
        if error.response["Error"]["Code"] != _MISSING:
            raise
        return False
    return True


def _create_backup_replication(ctx: Context, inputs: Values) -> Created:
    source = str(required(inputs, "sourceDbInstanceArn"))
    rds = ctx.client("rds")
    arn = rds.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=source,
        # The presigned URL that AWS wants with a key is made from it.
        SourceRegion=source.split(":")[3],
        **renamed(inputs, {"kmsKeyId": "KmsKeyId", "retentionPeriod": "BackupRetentionPeriod"}),
    )["DBInstanceAutomatedBackup"]["DBInstanceAutomatedBackupsArn"]
    wait_until(f"{arn} replicating", lambda: _replicates(rds, arn), timeout_seconds=INSTANCE_PATIENCE_SECONDS)
    return Created(arn)


def _replicates(rds: Any, arn: str) -> bool:
    (backup,) = rds.describe_db_instance_automated_backups(DBInstanceAutomatedBackupsArn=arn)[
        "DBInstanceAutomatedBackups"
    ]
    return bool(backup["Status"] == "replicating")


def _delete_backup_replication(ctx: Context, made: Made) -> None:
    rds = ctx.client("rds")
    with absence_is_fine("DBInstanceAutomatedBackupNotFound"):
        # As the provider: what is retained is not replicated any more.
        if _replicates(rds, made.id):
            rds.stop_db_instance_automated_backups_replication(
                SourceDBInstanceArn=required(made.inputs, "sourceDbInstanceArn")
            )


TYPES: Types = {
    "aws:rds/subnetGroup:SubnetGroup": ResourceType(
        _create_subnet_group, _delete_subnet_group, frozenset({"name", "description", "subnetIds", "tags"})
    ),
    "aws:rds/parameterGroup:ParameterGroup": ResourceType(
        _create_parameter_group,
        _delete_parameter_group,
        frozenset({"name", "family", "description", "parameters", "tags"}),
    ),
    "aws:rds/instance:Instance": ResourceType(
        _create_instance, _delete_instance, frozenset(_ON_PRIMARIES) | _NOT_ON_CREATION
    ),
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": ResourceType(
        _create_backup_replication,
        _delete_backup_replication,
        frozenset({"sourceDbInstanceArn", "kmsKeyId", "retentionPeriod"}),
    ),
}
