"""What is left to do, with the time that it takes. Pure: from one look to the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from operations.reprotect.protecting import back_up, hand_over
from operations.reprotect.record import Reason
from operations.reprotect.replacing import create, delete, follow, pause, release, resume, snapshot
from operations.reprotect.seen import Seen
from operations.reprotect.steps import Step

STEPS: tuple[Step, ...] = (follow, pause, release, snapshot, delete, create, resume, back_up, hand_over)
"""All of them, in order. The old instance goes before its successor is made: both bear the same name."""

TOLD = {
    Reason.FAILED_OVER: "the database there is the old writer, shut since the failover",
    Reason.STANDBY_BROKEN: "the replica there is broken: a cross-region replica has no archive to catch up from",
    Reason.NO_INSTANCE: "there is no database there",
    Reason.AUTHORITY_ELSEWHERE: "the replica there is well, and authority is not there yet",
    Reason.NOT_FOLLOWED: "the replica there is well, and the data layer's activeSite is not the writer yet",
}


@dataclass(frozen=True)
class Plan:
    """What is left.

    Attributes:
        seen: what it follows from.
        reason: why there is something to do; None where there is nothing.
        steps: what is left, in order.
    """

    seen: Seen
    reason: Reason | None
    steps: tuple[Step, ...]

    @property
    def minutes(self) -> int:
        """How long all of it takes on AWS, for a database of some ten GiB."""
        return sum(each.minutes for each in self.steps)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "reason": None if self.reason is None else self.reason.value,
            "site": self.seen.other.value,
            "writer_site": self.seen.writer.value,
            "epoch": self.seen.known.epoch,
            "generation": self.seen.next_generation,
            "old_instance_id": None if self.seen.standby is None else self.seen.standby.resource_id,
            "begun_at": None if self.seen.begun is None else self.seen.begun.began_at.isoformat(),
            "minutes": self.minutes,
            "steps": [{"step": each.name.value, "what": each.title, "minutes": each.minutes} for each in self.steps],
        }


def plan(seen: Seen) -> Plan:
    """The plan.

    Args:
        seen: what there is.
    """
    reason = seen.reason
    if reason is None:
        return Plan(seen, None, ())
    begun = seen.begun
    left = (each for each in STEPS if each.needed(seen) and not (begun is not None and begun.has_finished(each.name)))
    return Plan(seen, reason, tuple(left))
