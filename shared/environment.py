"""What all layers of one environment share: ``environments/<stack>.yaml``.

A layer's own settings are its stack's configuration (`shared.settings`). What all layers must
agree on is kept here, once: with another suffix in one layer, all resources of that layer would be replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import pulumi
import yaml

from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT
from shared.naming import DATABASE, Names, checked_database_id, checked_suffix
from shared.sites import Site

FOLDER = REPOSITORY_ROOT / "environments"
REGION_PATTERN = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
ACCOUNT_PATTERN = re.compile(r"\d{12}")
NOT_SET = "(not set)"
DEFAULT_REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
KEYS = (
    "accountId",
    "environment",
    "owner",
    "environmentSuffix",
    *(f"{site}Region" for site in Site),
    *(f"{site}DatabaseId" for site in Site),
    "witnessRegion",
    "stsRegion",
    "tags",
    "deletionProtection",
    "s3UsePathStyle",
)
"""What an environment's file may say."""

overrides: ContextVar[Mapping[str, object]] = ContextVar("overrides", default=MappingProxyType({}))
"""Values that override the file's, for a run of a program inside this process: the lab's ``--config`` and tests."""


class Kind(StrEnum):
    """What an environment is for; the ``Environment`` tag."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"
    LAB = "lab"


@dataclass(frozen=True)
class Environment:
    """One environment.

    Attributes:
        stack: the name of its stack in each of the four projects.
        account_id: the AWS account; a deploy with credentials of another one is refused by the provider.
        kind: what it is for.
        owner: the team or person to ask; the ``Owner`` tag.
        suffix: part of every name (P1); the stack's name where not set.
        regions: the region of each site.
        given_database_ids: the identifiers of those sites' databases that have one of their own, as an adopted one has.
        witness_region: a third region with a witness that looks at both sites; None where there is none.
        sts_region: where providers ask who they are; None for the region of what has none.
        extra_tags: further tags on everything.
        protected: databases, the state table, keys, buckets and the clients' zone refuse to be deleted, by AWS and by
            Pulumi. Always so in production.
        s3_use_path_style: address buckets by path, for endpoints without a host name per bucket.
    """

    stack: str
    account_id: str
    kind: Kind
    owner: str
    suffix: str
    regions: Mapping[Site, str]
    given_database_ids: Mapping[Site, str]
    witness_region: str | None
    sts_region: str | None
    extra_tags: Mapping[str, str]
    protected: bool
    s3_use_path_style: bool

    @property
    def names(self) -> Names:
        """Builder of this environment's names."""
        return Names(self.suffix)

    def database_id(self, site: Site) -> str:
        """The identifier that each instance of a site has: its endpoint, ARN and alarms stay with it."""
        return self.given_database_ids.get(site) or self.names.of(DATABASE, site)

    @property
    def identity(self) -> Mapping[str, str]:
        """What makes it this environment and no other, by the network layer's outputs: none of it can change."""
        return {
            "accountId": self.account_id,
            "environmentSuffix": self.suffix,
            **{f"{site}Region": region for site, region in self.regions.items()},
        }

    @classmethod
    def load(cls, stack: str | None = None) -> Environment:
        """Read and check an environment's file.

        Args:
            stack: the stack's name; None for the one whose program is running.

        Raises:
            SettingsError: there is no file, or a value is missing, unknown or cannot be used.
        """
        if stack is None:
            stack = pulumi.get_stack()
            _refuse_second_place(stack)
        return cls.overridden(stack, overrides.get())

    @classmethod
    def overridden(cls, stack: str, values: Mapping[str, object]) -> Environment:
        """The environment of that stack's file, with some values overridden.

        Raises:
            SettingsError: as `load`.
        """
        return cls.of(stack, {**_file_values(stack), **values})

    @classmethod
    def of(cls, stack: str, values: Mapping[str, object]) -> Environment:
        """The environment of these values, checked.

        Raises:
            SettingsError: a value is missing, unknown or cannot be used.
        """
        given = _Values(stack, values)
        account_id = given.text("accountId")
        if not ACCOUNT_PATTERN.fullmatch(account_id):
            raise SettingsError("accountId", account_id, "give the 12 digits of the AWS account, in quotes")
        regions = {site: given.region(f"{site}Region", default) for site, default in DEFAULT_REGIONS.items()}
        if regions[Site.PRIMARY] == regions[Site.RECOVERY]:
            raise SettingsError(
                "recoveryRegion",
                regions[Site.RECOVERY],
                "choose another region than primaryRegion: a replica beside its primary is lost with it",
            )
        witness_region = given.region("witnessRegion", "") or None
        if witness_region in regions.values():
            raise SettingsError(
                "witnessRegion", witness_region, "give another region than primaryRegion and recoveryRegion, or none"
            )
        kind = _kind(given.text("environment"))
        protected = given.switch("deletionProtection", default=kind is Kind.PRODUCTION)
        if kind is Kind.PRODUCTION and not protected:
            raise SettingsError(
                "deletionProtection", "false", f"production is always protected: take it out of {_shown(stack)}"
            )
        return cls(
            stack=stack,
            account_id=account_id,
            kind=kind,
            owner=given.text("owner"),
            suffix=checked_suffix(given.text("environmentSuffix", stack)),
            regions=MappingProxyType(regions),
            given_database_ids=MappingProxyType(_database_ids(given)),
            witness_region=witness_region,
            sts_region=given.region("stsRegion", "") or None,
            extra_tags=given.tags("tags"),
            protected=protected,
            s3_use_path_style=given.switch("s3UsePathStyle", default=False),
        )

    def refuse_another(self, deployed: Mapping[str, object]) -> None:
        """Refuse to go on if what is deployed in this stack is another environment.

        Args:
            deployed: outputs of the network layer's stack. Keys that are missing are not compared.

        Raises:
            SettingsError: it is another one: a deploy would replace all of it, databases and buckets among it.
        """
        for key, value in self.identity.items():
            if key in deployed and deployed[key] != value:
                raise SettingsError(
                    key,
                    value,
                    f"stack {self.stack} is deployed with {deployed[key]}, and a deploy would replace everything in "
                    f"it, databases too: put {deployed[key]} back into {_shown(self.stack)}; for another environment, "
                    f"./dr environment -- NAME --from {self.stack}",
                )


def file_of(stack: str) -> Path:
    """Where an environment's file is."""
    return FOLDER / f"{stack}.yaml"


def known_stacks() -> tuple[str, ...]:
    """The environments that have a file, by the name of their stack."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))


def _shown(stack: str) -> str:
    return f"{FOLDER.name}/{stack}.yaml"


def _file_values(stack: str) -> Mapping[str, object]:
    file = file_of(stack)
    if stack not in known_stacks():
        raise SettingsError(
            "stack",
            stack,
            f"there is no {_shown(stack)}; there are {', '.join(known_stacks()) or 'none'}: write it, or copy another "
            f"environment with ./dr environment -- {stack} --from dev",
        )
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingsError(_shown(stack), "(malformed)", f"write valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise SettingsError(_shown(stack), "(not a mapping)", "write a mapping of keys to values")
    return {str(key): value for key, value in values.items()}


def _refuse_second_place(stack: str) -> None:
    """The running program's stack must not configure what the environment's file says."""
    config = pulumi.Config()
    for key in KEYS:
        value = config.get(key)
        if value is not None:
            raise SettingsError(
                key,
                value,
                f"it is set in projects/*/Pulumi.{stack}.yaml, but all layers share it: set it in {_shown(stack)} and "
                f"take it out there: pulumi config rm {key}",
            )


def _database_ids(given: _Values) -> dict[Site, str]:
    keys = {site: f"{site}DatabaseId" for site in Site}
    return {
        site: checked_database_id(key, text)
        for site, key in keys.items()
        if (text := given.text(key, NOT_SET)) != NOT_SET
    }


def _kind(value: str) -> Kind:
    if value not in tuple(Kind):
        raise SettingsError("environment", value, f"give one of: {', '.join(Kind)}")
    return Kind(value)


class _Values:
    """Typed access to the file's values; each accessor raises SettingsError for one that is missing or malformed."""

    def __init__(self, stack: str, values: Mapping[str, object]) -> None:
        self._file = _shown(stack)
        # A key without a value is YAML's null.
        self._values = {key: value for key, value in values.items() if value is not None}
        for key, value in self._values.items():
            if key not in KEYS:
                raise SettingsError(key, value, f"no such key in {self._file}; known are: {', '.join(KEYS)}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._values.get(key, default)
        if value is None:
            raise SettingsError(key, NOT_SET, f"set it in {self._file}")
        if not isinstance(value, str) or not value.strip():
            raise SettingsError(key, value, f"give text in {self._file}, in quotes where YAML reads something else")
        return value

    def region(self, key: str, default: str) -> str:
        value = self._values.get(key, default)
        if value != default and not (isinstance(value, str) and REGION_PATTERN.fullmatch(value)):
            raise SettingsError(key, value, f"give an AWS region such as ap-southeast-2 in {self._file}")
        return str(value)

    def switch(self, key: str, *, default: bool) -> bool:
        value = self._values.get(key, default)
        # The lab's --config gives text.
        if value in ("true", "false"):
            return value == "true"
        if not isinstance(value, bool):
            raise SettingsError(key, value, f"give true or false in {self._file}")
        return value

    def tags(self, key: str) -> Mapping[str, str]:
        value = self._values.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(text, str) for pair in value.items() for text in pair):
            raise SettingsError(key, value, f"give a mapping of tag names to text in {self._file}")
        return MappingProxyType(dict(value))
