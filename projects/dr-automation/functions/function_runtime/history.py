"""What a site's controller has done: its failovers, and how it gave the authority away and got it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from function_runtime.handover import Handover
from function_runtime.incident import Incident
from function_runtime.taken import Taken


@dataclass(frozen=True)
class History:
    """What the table has of it.

    Attributes:
        incidents: oldest epoch first; of one epoch, the one that was opened first.
        handovers: those in which it gave the authority away, oldest epoch first.
        taken: how it last got the authority other than by birth; None where it never did.
    """

    incidents: Sequence[Incident] = ()
    handovers: Sequence[Handover] = ()
    taken: Taken | None = None

    @property
    def last_epoch(self) -> int:
        """The newest epoch that anything names; 0 without any."""
        taken = 0 if self.taken is None else self.taken.epoch
        return max([taken, *(each.epoch for each in self.incidents), *(each.epoch for each in self.handovers)])
