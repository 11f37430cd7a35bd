"""Deleting resources: last those on which others depend, none that is protected, and nothing that is still needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from lab.engine.registration import EngineError
from lab.engine.resource_table import ResourceType
from lab.engine.state import Kept

# Deletion waits for what AWS removes in the background, such as a function's network interface.
DELETE_ATTEMPTS = 20
DELETE_PAUSE_SECONDS = 0.25
STILL_IN_USE = frozenset({"DependencyViolation", "InvalidDBSubnetGroupStateFault", "InvalidDBParameterGroupState"})

TypeOf = Callable[[Kept], ResourceType]


class DestroyError(Exception):
    """Some resources could not be destroyed; the text names each with its reason."""


def refuse_protected(resources: Iterable[Kept]) -> None:
    """Refuse to delete protected resources, in Pulumi's words. What was replaced may go.

    Raises:
        EngineError: one is protected.
    """
    for kept in resources:
        if kept.registration.protect and not kept.replaced:
            raise EngineError(
                f'resource "{kept.urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, either '
                "remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`, or use the "
                f"command:\n`pulumi state unprotect '{kept.urn}'`"
            )


def delete_all(resources: Sequence[Kept], type_of: TypeOf, gone: Callable[[Kept], None]) -> list[str]:
    """Delete resources, those that depend on others first.

    What one depends on stays where that one could not be deleted.

    Args:
        resources: whatever one depends on comes before it.
        type_of: its type.
        gone: is told of each that is gone.

    Returns:
        what could not be deleted, with the reason.
    """
    failures: list[str] = []
    needed: set[str] = set()
    for kept in reversed(resources):
        if kept.urn in needed:
            needed |= kept.registration.dependencies
            continue
        try:
            delete(kept, type_of(kept))
        except (ClientError, BotoCoreError, EngineError) as error:
            failures.append(f"{kept.urn}: {error}")
            needed |= kept.registration.dependencies
            continue
        gone(kept)
    return failures


def delete(kept: Kept, kind: ResourceType) -> None:
    """Delete one resource, once nothing uses it any more.

    Raises:
        ClientError: AWS refused.
    """
    if kind.delete is None or kept.registration.retain_on_delete:
        return
    for attempt in range(DELETE_ATTEMPTS):
        try:
            kind.delete(kept.context, kept.made)
        except ClientError as error:
            if error.response["Error"]["Code"] not in STILL_IN_USE or attempt == DELETE_ATTEMPTS - 1:
                raise
            time.sleep(DELETE_PAUSE_SECONDS)
        else:
            return
