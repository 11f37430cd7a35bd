"""What AWS itself says about the databases and the state tables: a stack's state can be out of date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deployment.final_snapshots import final_snapshot_name
from deployment.situation_in_aws import CONFIG, described
from function_runtime import rds_status
from shared.environment import Environment
from shared.errors import SettingsError
from shared.naming import STATE_TABLE
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def protected_in_aws(environment: Environment, *, databases: bool, table: bool) -> list[str]:
    """What AWS refuses to delete.

    Args:
        environment: whose.
        databases: look at the databases.
        table: look at the state tables.

    Raises:
        SettingsError: AWS cannot be asked.
    """
    found = []
    with _looking():
        for site in Site if databases else ():
            instance = described(_client("rds", environment.regions[site]), environment.database_id(site))
            if instance is not None and instance.get("DeletionProtection"):
                found.append(environment.database_id(site))
        for site in Site if table else ():
            name = environment.names.of(STATE_TABLE, site)
            dynamodb: DynamoDBClient = _client("dynamodb", environment.regions[site])
            try:
                if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
                    found.append(name)
            except dynamodb.exceptions.ResourceNotFoundException:
                pass
    return found


def opened_or_shut(environment: Environment, network: Mapping[str, object], writer: Site | None) -> list[str]:
    """Databases that have other security groups than they should.

    Pulumi ignores changes of these groups, because the controller makes them: the writer has the database group, a
    database that is no longer the writer may have the quarantine group instead, or while people look at it the
    inspection group.

    Args:
        environment: whose.
        network: the outputs of the network layer.
        writer: whose database takes writes; None where nobody can say.

    Raises:
        SettingsError: AWS cannot be asked.
    """
    differences = []
    with _looking():
        for site in Site:
            name = environment.database_id(site)
            instance = described(_client("rds", environment.regions[site]), name)
            if instance is None:
                continue
            groups = {each.get("VpcSecurityGroupId", "") for each in instance.get("VpcSecurityGroups", [])}
            right = [{network.get(f"{site}DatabaseSecurityGroupId")}]
            if site is not writer:
                right += [{network.get(f"{site}{kind}SecurityGroupId")} for kind in ("Quarantine", "Inspection")]
            if groups not in right:
                found = ", ".join(sorted(groups)) or "no group"
                differences.append(f"{name} stands in {found}, not in {_either(right)}")
    return differences


def refuse_without_snapshot(environment: Environment, site: Site) -> None:
    """Refuse to delete a site's database that has data of its own, before its final snapshot is available.

    A replica has none of its own, and of an instance that does not work RDS makes no snapshot.

    Args:
        environment: whose.
        site: whose database is to go.

    Raises:
        SettingsError: there is no such snapshot, or AWS cannot be asked.
    """
    region, name = environment.regions[site], environment.database_id(site)
    rds = _client("rds", region)
    with _looking():
        instance = described(rds, name)
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
    if "available" not in statuses:
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


def _client(service: Any, region: str) -> Any:
    return boto3.client(service, region_name=region, config=CONFIG)


@contextmanager
def _looking() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise SettingsError("AWS", f"({type(error).__name__})", f"let these credentials look: {error}") from error


def _either(groups: list[set[Any]]) -> str:
    return " or ".join(str(group) for each in groups for group in each)
