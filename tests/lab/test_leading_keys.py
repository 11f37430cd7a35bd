"""Policies see the partition keys a DynamoDB request names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.aws.host.leading_keys import leading_keys

CONTROL, OTHER = {"id": {"S": "control"}, "version": {"N": "1"}}, {"id": {"S": "other"}}
ASKED = {"TableName": "state", "ExpressionAttributeValues": {":id": {"S": "control"}, ":v": {"N": "1"}}}


def partition_key(table: str, index: str | None) -> str | None:
    return {("state", None): "id", ("state", "by-version"): "version"}.get((table, index))


@pytest.mark.parametrize(
    ("request_body", "expected"),
    [
        ({"TableName": "state", "Key": CONTROL}, ["control"]),
        ({"TableName": "state", "Item": OTHER}, ["other"]),
        ({"RequestItems": {"state": {"Keys": [CONTROL, OTHER]}}}, ["control", "other"]),
        (
            {"RequestItems": {"state": [{"PutRequest": {"Item": CONTROL}}, {"DeleteRequest": {"Key": OTHER}}]}},
            ["control", "other"],
        ),
        (
            {
                "TransactItems": [
                    {"Put": {"TableName": "state", "Item": CONTROL}},
                    {"ConditionCheck": {"TableName": "state", "Key": OTHER}},
                ]
            },
            ["control", "other"],
        ),
        ({**ASKED, "KeyConditionExpression": "id = :id"}, ["control"]),
        (
            {**ASKED, "KeyConditionExpression": "version > :v AND #i=:id", "ExpressionAttributeNames": {"#i": "id"}},
            ["control"],
        ),
        ({**ASKED, "IndexName": "by-version", "KeyConditionExpression": "version = :v"}, ["1"]),
        (
            {
                "TableName": "state",
                "KeyConditions": {"id": {"ComparisonOperator": "EQ", "AttributeValueList": [CONTROL["id"]]}},
            },
            ["control"],
        ),
        ({**ASKED, "KeyConditionExpression": "version = :v"}, [""]),
        ({"TableName": "state", "Key": {"id": "no value"}}, [""]),
        ({"TableName": "state"}, None),
        ({"TableName": "gone", "Key": CONTROL}, None),
    ],
)
def test_the_partition_keys_are_read(request_body: dict[str, Any], expected: list[str] | None) -> None:
    assert leading_keys(json.dumps(request_body).encode(), partition_key) == expected


def test_what_is_no_request_names_none() -> None:
    assert leading_keys(b"not json", partition_key) is None
    assert leading_keys(b"", partition_key) is None
