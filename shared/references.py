"""Reading the contracts of the layers below, at once and before anything is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import pulumi
from pulumi.runtime.sync_await import _sync_await

from shared.contract import Contract, ContractError
from shared.contracts import CONTRACTS, NetworkContract
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import layer

READ_STACK_OUTPUTS = "pulumi:pulumi:readStackOutputs"
Read = TypeVar("Read", bound=Contract)
Value = TypeVar("Value")


def read_contract(kind: type[Read], environment: Environment) -> Read:
    """The contract of a layer below, as its stack of the same name fulfils it.

    Waits for the outputs: a layer that is missing, of another version or of another environment ends the program with
    one line before any resource is registered, and not in the middle of its graph.

    Args:
        kind: the contract; the registry says which layer's it is.
        environment: the environment whose program runs.

    Raises:
        SettingsError: the layer is not deployed, offers something else than its contract says, or is deployed as
            another environment.
    """
    (name,) = (name for name, contract in CONTRACTS.items() if contract is kind)
    remedy = f"deploy it first, with this version of the repository: ./dr deploy -- {name} --stack {environment.stack}"
    try:
        # As the SDK's own invokes do it: a stack reference gives its outputs only as an awaitable.
        outputs = _sync_await(pulumi.StackReference(_stack_name(name, environment)).outputs.future()) or {}
    except Exception as error:
        # The engine raises a bare Exception. Whatever it is, the program cannot go on without the outputs.
        raise SettingsError(f"layer {name}", f"({_first_line(error)})", remedy) from error
    try:
        contract = kind.from_values(outputs)
    except ContractError as error:
        raise SettingsError(f"layer {name}", f"(stack {environment.stack}: {error})", remedy) from error
    if kind is NetworkContract:
        environment.refuse_another(outputs)
    return contract


def known(output: pulumi.Output[Value]) -> Value:
    """The value of an output of a contract that was read, which `read_contract` has waited for."""
    return cast("Value", _sync_await(output.future()))


def refuse_another_environment(environment: Environment) -> None:
    """Refuse a stack of the network layer that was last deployed as another environment.

    The other layers compare themselves with the network layer, and the network layer with its own last outputs.

    Raises:
        SettingsError: a deploy would replace everything.
    """
    environment.refuse_another(last_outputs("network", environment))


def last_outputs(name: str, environment: Environment) -> Mapping[str, Any]:
    """What the running program's own stack was deployed with last; empty where it was not.

    Args:
        name: the layer whose program runs.
        environment: whose.
    """
    # The engine's function behind stack references. A StackReference to the own stack would be a resource whose
    # recorded outputs are always one deploy old, so every drift check would report it.
    answer = pulumi.runtime.invoke(READ_STACK_OUTPUTS, {"name": _stack_name(name, environment)}).value
    return dict(answer["outputs"])


def _stack_name(name: str, environment: Environment) -> str:
    return f"{pulumi.get_organization()}/{layer(name).project}/{environment.stack}"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
