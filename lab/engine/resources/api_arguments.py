"""What the resource modules share: arguments of the AWS APIs, deleting what is gone, waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from lab.engine.registration import EngineError, Values

POLL_SECONDS = 0.2


def required(inputs: Values, key: str) -> Any:
    """The input of that name.

    Raises:
        EngineError: it is missing.
    """
    if key not in inputs:
        raise EngineError(f"{key} is missing: give it in the program, the lab makes up no value for it")
    return inputs[key]


def renamed(inputs: Values, names: Mapping[str, str]) -> dict[str, Any]:
    """The inputs that are there, under the API's names.

    Args:
        inputs: property values.
        names: the API's name of each property; properties that are not listed are left out.
    """
    return {theirs: inputs[ours] for ours, theirs in names.items() if ours in inputs}


def capitalised(value: Any, exceptions: Mapping[str, str]) -> Any:
    """A nested value with the API's member names: the same words with a capital, but for a few acronyms.

    Nothing is left out. A name the API does not have makes boto3 refuse the call.

    Args:
        value: mappings and lists in any depth.
        exceptions: members that the rule gets wrong.
    """
    if isinstance(value, Mapping):
        return {
            exceptions.get(key, key[:1].upper() + key[1:]): capitalised(member, exceptions)
            for key, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [capitalised(member, exceptions) for member in value]
    return value


@contextmanager
def absence_is_fine(*codes: str) -> Iterator[None]:
    """Run a block that may find nothing to delete.

    Args:
        codes: the error codes that say so; the rest of the block is skipped at one of them.

    Raises:
        ClientError: AWS refused for another reason.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise


def wait_until(what: str, condition: Callable[[], bool], *, timeout_seconds: float) -> None:
    """Wait until a condition is true.

    Args:
        what: what is waited for, for the error.
        condition: asks AWS.
        timeout_seconds: how long at most.

    Raises:
        EngineError: it did not become true in time.
    """
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise EngineError(f"{what}: not within {timeout_seconds:g} s; the lab's logs say more")
        time.sleep(POLL_SECONDS)
