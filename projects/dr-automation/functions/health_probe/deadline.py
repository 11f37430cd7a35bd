"""The time left for all that one probe does: a server that drips bytes must not get a new timeout with each of them."""

from __future__ import annotations

import socket
import threading
import time


class Deadline:
    """A moment by which a probe is over.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left_seconds(self) -> float:
        """The time left.

        Raises:
            TimeoutError: there is none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def wait_for(self, event: threading.Event) -> bool:
        """Wait for an event as long as there is time; whether it has come."""
        return event.wait(max(0.0, self._end - time.monotonic()))

    def is_mostly_over(self) -> bool:
        """Whether less than a third of the time is left."""
        return self._end - time.monotonic() < self._seconds / 3

    def apply(self, connection: socket.socket) -> None:
        """Let the connection's next operation take the time left.

        Raises:
            TimeoutError: there is none.
        """
        connection.settimeout(self.left_seconds())
