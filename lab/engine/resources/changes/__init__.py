"""How what stands is read and changed, one module per service. What is not here the engine refuses to change."""

from __future__ import annotations

from collections.abc import Mapping

from lab.engine.resource_table import EVERY_INPUT, Changes
from lab.engine.resources.changes import cloudwatch, dynamodb, ec2, iam, lambda_functions, messages, rds, route53, s3

CHANGES: Mapping[str, Changes] = {
    **cloudwatch.CHANGES,
    **dynamodb.CHANGES,
    **ec2.CHANGES,
    **iam.CHANGES,
    **lambda_functions.CHANGES,
    **messages.CHANGES,
    **rds.CHANGES,
    **route53.CHANGES,
    **s3.CHANGES,
    "random:index/randomId:RandomId": Changes(replaces=EVERY_INPUT),
}
"""By type's token."""

__all__ = ["CHANGES"]
