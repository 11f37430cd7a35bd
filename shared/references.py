"""Reading the contracts of the layers below, at once and before anything is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import pulumi
from pulumi.runtime.sync_await import _sync_await

from shared.contract import Contract, ContractError
from shared.contracts import CONTRACTS, NetworkContract
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import layer

READ_STACK_OUTPUTS = "pulumi:pulumi:readStackOutputs"
Read = TypeVar("Read", bound=Contract)


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
        # What every function call of the SDK does to give its result at once; a reference offers the awaitable only.
        outputs = _sync_await(pulumi.StackReference(_stack_name(name, environment)).outputs.future()) or {}
    except Exception as error:
        # The engine's refusal arrives as a bare exception. Whatever it is, without the outputs there is nothing to do.
        raise SettingsError(f"layer {name}", f"({_first_line(error)})", remedy) from error
    try:
        contract = kind.from_values(outputs)
    except ContractError as error:
        raise SettingsError(f"layer {name}", f"(stack {environment.stack}: {error})", remedy) from error
    if kind is NetworkContract:
        environment.refuse_another(outputs)
    return contract


def refuse_another_environment(environment: Environment) -> None:
    """Nothing, if what this stack of the network layer was deployed with last is the same environment, or nothing.

    The other layers compare themselves with the network; this is how the network compares itself with its own past.

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
    # The engine's own function behind stack references. A reference would be a resource, with its own stack's record
    # one deploy behind: drift for ever.
    answer = pulumi.runtime.invoke(READ_STACK_OUTPUTS, {"name": _stack_name(name, environment)}).value
    return dict(answer["outputs"])


def _stack_name(name: str, environment: Environment) -> str:
    return f"{pulumi.get_organization()}/{layer(name).project}/{environment.stack}"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
