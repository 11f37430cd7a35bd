"""A deploy looks before it touches anything. The AWS answers are botocore's own, without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from data_layer.preflight import check_secret
from shared.errors import SettingsError

SECRET_ID = "postgres-dr/lab/master"


def client(service: str) -> Any:
    return boto3.client(service, region_name="ap-southeast-2", aws_access_key_id="none", aws_secret_access_key="none")


@pytest.fixture
def secrets() -> Iterator[tuple[Any, Stubber]]:
    made = client("secretsmanager")
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
