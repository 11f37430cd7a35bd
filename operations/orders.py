"""Giving the controller an order, and taking it back. A drill's operator uses these as the commands do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from function_runtime.control import Control, Order, OrderKind
from operations.control_item import ControlItem
from operations.errors import RefusedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Long enough for a controller that is slow to notice, too short for an order to be forgotten.
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
    """An order that is good for 15 minutes.

    Args:
        kind: approve, planned or forced.
        incident_id: the incident it is for, as the controller names it now.
        epoch: the epoch it is for.
        by: ARN of who gives it.
        at: now.
        accepted_loss_seconds: the loss of data that is accepted; None accepts the configured bound only.
        accepts_unknown_loss: whether a loss that nobody can bound is accepted.
    """
    return Order(kind, incident_id, epoch, by, at, at + GOOD_FOR, accepted_loss_seconds, accepts_unknown_loss)


def give_order(client: DynamoDBClient, table_name: str, order: Order) -> Control:
    """Put an order on record, in place of one that is void or the same person's.

    Args:
        client: DynamoDB in the controller's region.
        table_name: the state table.
        order: the order.

    Returns:
        What is on record now.

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
    """Take the order on record back. A failover that has begun goes on.

    Args:
        client: DynamoDB in the controller's region.
        table_name: the state table.
        only: withdraw it only if it is this one; None for any.

    Returns:
        The order that was withdrawn; None where there was none, or another one.

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
