"""Condition keys of IAM policies that MiniStack does not fill in.

``cloudwatch:namespace`` of PutMetricData:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html

``dynamodb:LeadingKeys``, the partition keys a request names:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import cbor2
from ministack.core import iam_actions  # type: ignore[import-untyped]
from ministack.services import dynamodb  # type: ignore[import-untyped]

from lab.aws.host.leading_keys import leading_keys

_ACTION = "cloudwatch:PutMetricData"


def install() -> None:
    """Let policies see the namespace a caller publishes in, and the partition keys it reads or writes."""
    tag_context = iam_actions.request_tag_context
    table_context = iam_actions.dynamodb_service_context

    def request_context(service: str, action: str, body: bytes, params: Mapping[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = tag_context(service, action, body, params)
        if action == _ACTION:
            context["cloudwatch:namespace"] = namespace_of(body, params)
        return context

    def dynamodb_context(body: bytes) -> dict[str, Any]:
        context: dict[str, Any] = table_context(body)
        keys = leading_keys(body, _partition_key)
        if keys is not None:
            context["dynamodb:LeadingKeys"] = keys
        return context

    iam_actions.request_tag_context = request_context
    iam_actions.dynamodb_service_context = dynamodb_context


def namespace_of(body: bytes, params: Mapping[str, Any]) -> str:
    """The namespace a PutMetricData request names, in any of the protocols CloudWatch speaks; empty where none."""
    if body[:1] == b"{":
        content = json.loads(body)
    elif "Namespace" in params:
        value = params["Namespace"]
        content = {"Namespace": value[0] if isinstance(value, list) else value}
    else:
        content = cbor2.loads(body)
    return str(content.get("Namespace", ""))


def _partition_key(table_name: str, index_name: str | None) -> str | None:
    """The name of a table's, or of an index's, partition key in the caller's region; None where there is none."""
    table = dynamodb._tables.get(table_name.rpartition("/")[2])  # a table may be named by its ARN
    if table is None:
        return None
    described = [table]
    if index_name is not None:
        indexes = [*table.get("GlobalSecondaryIndexes", []), *table.get("LocalSecondaryIndexes", [])]
        described = [index for index in indexes if index["IndexName"] == index_name]
    for each in described:
        for element in each["KeySchema"]:
            if element["KeyType"] == "HASH":
                return str(element["AttributeName"])
    return None
