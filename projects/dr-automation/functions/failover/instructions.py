"""What people's words mean for what is under way. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from failover.policy import Mode
from failover.settings import Settings
from function_runtime.control import ABOUT_HANDOVER, Control, Instruction, InstructionKind, Order
from function_runtime.incident import Incident, Kind
from function_runtime.sites import Site
from function_runtime.state import Controller


def paused_by(control: Control, settings: Settings) -> str | None:
    """Who paused failovers and why; None where they are not paused."""
    if control.pause is not None:
        return f"{control.pause.by} paused failovers: {control.pause.reason}"
    return "the configured mode is paused" if settings.policy.mode is Mode.PAUSED else None


def order_in_force(control: Control, controller: Controller) -> Order | None:
    """The order on record; None where there is none, or where it was given before this controller had the authority.

    Whoever gave it then saw another state of things, and nobody was told that it was waiting.
    """
    order, since = control.order, controller.authority_since
    return None if order is None or (since is not None and order.at < since) else order


def order_to_drop(control: Control, controller: Controller, at: datetime) -> Order | None:
    """An order that is too old in that way, and of which people have not heard; None where there is none."""
    order = control.order
    if order is None or order_in_force(control, controller) is not None or at >= order.expires_at:
        return None
    return None if order.at == controller.order_dropped else order


def withdrawn_by(control: Control, incident: Incident) -> str | None:
    """Why a planned failover's order does not stand any more; None where it does, and for every other failover."""
    if incident.kind is not Kind.PLANNED:
        return None
    order = control.order
    if order is not None and order.incident_id == incident.incident_id and order.epoch == incident.epoch:
        return None
    return "its order was cancelled" if order is None else "another order was given"


def abandoned_by(control: Control, incident: Incident, at: datetime) -> str | None:
    """Who abandoned the incident; None where nobody did."""
    instruction = control.instruction
    if instruction is None or not instruction.says(InstructionKind.ABANDON, incident.incident_id, at):
        return None
    return instruction.by


def adopted_by(control: Control, controller: Controller, at: datetime) -> Instruction | None:
    """A person's word which site's database is the writer; None where there is none that is still good.

    A word is good once, and void after a failover: what was true before it is not any more.
    """
    return _not_used_up(control, InstructionKind.ADOPT, (controller.heeded_at, controller.last_closed_at), at)


def hand_over_asked_by(control: Control, controller: Controller, here: Site, at: datetime) -> Instruction | None:
    """A person's word that the other site's controller is to get the authority; None where there is none still good."""
    before = (controller.heeded_at, controller.authority_since)
    instruction = _not_used_up(control, InstructionKind.HAND_OVER, before, at)
    return None if instruction is None or instruction.about != here.other else instruction


def handover_taken_back_by(control: Control, at: datetime) -> str | None:
    """Who took the handover under way back; None where nobody did.

    There is one instruction at a time, so this one came after the one that began it, whatever people's clocks say.
    """
    instruction = control.instruction
    if instruction is None or not instruction.says(InstructionKind.ABANDON, ABOUT_HANDOVER, at):
        return None
    return instruction.by


def _not_used_up(
    control: Control, kind: InstructionKind, before: Iterable[datetime | None], at: datetime
) -> Instruction | None:
    """The instruction on record, where it is of a kind, not expired, and given after all of these moments."""
    instruction = control.instruction
    if instruction is None or instruction.kind is not kind or at >= instruction.expires_at:
        return None
    if any(moment is not None and instruction.at <= moment for moment in before):
        return None
    return instruction
