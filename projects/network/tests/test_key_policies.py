"""Exactly the services that need a key may use it (C1, P5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from network_layer.key_policies import data_key_policy, messages_key_policy

ACCOUNT = "123456789012"
SYDNEY, SINGAPORE = "ap-southeast-2", "ap-southeast-1"
DATA = json.loads(data_key_policy(ACCOUNT, SYDNEY, (SYDNEY, SINGAPORE)))["Statement"]
MESSAGES = json.loads(messages_key_policy(ACCOUNT, SYDNEY, "lab"))["Statement"]


def statement(statements: list[dict[str, Any]], sid: str) -> dict[str, Any]:
    (found,) = (each for each in statements if each["Sid"] == sid)
    return found


@pytest.mark.parametrize("statements", [DATA, MESSAGES], ids=["data", "messages"])
def test_administrators_cannot_decrypt_with_a_key(statements: list[dict[str, Any]]) -> None:
    for each in statements:
        if "Condition" not in each and "AWS" in each["Principal"]:
            assert not {"kms:*", "kms:Decrypt", "kms:Encrypt", "kms:CreateGrant"} & set(each["Action"])
            assert not [action for action in each["Action"] if action.endswith("*")]


@pytest.mark.parametrize("statements", [DATA, MESSAGES], ids=["data", "messages"])
def test_the_account_can_still_change_the_policy(statements: list[dict[str, Any]]) -> None:
    assert "kms:PutKeyPolicy" in statement(statements, "AccountAdministers")["Action"]


def test_the_data_key_works_through_rds_s3_and_dynamodb_only() -> None:
    through = statement(DATA, "AccountUsesThroughServices")["Condition"]["StringEquals"]["kms:ViaService"]
    assert through == [
        "rds.ap-southeast-2.amazonaws.com",
        "rds.ap-southeast-1.amazonaws.com",
        "s3.ap-southeast-2.amazonaws.com",
        "dynamodb.ap-southeast-2.amazonaws.com",
    ]


def test_grants_on_the_data_key_go_to_aws_services_only() -> None:
    assert statement(DATA, "ServicesGetGrants")["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}


def test_alarms_and_logs_alone_may_use_the_messages_key() -> None:
    publishers = {
        each["Principal"]["Service"]: set(each["Action"]) for each in MESSAGES if "Service" in each["Principal"]
    }
    logs = publishers.pop("logs.ap-southeast-2.amazonaws.com")
    assert "kms:Encrypt" in logs
    assert publishers == {"cloudwatch.amazonaws.com": {"kms:Decrypt", "kms:GenerateDataKey*"}}


def test_only_log_groups_of_the_environment_can_be_encrypted() -> None:
    condition = statement(MESSAGES, "LogGroupsOfThisEnvironment")["Condition"]
    assert condition["ArnLike"]["kms:EncryptionContext:aws:logs:arn"] == [
        "arn:aws:logs:ap-southeast-2:123456789012:log-group:*-lab",
        "arn:aws:logs:ap-southeast-2:123456789012:log-group:*-lab/*",
    ]
