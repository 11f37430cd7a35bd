"""An empty lab in a process of its own, started and stopped as a person does it in another terminal."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

READY = "Ctrl-C takes everything down again."
EXPORTED = re.compile(r"^  export (\w+)=(.*)$", re.MULTILINE)
PORTS = range(20000, 32000)
START_SECONDS = 60
STOP_SECONDS = 60


def free_database_port() -> int:
    """A port that nobody on this machine listens on, at whichever address: another lab may have the usual one."""
    taken = {connection.laddr.port for connection in psutil.net_connections("tcp") if connection.laddr}
    # Any of them: another run of these tests takes its own before it listens there.
    return random.choice([port for port in PORTS if port not in taken])  # noqa: S311


@dataclass(frozen=True)
class RunningLab:
    """A lab that is up.

    Attributes:
        process: its process.
        log: the file with what it says.
    """

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8")

    @property
    def variables(self) -> dict[str, str]:
        """The variables that it prints, with which everything talks to it."""
        return dict(EXPORTED.findall(self.said))


@contextmanager
def running_lab(
    root: Path, log: Path, variables: Mapping[str, str], program: Sequence[str] = ("lab", "--empty")
) -> Iterator[RunningLab]:
    """A lab of the checkout at `root`, with nothing deployed.

    Args:
        root: the checkout.
        log: where what it says goes.
        variables: its environment.
        program: the module that starts it, and its arguments.
    """
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [root / ".venv" / "bin" / "python", "-m", *program],
            cwd=root,
            # 0 takes any free port.
            env={**variables, "LAB_PORT": "0", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
            # Ctrl-C at pytest is not for it: what runs against it ends first.
            start_new_session=True,
        )
    lab = RunningLab(process, log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while READY not in lab.said:
            assert process.poll() is None, f"the lab ended: {lab.said}"
            assert time.monotonic() < deadline, f"the lab did not come up: {lab.said}"
            time.sleep(0.1)
        yield lab
    finally:
        if process.poll() is not None:
            # What failed against it failed for that.
            sys.stderr.write(f"the lab ended by itself: {lab.said}\n")
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"the lab did not end when it was told to: {log}\n")
            process.kill()
            process.wait()
