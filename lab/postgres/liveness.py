"""Whether a process still does anything."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psutil


def is_alive(process: psutil.Process) -> bool:
    """Whether a process lives. One that only waits to be buried does not: init takes its time over orphans."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until_dead(processes: Sequence[psutil.Process], timeout_seconds: float = 10.0) -> None:
    """Wait until none of the processes lives, or the time is up."""
    deadline = time.monotonic() + timeout_seconds
    while any(is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.01)
