"""What hangs on a VPC: flow logs and gateway endpoints."""

from __future__ import annotations

from typing import Any

from lab.engine.registration import Created, EngineError, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, renamed, wait_until
from lab.engine.tags import tag_specifications

ENDPOINT_TIMEOUT_SECONDS = 30.0
FLOW_LOG_ARGUMENTS = {
    "iamRoleArn": "DeliverLogsPermissionArn",
    "logDestination": "LogDestination",
    "logDestinationType": "LogDestinationType",
    "maxAggregationInterval": "MaxAggregationInterval",
    "trafficType": "TrafficType",
}
ENDPOINT_ARGUMENTS = {
    "policy": "PolicyDocument",
    "routeTableIds": "RouteTableIds",
    "serviceName": "ServiceName",
    "vpcEndpointType": "VpcEndpointType",
    "vpcId": "VpcId",
}


def _create_flow_log(context: Context, inputs: Values) -> Created:
    answer = context.client("ec2").create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[inputs["vpcId"]],
        **renamed(inputs, FLOW_LOG_ARGUMENTS),
        TagSpecifications=tag_specifications("vpc-flow-log", context.tags),
    )
    _refuse_unsuccessful(answer)
    (identifier,) = answer["FlowLogIds"]
    arn = f"arn:aws:ec2:{context.region}:{context.account_id}:vpc-flow-log/{identifier}"
    return Created(identifier, {"arn": arn})


def _delete_flow_log(context: Context, made: Made) -> None:
    answer = context.client("ec2").delete_flow_logs(FlowLogIds=[made.id])
    _refuse_unsuccessful(answer, "InvalidFlowLogId.NotFound")


def _create_endpoint(context: Context, inputs: Values) -> Created:
    ec2 = context.client("ec2")
    if inputs.get("vpcEndpointType") != "Gateway":
        raise EngineError("vpcEndpointType is not Gateway: the lab makes gateway endpoints only")
    identifier = ec2.create_vpc_endpoint(
        **renamed(inputs, ENDPOINT_ARGUMENTS), TagSpecifications=tag_specifications("vpc-endpoint", context.tags)
    )["VpcEndpoint"]["VpcEndpointId"]
    wait_until(
        f"VPC endpoint {identifier} is available",
        lambda: _endpoint_states(ec2, identifier) == ["available"],
        timeout_seconds=ENDPOINT_TIMEOUT_SECONDS,
    )
    arn = f"arn:aws:ec2:{context.region}:{context.account_id}:vpc-endpoint/{identifier}"
    return Created(identifier, {"arn": arn, "ownerId": context.account_id, "state": "available"})


def _delete_endpoint(context: Context, made: Made) -> None:
    ec2 = context.client("ec2")
    _refuse_unsuccessful(ec2.delete_vpc_endpoints(VpcEndpointIds=[made.id]), "InvalidVpcEndpoint.NotFound")
    # Its VPC and route table cannot go before its routes have.
    wait_until(
        f"VPC endpoint {made.id} is gone",
        lambda: _endpoint_states(ec2, made.id) in ([], ["deleted"]),
        timeout_seconds=ENDPOINT_TIMEOUT_SECONDS,
    )


def _endpoint_states(ec2: Any, identifier: str) -> list[str]:
    found: list[dict[str, Any]] = []
    with absence_is_fine("InvalidVpcEndpointId.NotFound"):
        found = ec2.describe_vpc_endpoints(VpcEndpointIds=[identifier])["VpcEndpoints"]
    return [endpoint["State"].lower() for endpoint in found]


def _refuse_unsuccessful(answer: Values, *fine: str) -> None:
    # These calls answer 200 and say in the body what they did not do.
    for item in answer.get("Unsuccessful", []):
        error = item["Error"]
        if error["Code"] not in fine:
            raise EngineError(f"{item.get('ResourceId', 'resource')}: {error['Code']}: {error['Message']}")


TYPES: Types = {
    "aws:ec2/flowLog:FlowLog": ResourceType(
        _create_flow_log,
        _delete_flow_log,
        frozenset({*FLOW_LOG_ARGUMENTS, "tags", "vpcId"}),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ResourceType(
        _create_endpoint,
        _delete_endpoint,
        frozenset({*ENDPOINT_ARGUMENTS, "tags"}),
    ),
}
