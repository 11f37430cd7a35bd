"""How a server process is started: the lab's process register does it, so that it knows every process there is."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class Spawn(Protocol):
    """Starts a process at the head of a process group of its own, one that cannot outlive the lab."""

    def __call__(self, arguments: Sequence[str], *, user: str | None, log: Path) -> subprocess.Popen[bytes]:
        """Start a process.

        Args:
            arguments: the program with its full path, and its arguments.
            user: whom it runs as; None for ourselves.
            log: the file its output is appended to.
        """
