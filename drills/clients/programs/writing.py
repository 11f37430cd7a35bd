"""What every client program does: one row after the other, a line for each, until SIGTERM."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Callable
from threading import Event

from drills.clients.history import Outcome

INTERVAL_SECONDS = 0.1


class FailedError(Exception):
    """The row is certainly not committed."""


def keep_writing(write: Callable[[int], str | None]) -> None:
    """Write rows from ``FIRST_ROW`` on.

    Args:
        write: writes the row of a number and returns the server's address; `FailedError` says that it is certainly not
            committed, any other error that nobody knows.
    """
    done = Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    for n in itertools.count(int(os.environ["FIRST_ROW"])):
        if done.is_set():
            return
        began = time.monotonic()
        server, error = None, None
        try:
            server = write(n)
            outcome = Outcome.ACKNOWLEDGED
        except FailedError as failed:
            outcome, error = Outcome.FAILED, str(failed)
        except Exception as unknown:  # noqa: BLE001 - whatever a driver raises is what the drill wants to know
            outcome, error = Outcome.INDETERMINATE, f"{type(unknown).__name__}: {unknown}"
        seconds = round(time.monotonic() - began, 3)
        line = {"n": n, "outcome": outcome, "server": server, "error": error, "seconds": seconds}
        print(json.dumps(line), flush=True)  # noqa: T201
        done.wait(max(0.0, INTERVAL_SECONDS - seconds))
