"""Reading and checking stack configuration; what every layer's configuration has in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pulumi

from shared.errors import SettingsError
from shared.naming import Names, checked_suffix
from shared.sites import Site

REGION_PATTERN = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
ACCOUNT_PATTERN = re.compile(r"\d{12}")
NOT_SET = "(not set)"


class SettingsReader:
    """Typed access to one project's stack configuration.

    Every accessor raises SettingsError for a missing or malformed value. A default is used only where the key is not
    set at all: 0, false and "" are values.
    """

    def __init__(self, config: pulumi.Config | None = None) -> None:
        self._config = pulumi.Config() if config is None else config

    def text(self, key: str, default: str | None = None) -> str:
        """A non-empty string."""
        value = self._config.get(key)
        if value is None:
            if default is None:
                raise SettingsError(key, NOT_SET, f"set it: pulumi config set {key} <value>")
            return default
        if not value.strip():
            raise SettingsError(key, "(empty)", "give a value, or remove the key to use its default")
        return value

    def text_or_empty(self, key: str) -> str:
        """A string that may be empty, as it is where the key is not set."""
        value = self._config.get(key)
        return "" if value is None else value

    def whole_number(self, key: str, default: int, *, minimum: int, maximum: int) -> int:
        """A whole number within bounds, both included."""
        value = self._config.get(key)
        if value is None:
            return default
        if not re.fullmatch(r"-?\d+", value):
            raise SettingsError(key, value, f"give a whole number from {minimum} to {maximum}")
        return within(key, int(value), minimum, maximum)

    def switch(self, key: str, *, default: bool) -> bool:
        """``true`` or ``false``."""
        value = self._config.get(key)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise SettingsError(key, value, "give true or false")
        return value.lower() == "true"

    def choice(self, key: str, default: str, choices: tuple[str, ...]) -> str:
        """One of a few words."""
        value = self.text(key, default)
        if value not in choices:
            raise SettingsError(key, value, f"give one of: {', '.join(choices)}")
        return value

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of strings."""
        value = self._structured(key)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise SettingsError(key, value, "give a list of strings")
        return tuple(value)

    def tags(self, key: str) -> Mapping[str, str]:
        """A mapping of strings, empty where not set."""
        value = self._structured(key)
        if value is None:
            return MappingProxyType({})
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise SettingsError(key, value, "give a mapping of tag names to strings")
        return MappingProxyType(dict(value))

    def _structured(self, key: str) -> object:
        try:
            value: object = self._config.get_object(key)
        except pulumi.ConfigTypeError as error:
            raise SettingsError(key, self._config.get(key), "give valid JSON or YAML") from error
        return value


def within(key: str, value: int, minimum: int, maximum: int) -> int:
    """The value, if it lies within the bounds, both included.

    Raises:
        SettingsError: it does not.
    """
    if not minimum <= value <= maximum:
        raise SettingsError(key, value, f"give a whole number from {minimum} to {maximum}")
    return value


@dataclass(frozen=True)
class StackSettings:
    """What every layer's stack configures.

    Attributes:
        account_id: the AWS account; a deploy with credentials of another one is refused by the provider.
        environment: kind of environment, the ``Environment`` tag.
        owner: the ``Owner`` tag.
        suffix: part of every name (P1); the stack's name where not set.
        regions: the region of each site.
        extra_tags: further tags on everything.
        s3_use_path_style: address buckets by path, for endpoints without a host name per bucket.
        stack: the stack's name, to find the stacks of the layers below.
    """

    account_id: str
    environment: str
    owner: str
    suffix: str
    regions: Mapping[Site, str]
    extra_tags: Mapping[str, str]
    s3_use_path_style: bool
    stack: str

    @property
    def names(self) -> Names:
        """Builder of this environment's names."""
        return Names(self.suffix)

    @classmethod
    def load(cls, reader: SettingsReader) -> StackSettings:
        """Read and check.

        Raises:
            SettingsError: a value is missing or cannot be used.
        """
        account_id = reader.text("accountId")
        if not ACCOUNT_PATTERN.fullmatch(account_id):
            raise SettingsError("accountId", account_id, "give the 12 digits of the AWS account, in quotes")
        regions = {
            Site.PRIMARY: _region(reader, "primaryRegion", "ap-southeast-2"),
            Site.RECOVERY: _region(reader, "recoveryRegion", "ap-southeast-1"),
        }
        if regions[Site.PRIMARY] == regions[Site.RECOVERY]:
            raise SettingsError(
                "recoveryRegion",
                regions[Site.RECOVERY],
                "choose another region than primaryRegion: a replica beside its primary is lost with it",
            )
        stack = pulumi.get_stack()
        return cls(
            account_id=account_id,
            environment=reader.text("environment"),
            owner=reader.text("owner"),
            # Empty is the schema's way to say "not set": the CLI takes a key without a default for a required one.
            suffix=checked_suffix(reader.text_or_empty("environmentSuffix") or stack),
            regions=MappingProxyType(regions),
            extra_tags=reader.tags("tags"),
            s3_use_path_style=reader.switch("s3UsePathStyle", default=False),
            stack=stack,
        )


def _region(reader: SettingsReader, key: str, default: str) -> str:
    value = reader.text(key, default)
    if not REGION_PATTERN.fullmatch(value):
        raise SettingsError(key, value, "give an AWS region such as ap-southeast-2")
    return value
