"""Deployed layers for tests that use no CLI, and the refusal of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from deployment.arguments import Command, parse
from deployment.deployed import Deployed
from deployment.preflight import check
from shared.contracts import CONTRACTS
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import LAYERS

UPWARDS = tuple(known.name for known in LAYERS)
NOTHING = dict.fromkeys(UPWARDS, Deployed())


def contract_outputs(name: str, environment: Environment) -> dict[str, object]:
    """Everything that a layer's contract promises, as this environment's layer would have it."""
    of_type: dict[type, object] = {str: "some-text", int: 5432, list: ["one", "two", "three"]}
    made = {field.key: of_type[field.value_type] for field in CONTRACTS[name].fields()}
    return {**made, **{key: value for key, value in environment.identity.items() if key in made}}


def standing(environment: Environment, *names: str) -> dict[str, Deployed]:
    """A survey in which these layers are deployed, and no others."""
    deployed = {
        name: Deployed(exists=True, outputs=contract_outputs(name, environment), resources=(f"Thing thing-of-{name}",))
        for name in names
    }
    return {**NOTHING, **deployed}


def refused(command: Command, words: Sequence[str], survey: Mapping[str, Deployed]) -> str:
    """The one line with which the checks refuse a request."""
    with pytest.raises(SettingsError) as refusal:
        check(parse(command, words), survey)
    message = str(refusal.value)
    assert "\n" not in message
    return message
