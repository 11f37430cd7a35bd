"""EC2 and KMS: mostly whether something is there; rules and keys' policies change in place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lab.engine.registration import Values
from lab.engine.resource_table import EVERY_INPUT, Changes, Context
from lab.engine.resources.api_arguments import renamed
from lab.engine.resources.changes.parts import Read, described, differing, of_those_given, there
from lab.engine.resources.vpc_attachments import ENDPOINT_ARGUMENTS, FLOW_LOG_ARGUMENTS
from lab.engine.tags import tag_list

_RULE = {
    "cidrIpv4": "CidrIpv4",
    "description": "Description",
    "fromPort": "FromPort",
    "ipProtocol": "IpProtocol",
    "referencedSecurityGroupId": "ReferencedGroupId",
    "toPort": "ToPort",
}


def _tag(ctx: Context, identifier: str, _: Values) -> None:
    ctx.client("ec2").create_tags(Resources=[identifier], Tags=tag_list(ctx.tags))


def _listed(operation: str, key: str, name: str, names: Mapping[str, str] = MappingProxyType({})) -> Read:
    """A read by a call that may answer an empty list, or what is gone but not forgotten.

    Args:
        operation: boto3's method.
        key: the list in its answer.
        name: the argument that takes the ids.
        names: what is compared: inputs, and what they are called in the answer.
    """

    def read(ctx: Context, identifier: str, inputs: Values) -> Values | None:
        found = getattr(ctx.client("ec2"), operation)(**{name: [identifier]})[key]
        standing = [item for item in found if item.get("State", "") != "deleted"]
        if not standing:
            return None
        return of_those_given({ours: standing[0].get(theirs) for ours, theirs in names.items()}, inputs)

    return there(read)


def _update_rule(ctx: Context, identifier: str, _: Values, new: Values) -> Values:
    rule = {"SecurityGroupRuleId": identifier, "SecurityGroupRule": renamed(new, _RULE)}
    ctx.client("ec2").modify_security_group_rules(GroupId=new["securityGroupId"], SecurityGroupRules=[rule])
    return {}


def _update_key(ctx: Context, identifier: str, old: Values, new: Values) -> Values:
    kms = ctx.client("kms")
    if differing(old, new, "policy"):
        kms.put_key_policy(KeyId=identifier, PolicyName="default", Policy=new["policy"])
    if differing(old, new, "description"):
        kms.update_key_description(KeyId=identifier, Description=new["description"])
    return {}


def _tag_key(ctx: Context, identifier: str, _: Values) -> None:
    ctx.client("kms").tag_resource(KeyId=identifier, Tags=tag_list(ctx.tags, "TagKey", "TagValue"))


def _read_key(ctx: Context, identifier: str, _: Values) -> Values | None:
    state = ctx.client("kms").describe_key(KeyId=identifier)["KeyMetadata"]["KeyState"]
    return None if state.startswith("Pending") and state.endswith("Deletion") else {}


def _standing(operation: str, name: str, *replaces: str) -> Changes:
    read = described("ec2", operation, name, listed=True)
    return Changes(replaces=frozenset(replaces), tag=_tag, read=read)


_RULE_CHANGES = Changes(
    update=_update_rule,
    updates=frozenset(_RULE),
    replaces=frozenset({"securityGroupId"}),
    tag=_tag,
    read=_listed("describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleIds"),
)


def _key_changes(replaces: str) -> Changes:
    known: dict[str, Any] = {"update": _update_key, "tag": _tag_key, "read": there(_read_key)}
    return Changes(
        updates=frozenset({"description", "policy"}),
        state_only=frozenset({"deletionWindowInDays"}),
        replaces=frozenset({replaces}),
        **known,
    )


CHANGES: Mapping[str, Changes] = {
    "aws:ec2/vpc:Vpc": _standing("describe_vpcs", "VpcIds", "cidrBlock"),
    "aws:ec2/subnet:Subnet": _standing("describe_subnets", "SubnetIds", "availabilityZone", "cidrBlock", "vpcId"),
    "aws:ec2/routeTable:RouteTable": _standing("describe_route_tables", "RouteTableIds", "vpcId"),
    "aws:ec2/securityGroup:SecurityGroup": _standing(
        "describe_security_groups", "GroupIds", "description", "name", "vpcId"
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Changes(
        replaces=frozenset({"serviceName", "vpcEndpointType", "vpcId"}),
        tag=_tag,
        read=_listed("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointIds", ENDPOINT_ARGUMENTS),
    ),
    "aws:ec2/flowLog:FlowLog": Changes(
        replaces=EVERY_INPUT,
        tag=_tag,
        read=_listed("describe_flow_logs", "FlowLogs", "FlowLogIds", {**FLOW_LOG_ARGUMENTS, "vpcId": "ResourceId"}),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _RULE_CHANGES,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _RULE_CHANGES,
    "aws:kms/key:Key": _key_changes("multiRegion"),
    "aws:kms/replicaKey:ReplicaKey": _key_changes("primaryKeyArn"),
}
