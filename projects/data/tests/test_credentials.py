"""The master user's secret is read, checked against RDS's rules, and never printed (P4)."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_layer.credentials import MasterCredentials, look_up_master_credentials, parse_master_credentials
from shared.errors import SettingsError
from shared.sites import Site

SECRET_ID = "postgres-dr/lab/master"
REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
PASSWORD = "correct-horse-battery"
ALLOWED = [chr(code) for code in range(33, 127) if chr(code) not in '/@"']


def text(**changes: object) -> str:
    return json.dumps({"username": "owner", "password": PASSWORD, **changes})


def test_name_and_password_are_read_and_other_keys_left_alone() -> None:
    assert parse_master_credentials(SECRET_ID, text(engine="postgres")) == MasterCredentials("owner", PASSWORD)


def test_the_password_is_not_in_the_repr() -> None:
    assert PASSWORD not in repr(parse_master_credentials(SECRET_ID, text()))


@given(st.text(ALLOWED, min_size=8, max_size=128))
def test_every_password_rds_takes_is_taken(password: str) -> None:
    assert parse_master_credentials(SECRET_ID, text(password=password)).password == password


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "its text is no JSON"),
        (f"owner:{PASSWORD}", "its text is no JSON"),
        (json.dumps([PASSWORD]), "its JSON is no object"),
        (json.dumps({"password": PASSWORD}), "its username is missing"),
        (json.dumps({"username": "owner"}), "its password is missing"),
        (text(password=12345678), "its password is missing or no string"),
        (text(username="1owner"), "its username must start with a letter"),
        (text(username=""), "its username must start with a letter"),
        (text(username="o" * 64), "its username must start with a letter"),
        (text(username="rdsadmin"), "its username rdsadmin is reserved"),
        (text(username="Admin"), "its username Admin is reserved"),
        (text(username="user"), "its username user is reserved"),
        (text(username="pg_owner"), "its username pg_owner is reserved"),
        (text(password="short-7"), "its password must have 8 to 128 characters, it has 7"),
        (text(password="x" * 129), "it has 129"),
        (text(password=PASSWORD + "/"), "printable ASCII without slash"),
        (text(password=PASSWORD + "@"), "printable ASCII without slash"),
        (text(password=PASSWORD + '"'), "printable ASCII without slash"),
        (text(password=PASSWORD + " "), "printable ASCII without slash"),
        (text(password=PASSWORD + "é"), "printable ASCII without slash"),
        (text(password=PASSWORD + "\n"), "printable ASCII without slash"),
    ],
)
def test_a_secret_rds_would_refuse_is_one_line_without_the_password(content: str, fault: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_master_credentials(SECRET_ID, content)
    message = str(refused.value)
    assert message.startswith(f"secretId = {SECRET_ID}: ")
    assert fault in message
    assert "\n" not in message
    assert PASSWORD not in message
    assert "short-7" not in message


def test_a_secret_that_does_not_exist_says_how_to_make_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(**_: Any) -> None:
        raise Exception(  # noqa: TRY002 - what the SDK raises
            "invoke of aws:secretsmanager/getSecretVersion:getSecretVersion failed: reading Secrets Manager Secret "
            "Version: couldn't find resource"
        )

    monkeypatch.setattr(aws.secretsmanager, "get_secret_version", missing)
    remedy = (
        r"replicate-secret-to-regions --region ap-southeast-2 --secret-id nowhere .* Region=ap-southeast-1; .* create"
    )
    with pytest.raises(SettingsError, match=rf"secretId = nowhere: no such entry .* {remedy}"):
        look_up_master_credentials("nowhere", REGIONS, Site.RECOVERY, None)  # type: ignore[arg-type]


def test_any_other_failure_of_the_call_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: Any) -> None:
        raise Exception("invoke failed: AccessDeniedException")  # noqa: TRY002 - what the SDK raises

    monkeypatch.setattr(aws.secretsmanager, "get_secret_version", refused)
    with pytest.raises(Exception, match="AccessDeniedException"):
        look_up_master_credentials(SECRET_ID, REGIONS, Site.PRIMARY, None)  # type: ignore[arg-type]
