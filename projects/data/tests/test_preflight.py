"""A deploy looks before it touches anything. The AWS answers are botocore's own, without a network."""

from __future__ import annotations

import json

import pytest

from data_layer.preflight import check_secret
from shared.errors import SettingsError
from tests.stubbed import Stubbed, stubbed

SECRET_ID = "postgres-dr/lab/master"


@pytest.fixture
def secrets() -> Stubbed:
    return stubbed("secretsmanager", "ap-southeast-2")


def test_a_good_secret_passes(secrets: Stubbed) -> None:
    content = json.dumps({"username": "owner", "password": "long-enough"})
    secrets.add_response("get_secret_value", {"SecretString": content}, {"SecretId": SECRET_ID})
    assert check_secret(secrets.client, SECRET_ID).username == "owner"


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("ResourceNotFoundException", "aws secretsmanager create-secret --region ap-southeast-2"),
        ("InvalidRequestException", "aws secretsmanager restore-secret --region ap-southeast-2"),
        ("AccessDeniedException", "allow these credentials to read it"),
    ],
)
def test_a_secret_that_cannot_be_read_is_one_line_with_the_remedy(secrets: Stubbed, code: str, remedy: str) -> None:
    secrets.add_client_error("get_secret_value", code)
    with pytest.raises(SettingsError) as refused:
        check_secret(secrets.client, SECRET_ID)
    assert str(refused.value).startswith(f"secretId = {SECRET_ID}: ")
    assert remedy in str(refused.value)


def test_a_binary_secret_is_refused(secrets: Stubbed) -> None:
    secrets.add_response("get_secret_value", {"SecretBinary": b"x"})
    with pytest.raises(SettingsError, match="its text is no JSON"):
        check_secret(secrets.client, SECRET_ID)
