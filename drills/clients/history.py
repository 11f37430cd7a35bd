"""The history of one client: every write it tried, what it learned about it, and how long its outage was."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from drills.instants import Instant

ROWS_IN_BLOCK = 10_000_000


class Outcome(StrEnum):
    """What the client knows about an attempt."""

    ACKNOWLEDGED = "acknowledged"
    """The server confirmed the commit."""
    INDETERMINATE = "indeterminate"
    """The connection broke before the answer came: the row may be committed or not."""
    FAILED = "failed"
    """Certainly not committed: never sent, or refused and rolled back."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row the client tried to write.

    Attributes:
        n: its number, never used again.
        invoked_at: when the attempt began.
        finished_at: when the client knew the outcome.
        outcome: what the client knows.
        server_address: the server it was sent to, or that could not be reached; None where the name did not resolve or
            no host of the URI let the client in.
        detail: the error message where it was not acknowledged.
        fresh: whether a connection was opened just for it.
    """

    n: int
    invoked_at: Instant
    finished_at: Instant
    outcome: Outcome
    server_address: str | None
    detail: str = ""
    fresh: bool = False


@dataclass(frozen=True)
class ClientHistory:
    """The history of one client.

    Attributes:
        name: what the report calls it.
        attempts: everything it tried, in the order in which the attempts ended.
        block: which numbers are its own; the clients that every drill has share block 0.
        is_documented: whether it runs with the settings of docs/connecting.md: the drill judges the system by those.
        trouble: what was wrong with a program of somebody's own; empty where nothing was.
    """

    name: str
    attempts: tuple[Attempt, ...]
    block: int = 0
    is_documented: bool = True
    trouble: str = ""

    def owns(self, n: int) -> bool:
        """Whether a row's number is one of its block's."""
        return n // ROWS_IN_BLOCK == self.block

    @property
    def longest_wait_seconds(self) -> float:
        """How long its longest attempt took, one that was still under way at the end included; 0 without any."""
        return max((each.finished_at.seconds_since(each.invoked_at) for each in self.attempts), default=0.0)

    @property
    def acknowledged(self) -> tuple[Attempt, ...]:
        """Its attempts that were acknowledged."""
        return tuple(attempt for attempt in self.attempts if attempt.outcome is Outcome.ACKNOWLEDGED)

    def acknowledged_before(self, moment: Instant) -> tuple[Attempt, ...]:
        """Its acknowledgements up to a moment."""
        return tuple(attempt for attempt in self.acknowledged if attempt.finished_at.monotonic <= moment.monotonic)

    def acknowledged_after(self, moment: Instant, *, not_by: str | None = None) -> tuple[Attempt, ...]:
        """Its acknowledgements after a moment.

        Args:
            moment: acknowledgements up to it do not count.
            not_by: address of a server whose acknowledgements do not count.
        """
        return tuple(
            attempt
            for attempt in self.acknowledged
            if attempt.finished_at.monotonic > moment.monotonic and (not_by is None or attempt.server_address != not_by)
        )

    def outage_seconds(self, fault: Instant) -> float:
        """The longest time after the fault without an acknowledgement, counted from the last before it.

        Where no write was acknowledged again, it lasts until the client stopped.

        Returns:
            Seconds; 0 where nothing was ever acknowledged.
        """
        moments = [
            attempt.finished_at.monotonic
            for attempt in (*self.acknowledged_before(fault)[-1:], *self.acknowledged_after(fault))
        ]
        if not moments:
            return 0.0
        moments.append(self.attempts[-1].finished_at.monotonic)
        return max(later - earlier for earlier, later in pairwise(moments))
