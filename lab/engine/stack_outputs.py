"""Outputs of the stacks whose programs ran, for stack references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

ORGANIZATION = "organization"
"""What ``pulumi.get_organization()`` says with a self-managed backend."""


class UnknownStackError(LookupError):
    """A stack reference names a stack that was not deployed; the text is the real engine's."""

    def __init__(self, name: str) -> None:
        super().__init__(f'unknown stack "{name}"')
        self.add_note("deploy the layers below first, in the same environment (the same stack name)")


@dataclass(frozen=True)
class Outputs:
    """Stack outputs: plain values, and which of them are secret."""

    values: Mapping[str, Any]
    secret_names: frozenset[str] = frozenset()


@dataclass
class StackOutputs:
    """Outputs by ``organization/project/stack``."""

    _outputs: dict[str, Outputs] = field(default_factory=dict)

    def publish(self, project: str, stack: str, outputs: Outputs) -> None:
        """Set the outputs of a stack, replacing those of an earlier run."""
        self._outputs[f"{ORGANIZATION}/{project}/{stack}"] = Outputs(
            MappingProxyType(dict(outputs.values)), outputs.secret_names
        )

    def withdraw(self, project: str, stack: str) -> None:
        """Forget the outputs of a stack."""
        self._outputs.pop(f"{ORGANIZATION}/{project}/{stack}", None)

    def has(self, name: str) -> bool:
        """Whether the stack of that full name has outputs."""
        return name in self._outputs

    def copy(self) -> StackOutputs:
        """Outputs of its own, of the same stacks."""
        return StackOutputs(dict(self._outputs))

    def of(self, name: str) -> Outputs:
        """The outputs of the stack of that full name.

        Raises:
            UnknownStackError: there is none.
        """
        if name not in self._outputs:
            raise UnknownStackError(name)
        return self._outputs[name]
