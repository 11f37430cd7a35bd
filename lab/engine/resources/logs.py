"""CloudWatch log groups."""

from __future__ import annotations

from lab.engine.registration import Created, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, renamed


def _create_group(context: Context, inputs: Values) -> Created:
    logs, name = context.client("logs"), str(inputs["name"])
    logs.create_log_group(logGroupName=name, tags=dict(context.tags), **renamed(inputs, {"kmsKeyId": "kmsKeyId"}))
    if "retentionInDays" in inputs:
        logs.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
    # The provider's ARN ends with the name; the API's, with ":*" for the streams.
    return Created(name, {"arn": f"arn:aws:logs:{context.region}:{context.account_id}:log-group:{name}"})


def _delete_group(context: Context, made: Made) -> None:
    with absence_is_fine("ResourceNotFoundException"):
        context.client("logs").delete_log_group(logGroupName=made.id)


TYPES: Types = {
    "aws:cloudwatch/logGroup:LogGroup": ResourceType(
        _create_group, _delete_group, frozenset({"kmsKeyId", "name", "retentionInDays", "tags"})
    ),
}
