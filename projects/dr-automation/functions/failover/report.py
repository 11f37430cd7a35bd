"""The controller's answer to people's questions: what it sees, what it would do, and why. Nothing is changed by it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from failover.decision import Action, Decision
from failover.handover import handover_limitation
from failover.instructions import hand_over_asked_by, order_in_force, paused_by
from failover.look import Look, OrderFor, look, order_on_record, policy_in_force
from failover.overtaken import compared
from failover.protection import protection
from failover.recorded import recorded
from failover.settings import Settings
from function_runtime.asking import asked as answered
from function_runtime.clients import Clients
from function_runtime.clock import Clock
from function_runtime.control import Control, Order, OrderKind
from function_runtime.incident import IN_AN_EMERGENCY, WHEN_PLANNED, Phase
from function_runtime.readings import Instance, Unanswered
from function_runtime.state import Controller, State


class QuestionError(ValueError):
    """The question cannot be understood."""


def report(clients: Clients, settings: Settings, clock: Clock, question: object) -> dict[str, Any]:
    """Look and tell.

    Args:
        clients: AWS.
        settings: the settings.
        clock: time.
        question: ``{"order": null}``, or an order to decide with instead of the recorded one: ``{"order": {"kind": ...,
            "accepted_loss_seconds": ..., "accepts_unknown_loss": ...}}``.

    Returns:
        JSON: what is recorded, seen and decided, and the steps that a failover would take.

    Raises:
        QuestionError: the question is malformed.
        StateLostError: nobody knows who the writer is.
    """
    state = settings.state(clients, settings.here)
    asked = _order_of(question)
    other_state = settings.state(clients, settings.here.other)
    known = compared(settings.here, recorded(clients, settings, state, clock.now()), state, other_state)
    control = state.control()
    controller = known.controller
    order_for = order_on_record(control, controller) if asked is None else asked
    seen = look(clients, settings, controller, control, clock.now, order_for)
    signals, incident = seen.signals, known.incident
    other = answered(settings.databases(clients)[controller.writer_site.other].find)
    writer_name = settings.instance_ids[controller.writer_site]
    planned = seen.order is not None and seen.order.kind is OrderKind.PLANNED
    return {
        "at": seen.at.isoformat(),
        "environment": settings.environment_suffix,
        "here": settings.here.value,
        "writer_site": controller.writer_site.value,
        "writer_name": settings.writer_name,
        "epoch": controller.epoch,
        "authority": controller.authority.value,
        "handover": None if controller.handover is None else controller.handover.as_item(),
        "standby": _standby(other),
        "protection": protection(
            settings.here, controller, incident, other, writer_name, signals.trouble, paused_by(control, settings)
        ).as_item(),
        "mode": policy_in_force(settings, control).mode.value,
        "pause": control.as_item().get("pause"),
        "order": None if (order := order_in_force(control, controller)) is None else order.as_item(),
        "trouble": None if signals.trouble is None else signals.trouble.as_item(),
        "signals": signals.as_item(),
        "session": None if signals.session is None else signals.session.name.lower(),
        "concerns": [concern.reason for concern in signals.concerns],
        "lag_before_seconds": signals.lag_before_seconds,
        "loss_bound_seconds": signals.loss_bound_seconds,
        "max_data_loss_seconds": settings.policy.max_data_loss_seconds,
        "decision": _decision(clients, settings, controller, control, seen, other).as_item(),
        "incident_id": seen.incident_id,
        "next_epoch": seen.epoch,
        "doubt": None if known.doubt is None else str(known.doubt),
        "owes_opening": controller.owes_opening,
        "incident": None if incident is None else incident.as_item(),
        "last_incident": _incident(state, controller.last_incident_id),
        "last_look": None if controller.last_look is None else dict(controller.last_look),
        "proposal": None if controller.proposal is None else controller.proposal.as_item(),
        "steps": _steps(settings, controller, WHEN_PLANNED if planned else IN_AN_EMERGENCY),
        "dashboard_url": settings.dashboard_url,
        "runbook_url": settings.runbook_url,
    }


def _order_of(question: object) -> OrderFor | None:
    if not isinstance(question, Mapping) or "order" not in question:
        raise QuestionError(f'report = {question!r}: give {{"order": null}} or {{"order": {{"kind": ...}}}}')
    asked = question["order"]
    if asked is None:
        return None
    try:
        kind = OrderKind(asked["kind"])
        loss, unknown = asked["accepted_loss_seconds"], asked["accepts_unknown_loss"]
        accepted = None if loss is None else float(loss)
    except (KeyError, TypeError, ValueError) as error:
        kinds = ", ".join(OrderKind)
        raise QuestionError(
            f"report.order = {asked!r}: give kind ({kinds}), accepted_loss_seconds and accepts_unknown_loss ({error!r})"
        ) from error

    def order_for(incident_id: str, epoch: int, at: datetime) -> Order:
        expires_at = at + timedelta(minutes=1)
        return Order(kind, incident_id, epoch, "the one who asks", at, expires_at, accepted, unknown is True)

    return order_for


def _decision(
    clients: Clients,
    settings: Settings,
    controller: Controller,
    control: Control,
    seen: Look,
    other: Instance | Unanswered | None,
) -> Decision:
    here = settings.here
    if controller.authority is not here:
        reason = f"the {controller.authority} site's controller has the authority: this one decides nothing"
        return Decision(Action.HOLD, "no_authority", reason)
    if controller.writer_site is not here or controller.handover is not None:
        return seen.decision
    if hand_over_asked_by(control, controller, here, seen.at) is None:
        return seen.decision
    own = answered(settings.databases(clients)[here].find)
    why = handover_limitation(here, controller, own, other, settings.instance_ids[here])
    return seen.decision if why is None else Decision(Action.ALERT, "hand_over_refused", why)


def _standby(other: Instance | Unanswered | None) -> dict[str, Any]:
    """The other site's database than the writer's."""
    if isinstance(other, Unanswered):
        return {"exists": None, "status": None, "replica_of": None}
    if other is None:
        return {"exists": False, "status": None, "replica_of": None}
    return {"exists": True, "status": other.status, "replica_of": other.replica_of}


def _incident(state: State, incident_id: str | None) -> dict[str, Any] | None:
    if incident_id is None:
        return None
    try:
        return state.incident(incident_id).as_item()
    except LookupError:
        return None  # Its history is lost, which keeps nobody from a decision.


def _steps(settings: Settings, controller: Controller, phases: tuple[Phase, ...]) -> list[dict[str, str]]:
    old, new = controller.writer_site, controller.writer_site.other
    planned = phases is WHEN_PLANNED
    bound = settings.planned_fence_timeout_seconds if planned else settings.fence_timeout_seconds
    what = {
        Phase.OPENED: f"record the incident and begin epoch {controller.epoch + 1}, unless another run has",
        Phase.FENCED: f"put {settings.instance_ids[old]} into {settings.quarantine_group_ids[old]} alone, no rules, "
        f"then reboot it; {bound:g} s at most",
        Phase.DRAINED: f"wait until the replica has everything; otherwise take it back after "
        f"{settings.drain_timeout_seconds:g} s",
        Phase.PROMOTING: f"promote {settings.instance_ids[new]}, "
        f"with {settings.promoted_backup_retention_days} days of backups",
        Phase.SHOWN: f"wait until RDS shows that it is at it, then move {settings.writer_name} to {new}; "
        f"clients follow within {settings.name_ttl_seconds} s of that if their caches heed its TTL",
        Phase.WRITES: "wait until a probe has committed in it (minutes on AWS), then record "
        f"{new} as the writer; {settings.verify_timeout_seconds:g} s at most once RDS shows it",
        Phase.PROMOTED: f"wait until RDS shows it without a source; {settings.step_patience_seconds:g} s at most",
        Phase.CLOSED: "tell people what it cost",
    }
    return [{"phase": phase.value, "what": what[phase]} for phase in phases]
