"""DynamoDB: tables, and single items that a program writes."""

from __future__ import annotations

import json
from typing import Any

from lab.engine.registration import Created, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, renamed, required, wait_until
from lab.engine.tags import tag_list

TABLE_PATIENCE_SECONDS = 60.0


def _create_table(ctx: Context, inputs: Values) -> Created:
    dynamodb = ctx.client("dynamodb")
    name = required(inputs, "name")
    arguments: dict[str, Any] = {
        "TableName": name,
        "KeySchema": [{"AttributeName": required(inputs, "hashKey"), "KeyType": "HASH"}],
        "AttributeDefinitions": [
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
            for attribute in required(inputs, "attributes")
        ],
        **renamed(inputs, {"billingMode": "BillingMode", "deletionProtectionEnabled": "DeletionProtectionEnabled"}),
        "Tags": tag_list(ctx.tags),
    }
    encryption = inputs.get("serverSideEncryption")
    if encryption is not None and encryption["enabled"]:
        arguments["SSESpecification"] = {
            "Enabled": True,
            "SSEType": "KMS",
            **renamed(encryption, {"kmsKeyArn": "KMSMasterKeyId"}),
        }
    dynamodb.create_table(**arguments)
    wait_until(
        f"table {name} active",
        lambda: dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE",
        timeout_seconds=TABLE_PATIENCE_SECONDS,
    )
    recovery = inputs.get("pointInTimeRecovery")
    if recovery is not None:
        dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": recovery["enabled"]},
        )
    return Created(name, {"name": name, "arn": dynamodb.describe_table(TableName=name)["Table"]["TableArn"]})


def _delete_table(ctx: Context, made: Made) -> None:
    dynamodb = ctx.client("dynamodb")
    with absence_is_fine("ResourceNotFoundException"):
        dynamodb.delete_table(TableName=made.id)
        dynamodb.get_waiter("table_not_exists").wait(TableName=made.id, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def _create_item(ctx: Context, inputs: Values) -> Created:
    """As the provider: it never writes over an item that is there already.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/dynamodb/table_item.go
    """
    table, key = required(inputs, "tableName"), required(inputs, "hashKey")
    item = json.loads(required(inputs, "item"))
    ctx.client("dynamodb").put_item(
        TableName=table,
        Item=item,
        ConditionExpression="attribute_not_exists(#key)",
        ExpressionAttributeNames={"#key": key},
    )
    (value,) = item[key].values()
    return Created(f"{table}|{key}|{value}")


def _delete_item(ctx: Context, made: Made) -> None:
    key = made.inputs["hashKey"]
    with absence_is_fine("ResourceNotFoundException"):
        ctx.client("dynamodb").delete_item(
            TableName=made.inputs["tableName"], Key={key: json.loads(made.inputs["item"])[key]}
        )


TYPES: Types = {
    "aws:dynamodb/table:Table": ResourceType(
        _create_table,
        _delete_table,
        frozenset(
            {
                "name",
                "hashKey",
                "attributes",
                "billingMode",
                "deletionProtectionEnabled",
                "pointInTimeRecovery",
                "serverSideEncryption",
                "tags",
            }
        ),
    ),
    "aws:dynamodb/tableItem:TableItem": ResourceType(
        _create_item, _delete_item, frozenset({"tableName", "hashKey", "item"})
    ),
}
