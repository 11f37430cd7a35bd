"""What a drill asks of a client, and all clients of a drill as one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

from drills.clients.history import Attempt, ClientHistory
from drills.instants import Instant


class Client(Protocol):
    """A client that writes numbered rows from `start` to `stop`."""

    def start(self) -> None:
        """Start writing."""

    def stop(self) -> None:
        """End it, whatever it is doing; return when it has ended."""

    def rest(self) -> None:
        """Keep the connections and write nothing."""

    def go_on(self) -> None:
        """Write again."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended by itself and tries no more."""

    @property
    def history(self) -> ClientHistory:
        """Everything tried so far."""


class Clients:
    """The clients of a drill: the one with the writer's name, the one with the URI, and others beside them.

    Attributes:
        each: all of them, in this order.
    """

    def __init__(self, by_name: Client, by_uri: Client, others: Sequence[Client] = ()) -> None:
        self.each: tuple[Client, ...] = (by_name, by_uri, *others)

    def start(self) -> None:
        """Start them all."""
        for client in self.each:
            client.start()

    def stop(self) -> None:
        """End them all.

        Raises:
            Exception: whatever ended one before it was stopped; the others are ended all the same.
        """
        with ExitStack() as ending:
            for client in self.each:
                ending.callback(client.stop)

    def rest(self) -> None:
        """Let them keep their connections and write nothing."""
        for client in self.each:
            client.rest()

    def go_on(self) -> None:
        """Let them write again."""
        for client in self.each:
            client.go_on()

    def acknowledged_since(self, moment: Instant, *, not_by: str | None = None) -> Attempt | None:
        """The first acknowledgement to the client with the writer's name after a moment; None where there is none yet.

        Args:
            moment: acknowledgements up to it do not count.
            not_by: address of a server whose acknowledgements do not count.
        """
        acknowledged = self.each[0].history.acknowledged_after(moment, not_by=not_by)
        return acknowledged[0] if acknowledged else None

    def have_all_written_since(self, moment: Instant) -> bool:
        """Whether a write of each that still writes was acknowledged after a moment."""
        return all(client.is_over or client.history.acknowledged_after(moment) for client in self.each)
