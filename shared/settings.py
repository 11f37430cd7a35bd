"""Reading and checking a layer's stack configuration."""

from __future__ import annotations

import re

import pulumi

from shared.environment import NOT_SET
from shared.errors import SettingsError
from shared.layers import LAYERS, REPOSITORY_ROOT


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
                raise SettingsError(key, NOT_SET, f"put {pulumi.get_project()}:{key}: <value> into {_stack_file()}")
            return default
        if not value.strip():
            raise SettingsError(key, "(empty)", "give a value, or remove the key to use its default")
        return value

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


def _stack_file() -> str:
    folders = [known.folder.relative_to(REPOSITORY_ROOT) for known in LAYERS if known.project == pulumi.get_project()]
    return f"{folders[0] if folders else '.'}/Pulumi.{pulumi.get_stack()}.yaml"
