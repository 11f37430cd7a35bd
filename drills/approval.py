"""A person approves the failover that the controller asks about, with an order as ``nox -s failover`` writes it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from drills.stage import DrillNotReadyError
from drills.state_table import state_item
from drills.system import LabSystem
from failover.control import OrderKind
from operations.errors import RefusedError
from operations.orders import give_order, new_order

BY = "the drill's operator"


@dataclass(frozen=True)
class Proposal:
    """A failover that waits for approval.

    Attributes:
        incident_id: what the approval must name.
        epoch: what it must name too.
        loss_bound_seconds: what it may lose; None where the controller cannot say.
    """

    incident_id: str
    epoch: int
    loss_bound_seconds: float | None

    @property
    def accepted_loss_seconds(self) -> int | None:
        """The loss that an approval must accept, in whole seconds; None where it is unknown."""
        return None if self.loss_bound_seconds is None else math.ceil(self.loss_bound_seconds)


def proposal_of(system: LabSystem) -> Proposal:
    """What the controller asks people to approve.

    Raises:
        DrillNotReadyError: it asks for nothing.
    """
    controller = state_item(system, "controller")
    asked = None if controller is None else controller.get("proposal")
    if asked is None:
        raise DrillNotReadyError("the drill cannot go on: the controller's state names no failover to approve")
    loss = asked["loss_bound_seconds"]
    return Proposal(str(asked["incident_id"]), int(asked["epoch"]), None if loss is None else float(loss))


def approve(system: LabSystem, proposal: Proposal) -> None:
    """Approve it, with the loss that it states.

    Raises:
        DrillNotReadyError: the order cannot be given.
    """
    target = system.target
    order = new_order(
        OrderKind.APPROVE,
        proposal.incident_id,
        proposal.epoch,
        BY,
        datetime.now(UTC),
        proposal.accepted_loss_seconds,
        accepts_unknown_loss=proposal.loss_bound_seconds is None,
    )
    try:
        give_order(system.client("dynamodb", target.recovery_region), target.state_table_name, order)
    except RefusedError as error:
        raise DrillNotReadyError(f"the drill cannot go on: {error}") from error
