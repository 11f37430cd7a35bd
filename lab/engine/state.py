"""What an engine knows of a layer's stack: the state that the next apply, refresh and destroy go on from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pulumi import FileArchive, FileAsset

from lab.engine.registration import Registration, Values
from lab.engine.resource_table import Context, Made

Counts = Counter[str]
"""How many resources each kind of step was about, in Pulumi's words: create, update, replace, delete, same."""


@dataclass(frozen=True)
class Kept:
    """A resource in the lab.

    Attributes:
        registration: what the program said when it was last registered.
        context: with which it was made.
        made: its id, inputs and outputs.
        compared: its inputs in a form that shows a change, such as an archive's content.
        replaced: another one has its place, and it is still to be deleted.
        unfinished: it was made, and then something failed: what else belongs to making it is still to be done.
    """

    registration: Registration
    context: Context
    made: Made
    compared: Values
    replaced: bool = False
    unfinished: bool = False

    @property
    def urn(self) -> str:
        """Under which its program knows it."""
        return self.registration.urn

    def read_as(self, drifted: Values) -> Kept:
        """The same with inputs as they were read in AWS."""
        made = replace(
            self.made, inputs={**self.made.inputs, **drifted}, outputs={**self.made.outputs, **_known(self, drifted)}
        )
        return replace(self, made=made, compared={**self.compared, **comparable(drifted)})


@dataclass
class LayerState:
    """The state of one layer's stack.

    Attributes:
        project: the layer's project.
        stack: the stack's name.
        resources: what stands of it. Whatever a resource depends on comes before it.
    """

    project: str
    stack: str
    resources: list[Kept] = field(default_factory=list)
    _settled: int = 0

    def begin(self) -> None:
        """A program runs: nothing is registered yet."""
        self._settled = 0

    def find(self, urns: Iterable[str]) -> Kept | None:
        """The resource with one of these URNs; one that was replaced is none."""
        wanted = set(urns)
        return next((kept for kept in self.resources if kept.urn in wanted and not kept.replaced), None)

    def settle(self, kept: Kept, old: Kept | None) -> None:
        """The program has registered a resource, and that is what there is of it now."""
        if old is not None:
            self.drop(old)
        # Before everything that is not registered yet: that may depend on it, but not the other way round.
        self.resources.insert(self._settled, kept)
        self._settled += 1

    def put(self, kept: Kept, old: Kept) -> None:
        """Something is known of a resource that was not known before."""
        self.resources[_index(self.resources, old)] = kept

    def drop(self, kept: Kept) -> None:
        """It is gone."""
        index = _index(self.resources, kept)
        del self.resources[index]
        self._settled -= index < self._settled

    def protect(self, *, protected: bool) -> None:
        """By a person's word everything is protected, or nothing, until the program says again what is."""
        for kept in list(self.resources):
            self.put(replace(kept, registration=replace(kept.registration, protect=protected)), kept)

    @property
    def left_over(self) -> list[Kept]:
        """What the program that ran did not register."""
        return self.resources[self._settled :]

    def copy(self) -> LayerState:
        """A state of its own that knows the same."""
        return replace(self, resources=list(self.resources))


def _index(resources: list[Kept], kept: Kept) -> int:
    return next(index for index, each in enumerate(resources) if each is kept)


def comparable(values: Values) -> dict[str, Any]:
    """Values in a form that shows a change: a file or an archive is its content, wherever it lies."""
    return {key: _comparable(value) for key, value in values.items()}


def _comparable(value: Any) -> Any:
    if isinstance(value, FileArchive | FileAsset):
        path = Path(value.path)
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else str(path)
    if isinstance(value, Mapping):
        return {key: _comparable(item) for key, item in value.items()}
    return [_comparable(item) for item in value] if isinstance(value, list) else value


def _known(kept: Kept, drifted: Values) -> dict[str, Any]:
    return {key: value for key, value in drifted.items() if key in kept.made.outputs}
