"""The Pulumi SDK's test monitor, which here asks an engine; URNs, providers and errors are as with the real one.

The SDK calls the monitor from a pool of threads, so independent resources are made in parallel.
"""

from __future__ import annotations

import threading
from typing import Any

from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import provider_pb2, resource_pb2

from lab.engine.options import refuse_unknown_options
from lab.engine.registration import Engine, EngineError, Invocation, InvocationError, Provider, Registration, Values
from lab.engine.stack_outputs import ORGANIZATION, Outputs
from lab.engine.wire import plain_values, present, provider_inputs

_STACK = "pulumi:pulumi:Stack"
_STACK_REFERENCE = "pulumi:pulumi:StackReference"
_READ_STACK_OUTPUTS = "pulumi:pulumi:readStackOutputs"
_PROVIDER_PREFIX = "pulumi:providers:"


class StoppedError(Exception):
    """The program failed elsewhere, so this resource was not made."""


class _NoMocks(Mocks):
    """The base class needs mocks; this monitor overrides every method that would call them."""

    def call(self, args: object) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise NotImplementedError

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise NotImplementedError


class ProgramMonitor(MockMonitor):
    """Answers one run of one program.

    Args:
        engine: makes the resources.
        layer: name of the layer, for the engine's records.
        project: the Pulumi project.
        stack: the stack.
        disabled_default_providers: packages whose resources need an explicit provider; ``*`` for all.
    """

    def __init__(
        self, engine: Engine, *, layer: str, project: str, stack: str, disabled_default_providers: frozenset[str]
    ) -> None:
        super().__init__(_NoMocks())
        self._engine = engine
        self._layer = layer
        self._project = project
        self._stack = stack
        self._disabled = disabled_default_providers
        self._lock = threading.Lock()
        self._urns: set[str] = set()
        self._aliases: dict[str, frozenset[str]] = {}
        self._providers: dict[str, Provider] = {}
        self._stopped = threading.Event()
        self.stack_outputs: Outputs | None = None

    def stop(self) -> None:
        """Make no further resource: the program has failed."""
        self._stopped.set()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The URN as the real engine builds it: the types of all parents but the stack, joined by ``$``."""
        parent_type = parent.split("::")[2] if parent else ""
        qualified = type_ if parent_type in ("", _STACK) else f"{parent_type}${type_}"
        return f"urn:pulumi:{self._stack}::{self._project}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        """Register a resource; errors carry its URN as a note."""
        urn = self._new_urn(request)
        if request.type == _STACK:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        aliases = self._aliases_of(request)
        with self._lock:
            self._aliases[urn] = aliases
        try:
            return self._registered(urn, request)
        except StoppedError:
            raise
        except Exception as error:
            self.stop()
            error.add_note(f"creating {urn}")
            raise

    def _new_urn(self, request: Any) -> str:
        urn = self.make_urn(request.parent, request.type, request.name)
        with self._lock:
            if urn in self._urns:
                raise EngineError(f"Duplicate resource URN '{urn}'; try giving it a unique name")
            self._urns.add(urn)
        return urn

    def _aliases_of(self, request: Any) -> frozenset[str]:
        """Its own aliases, which the SDK has made URNs of, and what it was called under its parent's aliases."""
        with self._lock:
            parents = self._aliases.get(request.parent, frozenset())
        parent_name = request.parent.rpartition("::")[2]
        inherited = set()
        for parent in parents:
            name = request.name
            if name.startswith(parent_name):
                name = parent.rpartition("::")[2] + name.removeprefix(parent_name)
            inherited.add(self.make_urn(parent, request.type, name))
        return frozenset({*request.aliasURNs, *inherited})

    def _registered(self, urn: str, request: Any) -> Any:
        if self._stopped.is_set():
            raise StoppedError(f"{urn} was not made: the program had failed before")
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if request.type.startswith(_PROVIDER_PREFIX):
            identifier = self._configured(urn, request)
            return resource_pb2.RegisterResourceResponse(urn=urn, id=identifier, object=request.object)
        refuse_unknown_options(urn, request)
        inputs, secret_inputs = plain_values(request.object)
        registration = Registration(
            layer=self._layer,
            urn=urn,
            type=request.type,
            name=request.name,
            inputs=inputs,
            secret_inputs=secret_inputs,
            provider=self._provider(request.provider, request.type),
            parent=request.parent,
            dependencies=frozenset(request.dependencies),
            protect=request.protect,
            ignore_changes=frozenset(request.ignoreChanges),
            delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
            retain_on_delete=request.retainOnDelete,
            aliases=self._aliases[urn],
            secret_outputs=frozenset(request.additionalSecretOutputs),
            import_id=request.importId,
        )
        created = self._engine.register(registration)
        secret = secret_inputs | registration.secret_outputs
        outputs = {
            key: rpc.wrap_rpc_secret(value) if key in secret else value for key, value in created.outputs.items()
        }
        return resource_pb2.RegisterResourceResponse(urn=urn, id=created.id, object=present(outputs))

    def _configured(self, urn: str, request: Any) -> str:
        inputs, _ = plain_values(request.object)
        package = request.type.removeprefix(_PROVIDER_PREFIX)
        provider = Provider(urn=urn, package=package, name=request.name, inputs=provider_inputs(inputs))
        self._engine.configure(provider)
        with self._lock:
            self._providers[urn] = provider
        return f"{package}-provider"

    def _provider(self, reference: str, token: str) -> Provider | None:
        if not reference:
            package = token.partition(":")[0]
            if package in self._disabled or "*" in self._disabled:
                raise EngineError(
                    f"Default provider for '{package}' disabled. '{token}' must use an explicit provider."
                )
            return None
        urn = reference.rpartition("::")[0]
        with self._lock:
            return self._providers[urn]

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        """Answer a stack reference from the programs that ran; nothing else can be read.

        Raises:
            UnknownStackError: the stack was not deployed.
            EngineError: the program reads an existing resource.
        """
        urn = self._new_urn(request)
        if request.type != _STACK_REFERENCE:
            raise EngineError(
                f"{urn} reads an existing {request.type}: pass what is needed through a contract, "
                "or add reading to lab/engine/monitor.py"
            )
        try:
            outputs = self._engine.stacks.of(request.id)
        except LookupError as error:
            error.add_note(f"reading {urn}")
            raise
        values = {
            name: rpc.wrap_rpc_secret(value) if name in outputs.secret_names else value
            for name, value in outputs.values.items()
        }
        properties = present({"name": request.id, "outputs": values, "secretOutputNames": sorted(outputs.secret_names)})
        return resource_pb2.ReadResourceResponse(urn=urn, properties=properties)

    def Invoke(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        """Call a provider's function; errors name it in a note."""
        arguments, _ = plain_values(request.args)
        if request.tok == _READ_STACK_OUTPUTS:
            return _invoked({"outputs": self._stack_outputs(arguments["name"])})
        try:
            invocation = Invocation(
                layer=self._layer,
                token=request.tok,
                arguments=arguments,
                provider=self._provider(request.provider, request.tok),
            )
            result: Values = self._engine.invoke(invocation)
        except InvocationError as error:
            # A failure of a provider's function is an answer; the program decides what to make of it.
            failure = provider_pb2.CheckFailure(property="", reason=str(error))
            return resource_pb2.ResourceInvokeResponse(failures=[failure])
        except Exception as error:
            self.stop()
            error.add_note(f"invoking {request.tok}")
            raise
        return _invoked(result)

    def _stack_outputs(self, name: str) -> Values:
        """A stack's outputs. The stack whose program runs exists, even if it has no outputs yet."""
        try:
            return dict(self._engine.stacks.of(name).values)
        except LookupError:
            if name != f"{ORGANIZATION}/{self._project}/{self._stack}":
                raise
            return {}

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        """Keep the outputs of the stack; those of components are not needed."""
        if request.urn.split("::")[2] == _STACK:
            values, secret_names = plain_values(request.outputs)
            self.stack_outputs = Outputs(values, secret_names)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def GetDeploymentInfo(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        """What this monitor can do; without alias specs the SDK makes URNs of aliases itself."""
        info = super().GetDeploymentInfo(request)  # type: ignore[no-untyped-call]
        info.supportedFeatures.remove(resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS)
        return info

    def RegisterPackage(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        """Refuse parameterized packages: nothing here uses them."""
        raise EngineError(f"package {request.name}: parameterized packages are not supported")


def _invoked(result: Values) -> Any:
    answer: Any = {"return": present(result)}  # the field's name is a keyword
    return resource_pb2.ResourceInvokeResponse(**answer)
