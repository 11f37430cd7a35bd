"""Give the controller an order, and withdraw it. The commands use this, and so do the drills."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from function_runtime.control import Control, Order, OrderKind
from operations.control_item import ControlItem
from operations.errors import RefusedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Long enough for a slow controller to see it, short enough that no forgotten order is carried out.
GOOD_FOR = timedelta(minutes=15)


def new_order(
    kind: OrderKind,
    incident_id: str,
    epoch: int,
    by: str,
    at: datetime,
    accepted_loss_seconds: float | None = None,
    *,
    accepts_unknown_loss: bool = False,
) -> Order:
    """An order that is good for 15 minutes from ``at``; the arguments are those of `Order`."""
    return Order(kind, incident_id, epoch, by, at, at + GOOD_FOR, accepted_loss_seconds, accepts_unknown_loss)


def give_order(client: DynamoDBClient, table_name: str, order: Order) -> Control:
    """Put an order on record. It replaces one that is void, or one by the same person.

    Args:
        client: DynamoDB in the region of the controller with authority.
        table_name: its state table.
        order: the order.

    Returns:
        The item `control` as it is now.

    Raises:
        ChangedMeanwhileError: another person has written at the same time; nothing was written.
        RefusedError: another person's order for the same incident is still good, or DynamoDB refuses.
    """
    item = ControlItem(client, table_name)
    control = item.read()
    given = control.order
    if given is not None and given.by != order.by and given.is_for(order.incident_id, order.epoch, order.at):
        raise RefusedError(
            "order on record",
            f"{given.kind} by {given.by}, good until {given.expires_at:%H:%M:%S} UTC",
            "talk to them, or withdraw it with nox -s failover -- --cancel",
        )
    return item.write(control.with_order(order))


def withdraw_order(client: DynamoDBClient, table_name: str, only: Order | None = None) -> Order | None:
    """Withdraw the order on record. A failover that has begun goes on.

    Args:
        client: DynamoDB in the region of the controller with authority.
        table_name: its state table.
        only: withdraw it only if it is this one; None for any.

    Returns:
        The order that was withdrawn; None if there was none, or another one.

    Raises:
        ChangedMeanwhileError: another person has written at the same time; nothing was written.
        RefusedError: DynamoDB refuses.
    """
    item = ControlItem(client, table_name)
    control = item.read()
    if control.order is None or (only is not None and control.order != only):
        return None
    item.write(control.with_order(None))
    return control.order
