"""Waiting for AWS to finish what it has accepted."""

from __future__ import annotations

import time
from collections.abc import Callable

from lab.engine.registration import EngineError

POLL_SECONDS = 0.2


def wait_until(what: str, condition: Callable[[], bool], *, timeout_seconds: float) -> None:
    """Ask until it is so.

    Args:
        what: what is waited for, for the error.
        condition: asks AWS.
        timeout_seconds: how long at most.

    Raises:
        EngineError: it is not so by then.
    """
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise EngineError(f"{what}: not within {timeout_seconds:g} s; the lab's logs say more")
        time.sleep(POLL_SECONDS)
