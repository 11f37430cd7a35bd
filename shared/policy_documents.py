"""IAM and resource policies, as statements and documents. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Statement = dict[str, Any]


def allow(
    sid: str, actions: str | Sequence[str], resources: str | Sequence[str], condition: Mapping[str, Any] | None = None
) -> Statement:
    """Whoever the policy is attached to may do this."""
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return statement if condition is None else {**statement, "Condition": condition}


def trust(service: str, condition: Mapping[str, Any] | None = None, *, sid: str | None = None) -> Statement:
    """An AWS service may assume the role.

    Args:
        service: its principal, such as ``lambda.amazonaws.com``.
        condition: on whose behalf; without one, for anybody in AWS who makes that service ask.
        sid: the statement's name.
    """
    return {
        **({} if sid is None else {"Sid": sid}),
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        **({} if condition is None else {"Condition": condition}),
    }


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def as_json(*statements: Mapping[str, Any]) -> str:
    """A policy document as JSON."""
    return json.dumps(document(*statements))
