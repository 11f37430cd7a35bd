"""The function calls of the programs: what they look up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from botocore.exceptions import ClientError

from lab.engine.registration import EngineError, InvocationError, Values
from lab.engine.resource_table import Context
from lab.engine.resources.api_arguments import renamed, required

Invoke = Callable[[Context, Values], Values]
"""Answers a call with its arguments."""

CURRENT_STAGE = "AWSCURRENT"


def _get_secret_version(ctx: Context, arguments: Values) -> Values:
    unknown = sorted(arguments.keys() - {"secretId"})
    if unknown:
        raise EngineError(f"getSecretVersion with {', '.join(unknown)}: the lab looks up the current version only")
    secret_id = required(arguments, "secretId")
    try:
        version = ctx.client("secretsmanager").get_secret_value(SecretId=secret_id, VersionStage=CURRENT_STAGE)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        # The provider's words; programs tell by them.
        raise InvocationError(
            f"reading Secrets Manager Secret Version ({secret_id}|{CURRENT_STAGE}): couldn't find resource"
        ) from error
    return {
        "secretId": secret_id,
        "id": f"{secret_id}|{CURRENT_STAGE}",
        "arn": version["ARN"],
        "createdDate": version["CreatedDate"].isoformat(),
        "versionId": version["VersionId"],
        "versionStage": CURRENT_STAGE,
        "versionStages": version["VersionStages"],
        "secretBinary": "",
        # A secret may hold bytes instead of text.
        "secretString": "",
        **renamed(version, {"SecretString": "secretString"}),
    }


INVOKES: Mapping[str, Invoke] = {"aws:secretsmanager/getSecretVersion:getSecretVersion": _get_secret_version}
