"""What the other site's record becomes when it is told of this one's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from function_runtime.sites import Site
from function_runtime.state import Controller


@dataclass(frozen=True)
class Telling:
    """What is to be written into the other site's table.

    Attributes:
        record: the record to write, None where nothing is to be written.
        refusal: why it must not be written over, None where it says all this already, or may be.
    """

    record: Controller | None = None
    refusal: str | None = None


def telling(
    controller: Controller, other: Controller | None, authority: Site, since: datetime | None = None
) -> Telling:
    """How the other site's record gets as new as this one.

    Args:
        controller: this site's record.
        other: the other site's, whose chain of versions goes on; None where there is none.
        authority: whose controller acts from then on.
        since: when the other site's controller gets the authority, None where it does not.
    """
    if other is None:
        return Telling(_told(controller, 0, authority, since))
    if (other.epoch, other.writer_site, other.authority) == (controller.epoch, controller.writer_site, authority):
        return Telling()
    handover = controller.handover
    is_taken = handover is not None and other.authority is authority is handover.receiver
    if other.epoch > controller.epoch and is_taken:
        # It was told before, and has carried out a failover since.
        return Telling()
    if other.epoch > controller.epoch:
        return Telling(refusal=f"the other site's record is newer: epoch {other.epoch}, not {controller.epoch}")
    if other.incident_id is not None:
        return Telling(refusal=f"incident {other.incident_id} is under way on the other site's record")
    return Telling(_told(controller, other.version, authority, since))


def telling_of_adoption(controller: Controller, other: Controller | None) -> Telling:
    """The same after a person's word, which ends what is under way there; another one as new is people's to settle.

    Args:
        controller: this site's record, with the authority here.
        other: the other site's; None where there is none.
    """
    if other is None or other.epoch < controller.epoch:
        version = 0 if other is None else other.version
        return Telling(_told(controller, version, controller.authority, None))
    told = telling(controller, other, controller.authority)
    return told if told == Telling() else Telling(refusal=f"the other site's record is of epoch {other.epoch}, too")


def _told(controller: Controller, version: int, authority: Site, since: datetime | None) -> Controller:
    return Controller(
        version=version,
        epoch=controller.epoch,
        writer_site=controller.writer_site,
        authority=authority,
        last_closed_at=controller.last_closed_at,
        last_incident_id=controller.last_incident_id,
        adopted_by=controller.adopted_by,
        heeded_at=controller.heeded_at,
        authority_since=since,
    )
