"""Names of resources: ``<what>-<site or layer>-<environmentSuffix>`` (P1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.errors import SettingsError

SUFFIX_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SUFFIX_MAXIMUM_LENGTH = 16
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (DBInstanceIdentifier); RDS stores
# it in lower case.
DATABASE_ID_PATTERN = re.compile(r"[a-z](-?[a-z0-9])*")
DATABASE_ID_MAXIMUM_LENGTH = 63
# The shortest limit AWS sets on a name made here: IAM roles, Lambda functions and RDS identifiers stop at 63 or 64
# characters, and a bucket (63) gets a hyphen and a random id of 8 characters on top.
NAME_MAXIMUM_LENGTH = 54
# What is looked up by its name elsewhere than where it is declared: messages link to the dashboard, the deployment
# commands look at the databases and read the state table.
DASHBOARD = "postgres-dr"
DATABASE = "database"
STATE_TABLE = "failover-state"


def checked_suffix(value: str) -> str:
    """The environment suffix, if every AWS name it becomes part of stays valid.

    Raises:
        SettingsError: it is too long, or has characters that RDS identifiers or bucket names refuse.
    """
    if len(value) > SUFFIX_MAXIMUM_LENGTH:
        raise SettingsError(
            "environmentSuffix", value, f"use at most {SUFFIX_MAXIMUM_LENGTH} characters (this has {len(value)})"
        )
    if not SUFFIX_PATTERN.fullmatch(value):
        raise SettingsError(
            "environmentSuffix",
            value,
            "start with a lower-case letter, then lower-case letters, digits and single hyphens, no hyphen at the end",
        )
    return value


def checked_database_id(key: str, value: str) -> str:
    """An identifier that an RDS instance can have.

    Args:
        key: the setting it comes from.
        value: as it is configured.

    Raises:
        SettingsError: RDS would not take it.
    """
    if len(value) > DATABASE_ID_MAXIMUM_LENGTH or not DATABASE_ID_PATTERN.fullmatch(value):
        raise SettingsError(
            key,
            value,
            "give the instance's identifier as RDS lists it: a lower-case letter, then at most "
            f"{DATABASE_ID_MAXIMUM_LENGTH - 1} lower-case letters, digits and single hyphens, no hyphen at the end",
        )
    return value


@dataclass(frozen=True)
class Names:
    """Builds the names of one environment."""

    suffix: str

    def of(self, what: str, where: str) -> str:
        """The name of ``what`` (``"database"``) in ``where`` (a Site or a layer's name).

        Raises:
            SettingsError: the name would be longer than AWS takes.
        """
        name = f"{what}-{where}-{self.suffix}"
        if len(name) > NAME_MAXIMUM_LENGTH:
            raise SettingsError(
                "environmentSuffix",
                self.suffix,
                f"the name {name} has {len(name)} characters, at most {NAME_MAXIMUM_LENGTH} fit: shorten the suffix",
            )
        return name
