"""Lambda functions, who may invoke them, and how often a failed event is tried again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pulumi import FileArchive

from lab.engine.registration import Created, EngineError, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, renamed

_AS_GIVEN = {
    "architectures": "Architectures",
    "description": "Description",
    "handler": "Handler",
    "memorySize": "MemorySize",
    "name": "FunctionName",
    "packageType": "PackageType",
    "role": "Role",
    "runtime": "Runtime",
    "timeout": "Timeout",
}
_ENVIRONMENT = {"variables": "Variables"}
_VPC_CONFIG = {"subnetIds": "SubnetIds", "securityGroupIds": "SecurityGroupIds"}

_NOT_FOUND = "ResourceNotFoundException"


def _create_function(context: Context, inputs: Values) -> Created:
    functions = context.client("lambda")
    name = functions.create_function(
        **renamed(inputs, _AS_GIVEN),
        **_block(inputs, "environment", "Environment", _ENVIRONMENT),
        **_block(inputs, "vpcConfig", "VpcConfig", _VPC_CONFIG),
        Code={"ZipFile": _zip(inputs["code"])},
        Tags=dict(context.tags),
    )["FunctionName"]
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    made = functions.get_function_configuration(FunctionName=name)
    arn, version = made["FunctionArn"], made["Version"]
    return Created(
        name,
        {
            "arn": arn,
            "codeSha256": made["CodeSha256"],
            "invokeArn": f"arn:aws:apigateway:{context.region}:lambda:path/2015-03-31/functions/{arn}/invocations",
            "name": name,
            "qualifiedArn": f"{arn}:{version}",
            "version": version,
        },
    )


def _zip(code: object) -> bytes:
    if not isinstance(code, FileArchive):
        raise EngineError(f"code is {type(code).__name__}: give a FileArchive with the path of a zip file")
    path = Path(code.path)
    if not path.is_file():
        raise EngineError(f"code = {path}: give the path of a zip file that exists")
    return path.read_bytes()


def _block(inputs: Values, key: str, api_name: str, names: dict[str, str]) -> dict[str, Any]:
    """A nested input under the API's names, or nothing if it was not given."""
    if key not in inputs:
        return {}
    unknown = set(inputs[key]) - set(names)
    if unknown:
        raise EngineError(f"{key} has {', '.join(sorted(unknown))}: the lab knows {', '.join(sorted(names))} only")
    return {api_name: renamed(inputs[key], names)}


def _delete_function(context: Context, made: Made) -> None:
    with absence_is_fine(_NOT_FOUND):
        context.client("lambda").delete_function(FunctionName=made.id)


def _create_permission(context: Context, inputs: Values) -> Created:
    names = {
        "action": "Action",
        "function": "FunctionName",
        "principal": "Principal",
        "sourceArn": "SourceArn",
        "statementId": "StatementId",
    }
    context.client("lambda").add_permission(**renamed(inputs, names))
    return Created(inputs["statementId"])


def _delete_permission(context: Context, made: Made) -> None:
    with absence_is_fine(_NOT_FOUND):
        context.client("lambda").remove_permission(FunctionName=made.inputs["function"], StatementId=made.id)


def _create_event_invoke_config(context: Context, inputs: Values) -> Created:
    names = {
        "functionName": "FunctionName",
        "maximumEventAgeInSeconds": "MaximumEventAgeInSeconds",
        "maximumRetryAttempts": "MaximumRetryAttempts",
    }
    context.client("lambda").put_function_event_invoke_config(**renamed(inputs, names))
    return Created(inputs["functionName"])


def _delete_event_invoke_config(context: Context, made: Made) -> None:
    with absence_is_fine(_NOT_FOUND):
        context.client("lambda").delete_function_event_invoke_config(FunctionName=made.id)


TYPES: Types = {
    "aws:lambda/function:Function": ResourceType(
        _create_function, _delete_function, frozenset({*_AS_GIVEN, "code", "environment", "vpcConfig"})
    ),
    "aws:lambda/permission:Permission": ResourceType(
        _create_permission,
        _delete_permission,
        frozenset({"action", "function", "principal", "sourceArn", "statementId"}),
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": ResourceType(
        _create_event_invoke_config,
        _delete_event_invoke_config,
        frozenset({"functionName", "maximumEventAgeInSeconds", "maximumRetryAttempts"}),
    ),
}
