"""Runs a layer's program in this process, as the Pulumi CLI would run it in its own."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import runpy
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import set_all_config
from pulumi.runtime.mocks import MockEngine
from pulumi.runtime.settings import SETTINGS, Settings, configure
from pulumi.runtime.stack import run_in_stack

from lab.engine.monitor import ProgramMonitor, StoppedError
from lab.engine.registration import Engine
from lab.engine.stack_outputs import ORGANIZATION
from shared import environment
from shared.errors import SettingsError
from shared.layers import Layer
from shared.stack_files import StackConfiguration, load_configuration

# The SDK makes one call for each resource from the event loop's pool; most of the time it waits for AWS.
_PARALLEL_REGISTRATIONS = 16

_SETTINGS_SEEN_BY_OTHER_THREADS = ("monitor", "engine", "project", "stack", "organization", "root_directory", "dry_run")

_logger = logging.getLogger("lab.engine.program")

# The SDK's settings and `sys.path` are process-wide.
_one_at_a_time = threading.Lock()


def run_program(
    layer: Layer,
    stack: str,
    engine: Engine,
    config_overrides: Mapping[str, object] | None = None,
    *,
    files: Path | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Run a layer's program to its end: all resources made, all outputs known.

    The outputs are also published to ``engine.stacks``, where the layers above find them.

    Args:
        layer: whose program.
        stack: the stack; its file holds the configuration.
        engine: makes the resources.
        config_overrides: configuration that overrides the stack's file and the environment's.
        files: the folder with the project's and the stack's file; None for the layer's own.
        dry_run: whether what the engine would make is unknown to the program, as in a preview.

    Returns:
        The stack outputs as plain values.

    Raises:
        SettingsError: configuration is missing or cannot be used.
        Exception: whatever the program or the engine raised, with the resource's URN as a note. Resources made before
            stay; the engine knows them.
    """
    return run_folder(layer.folder, layer.name, stack, engine, config_overrides, files=files, dry_run=dry_run)


def run_folder(
    folder: Path,
    layer_name: str,
    stack: str,
    engine: Engine,
    config_overrides: Mapping[str, object] | None = None,
    *,
    files: Path | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """The same for a project in any folder. See :func:`run_program`."""
    configuration, shared_values = configured(folder if files is None else files, stack, config_overrides)
    monitor = ProgramMonitor(
        engine,
        layer=layer_name,
        project=configuration.project,
        stack=stack,
        disabled_default_providers=_disabled_default_providers(configuration),
    )
    with _one_at_a_time, _importable(folder):
        contextvars.copy_context().run(_run, folder, configuration, shared_values, monitor, dry_run)
    if monitor.stack_outputs is None:
        raise RuntimeError(f"the program in {folder} ended without registering its stack's outputs")
    engine.stacks.publish(configuration.project, stack, monitor.stack_outputs)
    return dict(monitor.stack_outputs.values)


def _disabled_default_providers(configuration: StackConfiguration) -> frozenset[str]:
    key = "pulumi:disable-default-providers"
    text = configuration.values.get(key)
    if text is None:
        return frozenset()
    packages = json.loads(text)
    if not isinstance(packages, list):
        raise SettingsError(key, text, 'give a list of packages, such as ["aws"]')
    return frozenset(packages)


def configured(
    folder: Path, stack: str, overrides: Mapping[str, object] | None
) -> tuple[StackConfiguration, Mapping[str, object]]:
    """A project's configuration as a run in this process has it.

    Args:
        folder: where the project's and the stack's file are.
        stack: whose file holds the configuration.
        overrides: values that override the stack's file and the environment's.

    Returns:
        the layer's own configuration, and the overrides of what all layers share.

    Raises:
        SettingsError: configuration cannot be used, or is secure: only the Pulumi CLI can read such a value.
    """
    given = {} if overrides is None else overrides
    configuration = load_configuration(
        folder, stack, {key: value for key, value in given.items() if key not in environment.KEYS}
    )
    for key in configuration.secure_keys:
        raise SettingsError(
            key.rpartition(":")[2], "(secure)", f"the lab cannot read it: give a plain value in Pulumi.{stack}.yaml"
        )
    return configuration, {key: value for key, value in given.items() if key in environment.KEYS}


def _run(
    folder: Path,
    configuration: StackConfiguration,
    shared_values: Mapping[str, object],
    monitor: ProgramMonitor,
    dry_run: bool,  # noqa: FBT001 - Context.run takes no names
) -> None:
    environment.overrides.set(shared_values)
    with _runtime_settings(folder, configuration, monitor, dry_run=dry_run):
        loop = asyncio.new_event_loop()
        loop.set_default_executor(ThreadPoolExecutor(_PARALLEL_REGISTRATIONS, thread_name_prefix="register"))
        loop.set_exception_handler(_note_echo)
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(run_in_stack(lambda: _execute(folder)))
        except BaseException as error:  # noqa: BLE001 - raised again below, as the failure that came first
            monitor.stop()
            first = SETTINGS.rpc_manager.unhandled_exception
            _drain(loop)
            # What the SDK raises may come from a resource that depends on the one that failed first.
            _raise_original(error if first is None or not isinstance(error, Exception) else first)
        finally:
            _drain(loop)
            loop.close()
            # Not None: that would forbid this thread a loop for good, and the SDK asks for one wherever it is used.
            asyncio.set_event_loop_policy(None)


def _execute(folder: Path) -> None:
    runpy.run_path(str(folder / "__main__.py"), run_name="__main__")


def _note_echo(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Do not print a failure again for each future that has it; the runner raises it once.

    asyncio reports them from the garbage collector, and formatting a traceback there parses source: where that
    interrupts another parse, Python 3.11 ends in a SystemError.
    """
    if "never retrieved" in context["message"]:
        _logger.debug("%s: %r", context["message"], context.get("exception"))
    else:
        loop.default_exception_handler(context)


def _drain(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what still waits, and wait for calls in progress: a resource that is being made is made and recorded."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_default_executor())


def _raise_original(error: BaseException) -> None:
    if isinstance(error, pulumi.RunError) and isinstance(error.__cause__, SettingsError):
        raise error.__cause__
    if isinstance(error, StoppedError) and error.__cause__ is not None:
        raise error.__cause__
    raise error


@contextmanager
def _runtime_settings(
    folder: Path, configuration: StackConfiguration, monitor: ProgramMonitor, *, dry_run: bool
) -> Iterator[None]:
    before = {name: getattr(SETTINGS, name) for name in _SETTINGS_SEEN_BY_OTHER_THREADS}
    settings = Settings(
        project=configuration.project,
        stack=configuration.stack,
        monitor=monitor,
        dry_run=dry_run,
        organization=ORGANIZATION,
        root_directory=str(folder),
        engine=MockEngine(_logger),
    )
    configure(settings)
    pulumi.runtime.settings.ROOT.set(None)
    set_all_config(dict(configuration.values), sorted(configuration.secret_keys))
    try:
        yield
    finally:
        for name, value in before.items():
            # The SDK takes the first value set after a None as the default of every other thread and context.
            setattr(SETTINGS, name, None)
            setattr(SETTINGS, name, value)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """The project's folder on ``sys.path``; its modules are forgotten afterwards, each run imports them anew."""
    before = set(sys.modules)
    path = list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if isinstance(file, str) and Path(file).is_relative_to(folder):
                del sys.modules[name]
