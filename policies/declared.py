"""What a rule sees: one declaration, and what the environment's files say about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.environment import Environment
from shared.layers import layer
from shared.sites import Site
from shared.stack_files import load_configuration


@dataclass(frozen=True)
class Declared:
    """One resource as a program declares it.

    Attributes:
        type: type token, such as ``aws:rds/instance:Instance``.
        name: logical name.
        inputs: its arguments, camelCase.
        protect: Pulumi refuses to delete it.
        region: its own region, or its provider's; None without a provider that names one.
        tags: its tags over its provider's default tags.
    """

    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool
    region: str | None
    tags: Mapping[str, str]

    @property
    def kind(self) -> str:
        """The last word of its type, such as ``Instance``."""
        return self.type.rpartition(":")[2]


@dataclass(frozen=True)
class Expected:
    """What the environment's files say.

    Attributes:
        environment: what all layers share.
        active_database: identifier of the database that takes writes.
        retiring_database: identifier of the one that is about to be deleted; None where none is.
    """

    environment: Environment
    active_database: str
    retiring_database: str | None

    @classmethod
    def of_stack(cls, stack: str) -> Expected:
        """What the files of a stack say.

        Raises:
            SettingsError: a file is missing, or a value cannot be used.
        """
        environment, data = Environment.overridden(stack, {}), layer("data")
        values = load_configuration(data.folder, stack).values
        identifiers = {site.value: environment.database_id(site) for site in Site}
        return cls(
            environment,
            active_database=identifiers[values[f"{data.project}:activeSite"]],
            retiring_database=identifiers.get(values[f"{data.project}:retiring"]),
        )


Rule = Callable[[Declared, Expected], list[str]]
"""What of a declaration is wrong, a line for each; nothing where all is right."""


def default_tags(provider_inputs: Mapping[str, Any]) -> Mapping[str, str]:
    """A provider's default tags: the engine hands its nested arguments on as JSON."""
    found = provider_inputs.get("defaultTags")
    if isinstance(found, str):
        found = json.loads(found)
    tags: Mapping[str, str] = (found or {}).get("tags") or {}
    return tags
