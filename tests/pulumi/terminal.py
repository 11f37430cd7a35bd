"""A person at a terminal: answers what is asked, and presses Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.pulumi.workplace import Ended, Workplace

QUESTION = b"Only yes means yes"


@contextmanager
def _interruptible() -> Iterator[None]:
    """What is started now heeds Ctrl-C, also where this process was started in the background and does not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def interrupted(workplace: Workplace, words: Sequence[str], after: Sequence[str]) -> Ended:
    """Run a deployment command and press Ctrl-C once, when it has said all of these, one after the other."""
    left = list(after)
    with _interruptible():
        process = subprocess.Popen(
            workplace.command("deployment", *words),
            cwd=workplace.checkout.root,
            env=workplace.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    said = []
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            said.append(line)
            if left and left[0] in line and not left[1:]:
                # A terminal sends it to all processes in its foreground.
                os.killpg(process.pid, signal.SIGINT)
            if left and left[0] in line:
                del left[0]
        errors = process.stderr.read()
    return Ended(process.returncode, "".join(said), errors)


def answered_at_a_terminal(workplace: Workplace, words: Sequence[str], answer: str) -> Ended:
    """Run a deployment command at a terminal of its own and answer the question that it asks."""
    ours, theirs = pty.openpty()
    with _interruptible():
        process = subprocess.Popen(
            workplace.command("deployment", *words),
            cwd=workplace.checkout.root,
            env={**workplace.variables, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
    os.close(theirs)
    said, asked = b"", False
    while chunk := _read(ours):
        said += chunk
        if not asked and QUESTION in said:
            os.write(ours, f"{answer}\n".encode())
            asked = True
    os.close(ours)
    return Ended(process.wait(), said.decode(errors="replace"), "")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # Linux's way to say that nobody is at the other end any more.
        return b""
