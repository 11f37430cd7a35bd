"""Condition keys of IAM policies that MiniStack does not fill in: ``cloudwatch:namespace`` of PutMetricData.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import cbor2
from ministack.core import iam_actions  # type: ignore[import-untyped]

_ACTION = "cloudwatch:PutMetricData"


def install() -> None:
    """Let policies see the namespace a caller publishes in."""
    tag_context = iam_actions.request_tag_context

    def request_context(service: str, action: str, body: bytes, params: Mapping[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = tag_context(service, action, body, params)
        if action == _ACTION:
            context["cloudwatch:namespace"] = namespace_of(body, params)
        return context

    iam_actions.request_tag_context = request_context


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
