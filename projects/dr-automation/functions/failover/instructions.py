"""What people's words mean for an incident that is under way. Pure."""

from __future__ import annotations

from datetime import datetime

from failover.policy import Mode
from failover.settings import Settings
from function_runtime.control import Control, Instruction, InstructionKind
from function_runtime.incident import Incident, Kind
from function_runtime.state import Controller


def paused_by(control: Control, settings: Settings) -> str | None:
    """Who paused failovers and why; None where they are not paused."""
    if control.pause is not None:
        return f"{control.pause.by} paused failovers: {control.pause.reason}"
    return "the configured mode is paused" if settings.policy.mode is Mode.PAUSED else None


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
    instruction = control.instruction
    if instruction is None or instruction.kind is not InstructionKind.ADOPT or at >= instruction.expires_at:
        return None
    before = (controller.heeded_at, controller.last_closed_at)
    if any(moment is not None and instruction.at <= moment for moment in before):
        return None
    return instruction
