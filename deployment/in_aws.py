"""What AWS itself says about the databases and the state table: a stack's state can be out of date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deployment.writer_on_record import CONFIG, described, recorded_writer
from shared.environment import Environment
from shared.errors import SettingsError
from shared.naming import DATABASE, STATE_TABLE
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def protected_in_aws(environment: Environment, *, databases: bool, table: bool) -> list[str]:
    """What AWS refuses to delete.

    Args:
        environment: whose.
        databases: look at the databases.
        table: look at the state table.

    Raises:
        SettingsError: AWS cannot be asked.
    """
    found = []
    with _looking():
        for site in Site if databases else ():
            instance = described(_client("rds", environment.regions[site]), environment.names.of(DATABASE, site))
            if instance is not None and instance.get("DeletionProtection"):
                found.append(environment.names.of(DATABASE, site))
        if table:
            name = environment.names.of(STATE_TABLE, Site.RECOVERY)
            dynamodb: DynamoDBClient = _client("dynamodb", environment.regions[Site.RECOVERY])
            try:
                if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
                    found.append(name)
            except dynamodb.exceptions.ResourceNotFoundException:
                pass
    return found


def opened_or_shut(environment: Environment, network: Mapping[str, object]) -> list[str]:
    """Databases that have other security groups than they should.

    Pulumi ignores changes of these groups, because the controller makes them: the writer has the database group, a
    database that is no longer the writer may have the quarantine group instead, or while people look at it the
    inspection group.

    Args:
        environment: whose.
        network: the outputs of the network layer.

    Raises:
        SettingsError: AWS cannot be asked.
    """
    differences = []
    with _looking():
        writer = recorded_writer(environment)
        for site in Site:
            name = environment.names.of(DATABASE, site)
            instance = described(_client("rds", environment.regions[site]), name)
            if instance is None:
                continue
            groups = {each.get("VpcSecurityGroupId", "") for each in instance.get("VpcSecurityGroups", [])}
            right = [{network.get(f"{site}DatabaseSecurityGroupId")}]
            if site.value != writer:
                right += [{network.get(f"{site}{kind}SecurityGroupId")} for kind in ("Quarantine", "Inspection")]
            if groups not in right:
                found = ", ".join(sorted(groups)) or "no group"
                differences.append(f"{name} stands in {found}, not in {_either(right)}")
    return differences


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
