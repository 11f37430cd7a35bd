"""What the incidents say of a record that is older than they are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from function_runtime.incident import Incident, Phase
from function_runtime.state import Controller


def brought_up_to_date(controller: Controller, incidents: Sequence[Incident]) -> tuple[Controller, Incident | None]:
    """The record as the newest incident makes it, and the incident where it is under way.

    An incident outranks a record that does not point to it: the record is written last.

    Args:
        controller: the record, without an incident under way.
        incidents: every incident, oldest epoch first.
    """
    # One that was written and never begun binds nobody.
    begun = [incident for incident in incidents if len(incident.steps) > 1 and incident.epoch >= controller.epoch]
    if not begun:
        return controller, None
    newest = begun[-1]
    writer = newest.new_writer if newest.is_switched else newest.new_writer.other
    if newest.phase is not Phase.CLOSED:
        under_way = replace(
            controller, epoch=newest.epoch, writer_site=writer, incident_id=newest.incident_id, owes_opening=None
        )
        return under_way, newest
    if newest.epoch == controller.epoch:
        return controller, None
    over = replace(
        controller,
        epoch=newest.epoch,
        writer_site=writer,
        last_incident_id=newest.incident_id,
        last_closed_at=newest.closed_at,
    )
    return over, None
