"""What a deploy of this layer checks in the account before it touches anything, with boto3 and read-only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from data_layer.credentials import MasterCredentials, missing_secret, parse_master_credentials
from data_layer.replacement import refuse_replacement
from shared.errors import SettingsError
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from data_layer.settings import DataSettings


def check(settings: DataSettings, deployed: Mapping[str, object]) -> None:
    """Look for what the layer needs to find, with the credentials the deploy will have.

    Args:
        settings: the layer's settings.
        deployed: the outputs of its stack, empty where it is not deployed.

    Raises:
        SettingsError: the master user's secret is missing, unusable or another user's, or AWS cannot be asked.
    """
    region = settings.environment.regions[Site.PRIMARY]
    try:
        credentials = check_secret(boto3.client("secretsmanager", region_name=region), settings.secret_id)
    except BotoCoreError as error:
        raise SettingsError(
            "AWS", f"({type(error).__name__})", f"give credentials and a network that reach AWS: {error}"
        ) from error
    refuse_replacement(
        deployed,
        database_name=settings.database_name,
        username=credentials.username,
        secret_id=settings.secret_id,
    )


def check_secret(client: SecretsManagerClient, secret_id: str) -> MasterCredentials:
    """Hold the master user's secret against what the data layer and RDS take.

    Args:
        client: Secrets Manager in the primary region.
        secret_id: the entry's name or ARN.

    Raises:
        SettingsError: it does not exist, is about to be deleted, may not be read, or its content cannot be used.
    """
    try:
        content = client.get_secret_value(SecretId=secret_id)
    except client.exceptions.ResourceNotFoundException as error:
        raise missing_secret(secret_id, client.meta.region_name) from error
    except client.exceptions.InvalidRequestException as error:
        raise SettingsError(
            "secretId",
            secret_id,
            "it is marked for deletion: restore it with "
            f"aws secretsmanager restore-secret --region {client.meta.region_name} --secret-id {secret_id}",
        ) from error
    except ClientError as error:
        raise SettingsError("secretId", secret_id, f"allow these credentials to read it: {error}") from error
    return parse_master_credentials(secret_id, content.get("SecretString", ""))
