"""The situation as AWS has it now: both state tables, and RDS in both regions, with the person's own credentials."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from deployment.situation import Holds, Situation, assess
from deployment.state_tables import NOT_ASKED, Tables, read_tables
from function_runtime.sites import Site as FunctionSite
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import layer
from shared.naming import STATE_TABLE
from shared.sites import Site
from shared.stack_files import written_value

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import DBInstanceTypeDef

# A dark region costs each look all of this, about ten seconds, and a command looks again before each layer. One that is
# slower is taken for dark: then nothing is destroyed or refreshed, and without the table that has authority no database
# is deployed.
CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
ACTIVE_SITE = "activeSite"
RETIRING = "retiring"
NONE = "none"
SHUT_IN = ("QuarantineSecurityGroupId", "InspectionSecurityGroupId")
"""The groups that keep clients out, by the end of their outputs' keys."""


def situation_of(environment: Environment, network: Mapping[str, object], said: Site | None = None) -> Situation:
    """The situation.

    Args:
        environment: whose.
        network: the outputs of the network layer, which name the databases' groups.
        said: the writer by a person's word.

    Raises:
        SettingsError: there are no credentials to look with, or the configured `activeSite` is no site.
    """
    try:
        with ThreadPoolExecutor() as pool:
            tables, databases = pool.submit(_tables, environment), pool.submit(_databases, environment, network)
            return assess(tables.result(), databases.result(), active_site(environment.stack), said)
    except NOT_ASKED as error:
        regions = " and ".join(environment.regions.values())
        raise SettingsError(
            "AWS", f"({type(error).__name__})", f"give credentials and a network that reach {regions}: {error}"
        ) from error


def active_site(stack: str) -> Site:
    """The site that the data layer's configuration calls active.

    Raises:
        SettingsError: it is no site, or the file cannot be read.
    """
    return _configured(ACTIVE_SITE, stack) or Site.PRIMARY


def retiring_site(stack: str) -> Site | None:
    """The site whose database is to go, by the data layer's configuration; None for none.

    Raises:
        SettingsError: it is no site, or the file cannot be read.
    """
    return _configured(RETIRING, stack)


def _configured(key: str, stack: str) -> Site | None:
    value = written_value(layer("data").folder, stack, key)
    if not value or value == NONE:
        return None
    if value not in tuple(Site):
        raise SettingsError(key, value, f"give one of {', '.join(Site)} in projects/data/Pulumi.{stack}.yaml")
    return Site(value)


def described(client: RDSClient, instance_id: str) -> DBInstanceTypeDef | None:
    """The instance as RDS describes it; None where there is none.

    Raises:
        ClientError: it may not be looked at.
        BotoCoreError: RDS does not answer.
    """
    try:
        (instance,) = client.describe_db_instances(DBInstanceIdentifier=instance_id)["DBInstances"]
    except client.exceptions.DBInstanceNotFoundFault:
        return None
    return instance


def recorded_writer(environment: Environment, network: Mapping[str, object]) -> Site:
    """The site whose database takes writes, by both tables and RDS.

    Args:
        environment: whose.
        network: the outputs of the network layer.

    Raises:
        SettingsError: nobody can say, or it is moving just now.
    """
    situation = situation_of(environment, network)
    if situation.writer is None:
        raise SettingsError("writer", "(unknown)", f"{situation.why}; {situation.remedy or 'see ./dr status'}")
    return situation.writer


def holds(instance: Mapping[str, Any] | None, shut_in: frozenset[object]) -> Holds:
    """What an instance is, as RDS describes it.

    Args:
        instance: the description; None where there is none.
        shut_in: the security groups that keep clients out.
    """
    if instance is None:
        return Holds.NOTHING
    if instance.get("ReadReplicaSourceDBInstanceIdentifier"):
        return Holds.REPLICA
    groups: set[object] = {each.get("VpcSecurityGroupId") for each in instance.get("VpcSecurityGroups", [])}
    return Holds.SHUT if groups and groups <= shut_in else Holds.STANDALONE


def _tables(environment: Environment) -> Tables:
    clients = {
        FunctionSite(site.value): boto3.client("dynamodb", region_name=environment.regions[site], config=CONFIG)
        for site in Site
    }
    names = {site: environment.names.of(STATE_TABLE, site) for site in clients}
    return read_tables(clients, names)


def _databases(environment: Environment, network: Mapping[str, object]) -> Mapping[Site, Holds]:
    def look(site: Site) -> Holds:
        client: RDSClient = boto3.client("rds", region_name=environment.regions[site], config=CONFIG)
        try:
            instance = described(client, environment.database_id(site))
        except NOT_ASKED:
            raise
        except (BotoCoreError, ClientError):
            # A dark region, or one that does not let these credentials look: the record decides then.
            return Holds.UNKNOWN
        return holds(instance, frozenset(network.get(f"{site}{key}") for key in SHUT_IN))

    with ThreadPoolExecutor(max_workers=len(Site)) as pool:
        return dict(zip(Site, pool.map(look, Site), strict=True))
