"""DynamoDB tables."""

from __future__ import annotations

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
}
