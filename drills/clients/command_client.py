"""A client that is a program of its own: it gets the strings as variables, and prints a line for each attempt.

What it gets is in `Given.environment`, what it prints in `drills.clients.attempt_line`. At the end it gets SIGTERM, and
SIGKILL if it has not ended soon after. Whatever it does, the drill goes on: what was wrong with it is in its history.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock, Thread
from typing import IO

from drills.clients.attempt_line import AttemptLine, NonsenseError, read_line
from drills.clients.connection import one_line
from drills.clients.history import ROWS_IN_BLOCK, Attempt, ClientHistory, Outcome
from drills.instants import Instant

# Long enough for a write under way: a documented deadline is shorter.
STOP_SECONDS = 12.0
KILLED_SECONDS = 5.0
LONGEST_LINE = 64 * 1024
# A program that prints without pause would fill the memory: no client of a drill needs a tenth of it.
MOST_ATTEMPTS = 100_000
NOT_ANSWERED = "the client was stopped before it said how this ended"


@dataclass(frozen=True)
class Program:
    """A client program.

    Attributes:
        name: what the report calls it.
        words: the command line.
        is_documented: whether it runs with the settings of docs/connecting.md.
    """

    name: str
    words: tuple[str, ...]
    is_documented: bool = False


class CommandClient:
    """One such client."""

    def __init__(self, program: Program, block: int, environment: Mapping[str, str], secrets: Sequence[str]) -> None:
        """Know the program.

        Args:
            program: what to run.
            block: which row numbers are its own.
            environment: its variables, beside those of this process.
            secrets: words that must not get into a report, whatever it prints.
        """
        self._program = program
        self._block = block
        self._environment = environment
        self._secrets = secrets
        self._process: subprocess.Popen[str] | None = None
        self._readers: tuple[Thread, ...] = ()
        self._lock = Lock()
        self._attempts: list[Attempt] = []
        self._numbers: set[int] = set()
        self._trouble = ""
        self._nonsense = 0
        self._last_words: deque[str] = deque(maxlen=3)
        self._waits_since = Instant.now()

    def start(self) -> None:
        """Start the program in a process group of its own."""
        self._waits_since = Instant.now()
        try:
            process = subprocess.Popen(
                self._program.words,
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            self._note(f"it could not be started: {error}")
            return
        self._process = process
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        self._readers = (
            Thread(target=self._read_attempts, args=(process.stdout,), daemon=True),
            Thread(target=self._read_errors, args=(process.stderr,), daemon=True),
        )
        for reader in self._readers:
            reader.start()

    def stop(self) -> None:
        """End it; a row that it said nothing about is indeterminate."""
        process = self._process
        if process is None:
            return
        ended_by_itself = self.is_over
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            waited = Instant.now().seconds_since(self._waits_since)
            self._note(f"it had to be killed: its last line came {waited:.1f} s before")
        # Whatever it started is in its group, and could hold its output open.
        self._signal(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILLED_SECONDS)
        for reader in self._readers:
            reader.join(KILLED_SECONDS)
        if ended_by_itself:
            last = f": {' / '.join(self._last_words)}" if self._last_words else ""
            self._note(f"it ended by itself, with {process.returncode}{last}")
        elif process.returncode == -signal.SIGKILL:
            self._end_the_one_under_way()

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or never began."""
        return self._process is None or self._process.poll() is not None

    def rest(self) -> None:
        """Stop its processes (SIGSTOP); the kernel keeps its connections."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it continue (SIGCONT)."""
        self._waits_since = Instant.now()
        self._signal(signal.SIGCONT)

    @property
    def history(self) -> ClientHistory:
        """Everything it has said so far."""
        with self._lock:
            return ClientHistory(
                self._program.name,
                tuple(self._attempts),
                self._block,
                self._program.is_documented,
                self._trouble,
            )

    def _read_attempts(self, output: IO[str]) -> None:
        while line := output.readline(LONGEST_LINE):
            if not line.strip():
                continue
            try:
                self._take(read_line(line.strip()))
            except NonsenseError as error:
                self._nonsense += 1
                if self._nonsense == 1:
                    self._note(f"it printed nonsense: {error}")
            if len(self._numbers) + self._nonsense >= MOST_ATTEMPTS:
                self._note(f"it printed {MOST_ATTEMPTS} lines: it was killed")
                self._signal(signal.SIGKILL)
                return

    def _read_errors(self, output: IO[str]) -> None:
        while line := output.readline(LONGEST_LINE):
            if line.strip():
                self._last_words.append(one_line(line))

    def _take(self, said: AttemptLine) -> None:
        if said.n // ROWS_IN_BLOCK != self._block or said.n in self._numbers:
            raise NonsenseError(f"row {said.n} is not from FIRST_ROW on, or was tried before")
        now = Instant.now()
        taken = now.seconds_since(self._waits_since) if said.seconds is None else said.seconds
        began = Instant(now.wall - taken, now.monotonic - taken)
        attempt = Attempt(said.n, began, now, said.outcome, said.server, self._harmless(one_line(said.error)))
        with self._lock:
            self._numbers.add(said.n)
            self._attempts.append(attempt)
            self._waits_since = now

    def _end_the_one_under_way(self) -> None:
        n = max(self._numbers, default=self._block * ROWS_IN_BLOCK) + 1
        with self._lock:
            self._attempts.append(
                Attempt(n, self._waits_since, Instant.now(), Outcome.INDETERMINATE, None, NOT_ANSWERED)
            )

    def _note(self, trouble: str) -> None:
        with self._lock:
            self._trouble = "; ".join((*filter(None, [self._trouble]), self._harmless(trouble)))

    def _harmless(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "\u2026")
        return text

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
