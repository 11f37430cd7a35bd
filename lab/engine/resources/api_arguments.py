"""From the provider's property names to the arguments of the AWS APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.engine.registration import EngineError, Values


def required(inputs: Values, key: str) -> Any:
    """The input of that name.

    Raises:
        EngineError: it is missing.
    """
    if key not in inputs:
        raise EngineError(f"{key} is missing: give it in the program, the lab makes up no value for it")
    return inputs[key]


def renamed(inputs: Values, names: Mapping[str, str]) -> dict[str, Any]:
    """The inputs that are there, under the API's names.

    Args:
        inputs: property values.
        names: the API's name of each property; properties that are not listed are left out.
    """
    return {theirs: inputs[ours] for ours, theirs in names.items() if ours in inputs}


def capitalised(value: Any, exceptions: Mapping[str, str]) -> Any:
    """A nested value with the API's member names: the same words with a capital, but for a few acronyms.

    Nothing is left out. A name the API does not have makes boto3 refuse the call.

    Args:
        value: mappings and lists in any depth.
        exceptions: members that the rule gets wrong.
    """
    if isinstance(value, Mapping):
        return {
            exceptions.get(key, key[:1].upper() + key[1:]): capitalised(member, exceptions)
            for key, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [capitalised(member, exceptions) for member in value]
    return value
