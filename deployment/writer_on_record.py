"""Whether the primary site's database is still the writer. The data layer's program assumes that it is.

Both the controller's state table and RDS (about the recovery site's database) are asked, since either can be lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from function_runtime.state import Controller, State
from shared.environment import Environment
from shared.errors import SettingsError
from shared.naming import DATABASE, STATE_TABLE
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import DBInstanceTypeDef

CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})


def why_not_primary(environment: Environment) -> str | None:
    """Why the primary is not, or may soon not be, the writer; None where it is, or nothing is deployed.

    Raises:
        SettingsError: it is unknown.
    """
    region, names = environment.regions[Site.RECOVERY], environment.names
    try:
        return recorded(
            boto3.client("dynamodb", region_name=region, config=CONFIG), names.of(STATE_TABLE, Site.RECOVERY)
        ) or promoted(boto3.client("rds", region_name=region, config=CONFIG), names.of(DATABASE, Site.RECOVERY))
    except BotoCoreError as error:
        raise SettingsError(
            "AWS", f"({type(error).__name__})", f"give credentials and a network that reach {region}: {error}"
        ) from error


def recorded_writer(environment: Environment) -> str:
    """The site whose database is the writer, by the controller's record; the primary site if there is no record yet.

    Raises:
        ClientError: the table may not be read.
        BotoCoreError: it does not answer.
        SettingsError: what it holds is damaged.
    """
    client = boto3.client("dynamodb", region_name=environment.regions[Site.RECOVERY], config=CONFIG)
    controller = _controller(client, environment.names.of(STATE_TABLE, Site.RECOVERY))
    return Site.PRIMARY.value if controller is None else controller.writer_site.value


def recorded(client: DynamoDBClient, table: str) -> str | None:
    """What the controller has on record.

    Args:
        client: DynamoDB in the recovery region.
        table: the state table's name.

    Raises:
        SettingsError: the table may not be read, or what it holds is damaged.
    """
    try:
        controller = _controller(client, table)
    except ClientError as error:
        raise SettingsError(table, "(unknown writer)", f"allow these credentials to read it: {error}") from error
    if controller is None:
        return None
    if controller.incident_id is not None:
        return f"incident {controller.incident_id}, a failover, is under way"
    # The functions have their own Site enumeration, with the same values.
    if controller.writer_site.value != Site.PRIMARY.value:
        return f"the {controller.writer_site} site is the writer since a failover (epoch {controller.epoch})"
    return None


def promoted(client: RDSClient, instance_id: str) -> str | None:
    """What RDS says of the recovery site's database.

    Args:
        client: RDS in the recovery region.
        instance_id: identifier of the recovery site's database.

    Raises:
        SettingsError: it may not be looked at.
    """
    try:
        instance = described(client, instance_id)
    except ClientError as error:
        raise SettingsError(instance_id, "(unknown state)", f"allow these credentials to see it: {error}") from error
    if instance is None or instance.get("ReadReplicaSourceDBInstanceIdentifier"):
        return None
    return f"{instance_id} takes writes: it was promoted"


def described(client: RDSClient, instance_id: str) -> DBInstanceTypeDef | None:
    """The instance as RDS describes it; None where there is none.

    Raises:
        ClientError: it may not be looked at.
    """
    try:
        (instance,) = client.describe_db_instances(DBInstanceIdentifier=instance_id)["DBInstances"]
    except client.exceptions.DBInstanceNotFoundFault:
        return None
    return instance


def _controller(client: DynamoDBClient, table: str) -> Controller | None:
    """What is on record; None where there is no table.

    Raises:
        ClientError: the table may not be read.
        SettingsError: what it holds is damaged.
    """
    try:
        return State(client, table).controller()
    except client.exceptions.ResourceNotFoundException:
        return None
    except (LookupError, ValueError, TypeError) as error:
        raise SettingsError(table, f"(damaged: {error!r})", "see the runbook, state lost") from error
