"""The network interfaces of functions in a VPC.

AWS creates an interface in each of the function's subnets. The function connects from the interface's address, with the
interface's security groups. MiniStack only stores the configuration. Here the interface is created in MiniStack's EC2,
and `lab/aws/function_network/sitecustomize.py` makes the function's process connect from its address.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime  # type: ignore[import-untyped]
from ministack.core.responses import error_response_json, get_account_id, request_scope  # type: ignore[import-untyped]
from ministack.services import ec2, lambda_svc  # type: ignore[import-untyped]

_IN_THE_FUNCTION = Path(__file__).resolve().parents[1] / "function_network"
_OK = range(200, 300)

# Function ARN without qualifier -> its interfaces' ids, in the order of its subnets.
_interfaces: dict[str, tuple[str, ...]] = {}


def install(database_authority: str | None) -> None:
    """Create interfaces for functions in a VPC, and run `sitecustomize.py` in every function's process.

    Args:
        database_authority: the file with the certificate of who signs the databases' certificates; None for none.
    """
    create, update, delete = lambda_svc._create_function, lambda_svc._update_config, lambda_svc._delete_function
    spawn = lambda_runtime.Worker._spawn
    describe = ec2._describe_network_interfaces

    def create_function(data: dict[str, Any]) -> Any:
        refusal = _refusal(data.get("VpcConfig"))
        if refusal is not None:
            return refusal
        answer = create(data)
        if answer[0] in _OK:
            _follow(data["FunctionName"])
        return answer

    def update_config(name: str, data: dict[str, Any]) -> Any:
        refusal = _refusal(data.get("VpcConfig"))
        if refusal is not None:
            return refusal
        answer = update(name, data)
        if answer[0] in _OK and "VpcConfig" in data:
            _follow(name)
        return answer

    def delete_function(name: str, query_params: dict[str, Any], path_qualifier: str | None = None) -> Any:
        answer = delete(name, query_params, path_qualifier)
        if answer[0] in _OK and name not in lambda_svc._functions:
            _give_back(lambda_svc._func_arn(name))
        return answer

    def spawn_in_network(worker: Any) -> None:
        config = worker.config
        worker.config = _with_network(config, database_authority)
        try:
            spawn(worker)
        finally:
            worker.config = config

    def describe_network_interfaces(parameters: Any) -> Any:
        return _describe(parameters, describe)

    lambda_svc._create_function = create_function
    lambda_svc._update_config = update_config
    lambda_svc._delete_function = delete_function
    lambda_runtime.Worker._spawn = spawn_in_network
    ec2._ACTION_MAP["DescribeNetworkInterfaces"] = describe_network_interfaces


def _with_network(config: dict[str, Any], database_authority: str | None) -> dict[str, Any]:
    """The function's configuration, with the environment variables for `sitecustomize.py`."""
    variables = dict((config.get("Environment") or {}).get("Variables") or {})
    own_path = variables.get("PYTHONPATH")
    variables["PYTHONPATH"] = os.pathsep.join([str(_IN_THE_FUNCTION), *([own_path] if own_path else [])])
    if database_authority is not None:
        variables["LAB_DATABASE_AUTHORITY"] = database_authority
    arn = ":".join(config["FunctionArn"].split(":")[:7])
    interfaces = _interfaces.get(arn, ())
    if interfaces:
        with request_scope(*lambda_svc._account_region_from_function_config(config)):
            variables["LAB_FUNCTION_VPC_ADDRESS"] = ec2._network_interfaces[interfaces[0]]["PrivateIpAddress"]
    return {**config, "Environment": {"Variables": variables}}


def _follow(name: str) -> None:
    """Replace the function's interfaces by those of its configuration."""
    config = lambda_svc._functions[name]["config"]
    arn = config["FunctionArn"]
    _give_back(arn)
    vpc = config["VpcConfig"]
    made = tuple(_make(name, subnet, vpc["SecurityGroupIds"]) for subnet in vpc.get("SubnetIds") or [])
    if made:
        _interfaces[arn] = made


def _give_back(arn: str) -> None:
    for interface in _interfaces.pop(arn, ()):
        if interface in ec2._network_interfaces:
            del ec2._network_interfaces[interface]


def _make(name: str, subnet_id: str, group_ids: list[str]) -> str:
    subnet = ec2._subnets[subnet_id]
    parameters = {"SubnetId": [subnet_id], "Description": [f"AWS Lambda VPC ENI-{name}"]}
    parameters |= {f"SecurityGroupId.{number}": [group] for number, group in enumerate(group_ids, start=1)}
    before = set(ec2._network_interfaces.keys())
    ec2._create_network_interface(parameters)
    (interface_id,) = set(ec2._network_interfaces.keys()) - before
    interface = ec2._network_interfaces[interface_id]
    taken = {each["PrivateIpAddress"] for each in ec2._network_interfaces.values() if each["SubnetId"] == subnet_id}
    address = next(each for each in _addresses(subnet["CidrBlock"]) if each not in taken)
    interface |= {
        "PrivateIpAddress": address,
        "InterfaceType": "lambda",
        "Status": "in-use",
        "OwnerId": get_account_id(),
    }
    return str(interface_id)


def _addresses(cidr: str) -> Iterator[str]:
    """A subnet's addresses from the top; databases get theirs from the bottom, so that none is used twice."""
    network = ipaddress.ip_network(cidr)
    for number in range(int(network.broadcast_address) - 1, int(network.network_address) + 3, -1):
        yield str(ipaddress.ip_address(number))


def _refusal(vpc: dict[str, Any] | None) -> Any:
    """Lambda's error for subnets or groups that do not exist, which MiniStack does not check; None where they do."""
    ec2._ensure_defaults_initialized()
    for kind, ids, existing in (
        ("subnet", (vpc or {}).get("SubnetIds"), ec2._subnets),
        ("security group", (vpc or {}).get("SecurityGroupIds"), ec2._security_groups),
    ):
        for each in ids or []:
            if each not in existing:
                message = (
                    f"Error occurred while DescribeSubnets or DescribeSecurityGroups: the {kind} {each} does not exist"
                )
                return error_response_json("InvalidParameterValueException", message, 400)
    return None


def _describe(parameters: Any, describe: Any) -> Any:
    """DescribeNetworkInterfaces with its filters, which MiniStack ignores."""
    filters: dict[str, list[str]] = ec2._parse_filters(parameters)
    unknown = filters.keys() - _FILTERS.keys()
    if unknown:
        return ec2._error("InvalidParameterValue", f"The filter '{sorted(unknown)[0]}' is not known in the lab", 400)
    if not filters:
        return describe(parameters)
    wanted = [
        interface["NetworkInterfaceId"]
        for interface in ec2._network_interfaces.values()
        if all(set(values) & set(_FILTERS[name](interface)) for name, values in filters.items())
    ]
    if not wanted:
        wanted = [json.dumps(filters)]  # an id that does not exist, since no ids would mean all
    return describe({f"NetworkInterfaceId.{number}": [each] for number, each in enumerate(wanted, start=1)})


def _groups(interface: dict[str, Any]) -> Iterable[str]:
    return [group["GroupId"] for group in interface["Groups"]]


_FILTERS: dict[str, Any] = {
    "addresses.private-ip-address": lambda interface: [interface["PrivateIpAddress"]],
    "private-ip-address": lambda interface: [interface["PrivateIpAddress"]],
    "network-interface-id": lambda interface: [interface["NetworkInterfaceId"]],
    "subnet-id": lambda interface: [interface["SubnetId"]],
    "vpc-id": lambda interface: [interface["VpcId"]],
    "description": lambda interface: [interface["Description"]],
    "interface-type": lambda interface: [interface["InterfaceType"]],
    "status": lambda interface: [interface["Status"]],
    "group-id": _groups,
}
