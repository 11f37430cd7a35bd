"""Killing the processes that run functions."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime  # type: ignore[import-untyped]

_DEATH_SECONDS = 2.0


def kill_function(region: str, name: str) -> bool:
    """Kill every process of a function (SIGKILL), also those that wait for an event. The next event starts a new one.

    Returns:
        Whether one of them was running the function.
    """
    return _kill(lambda key_region, key_name: (key_region, key_name) == (region, name))


def kill_region(region: str) -> bool:
    """Kill every process of every function of a region; tells whether one was running its function."""
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
    """Wait until it is dead, so that MiniStack does not use it for the next event."""
    try:
        process.wait(_DEATH_SECONDS)
    except subprocess.TimeoutExpired:
        return
