"""postmaster.pid: what a running or a killed server says about itself."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_IPC_RMID = 0


def read_pid_file(data: Path) -> list[str]:
    """The lines of a data directory's postmaster.pid; none after an orderly shutdown."""
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def release_shared_memory(data: Path) -> None:
    """Remove the System V segment a killed server left; for what a killed lab left, too.

    Args:
        data: the data directory; its postmaster.pid names the segment, and is absent after an orderly shutdown.
    """
    lines = read_pid_file(data)
    if len(lines) < 7:
        return
    fields = lines[6].split()
    if len(fields) == 2 and sys.platform != "win32":
        ctypes.CDLL(None, use_errno=True).shmctl(int(fields[1]), _IPC_RMID, None)
