"""What AWS says of an instance that is there already. Read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from data_layer.adoption import Found
from data_layer.adoption_parameters import Group
from data_layer.foundation import LOG_EXPORTS
from shared.environment import Environment, known_stacks
from shared.errors import SettingsError
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_rds import RDSClient

    from data_layer.settings import DataSettings

AWS = "AWS"
SUFFIX_TAG = "EnvironmentSuffix"


def described(rds: RDSClient, identifier: str) -> Any | None:
    """The instance as RDS describes it; None where there is none.

    Raises:
        ClientError, BotoCoreError: RDS refuses, or does not answer.
    """
    try:
        return rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    except rds.exceptions.DBInstanceNotFoundFault:
        return None


def refuse_unadoptable(rds: RDSClient, settings: DataSettings, site: Site, username: str) -> None:
    """Refuse to adopt what is not there, or what the program would be wrong about from the first deploy on.

    Args:
        rds: RDS in the site's region.
        settings: of this layer.
        site: whose database it is to be.
        username: the master user's name, as the secret says.

    Raises:
        SettingsError: it cannot be adopted, or RDS cannot be asked.
    """
    identifier, region = settings.environment.database_id(site), rds.meta.region_name
    key, look = f"{site}DatabaseId", f"./dr adopt -- --database {identifier} --region {region}"
    if settings.active_site is not site:
        raise SettingsError(
            f"{site}Birth",
            settings.instances[site].birth,
            f"{identifier} would stand by for another database and share no data with it: set activeSite to {site}, or "
            "give replica",
        )
    try:
        instance = described(rds, identifier)
    except (BotoCoreError, ClientError) as error:
        raise SettingsError("AWS", f"({type(error).__name__})", f"let these credentials look: {error}") from error
    if instance is None:
        raise SettingsError(key, identifier, f"{site}Birth is adopted, and RDS has no such instance in {region}")
    if instance.get("ReadReplicaSourceDBInstanceIdentifier") or not instance.get("StorageEncrypted"):
        raise SettingsError(key, identifier, f"a replica or unencrypted, so it cannot be adopted: {look}")
    other = another_owner(instance, settings.environment, region)
    if other is not None:
        raise SettingsError(
            key, identifier, f"{other} has it, and two controllers would fence each other's: name another"
        )
    if instance["MasterUsername"] != username:
        raise SettingsError(
            "secretId",
            settings.secret_id,
            f"the master user of {identifier} is {instance['MasterUsername']}, and the secret has {username}: store it",
        )


def another_owner(instance: Any, environment: Environment, region: str) -> str | None:
    """The environment that an instance belongs to already; None where it is nobody's, or this one's.

    Args:
        instance: as `described` gives it.
        environment: the one that is to adopt it.
        region: where it is.
    """
    for tag in instance.get("TagList", []):
        if tag["Key"] == SUFFIX_TAG and tag["Value"] != environment.suffix:
            return f"the environment with the suffix {tag['Value']}"
    for stack in known_stacks():
        if stack == environment.stack:
            continue
        try:
            other = Environment.overridden(stack, {})
        except SettingsError:
            # Its own commands say so.
            continue
        for site, there in other.given_database_ids.items():
            here = (other.account_id, other.regions[site], there)
            if here == (environment.account_id, region, instance.get("DBInstanceIdentifier")):
                return f"environments/{stack}.yaml"
    return None


def refuse_a_stranger(rds: RDSClient, settings: DataSettings, site: Site) -> None:
    """Refuse to declare as this environment's own what was there before it, under an identifier of its own.

    Of an adoption that stopped half-way the stack has the instance and no outputs: with another birth, a deploy would
    change all of it.

    Args:
        rds: RDS in the site's region.
        settings: of this layer, which is not deployed.
        site: whose database it is to be.

    Raises:
        SettingsError: the instance is there, and has not been made by this environment.
        ClientError, BotoCoreError: RDS refuses, or does not answer.
    """
    identifier, birth = settings.environment.database_id(site), settings.instances[site].birth
    instance = described(rds, identifier)
    if instance is None or {"Key": SUFFIX_TAG, "Value": settings.environment.suffix} in instance.get("TagList", []):
        return
    raise SettingsError(
        f"{site}Birth",
        birth,
        f"{identifier} is there, and this environment has not made it: give adopted, or name another {site}DatabaseId",
    )


def found(instance: Any, other_rds: RDSClient, kms: KMSClient, logs: CloudWatchLogsClient) -> Found:
    """What has to be known beside the instance itself.

    Args:
        instance: as `described` gives it.
        other_rds: RDS in the other site's region, where the replica is to be.
        kms: in the instance's region.
        logs: in the instance's region.

    Raises:
        ClientError, BotoCoreError: AWS refuses, or does not answer.
    """
    key = instance.get("KmsKeyId")
    prefix = f"/aws/rds/instance/{instance['DBInstanceIdentifier']}/"
    groups = logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    offered = other_rds.describe_db_engine_versions(Engine=instance["Engine"], EngineVersion=instance["EngineVersion"])
    return Found(
        instance,
        is_offered=bool(offered["DBEngineVersions"]),
        key_is_awss=bool(key) and kms.describe_key(KeyId=key)["KeyMetadata"].get("KeyManager") == AWS,
        log_groups=frozenset(
            each["logGroupName"]
            for each in groups
            if each["logGroupName"].removeprefix(prefix) in LOG_EXPORTS and not _is_ours(logs, each["logGroupArn"])
        ),
    )


def _is_ours(logs: CloudWatchLogsClient, arn: str) -> bool:
    """Whether a program of this repository has made a log group: it bears the tags of an environment."""
    return SUFFIX_TAG in logs.list_tags_for_resource(resourceArn=arn)["tags"]


def sharing(rds: RDSClient, group: str, identifier: str) -> tuple[str, ...]:
    """The other instances of the region that have a parameter group: what is set in it is set for them too.

    Raises:
        ClientError, BotoCoreError: RDS refuses, or does not answer.
    """
    return tuple(
        instance["DBInstanceIdentifier"]
        for page in rds.get_paginator("describe_db_instances").paginate()
        for instance in page["DBInstances"]
        if instance["DBInstanceIdentifier"] != identifier
        and any(each.get("DBParameterGroupName") == group for each in instance.get("DBParameterGroups", []))
    )


def parameter_group(rds: RDSClient, name: str) -> Group:
    """The parameters of a group.

    Raises:
        ClientError, BotoCoreError: RDS refuses, or does not answer.
    """
    values, by_hand = dict[str, str](), set[str]()
    for page in rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=name):
        for parameter in page["Parameters"]:
            if "ParameterValue" in parameter:
                values[parameter["ParameterName"]] = parameter["ParameterValue"]
            if parameter.get("Source") == "user":
                by_hand.add(parameter["ParameterName"])
    return Group(name, values, frozenset(by_hand))
