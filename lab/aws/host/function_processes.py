"""The processes that run functions' code, and their sudden end."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime  # type: ignore[import-untyped]

_DEATH_SECONDS = 2.0


def kill_function(region: str, name: str) -> bool:
    """End every process of a function at once (SIGKILL): those that run it now, and those that wait for an event.

    Args:
        region: the function's region.
        name: its name.

    Returns:
        Whether one of them was running it. The next event starts a fresh process.
    """
    return _kill(lambda key_region, key_name: (key_region, key_name) == (region, name))


def kill_region(region: str) -> bool:
    """End every process of every function of a region; tells whether one was running something."""
    return _kill(lambda key_region, _: key_region == region)


def _kill(concerned: Callable[[str, str], bool]) -> bool:
    with lambda_runtime._lock:
        # The keys are account, region, function, qualifier.
        found: list[tuple[Any, bool]] = [
            (worker._proc, worker.in_use)
            for key, workers in lambda_runtime._workers.items()
            if concerned(*key.split(":")[1:3])
            for worker in workers
        ]
    doomed = [(process, busy) for process, busy in found if process is not None and process.poll() is None]
    for process, _ in doomed:
        process.kill()
    for process, _ in doomed:
        _await_end(process)
    return any(busy for _, busy in doomed)


def _await_end(process: subprocess.Popen[str]) -> None:
    """Wait until it is gone: who asked for a process in the meantime must not be given this one."""
    try:
        process.wait(_DEATH_SECONDS)
    except subprocess.TimeoutExpired:
        return
