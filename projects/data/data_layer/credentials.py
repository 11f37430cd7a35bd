"""The master user's name and password: from an existing entry of Secrets Manager (P4), never printed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from data_layer.reserved_names import RESERVED_USER_NAMES
from data_layer.secret_id import replication_command
from shared.errors import SettingsError
from shared.secret_id import secret_id_in
from shared.sites import Site

USER_NAME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
RESERVED_PREFIXES = ("pg_", "rds_")
PASSWORD_MINIMUM_LENGTH = 8
PASSWORD_MAXIMUM_LENGTH = 128
FORBIDDEN_CHARACTERS = '/@" '


@dataclass(frozen=True)
class MasterCredentials:
    """Name and password of the master user. The password is left out of ``repr``.

    Attributes:
        username: name of the master user.
        password: its password.
    """

    username: str
    password: str = field(repr=False)


def parse_master_credentials(secret_id: str, text: str) -> MasterCredentials:
    """Read the secret's text and check it against RDS's rules, so that a mistake shows before the deployment starts.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (MasterUsername,
    MasterUserPassword).

    Args:
        secret_id: the entry, for the errors.
        text: a JSON object with ``username`` and ``password``; other keys are left alone.

    Raises:
        SettingsError: it is none, or RDS would refuse one of the two. The message never holds the text or the password.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        # Not chained: the decoder's error contains the text.
        raise _malformed(secret_id, "its text is no JSON") from None
    if not isinstance(content, dict):
        raise _malformed(secret_id, "its JSON is no object")
    for key in ("username", "password"):
        if not isinstance(content.get(key), str):
            raise _malformed(secret_id, f"its {key} is missing or no string")
    return MasterCredentials(
        username=_checked_username(secret_id, content["username"]),
        password=_checked_password(secret_id, content["password"]),
    )


def missing_secret(secret_id: str, regions: Mapping[Site, str], region: str) -> SettingsError:
    """The error for an entry that one of the regions lacks."""
    return SettingsError(
        "secretId",
        secret_id,
        f"no such entry in Secrets Manager of {region}, and it is needed in {' and in '.join(regions.values())}: "
        f"{replication_command(secret_id, regions, region)}; where it is in neither, first aws secretsmanager "
        f"create-secret --name NAME "
        """--secret-string '{"username":"...","password":"..."}'""",
    )


def look_up_master_credentials(
    secret_id: str, regions: Mapping[Site, str], site: Site, provider: aws.Provider
) -> MasterCredentials:
    """The credentials in the entry, read at once through the provider, before anything is made.

    Args:
        secret_id: as it is configured, name or ARN.
        regions: of both sites.
        site: whose entry to read: the active one, since the other region may be gone.
        provider: of that site.

    Raises:
        SettingsError: the entry does not exist or its content cannot be used.
    """
    try:
        version = aws.secretsmanager.get_secret_version(
            secret_id=secret_id_in(secret_id, regions[site]), opts=pulumi.InvokeOptions(provider=provider)
        )
    except Exception as error:
        # The SDK raises a bare Exception for a failed invoke, so only its text says what happened.
        if not _says_not_found(str(error)):
            raise
        raise missing_secret(secret_id, regions, regions[site]) from error
    if not version.secret_string:
        raise _malformed(secret_id, "it holds no text")
    return parse_master_credentials(secret_id, version.secret_string)


def _says_not_found(text: str) -> bool:
    return "ResourceNotFoundException" in text or "couldn't find resource" in text


def _malformed(secret_id: str, fault: str) -> SettingsError:
    return SettingsError(
        "secretId", secret_id, f'{fault}: store a JSON object {{"username": "...", "password": "..."}} in it'
    )


def _checked_username(secret_id: str, username: str) -> str:
    if not USER_NAME_PATTERN.fullmatch(username):
        raise _malformed(
            secret_id, "its username must start with a letter and have 1 to 63 letters, digits or underscores"
        )
    if username.lower() in RESERVED_USER_NAMES or username.lower().startswith(RESERVED_PREFIXES):
        raise _malformed(secret_id, f"its username {username} is reserved by RDS or PostgreSQL, choose another")
    return username


def _checked_password(secret_id: str, password: str) -> str:
    if not PASSWORD_MINIMUM_LENGTH <= len(password) <= PASSWORD_MAXIMUM_LENGTH:
        raise _malformed(
            secret_id,
            f"its password must have {PASSWORD_MINIMUM_LENGTH} to {PASSWORD_MAXIMUM_LENGTH} characters, "
            f"it has {len(password)}",
        )
    if not password.isascii() or not password.isprintable() or set(password) & set(FORBIDDEN_CHARACTERS):
        raise _malformed(
            secret_id, "its password must be printable ASCII without slash, at sign, double quote and space"
        )
    return password
