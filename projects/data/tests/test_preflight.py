"""A deploy looks before it touches anything. The AWS answers are botocore's own, without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from data_layer.preflight import check_replica, check_secret
from shared.errors import SettingsError

SECRET_ID = "postgres-dr/lab/master"
INSTANCE_ID = "database-recovery-lab"


def client(service: str) -> Any:
    return boto3.client(service, region_name="ap-southeast-2", aws_access_key_id="none", aws_secret_access_key="none")


@pytest.fixture
def secrets() -> Iterator[tuple[Any, Stubber]]:
    made = client("secretsmanager")
    with Stubber(made) as stubber:
        yield made, stubber


@pytest.fixture
def rds() -> Iterator[tuple[Any, Stubber]]:
    made = client("rds")
    with Stubber(made) as stubber:
        yield made, stubber


def test_a_good_secret_passes(secrets: tuple[Any, Stubber]) -> None:
    made, stubber = secrets
    content = json.dumps({"username": "owner", "password": "long-enough"})
    stubber.add_response("get_secret_value", {"SecretString": content}, {"SecretId": SECRET_ID})
    assert check_secret(made, SECRET_ID).username == "owner"


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("ResourceNotFoundException", "aws secretsmanager create-secret --region ap-southeast-2"),
        ("InvalidRequestException", "aws secretsmanager restore-secret --region ap-southeast-2"),
        ("AccessDeniedException", "allow these credentials to read it"),
    ],
)
def test_a_secret_that_cannot_be_read_is_one_line_with_the_remedy(
    secrets: tuple[Any, Stubber], code: str, remedy: str
) -> None:
    made, stubber = secrets
    stubber.add_client_error("get_secret_value", code)
    with pytest.raises(SettingsError) as refused:
        check_secret(made, SECRET_ID)
    assert str(refused.value).startswith(f"secretId = {SECRET_ID}: ")
    assert remedy in str(refused.value)


def test_a_binary_secret_is_refused(secrets: tuple[Any, Stubber]) -> None:
    made, stubber = secrets
    stubber.add_response("get_secret_value", {"SecretBinary": b"x"})
    with pytest.raises(SettingsError, match="its text is no JSON"):
        check_secret(made, SECRET_ID)


def test_a_replica_and_a_database_not_made_yet_may_be_deployed(rds: tuple[Any, Stubber]) -> None:
    made, stubber = rds
    source = "arn:aws:rds:ap-southeast-2:000000000000:db:database-primary-lab"
    stubber.add_response("describe_db_instances", {"DBInstances": [{"ReadReplicaSourceDBInstanceIdentifier": source}]})
    check_replica(made, INSTANCE_ID)
    stubber.add_client_error("describe_db_instances", "DBInstanceNotFound")
    check_replica(made, INSTANCE_ID)


def test_a_promoted_database_is_never_touched(rds: tuple[Any, Stubber]) -> None:
    made, stubber = rds
    stubber.add_response("describe_db_instances", {"DBInstances": [{"DBInstanceIdentifier": INSTANCE_ID}]})
    with pytest.raises(SettingsError, match=r"database-recovery-lab = \(promoted\): it takes the writes"):
        check_replica(made, INSTANCE_ID)
