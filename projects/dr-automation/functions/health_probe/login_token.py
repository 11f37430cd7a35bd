"""Password of a login by IAM: a request to ``rds-db:connect`` signed with the function's own keys, without any network.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html. It is what botocore's
``generate_db_auth_token`` makes (a test compares them), without importing botocore, which would triple the start of a
function that calls no AWS API. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlencode

USER = "dr_probe"
"""The role that the probes log in as, made by projects/data/sql/prepare_database.sql."""
VALID_SECONDS = 900
SERVICE = "rds-db"
ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Keys:
    """A role's temporary keys, as Lambda puts them into the environment. Not shown where it is printed."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False, default=None)

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Keys | None:
        """The keys in environment variables; None where there are none."""
        if "AWS_ACCESS_KEY_ID" not in variables or "AWS_SECRET_ACCESS_KEY" not in variables:
            return None
        return cls(
            variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], variables.get("AWS_SESSION_TOKEN")
        )


def login_token(keys: Keys, host: str, port: int, region: str, at: datetime) -> str:
    """A password for `USER`, valid for 15 minutes from a moment.

    Args:
        keys: of a role that may ``rds-db:connect``.
        host: the instance's own address; a token for an alias of it is refused.
        port: the database's port.
        region: the database's region.
        at: the moment, in UTC.
    """
    moment = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{region}/{SERVICE}/aws4_request"
    asked = {
        "Action": "connect",
        "DBUser": USER,
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{keys.access_key_id}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(VALID_SECONDS),
        **({} if keys.session_token is None else {"X-Amz-Security-Token": keys.session_token}),
        "X-Amz-SignedHeaders": "host",
    }
    query = urlencode(sorted(asked.items()), quote_via=quote, safe="-_.~")
    request = "\n".join(["GET", "/", query, f"host:{host}:{port}", "", "host", _sha256("")])
    key = f"AWS4{keys.secret_access_key}".encode()
    for part in scope.split("/"):
        key = _signed(key, part)
    signature = _signed(key, "\n".join([ALGORITHM, moment, scope, _sha256(request)])).hex()
    return f"{host}:{port}/?{query}&X-Amz-Signature={signature}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _signed(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
