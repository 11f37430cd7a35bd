"""The engine that makes the lab's AWS what the programs declare, step by step as Pulumi does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.engine.deletion import DestroyError, delete, delete_all, refuse_protected
from lab.engine.exported import exported
from lab.engine.program import configured, run_folder
from lab.engine.registration import Created, EngineError, Invocation, Provider, Registration, UnfinishedError, Values
from lab.engine.resource_table import ClientFactory, Context, Made, ResourceType
from lab.engine.resources import INVOKES, RESOURCE_TYPES
from lab.engine.stack_outputs import ORGANIZATION, StackOutputs
from lab.engine.state import Counts, Kept, LayerState, comparable
from lab.engine.steps import TABLE_FOLDER, TAGS, Done, Kind, Step, planned
from lab.engine.tags import merged_tags
from shared.layers import Layer

PARALLEL_READS = 8

Watcher = Callable[[Done], None]
"""Is called for each step that changed something."""


def _nobody(done: Done) -> None:
    """Nobody watches."""


@dataclass
class LabEngine:
    """Makes, changes and deletes resources through boto3.

    Args:
        client: makes clients of the lab's AWS, with all rights.
        account_id: the lab's account.
        watch: is called for each step, where an operation has nobody of its own to be told.
        dry_run: whether nothing is made or changed.

    Attributes:
        stacks: outputs of the layers, for those above.
        states: what stands of each layer, by its name.
    """

    client: ClientFactory
    account_id: str
    watch: Watcher = _nobody
    dry_run: bool = False
    stacks: StackOutputs = field(default_factory=StackOutputs)
    states: dict[str, LayerState] = field(default_factory=dict)
    _counts: Counts = field(default_factory=Counts)
    _told: Watcher = _nobody
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _operation: threading.RLock = field(default_factory=threading.RLock)

    def apply(
        self,
        layer: Layer,
        stack: str,
        config_overrides: Mapping[str, object] | None = None,
        *,
        files: Path | None = None,
        told: Watcher | None = None,
    ) -> Counts:
        """Run a layer's program, make what it declares, and delete what it no longer declares.

        Args:
            layer: whose program.
            stack: the stack; its file holds the configuration.
            config_overrides: configuration that overrides the stack's file and the environment's.
            files: the folder with the project's and the stack's file; None for the layer's own.
            told: is told of each step; None for ``watch``.

        Raises:
            EngineError: something protected would be deleted or replaced, or the lab cannot do what is asked.
            DestroyError: something could not be deleted; the rest was.
            Exception: whatever the program raised. What was done is in the state, and the next apply goes on from it.
        """
        with self._begun(told) as counts:
            project = configured(layer.folder if files is None else files, stack, config_overrides)[0].project
            state = self.states.setdefault(layer.name, LayerState(project, stack))
            state.begin()
            run_folder(layer.folder, layer.name, stack, self, config_overrides, files=files, dry_run=self.dry_run)
            self._delete(state, state.left_over)
        return counts

    def destroy(self, *layers: str, told: Watcher | None = None) -> Counts:
        """Delete everything in these layers (none: in all), last made first; no program runs.

        Raises:
            EngineError: something is protected; nothing was deleted.
            DestroyError: something could not be destroyed; the rest was.
        """
        failures: list[str] = []
        with self._begun(told) as counts:
            chosen = [state for name, state in self.states.items() if name in layers or not layers]
            refuse_protected(kept for state in chosen for kept in state.resources)
            for state in reversed(chosen):
                try:
                    self._delete(state, list(state.resources))
                except DestroyError as error:
                    failures.append(str(error))
                    continue
                self.stacks.withdraw(state.project, state.stack)
        if failures:
            raise DestroyError("; ".join(failures))
        return counts

    def refresh(self, layer: str, told: Watcher | None = None) -> Counts:
        """Take what is really there into a layer's state."""
        with self._begun(told) as counts, ThreadPoolExecutor(PARALLEL_READS) as pool:
            state = self.states[layer]
            resources = list(state.resources)
            for kept, drifted in zip(resources, pool.map(_drift, resources), strict=True):
                with self._lock:
                    if drifted is None:
                        state.drop(kept)
                    elif drifted:
                        state.put(kept.read_as(drifted), kept)
                # What its program ignores is taken into the state, and is no drift.
                differs = bool((drifted or {}).keys() - kept.registration.ignore_changes)
                kind = "delete" if drifted is None else Kind.UPDATE if differs else Kind.SAME
                self._count(Done(kind, kept.registration, frozenset(drifted or ())))
        return counts

    def rehearsal(self) -> LabEngine:
        """An engine with the same states that only says what it would do."""
        with self._lock:
            states = {name: state.copy() for name, state in self.states.items()}
            return LabEngine(self.client, self.account_id, dry_run=True, stacks=self.stacks.copy(), states=states)

    def empty(self) -> LabEngine:
        """An engine of the same account that knows of nothing, and only says what it would do."""
        return LabEngine(self.client, self.account_id, dry_run=True)

    def exported(self, layer: str) -> dict[str, Any]:
        """A layer's state in the shape of ``pulumi stack export``; secrets are masked."""
        with self._lock:
            return exported(self.states[layer], self.stacks)

    def outputs(self, layer: Layer) -> Values:
        """A layer's outputs; none where its program has not come to its end."""
        state = self.states[layer.name]
        name = f"{ORGANIZATION}/{state.project}/{state.stack}"
        return self.stacks.of(name).values if self.stacks.has(name) else {}

    @property
    def kept(self) -> list[Kept]:
        """Everything that stands."""
        return [kept for state in self.states.values() for kept in state.resources]

    def configure(self, provider: Provider) -> None:
        """Accept an AWS provider that names its region and this account.

        Raises:
            EngineError: it names neither, or another account, or the region that it asks does not answer.
        """
        if provider.package != "aws":
            return
        region = provider.inputs.get("region")
        if not region:
            raise EngineError(f"provider {provider.name} names no region")
        try:
            # The provider asks who it is, in its own region unless it is told another one.
            sts = self.client("sts", provider.inputs.get("stsRegion", region))
            account = sts.get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            raise EngineError(f"provider {provider.name}: validating provider credentials: {error}") from error
        allowed = provider.inputs.get("allowedAccountIds")
        if allowed is not None and account not in allowed:
            raise EngineError(f"provider {provider.name}: AWS account ID not allowed: {account}")

    def register(self, registration: Registration) -> Created:
        """Make the resource what the program says: create, update or replace it, or leave it as it is.

        Raises:
            EngineError: the type is not in the table, an input is not understood or cannot be changed, no region is
                known, or it is protected from being replaced.
        """
        started = time.monotonic()
        kind = _kind(registration)
        context = self._context(registration.provider, registration.type, merged_tags(registration))
        state = self.states[registration.layer]
        with self._lock:
            old = state.find((registration.urn, *registration.aliases))
        if _is_import(registration, old):
            old = self._imported(state, registration, kind, context)
        step = planned(old, registration, kind, context)
        if step.kind is Kind.REPLACE and old is not None:
            self._make_way(state, old, kind, delete_first=step.delete_first)
            old = None
        try:
            made = self._made(step, old, kind, context)
        except UnfinishedError as error:
            made = Made(error.id, step.inputs, {})
            with self._lock:
                state.settle(Kept(registration, context, made, step.compared, unfinished=True), old)
            raise
        with self._lock:
            state.settle(Kept(registration, context, made, step.compared), old)
        self._count(Done(step.kind, registration, step.changed, time.monotonic() - started))
        return Created(made.id, {**made.inputs, "tagsAll": dict(context.tags), **made.outputs})

    def invoke(self, invocation: Invocation) -> Values:
        """Answer a function call.

        Raises:
            EngineError: the function is not in the table.
        """
        if invocation.token not in INVOKES:
            raise EngineError(f"the lab does not know the function {invocation.token}: add it in {TABLE_FOLDER}")
        context = self._context(invocation.provider, invocation.token, {})
        return INVOKES[invocation.token](context, invocation.arguments)

    @contextmanager
    def _begun(self, told: Watcher | None) -> Iterator[Counts]:
        """One operation; another one waits."""
        with self._operation:
            self._counts, self._told = Counts(), self.watch if told is None else told
            yield self._counts

    def _count(self, done: Done) -> None:
        with self._lock:
            self._counts[done.kind] += 1
        if done.kind != Kind.SAME:
            self._told(done)

    def _made(self, step: Step, old: Kept | None, kind: ResourceType, context: Context) -> Made:
        if self.dry_run:
            return Made("", step.inputs, {}) if old is None else replace(old.made, inputs=step.inputs)
        if old is None:
            created = kind.create(context, step.inputs)
            return Made(created.id, step.inputs, created.outputs)
        changes, outputs, before = kind.changes, dict(old.made.outputs), old.made.inputs
        if TAGS in step.changed and changes.tag is not None:
            changes.tag(context, old.made.id, step.inputs)
        if old.unfinished:
            # Whether what was to follow the creation was done is unknown: all of it is written.
            before = {key: value for key, value in before.items() if key not in changes.updates}
        if changes.update is not None and (step.changed & changes.updates or old.unfinished):
            outputs |= changes.update(context, old.made.id, before, step.inputs)
        return Made(old.made.id, step.inputs, outputs)

    def _imported(self, state: LayerState, registration: Registration, kind: ResourceType, context: Context) -> Kept:
        """Take what is there already into the state. As with Pulumi, the step that follows changes what differs."""
        if kind.changes.find is None:
            raise EngineError(
                f"{registration.urn}: the lab cannot import a {registration.type}: add it in {TABLE_FOLDER}"
            )
        made = kind.changes.find(context, registration.import_id, registration.inputs)
        if made is None:
            raise EngineError(f"{registration.urn}: resource '{registration.import_id}' does not exist")
        kept = Kept(registration, context, made, comparable(made.inputs))
        with self._lock:
            state.settle(kept, None)
        self._count(Done(Kind.IMPORT, registration))
        return kept

    def _make_way(self, state: LayerState, old: Kept, kind: ResourceType, *, delete_first: bool) -> None:
        """Delete what is to be replaced, or mark it for deletion once everything else is made."""
        if delete_first and not self.dry_run:
            delete(old, kind)
        with self._lock:
            if delete_first:
                state.drop(old)
            else:
                state.put(replace(old, replaced=True), old)

    def _delete(self, state: LayerState, resources: list[Kept]) -> None:
        refuse_protected(resources)

        def gone(kept: Kept) -> None:
            with self._lock:
                state.drop(kept)
            # The replacement was counted when the other one was made.
            if not kept.replaced:
                self._count(Done("delete", kept.registration))

        if self.dry_run:
            for kept in resources:
                gone(kept)
        elif failures := delete_all(resources, lambda kept: _kind(kept.registration), gone):
            raise DestroyError("could not remove " + "; ".join(failures))

    def _context(self, provider: Provider | None, token: str, tags: Mapping[str, str]) -> Context:
        if provider is None and token.startswith("aws:"):
            raise EngineError(f"{token} has no explicit provider, so no region is known")
        region: object = "" if provider is None else provider.inputs["region"]
        return Context(str(region), self.account_id, self.client, tags)


def _is_import(registration: Registration, old: Kept | None) -> bool:
    """As Pulumi decides it: once it was imported by an id, the same id says nothing."""
    known = () if old is None else (old.made.id, old.registration.import_id)
    return bool(registration.import_id) and registration.import_id not in known


def _kind(registration: Registration) -> ResourceType:
    known: Mapping[str, ResourceType] = RESOURCE_TYPES
    if registration.type not in known:
        raise EngineError(
            f"{registration.name}: the lab cannot make the type {registration.type}: add it in {TABLE_FOLDER}"
        )
    return known[registration.type]


def _drift(kept: Kept) -> Values | None:
    """What differs in AWS from what the state says of a resource; None where it is gone."""
    read = _kind(kept.registration).changes.read
    found = {} if read is None else read(kept.context, kept.made.id, kept.made.inputs)
    if found is None:
        return None
    return {key: value for key, value in found.items() if kept.made.inputs.get(key) != value}
