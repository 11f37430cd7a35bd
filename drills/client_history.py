"""What one client saw from beginning to end, and what can be said about it alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from drills.history import Attempt, Outcome
from drills.instants import Instant


@dataclass(frozen=True)
class ClientHistory:
    """The history of one client.

    Attributes:
        name: the way by which it finds the writer.
        attempts: everything it tried, in the order in which it learned the end.
    """

    name: str
    attempts: tuple[Attempt, ...]

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
            if attempt.finished_at.monotonic > moment.monotonic and attempt.server_address != not_by
        )

    def outage_seconds(self, fault: Instant) -> float:
        """The longest time after the fault without an acknowledgement, counted from the last before it.

        Where the client never wrote again, it lasts until the client stopped.

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
