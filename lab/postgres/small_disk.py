"""A disk of its own for a server, small enough to be filled: a file system in memory (tmpfs)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from lab.home import unmount_below
from shared.errors import SettingsError

_BALLAST = "ballast"
_BLOCK_BYTES = 64 * 1024
# A server that has died of a full disk leaves a little room.
_FULL_BELOW = 0.02


class NoSmallDiskError(SettingsError):
    """No file system can be mounted here, so no disk can be filled."""


class SmallDisk:
    """A file system of a fixed size at a folder. What is on it is lost when it is unmounted."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        """Nothing is mounted yet; the folder is made by `mount`."""
        self.folder = folder
        self.size_bytes = size_bytes

    def mount(self) -> None:
        """Make it.

        Raises:
            NoSmallDiskError: it cannot be mounted.
        """
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        options = f"size={self.size_bytes},mode=0711,nosuid,nodev,noexec"
        try:
            if sys.platform != "linux" or os.geteuid() != 0:
                raise PermissionError("only Linux's root may")
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", options, "postgres-dr-lab", str(self.folder)],
                check=True,
                capture_output=True,
                text=True,
                timeout=10,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise NoSmallDiskError(
                "small disk",
                f"{self.folder}: {getattr(error, 'stderr', None) or error}",
                "run the lab as root on Linux, where file systems may be mounted, or do without a disk that is full",
            ) from error

    def unmount(self) -> None:
        """Remove it with all that is on it, if it is there."""
        unmount_below(self.folder)

    def free_bytes(self) -> int:
        """What is left of it; all of it where it is not mounted."""
        if not self.folder.is_mount():
            return self.size_bytes
        status = os.statvfs(self.folder)
        return status.f_bavail * status.f_frsize

    def is_full(self) -> bool:
        """Whether so little is left of it that RDS would call it full."""
        return self.free_bytes() < _FULL_BELOW * self.size_bytes

    def fill(self) -> None:
        """Fill it up."""
        with (self.folder / _BALLAST).open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(b"\0" * _BLOCK_BYTES)

    def empty(self) -> None:
        """Remove what `fill` wrote."""
        (self.folder / _BALLAST).unlink(missing_ok=True)


def require_small_disks(folder: Path) -> None:
    """Refuse to go on where no small disk can be made.

    Args:
        folder: an existing folder to try it in.

    Raises:
        NoSmallDiskError: it cannot be mounted.
    """
    trial = SmallDisk(folder / "trial-of-a-small-disk", 1024 * 1024)
    trial.mount()
    trial.unmount()
    trial.folder.rmdir()
