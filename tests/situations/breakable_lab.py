"""An empty lab in a process of its own that is broken from outside: ``python -m tests.situations.breakable_lab``.

A line of its input is one of `lab.breakable.Breakable`'s calls.
"""

from __future__ import annotations

import json
import sys
import time

from lab.__main__ import access
from lab.command_line import run, say
from lab.lab import Lab
from lab.settings import LabSettings
from tests.pulumi.running_lab import READY, RunningLab

PROGRAM = ("tests.situations.breakable_lab",)
STAND_IN = "LAB_PULUMI"
"""The variable with the folder of the stand-in for the Pulumi CLI."""
DONE = "as told: "
DEADLINE_SECONDS = 60


def main() -> int:
    """Be there until the input ends."""
    with Lab(LabSettings.from_environment(), say, empty=True) as lab:
        say("\n".join([*access(lab), f"  export {STAND_IN}={lab.pulumi.folder}", READY]))
        for line in sys.stdin:
            call, *arguments = json.loads(line)
            getattr(lab, call)(*arguments)
            say(f"{DONE}{line.strip()}")
    return 0


def tell(lab: RunningLab, *call: str) -> None:
    """Have such a lab do one of these calls."""
    line = json.dumps(call)
    done_before = lab.said.count(f"{DONE}{line}\n")
    assert lab.process.stdin is not None
    lab.process.stdin.write(f"{line}\n".encode())
    lab.process.stdin.flush()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while lab.said.count(f"{DONE}{line}\n") == done_before:
        assert lab.process.poll() is None, f"the lab ended: {lab.said}"
        assert time.monotonic() < deadline, f"the lab did not do {line}: {lab.said}"
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(run(main))
