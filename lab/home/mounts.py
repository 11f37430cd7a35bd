"""The file systems that a lab has mounted, and that one that was killed has left."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")


def unmount_below(folder: Path) -> None:
    """Unmount what is mounted at a folder or below it.

    A file system that is still used goes as soon as it is not.

    Raises:
        OSError: one of them stays.
    """
    if sys.platform != "linux":
        return
    folder = folder.resolve()
    # The last one that was mounted first: one may lie in another.
    for mounted in reversed([each for each in _mounted() if each.is_relative_to(folder)]):
        done = subprocess.run(["umount", "-l", str(mounted)], check=False, capture_output=True, text=True, timeout=10)
        if done.returncode != 0:
            raise OSError(f"{mounted} stays mounted: {done.stderr.strip()}")


def _mounted() -> list[Path]:
    return [Path(_unescaped(line.split(" ")[1])) for line in _MOUNTS.read_text(encoding="utf-8").splitlines()]


def _unescaped(field: str) -> str:
    """A path as the kernel writes it: blanks and the like are octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)
