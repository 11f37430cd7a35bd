"""What the history says of a record that is lost or older than it. Pure."""

from __future__ import annotations

from dataclasses import replace

from function_runtime.history import History
from function_runtime.incident import NOT_OPENED, WITHDRAWN, Incident, Kind, Phase
from function_runtime.state import Controller
from function_runtime.trouble import Trouble


def after(controller: Controller, incident: Incident) -> Controller:
    """The record after an incident that is closed."""
    # A planned one that was taken back has moved nothing, and one that never fenced neither: nothing is to cool down.
    fenced = incident.step(Phase.FENCED)
    never_fenced = fenced is not None and fenced.outcome == WITHDRAWN
    nothing_done = incident.is_taken_back and never_fenced
    cools_down = not (nothing_done or (incident.is_taken_back and incident.kind is Kind.PLANNED))
    opened = incident.step(Phase.OPENED_AGAIN)
    owes_opening = opened is not None and opened.outcome == NOT_OPENED
    return replace(
        controller,
        epoch=incident.epoch,
        writer_site=incident.new_writer if incident.has_new_writer else incident.new_writer.other,
        switching_to=None,
        # A site's controller makes its own database the writer, and no other one acts.
        authority=incident.new_writer,
        handover=None,
        incident_id=None,
        # Where nothing was done the trouble may last, and what is known of it cannot be read again.
        trouble=_undecided(controller.trouble, incident) if nothing_done else None,
        # What was wrong with the old pair says nothing of the new one.
        unready=None if incident.has_new_writer else controller.unready,
        proposal=None,
        replicated_until=controller.replicated_until if nothing_done else None,
        last_closed_at=incident.closed_at if cools_down else controller.last_closed_at,
        last_incident_id=incident.incident_id,
        owes_opening=incident.incident_id if owes_opening else None,
        let_in_at=incident.closed_at if incident.is_taken_back else None,
        # Its standby may be left no replica, by a person's decision.
        adopted_by=f"who abandoned {incident.incident_id}" if incident.is_abandoned else None,
    )


def _undecided(trouble: Trouble | None, incident: Incident) -> Trouble | None:
    """The same for a decision made anew: it becomes another incident, and people hear of it again.

    Nobody has looked while the incident was under way: its region may have answered, and the writer may have lived.
    """
    if trouble is None:
        return None
    return replace(trouble, incident_id=None, told=(), dark_since=None, unwatched_until=incident.closed_at)


def during(controller: Controller, incident: Incident) -> Controller:
    """The record as an incident that is under way makes it."""
    return replace(
        controller,
        epoch=incident.epoch,
        writer_site=incident.new_writer if incident.has_new_writer else incident.new_writer.other,
        switching_to=incident.new_writer if incident.moves_name and not incident.has_new_writer else None,
        authority=incident.new_writer,
        handover=None,
        incident_id=incident.incident_id,
        # What people were asked before it was opened is settled.
        proposal=controller.proposal if controller.incident_id == incident.incident_id else None,
        owes_opening=None,
        adopted_by=None,
    )


def brought_up_to_date(controller: Controller, history: History) -> tuple[Controller, Incident | None]:
    """The record as the newest of its history makes it, and the incident where one is under way.

    They outrank a record that does not know them or how they ended: the record is written last.

    Args:
        controller: the record.
        history: what the same table has.
    """
    controller, under_way = _after_incidents(controller, history)
    if under_way is not None:
        return controller, under_way
    controller = _after_taking(controller, history)
    if not history.handovers:
        return controller, None
    # It is written when the authority is given up: who gave it up never gets it back by losing a record.
    given = history.handovers[-1]
    knows_it = controller.epoch == given.epoch and controller.authority is given.receiver
    if controller.epoch > given.epoch or knows_it:
        return controller, None
    handed_over = replace(
        controller,
        epoch=given.epoch,
        writer_site=given.giver,
        authority=given.receiver,
        handover=given if given.taken_at is None else None,
    )
    return handed_over, None


def _after_taking(controller: Controller, history: History) -> Controller:
    taken = history.taken
    if taken is None or controller.epoch > taken.epoch:
        return controller
    # What was given away in the same epoch was given away after it.
    given_since = bool(history.handovers) and history.handovers[-1].epoch >= taken.epoch
    if given_since or (controller.epoch == taken.epoch and controller.authority is taken.authority):
        return controller
    return replace(
        controller,
        epoch=taken.epoch,
        writer_site=taken.writer_site,
        authority=taken.authority,
        handover=None,
        authority_since=taken.since,
    )


def _after_incidents(controller: Controller, history: History) -> tuple[Controller, Incident | None]:
    # One that was written and that no run has taken over binds nobody.
    begun = [
        incident
        for incident in history.incidents
        if (len(incident.steps) > 1 or incident.version > 1) and incident.epoch >= controller.epoch
    ]
    if not begun:
        return controller, None
    newest = begun[-1]
    if newest.phase is not Phase.CLOSED:
        return during(controller, newest), newest
    knows_its_end = newest.epoch == controller.epoch and controller.incident_id != newest.incident_id
    return (controller, None) if knows_its_end and controller.version > 0 else (after(controller, newest), None)
