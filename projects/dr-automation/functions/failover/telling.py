"""What the other site's record becomes when it is told of this one's. Pure."""

from __future__ import annotations

from function_runtime.sites import Site
from function_runtime.state import Controller


def told(controller: Controller, other: Controller, authority: Site) -> Controller:
    """The other site's record, as new as this one.

    Args:
        controller: this site's record.
        other: the other site's, whose chain of versions goes on.
        authority: whose controller acts from then on.
    """
    return Controller(
        version=other.version,
        epoch=controller.epoch,
        writer_site=controller.writer_site,
        authority=authority,
        last_closed_at=controller.last_closed_at,
        last_incident_id=controller.last_incident_id,
        adopted_by=controller.adopted_by,
        heeded_at=controller.heeded_at,
    )


def already_told(controller: Controller, other: Controller, authority: Site) -> bool:
    """Whether the other site's record says the same of epoch and writer, and this of the authority."""
    return (other.epoch, other.writer_site, other.authority) == (
        controller.epoch,
        controller.writer_site,
        authority,
    )


def cannot_be_told(controller: Controller, other: Controller) -> str | None:
    """Why the other site's record is not written over; None where it may be."""
    if other.epoch > controller.epoch:
        return f"the other site's record is newer: epoch {other.epoch}, this one's is {controller.epoch}"
    if other.incident_id is not None:
        return f"incident {other.incident_id} is under way on the other site's record"
    return None
