"""Items of the state table: to and from plain values, and written only over what was read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from function_runtime.clients import code_of


class AnotherRunIsAtWorkError(Exception):
    """What was read has been changed by another run: this one's knowledge is out of date."""


class Items:
    """The items of one table. Every method raises botocore's errors where DynamoDB refuses or is silent.

    Args:
        client: DynamoDB's client in the table's region.
        table: the table's name.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self.table = table

    def get(self, key: str) -> dict[str, Any] | None:
        """The item, None where there is none."""
        answer = self._client.get_item(TableName=self.table, Key=serialized({"id": key}), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def beginning_with(self, *prefixes: str) -> list[dict[str, Any]]:
        """Every item whose key begins with one of these."""
        found: list[dict[str, Any]] = []
        values = {f":prefix_{number}": prefix for number, prefix in enumerate(prefixes)}
        question: dict[str, Any] = {
            "TableName": self.table,
            "ConsistentRead": True,
            "FilterExpression": " OR ".join(f"begins_with(id, {name})" for name in values),
            "ExpressionAttributeValues": serialized(values),
        }
        while True:
            answer = self._client.scan(**question)
            found += [plain(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return found
            question["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def put(self, item: Mapping[str, Any], *over: Any) -> None:
        """Write an item over the version in which it was read.

        Args:
            item: the item, with its new version.
            over: the versions it may replace; 0 stands for an item that is not there.

        Raises:
            AnotherRunIsAtWorkError: the item has another version.
        """
        terms = {f":read_{number}": version for number, version in enumerate(over) if version != 0}
        condition = [f"#version = {name}" for name in terms]
        if 0 in over:
            condition.append("attribute_not_exists(#version)")
        try:
            self._client.put_item(
                TableName=self.table,
                Item=serialized(item),
                ConditionExpression=" OR ".join(condition),
                ExpressionAttributeNames={"#version": "version"},
                **({"ExpressionAttributeValues": serialized(terms)} if terms else {}),
            )
        except ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                raise AnotherRunIsAtWorkError(f"{item['id']} was changed by another run") from error
            raise


def serialized(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as DynamoDB's client takes them."""
    serializer = TypeSerializer()
    return {name: serializer.serialize(_storable(value)) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of DynamoDB's client as plain values; numbers come as decimals."""
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in item.items()}


def _storable(value: Any) -> Any:
    """DynamoDB's numbers are decimals; through the shortest text, or 0.1 grows a tail of digits that is refused."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {name: _storable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_storable(each) for each in value]
    return value
