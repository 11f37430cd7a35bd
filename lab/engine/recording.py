"""An engine without AWS: it records what a program declares, and makes up ids, ARNs and addresses.

Tests of the layers run the real programs on it::

    network = run_recorded("network")
    data = run_recorded("data", below={"network": network.outputs})
    assert data.resource("database-primary-lab").inputs["storageEncrypted"] is True
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.engine.plausible import invoked, outputs_of
from lab.engine.program import configured, run_folder
from lab.engine.registration import Created, Invocation, Provider, Registration, Values
from lab.engine.stack_outputs import Outputs, StackOutputs
from lab.engine.tags import merged_tags
from shared.layers import layer

Answer = Callable[[Invocation], Values]


@dataclass(frozen=True)
class RecordedResource:
    """One resource as a program declared it, and the engine's answer.

    Attributes:
        registration: what the program declared.
        id: the id it was given.
        outputs: what its outputs resolve to: the inputs and what was computed.
    """

    registration: Registration
    id: str
    outputs: Values

    @property
    def urn(self) -> str:
        """The resource's URN."""
        return self.registration.urn

    @property
    def type(self) -> str:
        """The type token, such as ``aws:ec2/vpc:Vpc``."""
        return self.registration.type

    @property
    def name(self) -> str:
        """The logical name."""
        return self.registration.name

    @property
    def inputs(self) -> Values:
        """The inputs, camelCase, resolved."""
        return self.registration.inputs

    @property
    def provider(self) -> Provider | None:
        """The explicit provider."""
        return self.registration.provider

    @property
    def region(self) -> str | None:
        """Its region: its own ``region`` input, or its provider's; None without a provider."""
        own = self.inputs.get("region")
        if own is not None:
            return str(own)
        return None if self.provider is None else self.provider.inputs.get("region")

    @property
    def parent(self) -> str:
        """URN of the parent."""
        return self.registration.parent

    @property
    def dependencies(self) -> frozenset[str]:
        """URNs it depends on."""
        return self.registration.dependencies

    @property
    def tags(self) -> Mapping[str, str]:
        """Its tags over the provider's default tags."""
        return merged_tags(self.registration)


@dataclass(frozen=True)
class RecordedProgram:
    """One run of one program.

    Attributes:
        resources: in the order they were made; providers and components are not among them.
        providers: the explicit providers.
        outputs: the stack outputs.
        secret_outputs: names of those that are secret.
        invocations: function calls the program made.
    """

    resources: tuple[RecordedResource, ...]
    providers: tuple[Provider, ...]
    outputs: Mapping[str, Any]
    secret_outputs: frozenset[str]
    invocations: tuple[Invocation, ...]

    def of_type(self, token: str) -> tuple[RecordedResource, ...]:
        """All resources of a type; the full token or its last word (``Vpc``)."""
        return tuple(
            resource for resource in self.resources if token in (resource.type, resource.type.rpartition(":")[2])
        )

    def resource(self, name: str, token: str | None = None) -> RecordedResource:
        """The one resource of that logical name (and type, where names repeat).

        Raises:
            LookupError: none or several have it.
        """
        found = [
            resource for resource in (self.resources if token is None else self.of_type(token)) if resource.name == name
        ]
        if len(found) != 1:
            names = ", ".join(sorted(f"{resource.name} ({resource.type})" for resource in self.resources))
            raise LookupError(f"{len(found)} resources are named {name}; there are: {names}")
        return found[0]


@dataclass
class RecordingEngine:
    """Records and answers; ``answers`` has a test's own answers to function calls, by token."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    stacks: StackOutputs = field(default_factory=StackOutputs)
    resources: list[RecordedResource] = field(default_factory=list)
    providers: list[Provider] = field(default_factory=list)
    invocations: list[Invocation] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def configure(self, provider: Provider) -> None:
        """Record the provider."""
        with self._lock:
            self.providers.append(provider)

    def register(self, registration: Registration) -> Created:
        """Record the resource and make up AWS's answer."""
        created = outputs_of(registration)
        with self._lock:
            self.resources.append(
                RecordedResource(registration, created.id, {**registration.inputs, **created.outputs})
            )
        return created

    def invoke(self, invocation: Invocation) -> Values:
        """Record the call and answer with the test's answer, or a plausible one."""
        with self._lock:
            self.invocations.append(invocation)
        answer = self.answers.get(invocation.token)
        return invoked(invocation) if answer is None else answer(invocation)


def run_recorded(
    layer_name: str,
    config_overrides: Mapping[str, object] | None = None,
    below: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    stack: str = "lab",
    answers: Mapping[str, Answer] | None = None,
) -> RecordedProgram:
    """Run a layer's real program without AWS.

    Args:
        layer_name: the layer.
        config_overrides: configuration that overrides the stack's file.
        below: outputs of the layers it reads, by layer name (``run_recorded(...).outputs`` of each).
        stack: whose file holds the configuration.
        answers: by token, what function calls answer.

    Raises:
        SettingsError: configuration cannot be used.
        Exception: what the program raised.
    """
    chosen = layer(layer_name)
    stacks = {} if below is None else {layer(name).project: outputs for name, outputs in below.items()}
    return run_recorded_folder(chosen.folder, config_overrides, stacks, stack=stack, answers=answers)


def run_recorded_folder(
    folder: Path,
    config_overrides: Mapping[str, object] | None = None,
    below: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    stack: str = "lab",
    answers: Mapping[str, Answer] | None = None,
) -> RecordedProgram:
    """The same for a project in any folder; ``below`` goes by project name."""
    engine = RecordingEngine(answers={} if answers is None else answers)
    for project, outputs in ({} if below is None else below).items():
        engine.stacks.publish(project, stack, Outputs(outputs))
    outputs = run_folder(folder, folder.name, stack, engine, config_overrides)
    project = configured(folder, stack, config_overrides)[0].project
    return RecordedProgram(
        resources=tuple(engine.resources),
        providers=tuple(engine.providers),
        outputs=outputs,
        secret_outputs=engine.stacks.of(f"organization/{project}/{stack}").secret_names,
        invocations=tuple(engine.invocations),
    )
