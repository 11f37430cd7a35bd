"""What a program asks of an engine, as plain values, and the engine's interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lab.engine.stack_outputs import StackOutputs

Values = Mapping[str, Any]
"""Property values by their camelCase names."""


class EngineError(Exception):
    """A program asked for something that the engine cannot do; the text says what, and what to change."""


class UnfinishedError(EngineError):
    """A resource was made, but cannot be used yet; the next apply goes on with it.

    Attributes:
        id: its physical id.
    """

    def __init__(self, identifier: str, reason: object) -> None:
        super().__init__(str(reason))
        self.id = identifier


class InvocationError(Exception):
    """A provider's function failed, such as for something that does not exist."""


@dataclass(frozen=True)
class Provider:
    """An explicit provider that a program registered.

    Attributes:
        urn: its URN.
        package: ``aws``, ``random`` ...
        name: its logical name.
        inputs: its arguments, decoded.
    """

    urn: str
    package: str
    name: str
    inputs: Values


@dataclass(frozen=True)
class Registration:
    """One resource as the program declares it, all inputs resolved.

    Attributes:
        layer: name of the layer whose program runs.
        urn: the URN as the real engine builds it.
        type: type token, such as ``aws:ec2/vpc:Vpc``.
        name: logical name.
        inputs: inputs without secret wrapping; assets and archives as the SDK's objects.
        secret_inputs: names of the inputs that are, or hold, secrets.
        provider: the explicit provider, None where the program gave none.
        parent: URN of the parent, of the stack where the program gave none.
        dependencies: URNs it depends on, through inputs or explicitly.
        protect: the program's ``protect`` option.
        ignore_changes: inputs for which the state's value counts.
        delete_before_replace: whether the old one goes before a new one is made; None: as its type needs it.
        retain_on_delete: whether it stays in AWS where the program no longer declares it.
        aliases: URNs under which a state may know it.
        secret_outputs: names of the outputs that are secret, besides its inputs.
        import_id: what the provider finds it by where the state does not have it; empty where it is to be made.
    """

    layer: str
    urn: str
    type: str
    name: str
    inputs: Values
    secret_inputs: frozenset[str] = frozenset()
    provider: Provider | None = None
    parent: str = ""
    dependencies: frozenset[str] = frozenset()
    protect: bool = False
    ignore_changes: frozenset[str] = frozenset()
    delete_before_replace: bool | None = None
    retain_on_delete: bool = False
    aliases: frozenset[str] = frozenset()
    secret_outputs: frozenset[str] = frozenset()
    import_id: str = ""

    @property
    def package(self) -> str:
        """The package of the type: ``aws`` of ``aws:ec2/vpc:Vpc``."""
        return self.type.partition(":")[0]


@dataclass(frozen=True)
class Invocation:
    """One function call of a program, such as ``aws:secretsmanager/getSecretVersion:getSecretVersion``."""

    layer: str
    token: str
    arguments: Values
    provider: Provider | None


@dataclass(frozen=True)
class Created:
    """The engine's answer to a registration: the physical id, and the outputs; an input not among them is as given."""

    id: str
    outputs: Values = field(default_factory=dict)


class Engine(Protocol):
    """Sees to it that the resources that a program registers are there. Called from several threads at once."""

    @property
    def stacks(self) -> StackOutputs:
        """Outputs of the programs that ran; stack references read them, the runner adds to them."""

    def configure(self, provider: Provider) -> None:
        """Accept an explicit provider, or refuse it."""

    def register(self, registration: Registration) -> Created:
        """Make the resource, or make it what the program says; return once it can be used."""

    def invoke(self, invocation: Invocation) -> Values:
        """Answer a function call."""
