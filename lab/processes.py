"""The lab's child processes: registered in the home, and unable to outlive the lab."""

from __future__ import annotations

import contextlib
import ctypes
import grp
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.home import LabHome

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ChildProcesses:
    """Starts children, each at the head of a process group of its own, and writes them into the home's register.

    On Linux the kernel kills a child when the *thread* that started it ends (prctl(2)). So all are started from one
    thread that lives as long as this object, whoever asks. Elsewhere the next lab's clean-up finds them.
    """

    def __init__(self, home: LabHome) -> None:
        self.home = home
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lab-process-starter")

    def __call__(self, arguments: Sequence[str], *, user: str | None, log: Path) -> subprocess.Popen[bytes]:
        """Start a process in ``/`` with a bare environment; what `start` does, in the shape a server spawner has.

        Args:
            arguments: the program with its full path, and its arguments.
            user: whom it runs as; None for ourselves.
            log: the file its output is appended to.
        """
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        return self.start(Path(arguments[0]).name, arguments, user=user, log=log, environment=environment)

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path | None = None,
        user: str | None = None,
        directory: Path = Path("/"),
    ) -> subprocess.Popen[bytes]:
        """Start a process.

        Args:
            name: what it is, for the register and for the log file's name.
            arguments: the program and its arguments.
            environment: its whole environment; nothing is inherited.
            log: the file its output is appended to; None for ``logs/<name>.log`` in the home.
            user: the user to drop to, with that user's own groups only; None for ourselves.
            directory: where it starts.

        Returns:
            the process; end it with `stop`.

        Raises:
            OSError: it could not be started.
            KeyError: there is no such user.
        """
        output = log if log is not None else self.home.directory("logs") / f"{name}.log"
        return self._starter.submit(
            self._start, name, list(arguments), dict(environment), output, user, directory
        ).result()

    def stop(
        self,
        process: subprocess.Popen[bytes],
        *,
        with_signal: signal.Signals = signal.SIGTERM,
        grace_seconds: float = 5.0,
    ) -> int:
        """End a process: ask it, and kill its whole group when it has not gone after ``grace_seconds``.

        Returns:
            its exit code, negative for a signal.
        """
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(with_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=grace_seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            # The group even where its head has gone: what the head started may be left. (PermissionError is macOS's
            # way to say that only zombies are left.)
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        self.home.unregister(process.pid)
        return code

    def close(self) -> None:
        """Give the starter thread back. On Linux whatever was started and not stopped dies with it."""
        self._starter.shutdown(wait=True)

    def _start(
        self,
        name: str,
        arguments: list[str],
        environment: dict[str, str],
        output: Path,
        user: str | None,
        directory: Path,
    ) -> subprocess.Popen[bytes]:
        with output.open("ab") as log:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=directory,
                env=environment,
                user=user,
                group=None if user is None else pwd.getpwnam(user).pw_gid,
                extra_groups=None if user is None else _groups_of(user),
                process_group=0,
                # Runs after the change of user, which would clear the death signal (prctl(2)).
                preexec_fn=None if _LIBC is None else _die_with_parent,
            )
        self.home.register(process.pid, name)
        return process


def _groups_of(user: str) -> list[int]:
    return [group.gr_gid for group in grp.getgrall() if user in group.gr_mem]


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
