"""A view over what the four programs declare together, for rules that look across resources and layers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lab.engine.recording import RecordedResource

Resources = Sequence[RecordedResource]
Rule = Callable[[Resources], list[str]]


class NothingToLookAtError(LookupError):
    """A rule found no resource it is about: it would pass without saying anything."""


def maybe(resources: Resources, *kinds: str) -> list[RecordedResource]:
    """All resources of these types, by the token's last word (``Bucket``); there may be none."""
    return [one for one in resources if one.type.rpartition(":")[2] in kinds]


def some(resources: Resources, *kinds: str) -> list[RecordedResource]:
    """The same, where a rule means nothing without any.

    Raises:
        NothingToLookAtError: there are none.
    """
    found = maybe(resources, *kinds)
    if not found:
        raise NothingToLookAtError(f"no {' or '.join(kinds)} is declared")
    return found


def looked_at(found: list[RecordedResource], what: str) -> list[RecordedResource]:
    """The same list, when it holds anything.

    Raises:
        NothingToLookAtError: it is empty.
    """
    if not found:
        raise NothingToLookAtError(f"there is no {what}")
    return found


def with_inputs(one: RecordedResource, **changes: Any) -> RecordedResource:
    """The resource with inputs changed; None takes an input away. What the engine answered stays."""
    merged = {**one.inputs, **changes}
    inputs = {key: value for key, value in merged.items() if value is not None}
    outputs = {key: value for key, value in {**one.outputs, **changes}.items() if value is not None}
    return replace(one, registration=replace(one.registration, inputs=inputs), outputs=outputs)


def arn(one: RecordedResource) -> str:
    """The ARN it was given."""
    return str(one.outputs["arn"])


def text(one: RecordedResource) -> str:
    """How a violation names it."""
    return f"{one.type.rpartition(':')[2]} {one.name}"


def violations(of: Iterable[RecordedResource], wrong: Callable[[RecordedResource], bool], what: str) -> list[str]:
    """One line for each resource that is wrong."""
    return [f"{text(one)}: {what}" for one in of if wrong(one)]


def statements(policy: str) -> list[Mapping[str, Any]]:
    """The statements of a policy document."""
    found: list[Mapping[str, Any]] = json.loads(policy)["Statement"]
    return found


def listed(value: Any) -> list[Any]:
    """A policy's value that may be one or many, as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def allowed_services(policy: str, action: str) -> set[str]:
    """The service principals that statements of a policy allow an action (compared with its trailing ``*``)."""
    return {
        service
        for statement in statements(policy)
        if statement["Effect"] == "Allow"
        and isinstance(statement["Principal"], Mapping)
        and any(action.startswith(one.removesuffix("*")) for one in listed(statement["Action"]))
        for service in listed(statement["Principal"].get("Service", []))
    }


def key_policies(resources: Resources) -> Mapping[str, str]:
    """The policy of each customer key, by the key's ARN; replicas have their own."""
    return {arn(one): str(one.inputs["policy"]) for one in some(resources, "Key", "ReplicaKey")}


def actions_of(alarm: RecordedResource) -> list[str]:
    """All actions of an alarm."""
    return [
        action
        for key in ("alarmActions", "okActions", "insufficientDataActions")
        for action in alarm.inputs.get(key, [])
    ]
