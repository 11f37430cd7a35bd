"""Who has assumed a role does what its policy says and nothing else: the lab decides as IAM does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.running_aws import PERSON, PRIMARY, RECOVERY, Account

TABLE = "state"


@pytest.fixture(scope="module")
def operator(account: Account) -> Any:
    """DynamoDB for one who may read all items, and write the one named ``control``."""
    account.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table = f"arn:aws:dynamodb:{RECOVERY}:000000000000:table/{TABLE}"
    read = {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": table}
    write = {
        "Effect": "Allow",
        "Action": ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"],
        "Resource": table,
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["control"]}},
    }
    return account.assumed(account.role(read, write, principal=PERSON), "dynamodb")


def put(item: str) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": {"id": {"S": item}}}}


def refused(call: Callable[[], Any]) -> bool:
    """Whether IAM refuses the call; any other error is one of the test."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
            raise
        return True
    return False


def test_who_assumed_a_role_may_do_what_its_policy_says_where_it_says_so(account: Account) -> None:
    look = {
        "Effect": "Allow",
        "Action": "cloudwatch:DescribeAlarms",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": RECOVERY}},
    }
    role = account.role(look, principal=PERSON)
    assert not refused(account.assumed(role, "cloudwatch").describe_alarms)
    assert refused(account.assumed(role, "cloudwatch", PRIMARY).describe_alarms)
    assert refused(account.assumed(role, "sqs").list_queues)
    assert refused(account.assumed(account.role(principal=PERSON), "cloudwatch").describe_alarms)


def test_a_role_is_assumed_by_whom_it_trusts_alone(account: Account) -> None:
    another = {"AWS": account.role()}
    assert refused(lambda: account.assumed(account.role(principal=another), "sqs"))


@pytest.mark.parametrize(("item", "is_refused"), [("control", False), ("controller", True), ("incident#1", True)])
def test_an_item_is_written_by_who_may_write_it(operator: Any, item: str, is_refused: bool) -> None:
    key = {"id": {"S": item}}
    update = {"UpdateExpression": "SET version = :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    requests = {TABLE: [{"PutRequest": {"Item": key}}]}
    assert refused(lambda: operator.put_item(TableName=TABLE, Item=key)) == is_refused
    assert refused(lambda: operator.update_item(TableName=TABLE, Key=key, **update)) == is_refused
    assert refused(lambda: operator.batch_write_item(RequestItems=requests)) == is_refused
    assert refused(lambda: operator.transact_write_items(TransactItems=[put(item)])) == is_refused
    assert not refused(lambda: operator.get_item(TableName=TABLE, Key=key))


def test_a_forbidden_item_does_not_ride_along_with_an_allowed_one(operator: Any) -> None:
    assert refused(lambda: operator.transact_write_items(TransactItems=[put("control"), put("controller")]))
    writes = [put(item)["Put"]["Item"] for item in ("control", "controller")]
    requests = {TABLE: [{"PutRequest": {"Item": item}} for item in writes]}
    assert refused(lambda: operator.batch_write_item(RequestItems=requests))


def test_what_is_not_granted_at_all_stays_refused(operator: Any) -> None:
    assert refused(lambda: operator.delete_item(TableName=TABLE, Key={"id": {"S": "control"}}))
    assert refused(lambda: operator.scan(TableName=TABLE))
