"""What a site's controller has done: its failovers, and the handovers in which it gave the authority away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from function_runtime.handover import Handover
from function_runtime.incident import Incident


@dataclass(frozen=True)
class History:
    """What the table has of it.

    Attributes:
        incidents: oldest epoch first; of one epoch, the one that was opened first.
        handovers: those in which it gave the authority away, oldest epoch first.
    """

    incidents: Sequence[Incident] = ()
    handovers: Sequence[Handover] = ()

    @property
    def last_epoch(self) -> int:
        """The newest epoch that anything names; 0 without any."""
        return max([0, *(each.epoch for each in self.incidents), *(each.epoch for each in self.handovers)])
