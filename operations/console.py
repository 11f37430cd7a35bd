"""The person at the terminal, and the time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from operations.errors import RefusedError


class Console:
    """Standard output and input, and the machine's clock."""

    def say(self, lines: Iterable[str]) -> None:
        """Print lines without buffering."""
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()

    def ask(self, question: str) -> str:
        """Ask, and wait for a line.

        Raises:
            RefusedError: standard input is at its end.
        """
        sys.stdout.write(question)
        sys.stdout.flush()
        answer = sys.stdin.readline()
        if not answer:
            raise RefusedError(
                "--yes", "(not set, and no answer was given)", "nothing was done; give --yes to run without a terminal"
            )
        return answer.strip()

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
