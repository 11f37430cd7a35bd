"""Conversions between the protocol's structs and plain Python values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pulumi import Archive, Asset
from pulumi.output import Unknown
from pulumi.runtime import rpc

UNKNOWN: str = rpc.UNKNOWN
"""Stands for a value that a preview cannot know."""


def plain_values(struct: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """The values of a struct without secret wrapping, and the names of those that were, or held, secrets.

    Numbers come over the wire as floats; whole ones become integers again. Assets and archives become the
    SDK's objects, and what a preview does not know stays `UNKNOWN`.
    """
    values: dict[str, Any] = rpc.deserialize_properties(struct)
    secrets = frozenset(name for name, value in values.items() if rpc.is_rpc_secret(value))
    return {name: _plain(rpc.unwrap_rpc_secret(value)) for name, value in values.items()}, secrets


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values for an answer; a top-level None is left out, as the SDK does, and so are assets and archives."""
    return {name: value for name, value in values.items() if not isinstance(value, Archive | Asset | None)}


def provider_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's arguments: the SDK sends all but texts as JSON in a string."""
    return {name: _decoded(value) for name, value in inputs.items()}


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and (value[:1] in ("{", "[") or value in ("true", "false")):
        return json.loads(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Unknown):
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
