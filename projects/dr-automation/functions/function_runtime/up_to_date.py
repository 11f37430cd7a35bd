"""What the incidents say of a record that is older than they are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from function_runtime.incident import NOT_OPENED, Incident, Kind, Phase
from function_runtime.state import Controller


def after(controller: Controller, incident: Incident) -> Controller:
    """The record after an incident that is closed."""
    # A planned one that was taken back has moved nothing: there is nothing to cool down from.
    cools_down = not (incident.is_taken_back and incident.kind is Kind.PLANNED)
    opened = incident.step(Phase.OPENED_AGAIN)
    owes_opening = opened is not None and opened.outcome == NOT_OPENED
    return replace(
        controller,
        epoch=incident.epoch,
        writer_site=incident.new_writer if incident.is_switched else incident.new_writer.other,
        incident_id=None,
        trouble=None,
        # What was wrong with the old pair says nothing of the new one.
        unready=None if incident.is_switched else controller.unready,
        proposal=None,
        replicated_until=None,
        last_closed_at=incident.closed_at if cools_down else controller.last_closed_at,
        last_incident_id=incident.incident_id,
        owes_opening=incident.incident_id if owes_opening else None,
        let_in_at=incident.closed_at if incident.is_taken_back else None,
        # Its standby may be left no replica, by a person's decision.
        adopted_by=f"who abandoned {incident.incident_id}" if incident.is_abandoned else None,
    )


def brought_up_to_date(controller: Controller, incidents: Sequence[Incident]) -> tuple[Controller, Incident | None]:
    """The record as the newest incident makes it, and the incident where it is under way.

    An incident outranks a record that does not know it or how it ended: the record is written last.

    Args:
        controller: the record.
        incidents: every incident, oldest epoch first.
    """
    # One that was written and that no run has taken over binds nobody.
    begun = [
        incident
        for incident in incidents
        if (len(incident.steps) > 1 or incident.version > 1) and incident.epoch >= controller.epoch
    ]
    if not begun:
        return controller, None
    newest = begun[-1]
    if newest.phase is not Phase.CLOSED:
        writer = newest.new_writer if newest.is_switched else newest.new_writer.other
        under_way = replace(
            controller,
            epoch=newest.epoch,
            writer_site=writer,
            incident_id=newest.incident_id,
            owes_opening=None,
            adopted_by=None,
        )
        return under_way, newest
    knows_its_end = newest.epoch == controller.epoch and controller.incident_id != newest.incident_id
    return (controller, None) if knows_its_end and controller.version > 0 else (after(controller, newest), None)
