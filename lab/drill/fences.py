"""What the fence-guard of a site has recorded: the item ``fence#<site>`` of the state table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boto3.dynamodb.types import TypeDeserializer

from lab.drill.system import LabSystem
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class RecordedFence:
    """The last word of a fence-guard.

    Attributes:
        epoch: the epoch whose writer it protects.
        outcome: how it ended, in the guard's word.
        detail: what happened.
    """

    epoch: int
    outcome: str
    detail: str


def recorded_fence(system: LabSystem, site: Site) -> RecordedFence | None:
    """What the guard of a site recorded; None where it has recorded nothing yet."""
    target = system.target
    client: DynamoDBClient = system.client("dynamodb", target.recovery_region)
    answer = client.get_item(
        TableName=target.state_table_name, Key={"id": {"S": f"fence#{site.value}"}}, ConsistentRead=True
    )
    if "Item" not in answer:
        return None
    deserializer = TypeDeserializer()
    item = {name: deserializer.deserialize(value) for name, value in answer["Item"].items()}
    detail = item.get("detail")
    return RecordedFence(int(item["epoch"]), str(item["outcome"]), "" if detail is None else str(detail))
