"""Whether a failure of the writer would be answered, and why not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from failover.handover import replicates
from function_runtime import rds_status
from function_runtime.incident import Incident
from function_runtime.readings import Instance, Unanswered
from function_runtime.sites import Site
from function_runtime.state import Controller
from function_runtime.trouble import Trouble


class Code(StrEnum):
    """What protects the writer, or does not. Axis of what is to be done."""

    PROTECTED = "protected"
    NO_STANDBY = "no_standby"
    STANDBY_BROKEN = "standby_broken"
    STANDBY_BUSY = "standby_busy"
    """RDS is at work on it, and no promotion is accepted before that ends."""
    AUTHORITY_ELSEWHERE = "authority_elsewhere"
    """A good standby is there, and not its own site's controller has the say: hand it over."""
    INCIDENT = "incident"
    PAUSED = "paused"
    WRITER_IN_TROUBLE = "writer_in_trouble"
    """The failure is there: what is done about it is the decision's to say."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Protection:
    """Whether the writer is protected.

    Attributes:
        code: one word.
        reason: the same for people.
    """

    code: Code
    reason: str

    @property
    def protected(self) -> bool | None:
        """None where nobody can say."""
        return None if self.code is Code.UNKNOWN else self.code is Code.PROTECTED

    def as_item(self) -> dict[str, Any]:
        """As JSON."""
        return {"protected": self.protected, "code": self.code.value, "reason": self.reason}


def protection(
    here: Site,
    controller: Controller,
    incident: Incident | None,
    standby: Instance | Unanswered | None,
    writer_name: str,
    trouble: Trouble | None,
    paused: str | None,
) -> Protection:
    """Whether the writer is protected.

    Args:
        here: the site whose record it is.
        controller: the record.
        incident: the failover under way, None where there is none.
        standby: the database of the other site than the writer's; None where there is none.
        writer_name: the identifier of the writer's instance.
        trouble: the trouble that the writer is in, None where it is well.
        paused: who paused failovers and why; None where they are not paused.
    """
    site = controller.writer_site.other
    if incident is not None:
        return Protection(Code.INCIDENT, f"failover {incident.incident_id} is under way ({incident.phase})")
    if controller.authority is not here and controller.handover is None:
        reason = (
            f"the {here} site's controller has no authority and may not know the newest: ask the {here.other} site's"
        )
        return Protection(Code.UNKNOWN, reason)
    if isinstance(standby, Unanswered):
        return Protection(Code.UNKNOWN, f"RDS does not say how the {site} site's database is: {standby.why}")
    if standby is None or standby.replica_of is None:
        what = "no database" if standby is None else "a database that is no replica"
        return Protection(Code.NO_STANDBY, f"the {site} site has {what}: nox -s reprotect makes a standby")
    broken = _broken(standby, writer_name)
    if broken is not None:
        return Protection(Code.STANDBY_BROKEN, f"the {site} site's standby {broken}: see nox -s reprotect")
    if standby.status not in rds_status.WORKING:
        return Protection(Code.STANDBY_BUSY, f"the {site} site's standby is {standby.status}, which ends by itself")
    if controller.authority is not site or controller.handover is not None:
        doing = "is being handed over" if controller.handover is not None else "is still the writer's site's"
        reason = f"the {site} site's standby is good, and the authority {doing}: nox -s reprotect goes on with it"
        return Protection(Code.AUTHORITY_ELSEWHERE, reason)
    in_trouble = "" if trouble is None else f"the writer has been {trouble.kind} since {trouble.since:%H:%M} UTC"
    if paused is not None:
        asked = f"{in_trouble}, and {paused}" if in_trouble else f"a failure would not be answered: {paused}"
        return Protection(Code.PAUSED, asked)
    if in_trouble:
        return Protection(Code.WRITER_IN_TROUBLE, f"{in_trouble}; the decision says what is done about it")
    return Protection(Code.PROTECTED, f"the {site} site's standby replicates, and its controller has the say")


def _broken(standby: Instance, writer_name: str) -> str | None:
    if standby.replication_ended:
        return "does not replicate any more: RDS has ended it for good"
    if not replicates(standby, writer_name):
        return f"replicates {standby.replica_of}, which is not the writer"
    return f"is {standby.status}" if standby.is_failed or standby.status in rds_status.GOING else None
