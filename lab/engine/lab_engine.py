"""The engine that makes a program's resources in the lab's AWS, and destroys them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from lab.engine.registration import Created, EngineError, Invocation, Provider, Registration, Values
from lab.engine.resource_table import ClientFactory, Context, Made, ResourceType
from lab.engine.resources import INVOKES, RESOURCE_TYPES
from lab.engine.stack_outputs import StackOutputs
from lab.engine.tags import merged_tags

TABLE_FOLDER = "lab/engine/resources"
# Deletion waits for what AWS removes in the background, such as a function's network interface.
DELETE_ATTEMPTS = 20
DELETE_PAUSE_SECONDS = 0.25
STILL_IN_USE = frozenset({"DependencyViolation", "InvalidDBSubnetGroupStateFault", "InvalidDBParameterGroupState"})

Watcher = Callable[[Registration, float], None]
"""Is called for each resource that was made, with the seconds it took."""


@dataclass(frozen=True)
class Kept:
    """A resource in the lab: what was asked for, and what was made."""

    registration: Registration
    context: Context
    made: Made


class DestroyError(Exception):
    """Some resources could not be destroyed; the text names each with its reason."""


@dataclass
class LabEngine:
    """Makes resources through boto3. Called from several threads at once.

    Args:
        client: makes clients of the lab's AWS, with all rights.
        account_id: the lab's account.
        watch: is called for each resource made.
    """

    client: ClientFactory
    account_id: str
    watch: Watcher
    stacks: StackOutputs = field(default_factory=StackOutputs)
    kept: list[Kept] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def configure(self, provider: Provider) -> None:
        """Accept an AWS provider that names its region and this account.

        Raises:
            EngineError: it names neither, or another account.
        """
        if provider.package != "aws":
            return
        if not provider.inputs.get("region"):
            raise EngineError(f"provider {provider.name} names no region")
        allowed = provider.inputs.get("allowedAccountIds")
        if allowed is not None and self.account_id not in allowed:
            raise EngineError(f"provider {provider.name}: AWS account ID not allowed: {self.account_id}")

    def create(self, registration: Registration) -> Created:
        """Make the resource.

        Raises:
            EngineError: the type is not in the table, an input is not understood, or no region is known.
        """
        started = time.monotonic()
        kind = _kind(registration)
        unknown = registration.inputs.keys() - kind.inputs - {"tags"}
        if unknown:
            raise EngineError(
                f"{registration.type} {registration.name}: the lab does not understand the input "
                f"{', '.join(sorted(unknown))}: add it in {TABLE_FOLDER}"
            )
        context = self._context(registration.provider, registration.type, merged_tags(registration))
        created = kind.create(context, registration.inputs)
        with self._lock:
            self.kept.append(Kept(registration, context, Made(created.id, registration.inputs, created.outputs)))
        self.watch(registration, time.monotonic() - started)
        return Created(created.id, {"tagsAll": dict(context.tags), **created.outputs})

    def invoke(self, invocation: Invocation) -> Values:
        """Answer a function call.

        Raises:
            EngineError: the function is not in the table.
        """
        if invocation.token not in INVOKES:
            raise EngineError(f"the lab does not know the function {invocation.token}: add it in {TABLE_FOLDER}")
        context = self._context(invocation.provider, invocation.token, {})
        return INVOKES[invocation.token](context, invocation.arguments)

    def destroy(self, told: Callable[[Registration], None]) -> None:
        """Destroy everything, last made first. Can be called again after an error.

        Raises:
            DestroyError: something could not be destroyed; the rest was.
        """
        failures: list[str] = []
        for kept in reversed(tuple(self.kept)):
            try:
                _delete(kept)
            except (ClientError, BotoCoreError, EngineError) as error:
                failures.append(f"{kept.registration.urn}: {error}")
                continue
            self.kept.remove(kept)
            told(kept.registration)
        if failures:
            raise DestroyError("could not remove " + "; ".join(failures))

    def _context(self, provider: Provider | None, token: str, tags: Mapping[str, str]) -> Context:
        if provider is None and token.startswith("aws:"):
            raise EngineError(f"{token} has no explicit provider, so no region is known")
        region: object = "" if provider is None else provider.inputs["region"]
        return Context(str(region), self.account_id, self.client, tags)


def _kind(registration: Registration) -> ResourceType:
    known: Mapping[str, ResourceType] = RESOURCE_TYPES
    if registration.type not in known:
        raise EngineError(
            f"{registration.name}: the lab cannot make the type {registration.type}: add it in {TABLE_FOLDER}"
        )
    return known[registration.type]


def _delete(kept: Kept) -> None:
    delete = _kind(kept.registration).delete
    if delete is None:
        return
    for attempt in range(DELETE_ATTEMPTS):
        try:
            delete(kept.context, kept.made)
        except ClientError as error:
            if error.response["Error"]["Code"] not in STILL_IN_USE or attempt == DELETE_ATTEMPTS - 1:
                raise
            time.sleep(DELETE_PAUSE_SECONDS)
        else:
            return
