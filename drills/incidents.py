"""The controller's own record of what it saw, decided and did: the incidents in the state table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from drills.instants import Instant, wall_of
from drills.state_table import state_items
from drills.system import LabSystem

INCIDENT_PREFIX = "incident#"
CONTROLLER_ID = "controller"
CONTROL_ID = "control"


@dataclass(frozen=True)
class Step:
    """One step of an incident; times in seconds since 1970.

    Attributes:
        phase: the phase it was to reach.
        started_at: when it was begun.
        finished_at: when it ended; None where it was never finished.
        outcome: how it ended, in the controller's word; empty while it runs.
        detail: what happened.
    """

    phase: str
    started_at: float
    finished_at: float | None
    outcome: str
    detail: str


@dataclass(frozen=True)
class Decision:
    """Why the controller did what it did."""

    action: str
    code: str
    reason: str


@dataclass(frozen=True)
class Incident:
    """One failover as the controller recorded it; times in seconds since 1970, None where it recorded none."""

    incident_id: str
    epoch: int
    phase: str
    opened_at: float
    trouble_since: float | None
    decision: Decision | None
    signals: Mapping[str, str]
    steps: tuple[Step, ...]
    lag_before_seconds: float | None
    data_loss_seconds: float | None
    rto_seconds: float | None
    closed_at: float | None
    ordered_by: str | None = None
    """Who ordered or approved it; None where nobody had to."""


@dataclass(frozen=True)
class OperatorOrder:
    """What an operator last ordered.

    Attributes:
        by: who.
        incident_id: the incident that the order is for.
        accepts_unknown_loss: whether a loss that nobody can bound is accepted.
    """

    by: str
    incident_id: str
    accepts_unknown_loss: bool


@dataclass(frozen=True)
class ControllerState:
    """The controller's state: which site it holds for the writer, and the epoch, which only grows."""

    epoch: int
    writer_site: str
    decision: Decision | None


def incidents_since(system: LabSystem, started_at: Instant) -> tuple[Incident, ...]:
    """The incidents opened since a moment, oldest first."""
    items = state_items(system)
    incidents = [incident_of(item) for item in items if str(item["id"]).startswith(INCIDENT_PREFIX)]
    return tuple(
        sorted(
            (incident for incident in incidents if incident.opened_at >= started_at.wall),
            key=lambda incident: incident.opened_at,
        )
    )


def controller_state(system: LabSystem) -> ControllerState | None:
    """The controller's state; None before its first run."""
    for item in state_items(system):
        if item["id"] == CONTROLLER_ID:
            return ControllerState(
                epoch=int(item["epoch"]), writer_site=str(item["writer_site"]), decision=_decision(item.get("decision"))
            )
    return None


def operator_order(system: LabSystem) -> OperatorOrder | None:
    """The order on record; None where nobody gave one."""
    for item in state_items(system):
        if item["id"] == CONTROL_ID and item.get("order") is not None:
            order = item["order"]
            return OperatorOrder(str(order["by"]), str(order["incident_id"]), order["accepts_unknown_loss"] is True)
    return None


def incident_of(item: Mapping[str, Any]) -> Incident:
    """An incident from its plain item.

    Raises:
        KeyError, ValueError: the item is not an incident as the controller writes it.
    """
    return Incident(
        incident_id=str(item["incident_id"]),
        epoch=int(item["epoch"]),
        phase=str(item["phase"]),
        opened_at=wall_of(item["opened_at"]),
        trouble_since=_moment(item.get("trouble_since")),
        decision=_decision(item.get("decision")),
        signals={str(name): str(value) for name, value in item["signals"].items()},
        steps=tuple(_step(step) for step in item["steps"]),
        lag_before_seconds=_number(item.get("lag_before_seconds")),
        data_loss_seconds=_number(item.get("data_loss_seconds")),
        rto_seconds=_number(item.get("rto_seconds")),
        closed_at=_moment(item.get("closed_at")),
        ordered_by=_text(item.get("ordered_by")),
    )


def _step(step: Mapping[str, Any]) -> Step:
    outcome = step.get("outcome")
    detail = step.get("detail")
    return Step(
        phase=str(step["phase"]),
        started_at=wall_of(step["started_at"]),
        finished_at=_moment(step.get("finished_at")),
        outcome="" if outcome is None else str(outcome),
        detail="" if detail is None else str(detail),
    )


def _decision(recorded: Mapping[str, Any] | None) -> Decision | None:
    if recorded is None:
        return None
    return Decision(action=str(recorded["action"]), code=str(recorded["code"]), reason=str(recorded["reason"]))


def _moment(text: str | None) -> float | None:
    return None if text is None else wall_of(text)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
