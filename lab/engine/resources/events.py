"""EventBridge: scheduled rules and their targets."""

from __future__ import annotations

from typing import Any

from lab.engine.registration import Created, EngineError, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, capitalised, renamed, required
from lab.engine.tags import tag_list

_NOT_FOUND = "ResourceNotFoundException"


def _create_rule(ctx: Context, inputs: Values) -> Created:
    name = required(inputs, "name")
    arn = ctx.client("events").put_rule(
        Name=name,
        ScheduleExpression=required(inputs, "scheduleExpression"),
        State="ENABLED",
        **renamed(inputs, {"description": "Description"}),
        Tags=tag_list(ctx.tags),
    )["RuleArn"]
    return Created(name, {"name": name, "arn": arn, "eventBusName": "default", "state": "ENABLED"})


def _delete_rule(ctx: Context, made: Made) -> None:
    with absence_is_fine(_NOT_FOUND):
        ctx.client("events").delete_rule(Name=made.id)


def _create_target(ctx: Context, inputs: Values) -> Created:
    rule, target_id = required(inputs, "rule"), required(inputs, "targetId")
    target: dict[str, Any] = {"Id": target_id, "Arn": required(inputs, "arn")}
    if "retryPolicy" in inputs:
        target["RetryPolicy"] = capitalised(inputs["retryPolicy"], {})
    answer = ctx.client("events").put_targets(Rule=rule, Targets=[target])
    if answer["FailedEntryCount"]:
        raise EngineError(f"target {target_id} of rule {rule} was refused: {answer['FailedEntries'][0]}")
    return Created(f"{rule}-{target_id}", {"eventBusName": "default"})


def _delete_target(ctx: Context, made: Made) -> None:
    with absence_is_fine(_NOT_FOUND):
        ctx.client("events").remove_targets(Rule=made.inputs["rule"], Ids=[made.inputs["targetId"]])


TYPES: Types = {
    "aws:cloudwatch/eventRule:EventRule": ResourceType(
        _create_rule, _delete_rule, frozenset({"name", "description", "scheduleExpression", "tags"})
    ),
    "aws:cloudwatch/eventTarget:EventTarget": ResourceType(
        _create_target, _delete_target, frozenset({"rule", "targetId", "arn", "retryPolicy"})
    ),
}
