"""The items of the controller's state table, as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drills.system import LabSystem
from function_runtime.items import plain

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def state_item(system: LabSystem, key: str) -> dict[str, Any] | None:
    """One item, None where it is not there."""
    client: DynamoDBClient = system.client("dynamodb", system.target.recovery_region)
    answer = client.get_item(TableName=system.target.state_table_name, Key={"id": {"S": key}}, ConsistentRead=True)
    return plain(answer["Item"]) if "Item" in answer else None


def state_items(system: LabSystem) -> list[dict[str, Any]]:
    """All of them."""
    client: DynamoDBClient = system.client("dynamodb", system.target.recovery_region)
    pages = client.get_paginator("scan").paginate(TableName=system.target.state_table_name, ConsistentRead=True)
    return [plain(item) for page in pages for item in page["Items"]]
