"""The last snapshot of a database that is to go: RDS takes none by itself where Pulumi deletes one that is retired."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deployment.situation_in_aws import CONFIG, described
from function_runtime import rds_status
from shared.environment import Environment
from shared.errors import SettingsError
from shared.naming import DATABASE
from shared.sites import Site

AVAILABLE = "available"
ID_LENGTH = 8


def final_snapshot_name(instance_id: str, resource_id: str) -> str:
    """What the name begins with. With a part of the resource id: another life of the same identifier has another one.

    The epoch follows: one that was a writer, and shut, and a writer again has had one before.
    """
    return f"final-{instance_id}-{re.sub('[^a-z0-9]', '', resource_id.lower())[-ID_LENGTH:]}"


def refuse_without_snapshot(environment: Environment, site: Site) -> None:
    """Refuse to delete a site's database that has data of its own, before its final snapshot is available.

    A replica has none of its own, and of an instance that does not work RDS makes no snapshot.

    Args:
        environment: whose.
        site: whose database is to go.

    Raises:
        SettingsError: there is no such snapshot, or AWS cannot be asked.
    """
    region, name = environment.regions[site], environment.names.of(DATABASE, site)
    rds: Any = boto3.client("rds", region_name=region, config=CONFIG)
    try:
        instance: Mapping[str, Any] | None = described(rds, name)
        if instance is None or instance.get("ReadReplicaSourceDBInstanceIdentifier") or _is_dead(instance):
            return
        wanted = final_snapshot_name(name, instance["DbiResourceId"])
        listed = rds.get_paginator("describe_db_snapshots").paginate(DBInstanceIdentifier=name, SnapshotType="manual")
        statuses = [
            each["Status"]
            for page in listed
            for each in page["DBSnapshots"]
            if each["DbiResourceId"] == instance["DbiResourceId"] and each["DBSnapshotIdentifier"].startswith(wanted)
        ]
    except (BotoCoreError, ClientError) as error:
        raise SettingsError("AWS", f"({type(error).__name__})", f"let these credentials look: {error}") from error
    if AVAILABLE not in statuses:
        raise SettingsError(
            f"instance of {site}",
            f"(to be deleted, and its final snapshot {wanted} is {', '.join(statuses) or 'not there'})",
            "what it has and the writer has not would be lost, and nothing was changed: ./dr reprotect takes it and "
            f"makes the successor; by hand, first aws rds create-db-snapshot --region {region} "
            f"--db-instance-identifier {name} --db-snapshot-identifier {wanted}",
        )


def _is_dead(instance: Mapping[str, Any]) -> bool:
    status = instance["DBInstanceStatus"]
    return status not in rds_status.WORKING and not rds_status.is_maintenance(status)
