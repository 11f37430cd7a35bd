"""What is to be done about one registration: nothing, make it, change it, or replace it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lab.engine.registration import EngineError, Registration, Values
from lab.engine.resource_table import EVERY_INPUT, Changes, Context, ResourceType
from lab.engine.state import Kept, comparable

TABLE_FOLDER = "lab/engine/resources"
CHANGES_FOLDER = f"{TABLE_FOLDER}/changes"
TAGS = "tags"
REGION = "region"


class Kind(StrEnum):
    """The kinds of steps, in Pulumi's words."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    IMPORT = "import"


@dataclass(frozen=True)
class Step:
    """What is to be done.

    Attributes:
        kind: what.
        inputs: the inputs that it is to have.
        compared: the same as the state compares them.
        changed: which of them differ from the state's; `tags` are those of the provider, too.
        delete_first: whether the old one goes before the new one is made.
    """

    kind: Kind
    inputs: Values
    compared: Values
    changed: frozenset[str] = frozenset()
    delete_first: bool = False


@dataclass(frozen=True)
class Done:
    """A step that was taken, for who watches.

    Attributes:
        kind: what was done, in Pulumi's words.
        registration: about which resource.
        changed: the inputs that differed.
        seconds: how long it took.
    """

    kind: str
    registration: Registration
    changed: frozenset[str] = frozenset()
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """The step in one line: its kind, the resource's type and name, and what differed."""
        changed = f" ({', '.join(sorted(self.changed))})" if self.changed else ""
        return f"{self.kind} {self.registration.type.rpartition(':')[2]} {self.registration.name}{changed}"


def planned(old: Kept | None, registration: Registration, kind: ResourceType, context: Context) -> Step:
    """The step that makes a resource what its program says.

    Args:
        old: what the state has of it.
        registration: what the program says.
        kind: its type.
        context: with which it would be made.

    Raises:
        EngineError: an input is not understood or cannot be changed, or it is protected from being replaced.
    """
    inputs = _with_ignored(registration, old)
    unknown = inputs.keys() - kind.inputs - {TAGS}
    if unknown:
        raise EngineError(
            f"{registration.type} {registration.name}: the lab does not understand the input "
            f"{', '.join(sorted(unknown))}: add it in {TABLE_FOLDER}"
        )
    compared = comparable(inputs)
    if old is None:
        return Step(Kind.CREATE, inputs, compared)
    changed = changed_inputs(old.compared, compared) - {TAGS}
    if context.tags != old.context.tags and TAGS in (kind.inputs | inputs.keys()) - registration.ignore_changes:
        changed |= {TAGS}
    changes = kind.changes
    replacing = {key for key in changed if _replaces(changes, key)}
    if context.region != old.context.region:
        replacing.add(REGION)
    if replacing:
        if registration.protect and old.registration.protect:
            raise EngineError(_protected_from_replacement(registration.urn))
        same_name = changes.name in inputs and inputs[changes.name] == old.made.inputs.get(changes.name)
        wanted = registration.delete_before_replace
        return Step(Kind.REPLACE, inputs, compared, changed | replacing, same_name if wanted is None else wanted)
    if not changed and not old.unfinished:
        return Step(Kind.SAME, inputs, compared)
    _refuse_what_cannot_change(registration, changes, changed, old, context)
    return Step(Kind.UPDATE, inputs, compared, changed)


def changed_inputs(old: Values, new: Values) -> frozenset[str]:
    """The inputs that differ, those included that only one of them has."""
    absent = object()
    return frozenset(key for key in {*old, *new} if old.get(key, absent) != new.get(key, absent))


def _with_ignored(registration: Registration, old: Kept | None) -> Values:
    """The program's inputs, and the state's where the program says that changes are to be ignored."""
    for key in registration.ignore_changes:
        if not key.isidentifier():
            raise EngineError(f"{registration.urn}: ignore_changes of {key}: the lab knows whole inputs only")
    if old is None:
        return registration.inputs
    inputs: dict[str, Any] = dict(registration.inputs)
    state: Mapping[str, Any] = old.made.inputs
    for key in registration.ignore_changes:
        inputs.pop(key, None)
        inputs.update({key: state[key]} if key in state else {})
    return inputs


def _replaces(changes: Changes, key: str) -> bool:
    elsewhere = changes.updates | changes.state_only | {TAGS}
    return key in changes.replaces or (changes.replaces == EVERY_INPUT and key not in elsewhere)


def _refuse_what_cannot_change(
    registration: Registration, changes: Changes, changed: frozenset[str], old: Kept, context: Context
) -> None:
    able = changes.updates | changes.state_only | (set() if changes.tag is None else {TAGS})
    refused = sorted(changed - able)
    if refused:
        raise EngineError(
            f"{registration.urn}: the lab cannot change {', '.join(refused)} of a {registration.type} in place: add it "
            f"in {CHANGES_FOLDER}"
        )
    lost = sorted(old.context.tags.keys() - context.tags.keys())
    if TAGS in changed and lost:
        raise EngineError(f"{registration.urn}: the lab takes no tags away, and {', '.join(lost)} would have to go")


def _protected_from_replacement(urn: str) -> str:
    """Pulumi's words."""
    return (
        f'unable to replace resource "{urn}"\nas it is currently marked for protection. To unprotect the resource, '
        "remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`"
    )
