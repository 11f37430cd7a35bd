"""Whether processes are alive, and telling one from a later one with the same pid."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs. A zombie does not: it may take init some time to reap an orphan."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until_dead(processes: Sequence[psutil.Process], timeout_seconds: float = 10.0) -> None:
    """Wait until none of the processes is alive, or the time is up. Does not reap: that is for whoever started them."""
    deadline = time.monotonic() + timeout_seconds
    while any(is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.01)


def birth_of(pid: int) -> str | None:
    """When a process started, as a text to compare; None if there is no such process or it is a zombie.

    On Linux from the kernel's own counter, because a start time in wall-clock time moves when the clock is set.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        if psutil.LINUX:
            # Fields after the command's name, which may itself hold spaces and parentheses; starttime is field 22.
            ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
            return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {ticks}"
        return str(process.create_time())
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return None


def kill_group(group: int, timeout_seconds: float = 5.0) -> bool:
    """Kill the processes of a group and wait until they are dead; tells whether there were any."""
    members = [process for process in psutil.process_iter() if _group_of(process) == group and is_alive(process)]
    if not members:
        return False
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return True
    wait_until_dead(members, timeout_seconds)
    return True


def _group_of(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return None
