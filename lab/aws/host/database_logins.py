"""Logins to databases with IAM tokens: MiniStack checks a token as it does MySQL's, and its IAM decides.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
"""

from __future__ import annotations

import time
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime, rds_iam  # type: ignore[import-untyped]
from ministack.core.responses import request_scope  # type: ignore[import-untyped]
from ministack.services import sts  # type: ignore[import-untyped]

_ACTION = "rds-db:connect"
_LONG_SECONDS = 365 * 24 * 3600.0


def install() -> None:
    """Say how long a function's credentials are valid: with others, MiniStack takes no token for a database."""
    credentials = lambda_runtime.execution_credentials

    def lasting_credentials(config: dict[str, Any]) -> dict[str, str]:
        found: dict[str, str] = credentials(config)
        session = sts._sessions.get(found["AWS_ACCESS_KEY_ID"])
        if session is not None:
            # Lambda renews them before they run out. MiniStack's are the same for as long as it lives.
            session["Expiration"] = time.time() + _LONG_SECONDS
        return found

    lambda_runtime.execution_credentials = lasting_credentials


def refusal_of_login(
    token: str, host: str, port: int, user: str, region: str, account_id: str, resource_id: str
) -> str | None:
    """Why a token does not log a user in to a database; None where it does.

    Args:
        token: what the client sent as password.
        host: the host of the database's endpoint.
        port: its port.
        user: the database user.
        region: the database's region.
        account_id: its account.
        resource_id: its `DbiResourceId`.
    """
    with request_scope(account_id, region):
        verified = rds_iam.verify_rds_iam_token(
            token, hostname=host, port=port, db_user=user, region=region, account_id=account_id
        )
        if isinstance(verified, rds_iam.RdsIamTokenError):
            return str(verified.code)
        principal = iam_evaluator.resolve_principal(verified.access_key_id, account_id)
        if isinstance(principal, iam_evaluator.AuthError):
            return str(principal.code)
        if principal.policies is None:  # the account's root user
            return None
        context = iam_evaluator.EvalContext(
            principal_arn=principal.arn,
            principal_type=principal.type,
            principal_account=principal.account,
            action=_ACTION,
            resource_arn=f"arn:aws:rds-db:{region}:{account_id}:dbuser:{resource_id}/{user}",
            region=region,
            principal_keys=principal.keys,
        )
        decision = iam_evaluator.evaluate(context, principal.policies, *principal.limits).decision
    return None if decision == "Allow" else f"{_ACTION}: {decision}"
