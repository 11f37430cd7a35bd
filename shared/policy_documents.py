"""IAM and resource policies, as statements and documents. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Statement = dict[str, Any]
Actions = str | Sequence[str]
Resources = str | Sequence[str]
Principal = str | Mapping[str, str | Sequence[str]]
Condition = Mapping[str, Any]


def allow(
    sid: str, actions: Actions, resources: Resources, condition: Condition | None = None, *, to: Principal | None = None
) -> Statement:
    """An Allow statement.

    Args:
        sid: its name.
        actions: what is allowed.
        resources: on what.
        condition: when; None for always.
        to: whom, in the policy of a resource; None in a policy that is attached to a role.
    """
    return _statement("Allow", sid, to, actions, resources, condition)


def deny(
    sid: str, actions: Actions, resources: Resources, condition: Condition, *, to: Principal | None = None
) -> Statement:
    """A Deny statement; arguments as for `allow`."""
    return _statement("Deny", sid, to, actions, resources, condition)


def trust(service: str, condition: Condition | None = None, *, sid: str | None = None) -> Statement:
    """An AWS service may assume the role.

    Args:
        service: its principal, such as ``lambda.amazonaws.com``.
        condition: on whose behalf; None for any AWS account that makes the service ask.
        sid: the statement's name.
    """
    return _statement("Allow", sid, {"Service": service}, "sts:AssumeRole", None, condition)


def account(account_id: str) -> Mapping[str, str]:
    """The account as a principal: whoever its IAM policies allow."""
    return {"AWS": f"arn:aws:iam::{account_id}:root"}


def document(*statements: Statement) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def as_json(*statements: Statement) -> str:
    """A policy document as JSON."""
    return json.dumps(document(*statements))


def _statement(
    effect: str,
    sid: str | None,
    principal: Principal | None,
    actions: Actions,
    resources: Resources | None,
    condition: Condition | None,
) -> Statement:
    parts = {
        "Sid": sid,
        "Effect": effect,
        "Principal": principal,
        "Action": actions if isinstance(actions, str) else list(actions),
        "Resource": resources,
        "Condition": condition,
    }
    return {key: value for key, value in parts.items() if value is not None}
