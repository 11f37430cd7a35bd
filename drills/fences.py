"""What the fence-guard of a site has recorded: the item ``fence#<site>`` of the state table."""

from __future__ import annotations

from dataclasses import dataclass

from drills.state_table import state_item
from drills.system import LabSystem
from shared.sites import Site


@dataclass(frozen=True)
class RecordedFence:
    """The last word of a fence-guard.

    Attributes:
        epoch: the epoch whose writer it protects.
        outcome: how it ended, in the guard's word.
        detail: what happened.
    """

    epoch: int
    outcome: str
    detail: str


def recorded_fence(system: LabSystem, site: Site) -> RecordedFence | None:
    """What the guard of a site recorded; None where it has recorded nothing yet."""
    item = state_item(system, f"fence#{site.value}")
    if item is None:
        return None
    detail = item.get("detail")
    return RecordedFence(int(item["epoch"]), str(item["outcome"]), "" if detail is None else str(detail))
