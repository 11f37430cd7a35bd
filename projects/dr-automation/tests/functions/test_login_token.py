"""The token is the one that AWS's own signer makes, for one database, one user and fifteen minutes."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from health_probe.login_token import USER, Keys, login_token

AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
HOST, PORT, REGION = "database.abc.ap-southeast-2.rds.amazonaws.com", 15432, "ap-southeast-2"


def query_of(token: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(f"https://{token}").query, strict_parsing=True)


@pytest.mark.parametrize("session_token", [None, "IQoJb3JpZ2lu+with/odd=characters=="])
def test_it_is_what_botocore_makes(session_token: str | None) -> None:
    keys = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", session_token)
    # An explicit None would let boto3 look for a token in this machine's environment.
    session = boto3.Session(keys.access_key_id, keys.secret_access_key, session_token, REGION)
    theirs = session.client("rds").generate_db_auth_token(HOST, PORT, USER)
    signed_at = datetime.strptime(query_of(theirs)["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = login_token(keys, HOST, PORT, REGION, signed_at)
    assert query_of(ours) == query_of(theirs)
    assert ours.partition("?")[0] == theirs.partition("?")[0]


def test_it_is_for_one_connection_of_one_user_and_for_fifteen_minutes() -> None:
    token = login_token(Keys("AKIDEXAMPLE", "secret"), HOST, PORT, REGION, AT)
    assert token.startswith(f"{HOST}:{PORT}/?")
    query = query_of(token)
    assert (query["Action"], query["DBUser"], query["X-Amz-Expires"]) == (["connect"], ["dr_probe"], ["900"])
    assert query["X-Amz-Date"] == ["20260131T120000Z"]
    assert query["X-Amz-Credential"] == [f"AKIDEXAMPLE/20260131/{REGION}/rds-db/aws4_request"]


def test_another_database_region_or_moment_is_another_signature() -> None:
    keys = Keys("AKIDEXAMPLE", "secret")
    tokens = {
        query_of(login_token(keys, host, port, region, at))["X-Amz-Signature"][0]
        for host, port, region, at in (
            (HOST, PORT, REGION, AT),
            ("other", PORT, REGION, AT),
            (HOST, 5432, REGION, AT),
            (HOST, PORT, "ap-southeast-1", AT),
            (HOST, PORT, REGION, AT.replace(minute=1)),
        )
    }
    assert len(tokens) == 5


def test_keys_come_from_lambdas_environment_and_are_not_shown() -> None:
    variables = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_SESSION_TOKEN": "hush too"}
    keys = Keys.from_environment(variables)
    assert keys == Keys("AKIDEXAMPLE", "hush", "hush too")
    assert "hush" not in repr(keys)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert Keys.from_environment({key: text for key, text in variables.items() if key != name}) is None
