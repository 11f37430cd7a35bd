"""What servers leave behind when the lab itself was killed: backends that were frozen, and shared memory."""

from __future__ import annotations

from pathlib import Path

import psutil

from lab.postgres.liveness import wait_until_dead
from lab.postgres.pid_file import release_shared_memory


def clear_leftovers(databases: Path) -> list[int]:
    """Kill the processes that still live in a lab's data directories and give their shared memory back.

    Backends head sessions of their own and die with their server, except frozen ones, which cannot notice.

    Args:
        databases: the folder below which every data directory lies; it may be gone.

    Returns:
        The process ids that were killed.
    """
    folder = databases.resolve()
    left = [process for process in psutil.process_iter() if _lives_in(process, folder)]
    for process in left:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    wait_until_dead(left)
    for pid_file in folder.rglob("postmaster.pid"):
        release_shared_memory(pid_file.parent)
    return [process.pid for process in left]


def _lives_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False
