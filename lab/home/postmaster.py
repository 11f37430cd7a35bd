"""What PostgreSQL servers leave behind when the lab was killed: frozen backends, and shared memory."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from pathlib import Path

import psutil

from lab.home.processes import wait_until_dead

_IPC_RMID = 0


def read_pid_file(data: Path) -> list[str]:
    """The lines of a data directory's postmaster.pid; none after a clean shutdown."""
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def release_shared_memory(data: Path) -> None:
    """Remove the System V shared memory segment of a killed server, which its postmaster.pid names."""
    lines = read_pid_file(data)
    if len(lines) < 7:
        return
    fields = lines[6].split()
    if len(fields) == 2 and sys.platform != "win32":
        ctypes.CDLL(None, use_errno=True).shmctl(int(fields[1]), _IPC_RMID, None)


def clear_leftovers(folder: Path) -> list[int]:
    """Kill the processes whose working directory is below a folder, and remove the shared memory of its servers.

    Each backend heads a session of its own, so the server's process group does not hold it. It exits when its server
    dies, unless it is frozen.

    Args:
        folder: what all data directories are below; it may not exist.

    Returns:
        The process ids that were killed.
    """
    folder = folder.resolve()
    left = [process for process in psutil.process_iter() if _works_in(process, folder)]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until_dead(left)
    for pid_file in folder.rglob("postmaster.pid"):
        release_shared_memory(pid_file.parent)
    return [process.pid for process in left]


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False
