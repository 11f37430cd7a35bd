"""What a deploy of this layer checks in the account before it touches anything, with boto3 and read-only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from data_layer.adoption_in_aws import refuse_a_stranger, refuse_unadoptable
from data_layer.births import Adopted
from data_layer.born import contradicted_births
from data_layer.credentials import MasterCredentials, missing_secret, parse_master_credentials
from data_layer.replacement import refuse_replacement
from data_layer.secret_id import replication_command
from shared.errors import SettingsError
from shared.secret_id import secret_id_in
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from data_layer.settings import DataSettings

# A dark region is not waited for long.
CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})


def check(settings: DataSettings, deployed: Mapping[str, object]) -> tuple[str, ...]:
    """Look for what the layer needs to find, with the credentials the deploy will have.

    Args:
        settings: the layer's settings.
        deployed: the outputs of its stack, empty where it is not deployed.

    Returns:
        what a person should know first: that the standby's region does not answer, so that its secret is unknown; that
        RDS contradicts a configured birth.

    Raises:
        SettingsError: the master user's secret is missing in a region, unusable, another user's or not the same in
            both, or the active region does not answer; an instance that is to be adopted cannot be.
    """
    active, regions = settings.active_site, settings.environment.regions
    found: dict[Site, MasterCredentials] = {}
    warnings = []
    for site in (active, active.other):
        try:
            client = boto3.client("secretsmanager", region_name=regions[site], config=CONFIG)
            found[site] = check_secret(client, settings.secret_id, regions)
        except BotoCoreError as error:
            if site is active:
                raise SettingsError(
                    "AWS", f"({type(error).__name__})", f"give credentials and a network that reach AWS: {error}"
                ) from error
            warnings.append(f"{regions[site]} does not answer, so the secret there was not compared: {error}")
    refuse_difference(settings.secret_id, regions, active, found)
    refuse_replacement(deployed, settings, found[active].username)
    for site, declared in settings.instances.items():
        if isinstance(declared.birth, Adopted) and deployed.get(f"{site}DatabaseBirth") != str(declared.birth):
            client = boto3.client("rds", region_name=regions[site], config=CONFIG)
            refuse_unadoptable(client, settings, site, found[active].username)
        elif declared.exists and not deployed and site in settings.environment.given_database_ids and site in found:
            refuse_a_stranger(boto3.client("rds", region_name=regions[site], config=CONFIG), settings, site)
    if deployed:
        rds = {site: boto3.client("rds", region_name=regions[site], config=CONFIG) for site in found}
        warnings += contradicted_births(settings, rds)
    return tuple(warnings)


def check_secret(client: SecretsManagerClient, secret_id: str, regions: Mapping[Site, str]) -> MasterCredentials:
    """Hold the master user's secret against what the data layer and RDS take.

    Args:
        client: Secrets Manager in one of the regions.
        secret_id: the entry's name or ARN, as it is configured.
        regions: of both sites.

    Raises:
        SettingsError: it does not exist, is about to be deleted, may not be read, or its content cannot be used.
    """
    here = secret_id_in(secret_id, client.meta.region_name)
    try:
        content = client.get_secret_value(SecretId=here)
    except client.exceptions.ResourceNotFoundException as error:
        raise missing_secret(secret_id, regions, client.meta.region_name) from error
    except client.exceptions.InvalidRequestException as error:
        raise SettingsError(
            "secretId",
            secret_id,
            "it is marked for deletion: restore it with "
            f"aws secretsmanager restore-secret --region {client.meta.region_name} --secret-id {here}",
        ) from error
    except ClientError as error:
        raise SettingsError(
            "secretId", secret_id, f"allow these credentials to read it in {client.meta.region_name}: {error}"
        ) from error
    return parse_master_credentials(secret_id, content.get("SecretString", ""))


def refuse_difference(
    secret_id: str, regions: Mapping[Site, str], active: Site, found: Mapping[Site, MasterCredentials]
) -> None:
    """Refuse a secret that the two regions hold with different texts.

    Args:
        secret_id: the entry, for the error.
        regions: of both sites.
        active: the site whose entry is right.
        found: what was read, by site.

    Raises:
        SettingsError: they differ. After the active region's loss nobody could log in with what is left.
    """
    first, *others = found.values()
    different = [
        what
        for other in others
        for what, same in (
            ("username", first.username == other.username),
            ("password", first.password == other.password),
        )
        if not same
    ]
    if different:
        region = regions[active.other]
        raise SettingsError(
            "secretId",
            secret_id,
            f"{' and '.join(different)} in {region} differ from those in {regions[active]}: delete the entry in "
            f"{region} and replicate the other ({replication_command(secret_id, regions, region)}), or correct it",
        )
