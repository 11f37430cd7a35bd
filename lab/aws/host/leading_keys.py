"""Which partition keys a DynamoDB request names: the values of the condition key ``dynamodb:LeadingKeys``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

PartitionKey = Callable[[str, str | None], str | None]
"""Gives the name of the partition key of a table, or of one of its indexes; None where there is no such."""

_UNREADABLE = ""  # equals no partition key: DynamoDB takes no empty one
_EQUALITY = re.compile(r"(#?[\w.-]+)\s*=\s*(:\w+)")


def leading_keys(body: bytes, partition_key: PartitionKey) -> list[str] | None:
    """The partition keys in a request, each once.

    Args:
        body: the request, as DynamoDB's JSON protocol has it.
        partition_key: knows the tables.

    Returns:
        None where the request names none (a Scan, or one about a whole table). A transaction's are all of its items',
        where AWS looks at them item by item: with ``ForAllValues`` it is the same.
    """
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return None
    if not isinstance(request, dict):
        return None
    keys = list(dict.fromkeys(_keys(request, partition_key)))
    return keys or None


def _keys(request: Mapping[str, Any], partition_key: PartitionKey) -> Iterator[str]:
    for table, index, item in _items(request):
        name = partition_key(table, index)
        if name is not None:
            yield _text(item.get(name))
    if "KeyConditionExpression" in request or "KeyConditions" in request:
        name = partition_key(str(request.get("TableName")), request.get("IndexName"))
        if name is not None:
            yield _text(_compared(request, name))


def _items(request: Mapping[str, Any]) -> Iterator[tuple[str, str | None, Mapping[str, Any]]]:
    """Table, index and attributes of every item a request names."""
    for one in ("Key", "Item"):
        if one in request:
            yield str(request.get("TableName")), None, request[one]
    for table, asked in (request.get("RequestItems") or {}).items():
        for item in asked["Keys"] if isinstance(asked, dict) else []:
            yield table, None, item
        for write in asked if isinstance(asked, list) else []:
            for change in write.values():
                yield table, None, _item(change)
    for step in request.get("TransactItems") or []:
        for change in step.values():
            yield str(change.get("TableName")), None, _item(change)


def _item(change: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = change["Key"] if "Key" in change else change.get("Item", {})
    return found


def _compared(request: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The value a Query compares the partition key with."""
    condition = (request.get("KeyConditions") or {}).get(name)
    if condition is not None:
        found: Mapping[str, Any] = condition["AttributeValueList"][0]
        return found
    names = request.get("ExpressionAttributeNames") or {}
    values: Mapping[str, Any] = request.get("ExpressionAttributeValues") or {}
    for attribute, placeholder in _EQUALITY.findall(request.get("KeyConditionExpression") or ""):
        if names.get(attribute, attribute) == name:
            return values.get(placeholder)
    return None


def _text(value: Mapping[str, Any] | None) -> str:
    """An attribute value without its type."""
    if not isinstance(value, dict) or len(value) != 1:
        return _UNREADABLE
    (text,) = value.values()
    return str(text)
