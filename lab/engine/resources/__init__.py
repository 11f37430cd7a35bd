"""What the lab can make: one module per AWS service."""

from __future__ import annotations

from dataclasses import replace

from lab.engine.resource_table import Changes, ResourceType
from lab.engine.resources import (
    cloudwatch,
    dynamodb,
    ec2,
    events,
    iam,
    kms,
    lambda_functions,
    logs,
    random_ids,
    rds,
    route53,
    s3,
    sns,
    vpc_attachments,
)
from lab.engine.resources.changes import CHANGES
from lab.engine.resources.invokes import INVOKES

_MADE: dict[str, ResourceType] = {
    **cloudwatch.TYPES,
    **dynamodb.TYPES,
    **ec2.TYPES,
    **events.TYPES,
    **iam.TYPES,
    **kms.TYPES,
    **lambda_functions.TYPES,
    **logs.TYPES,
    **random_ids.TYPES,
    **rds.TYPES,
    **route53.TYPES,
    **s3.TYPES,
    **sns.TYPES,
    **vpc_attachments.TYPES,
}

RESOURCE_TYPES = {token: replace(kind, changes=CHANGES.get(token, Changes())) for token, kind in _MADE.items()}
"""Every type the lab can make, by token."""

__all__ = ["INVOKES", "RESOURCE_TYPES"]
