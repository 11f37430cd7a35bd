"""The lab's child processes: registered in the home, and killed with the lab."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.home.folder import LabHome

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_BARE_ENVIRONMENT: Mapping[str, str] = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class ChildProcesses:
    """Starts children, each at the head of a process group of its own, and registers them in the home.

    On Linux the kernel kills a child when the *thread* that started it ends (prctl(2)). So all are started from one
    thread that lives as long as this object. Elsewhere the next lab's clean-up finds them.
    """

    def __init__(self, home: LabHome) -> None:
        self.home = home
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lab-process-starter")

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str] = _BARE_ENVIRONMENT,
        log: Path | None = None,
        user: str | None = None,
        directory: Path = Path("/"),
        open_files: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a process.

        Args:
            name: what it is, for the register and for the log file's name.
            arguments: the program and its arguments.
            environment: its whole environment; nothing is inherited.
            log: the file its output is appended to; None for ``logs/<name>.log`` in the home.
            user: the user to drop to, with that user's own groups only; None for ourselves.
            directory: where it starts.
            open_files: file descriptors of ours that it gets under the same numbers.

        Returns:
            the process; end it with `stop`.

        Raises:
            OSError: it could not be started.
            KeyError: there is no such user.
        """
        output = log if log is not None else self.home.directory("logs") / f"{name}.log"
        account = None if user is None else pwd.getpwnam(user)

        def start() -> subprocess.Popen[bytes]:
            with output.open("ab") as stream:
                process = subprocess.Popen(
                    list(arguments),
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    cwd=directory,
                    env=dict(environment),
                    user=user,
                    group=None if account is None else account.pw_gid,
                    extra_groups=None if account is None else os.getgrouplist(account.pw_name, account.pw_gid),
                    process_group=0,
                    pass_fds=tuple(open_files),
                    # Runs after the change of user, which would clear the death signal (prctl(2)).
                    preexec_fn=None if _LIBC is None else _die_with_parent,
                )
            self.home.register(process.pid, name)
            return process

        return self._starter.submit(start).result()

    def stop(
        self,
        process: subprocess.Popen[bytes],
        *,
        with_signal: signal.Signals = signal.SIGTERM,
        grace_seconds: float = 5.0,
    ) -> int:
        """End a process: ask it, and kill its whole group when it has not ended after ``grace_seconds``.

        Returns:
            its exit code, negative for a signal.
        """
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(with_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=grace_seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            # Also when the process itself has ended: what it started may be left. (PermissionError is macOS's way to
            # say that only zombies are left.)
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        self.home.unregister(process.pid)
        return code

    def close(self) -> None:
        """End the starter thread. On Linux whatever was started and not stopped dies with it."""
        self._starter.shutdown(wait=True)


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
