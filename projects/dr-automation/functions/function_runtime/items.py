"""Items of a DynamoDB table, to and from plain values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer


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
