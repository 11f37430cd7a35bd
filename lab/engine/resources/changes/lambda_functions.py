"""Lambda: code and configuration change in place; a permission is replaced."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from lab.engine.registration import Values
from lab.engine.resource_table import EVERY_INPUT, Changes, Context
from lab.engine.resources import lambda_functions as made
from lab.engine.resources.api_arguments import renamed
from lab.engine.resources.changes.parts import described, put_again

_CONFIGURED = {
    ours: theirs for ours, theirs in made._AS_GIVEN.items() if ours not in ("architectures", "name", "packageType")
}


def _update_function(ctx: Context, name: str, old: Values, new: Values) -> Values:
    functions = ctx.client("lambda")
    updated = functions.get_waiter("function_updated_v2")
    patience = {"Delay": 1, "MaxAttempts": 60}
    archive = made._zip(new["code"])
    known = functions.get_function_configuration(FunctionName=name)
    # By content: the file of the state's code may be another one by now.
    if known["CodeSha256"] != base64.b64encode(hashlib.sha256(archive).digest()).decode():
        functions.update_function_code(FunctionName=name, ZipFile=archive)
        updated.wait(FunctionName=name, WaiterConfig=patience)
    if any(old.get(key) != new.get(key) for key in (*_CONFIGURED, "environment", "vpcConfig")):
        functions.update_function_configuration(
            FunctionName=name,
            **renamed(new, _CONFIGURED),
            **made._block(new, "environment", "Environment", made._ENVIRONMENT),
            **made._block(new, "vpcConfig", "VpcConfig", made._VPC_CONFIG),
        )
        updated.wait(FunctionName=name, WaiterConfig=patience)
    return {"codeSha256": functions.get_function_configuration(FunctionName=name)["CodeSha256"]}


def _tag_function(ctx: Context, name: str, _: Values) -> None:
    arn = f"arn:aws:lambda:{ctx.region}:{ctx.account_id}:function:{name}"
    ctx.client("lambda").tag_resource(Resource=arn, Tags=dict(ctx.tags))


CHANGES: Mapping[str, Changes] = {
    "aws:lambda/function:Function": Changes(
        update=_update_function,
        updates=frozenset({*_CONFIGURED, "code", "environment", "vpcConfig"}),
        replaces=frozenset({"name", "packageType"}),
        tag=_tag_function,
        read=described("lambda", "get_function_configuration", "FunctionName"),
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": Changes(
        update=put_again(made._create_event_invoke_config),
        updates=frozenset({"maximumEventAgeInSeconds", "maximumRetryAttempts"}),
        replaces=frozenset({"functionName"}),
        name="functionName",
    ),
    # Its statement's name stays, so the old one goes first.
    "aws:lambda/permission:Permission": Changes(replaces=EVERY_INPUT, name="statementId"),
}
