"""DynamoDB: a table's protection and recovery, and the items that programs write."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lab.engine.registration import Values
from lab.engine.resource_table import Changes, Context
from lab.engine.resources.changes.parts import described, differing, there
from lab.engine.tags import tag_list


def _update_table(ctx: Context, name: str, old: Values, new: Values) -> Values:
    dynamodb = ctx.client("dynamodb")
    if differing(old, new, "deletionProtectionEnabled"):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=new["deletionProtectionEnabled"])
    if differing(old, new, "pointInTimeRecovery"):
        dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": new["pointInTimeRecovery"]["enabled"]},
        )
    return {}


def _tag_table(ctx: Context, name: str, _: Values) -> None:
    arn = f"arn:aws:dynamodb:{ctx.region}:{ctx.account_id}:table/{name}"
    ctx.client("dynamodb").tag_resource(ResourceArn=arn, Tags=tag_list(ctx.tags))


def _update_item(ctx: Context, _: str, __: Values, new: Values) -> Values:
    ctx.client("dynamodb").put_item(TableName=new["tableName"], Item=json.loads(new["item"]))
    return {}


def _read_item(ctx: Context, _: str, inputs: Values) -> Values | None:
    key = inputs["hashKey"]
    found = ctx.client("dynamodb").get_item(
        TableName=inputs["tableName"], Key={key: json.loads(inputs["item"])[key]}, ConsistentRead=True
    )
    return {} if "Item" in found else None


CHANGES: Mapping[str, Changes] = {
    "aws:dynamodb/table:Table": Changes(
        update=_update_table,
        updates=frozenset({"deletionProtectionEnabled", "pointInTimeRecovery"}),
        replaces=frozenset({"hashKey", "name"}),
        tag=_tag_table,
        read=described("dynamodb", "describe_table", "TableName"),
    ),
    "aws:dynamodb/tableItem:TableItem": Changes(
        update=_update_item,
        updates=frozenset({"item"}),
        replaces=frozenset({"hashKey", "tableName"}),
        name="tableName",
        read=there(_read_item),
    ),
}
