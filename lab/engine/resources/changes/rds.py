"""RDS: instances are modified in place, and the few things that RDS cannot change replace them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.engine.registration import EngineError, Values
from lab.engine.resource_table import EVERY_INPUT, Changes, Context, Made
from lab.engine.resources import rds as made
from lab.engine.resources.api_arguments import renamed, required
from lab.engine.resources.changes.parts import described, differing, of_those_given, there
from lab.engine.tags import tag_list

SOURCE = "replicateSourceDb"
_LOGS = "enabledCloudwatchLogsExports"
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
_MODIFIABLE = {
    ours: theirs
    for ours, theirs in made._ON_PRIMARIES.items()
    if ours
    in {
        "allocatedStorage",
        "autoMinorVersionUpgrade",
        "backupRetentionPeriod",
        "backupWindow",
        "caCertIdentifier",
        "copyTagsToSnapshot",
        "databaseInsightsMode",
        "deletionProtection",
        "engineVersion",
        "iamDatabaseAuthenticationEnabled",
        "instanceClass",
        "maintenanceWindow",
        "maxAllocatedStorage",
        "monitoringInterval",
        "monitoringRoleArn",
        "multiAz",
        "networkType",
        "parameterGroupName",
        "password",
        "performanceInsightsEnabled",
        "performanceInsightsKmsKeyId",
        "performanceInsightsRetentionPeriod",
        "publiclyAccessible",
        "storageType",
        "vpcSecurityGroupIds",
    }
} | {"port": "DBPortNumber"}


def _update_instance(ctx: Context, _: str, old: Values, new: Values) -> Values:
    rds, name = ctx.client("rds"), required(new, "identifier")
    made._wait_until_available(rds, name)
    if old.get(SOURCE, "") != new.get(SOURCE, ""):
        _follow(rds, name, new)
    changes = renamed({key: new[key] for key in _MODIFIABLE if differing(old, new, key)}, _MODIFIABLE)
    if differing(old, new, _LOGS):
        changes["CloudwatchLogsExportConfiguration"] = {
            "EnableLogTypes": sorted(set(new[_LOGS]) - set(old.get(_LOGS, []))),
            "DisableLogTypes": sorted(set(old.get(_LOGS, [])) - set(new[_LOGS])),
        }
    if changes:
        rds.modify_db_instance(
            DBInstanceIdentifier=name,
            ApplyImmediately=new.get("applyImmediately", False),
            AllowMajorVersionUpgrade=new.get("allowMajorVersionUpgrade", False),
            **changes,
        )
        made._wait_until_available(rds, name)
    return made._described(_instance(rds, name)).outputs


def _follow(rds: Any, name: str, new: Values) -> None:
    """The one change of a source that the provider makes is to none, which promotes.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/rds/instance.go
    """
    is_source = _instance(rds, name).get("ReadReplicaSourceDBInstanceIdentifier", "")
    wanted = new.get(SOURCE, "")
    if wanted == is_source:
        return
    if wanted:
        raise EngineError("cannot elect new source database for replication")
    rds.promote_read_replica(
        DBInstanceIdentifier=name, **renamed(new, {"backupRetentionPeriod": "BackupRetentionPeriod"})
    )
    made._wait_until_available(rds, name)


def _read_instance(ctx: Context, identifier: str, inputs: Values) -> Values | None:
    instance = _instance(ctx.client("rds"), inputs["identifier"])
    if instance["DbiResourceId"] != identifier:
        # Somebody made another one under the same name.
        return None
    groups = [group["VpcSecurityGroupId"] for group in instance["VpcSecurityGroups"]]
    given = inputs.get("vpcSecurityGroupIds", [])
    now = {
        "backupRetentionPeriod": instance["BackupRetentionPeriod"],
        # A set: another order is no difference.
        "vpcSecurityGroupIds": given if sorted(given) == sorted(groups) else sorted(groups),
        SOURCE: instance.get("ReadReplicaSourceDBInstanceIdentifier", ""),
        "deletionProtection": instance["DeletionProtection"],
        "instanceClass": instance["DBInstanceClass"],
        "multiAz": instance["MultiAZ"],
        "backupWindow": instance["PreferredBackupWindow"],
    }
    return of_those_given(now, inputs)


# What the provider makes up of an imported instance: nothing in RDS says it.
_NOWHERE_TO_READ = {"skipFinalSnapshot": True, "deleteAutomatedBackups": True}


def _shown(found: dict[str, Any], name: str) -> Any:
    """What a description says of an argument of a creation; None where it says nothing."""
    match name:
        case "DBSubnetGroupName":
            return found["DBSubnetGroup"][name]
        case "DBParameterGroupName":
            return found["DBParameterGroups"][0][name]
        case "VpcSecurityGroupIds":
            return [group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]]
        case "EnableCloudwatchLogsExports":
            return found.get("EnabledCloudwatchLogsExports", [])
        case "Port":
            return found["Endpoint"][name]
        case "EnableIAMDatabaseAuthentication" | "EnablePerformanceInsights":
            return found[f"{name.removeprefix('Enable')}Enabled"]
    return found.get(name)


def _find_instance(ctx: Context, identifier: str, inputs: Values) -> Made | None:
    rds = ctx.client("rds")
    try:
        found = _instance(rds, identifier)
    except rds.exceptions.DBInstanceNotFoundFault:
        return None
    now: dict[str, Any] = dict(_NOWHERE_TO_READ)
    for ours, theirs in made._ON_PRIMARIES.items():
        shown = _shown(found, theirs)
        if shown is not None:
            now[ours] = shown
    described_as = made._described(found)
    return Made(described_as.id, of_those_given(now, inputs), described_as.outputs)


def _instance(rds: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    return found


def _update_parameters(ctx: Context, name: str, old: Values, new: Values) -> Values:
    rds = ctx.client("rds")
    names = {"name": "ParameterName", "value": "ParameterValue", "applyMethod": "ApplyMethod"}
    before = {parameter["name"]: parameter for parameter in old.get("parameters", [])}
    now = {parameter["name"]: parameter for parameter in new.get("parameters", [])}
    written = [renamed(one, names) for key, one in now.items() if before.get(key) != one]
    for first in range(0, len(written), made.PARAMETERS_PER_CALL):
        rds.modify_db_parameter_group(
            DBParameterGroupName=name, Parameters=written[first : first + made.PARAMETERS_PER_CALL]
        )
    taken_away = [
        {"ParameterName": key, "ApplyMethod": one.get("applyMethod", "immediate")}
        for key, one in before.items()
        if key not in now
    ]
    if taken_away:
        rds.reset_db_parameter_group(DBParameterGroupName=name, Parameters=taken_away)
    return {}


def _update_subnets(ctx: Context, name: str, _: Values, new: Values) -> Values:
    ctx.client("rds").modify_db_subnet_group(
        DBSubnetGroupName=name,
        DBSubnetGroupDescription=new["description"],
        SubnetIds=list(new["subnetIds"]),
    )
    return {}


def _read_backups(ctx: Context, identifier: str, _: Values) -> Values | None:
    return {} if made._replicates(ctx.client("rds"), identifier) else None


def _tag(kind: str) -> Any:
    def tag(ctx: Context, _: str, inputs: Values) -> None:
        name = inputs.get("identifier", inputs.get("name"))
        ctx.client("rds").add_tags_to_resource(
            ResourceName=f"arn:aws:rds:{ctx.region}:{ctx.account_id}:{kind}:{name}", Tags=tag_list(ctx.tags)
        )

    return tag


CHANGES: Mapping[str, Changes] = {
    "aws:rds/instance:Instance": Changes(
        update=_update_instance,
        updates=frozenset({*_MODIFIABLE, _LOGS, SOURCE}),
        state_only=frozenset(
            {
                "allowMajorVersionUpgrade",
                "applyImmediately",
                "deleteAutomatedBackups",
                "finalSnapshotIdentifier",
                "skipFinalSnapshot",
            }
        ),
        replaces=frozenset({"dbName", "engine", "kmsKeyId", "snapshotIdentifier", "storageEncrypted", "username"}),
        name="identifier",
        tag=_tag("db"),
        find=_find_instance,
        read=there(_read_instance),
    ),
    "aws:rds/parameterGroup:ParameterGroup": Changes(
        update=_update_parameters,
        updates=frozenset({"parameters"}),
        replaces=frozenset({"description", "family", "name"}),
        tag=_tag("pg"),
        read=described("rds", "describe_db_parameter_groups", "DBParameterGroupName"),
    ),
    "aws:rds/subnetGroup:SubnetGroup": Changes(
        update=_update_subnets,
        updates=frozenset({"description", "subnetIds"}),
        replaces=frozenset({"name"}),
        tag=_tag("subgrp"),
        read=described("rds", "describe_db_subnet_groups", "DBSubnetGroupName"),
    ),
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": Changes(
        replaces=EVERY_INPUT, read=there(_read_backups)
    ),
}
