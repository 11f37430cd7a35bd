"""VPCs, their subnets and routes, the peering between them, and security groups."""

from __future__ import annotations

import zlib
from typing import Any

from lab.engine.registration import Created, EngineError, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, renamed
from lab.engine.tags import tag_list, tag_specifications


def _created(context: Context, kind: str, identifier: str, **outputs: Any) -> Created:
    arn = f"arn:aws:ec2:{context.region}:{context.account_id}:{kind}/{identifier}"
    return Created(identifier, {"arn": arn, "ownerId": context.account_id, **outputs})


# VPCs and subnets


def _create_vpc(context: Context, inputs: Values) -> Created:
    ec2 = context.client("ec2")
    vpc = ec2.create_vpc(
        CidrBlock=inputs["cidrBlock"],
        TagSpecifications=tag_specifications("vpc", context.tags),
    )["Vpc"]["VpcId"]
    ec2.get_waiter("vpc_available").wait(VpcIds=[vpc])
    # AWS sets one attribute a call, and host names only where there is DNS support.
    for name, attribute in (("enableDnsSupport", "EnableDnsSupport"), ("enableDnsHostnames", "EnableDnsHostnames")):
        if name in inputs:
            ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": inputs[name]}})
    return _created(context, "vpc", vpc, defaultSecurityGroupId=_default_group(ec2, vpc))


def _delete_vpc(context: Context, made: Made) -> None:
    with absence_is_fine("InvalidVpcID.NotFound"):
        context.client("ec2").delete_vpc(VpcId=made.id)


def _create_subnet(context: Context, inputs: Values) -> Created:
    ec2 = context.client("ec2")
    names = {"vpcId": "VpcId", "cidrBlock": "CidrBlock", "availabilityZone": "AvailabilityZone"}
    subnet = ec2.create_subnet(**renamed(inputs, names), TagSpecifications=tag_specifications("subnet", context.tags))[
        "Subnet"
    ]["SubnetId"]
    ec2.get_waiter("subnet_available").wait(SubnetIds=[subnet])
    if "mapPublicIpOnLaunch" in inputs:
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": inputs["mapPublicIpOnLaunch"]})
    return _created(context, "subnet", subnet)


def _delete_subnet(context: Context, made: Made) -> None:
    with absence_is_fine("InvalidSubnetID.NotFound"):
        context.client("ec2").delete_subnet(SubnetId=made.id)


# Routes


def _create_route_table(context: Context, inputs: Values) -> Created:
    table = context.client("ec2").create_route_table(
        VpcId=inputs["vpcId"], TagSpecifications=tag_specifications("route-table", context.tags)
    )["RouteTable"]["RouteTableId"]
    return _created(context, "route-table", table)


def _delete_route_table(context: Context, made: Made) -> None:
    with absence_is_fine("InvalidRouteTableID.NotFound"):
        context.client("ec2").delete_route_table(RouteTableId=made.id)


def _associate(context: Context, inputs: Values) -> Created:
    answer = context.client("ec2").associate_route_table(
        SubnetId=inputs["subnetId"], RouteTableId=inputs["routeTableId"]
    )
    return Created(answer["AssociationId"])


def _disassociate(context: Context, made: Made) -> None:
    with absence_is_fine("InvalidAssociationID.NotFound"):
        context.client("ec2").disassociate_route_table(AssociationId=made.id)


def _create_route(context: Context, inputs: Values) -> Created:
    table, destination = str(inputs["routeTableId"]), str(inputs["destinationCidrBlock"])
    context.client("ec2").create_route(
        RouteTableId=table,
        DestinationCidrBlock=destination,
        VpcPeeringConnectionId=inputs["vpcPeeringConnectionId"],
    )
    # A route has no id in AWS; this is how the provider makes one up.
    return Created(f"r-{table}{zlib.crc32(destination.encode())}")


def _delete_route(context: Context, made: Made) -> None:
    with absence_is_fine("InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"):
        context.client("ec2").delete_route(
            RouteTableId=made.inputs["routeTableId"], DestinationCidrBlock=made.inputs["destinationCidrBlock"]
        )


# Peering


def _request_peering(context: Context, inputs: Values) -> Created:
    if inputs.get("autoAccept") is True:
        raise EngineError("autoAccept = true: a peering across regions is accepted by a VpcPeeringConnectionAccepter")
    ec2 = context.client("ec2")
    names = {"vpcId": "VpcId", "peerVpcId": "PeerVpcId", "peerRegion": "PeerRegion"}
    peering = ec2.create_vpc_peering_connection(
        **renamed(inputs, names), TagSpecifications=tag_specifications("vpc-peering-connection", context.tags)
    )["VpcPeeringConnection"]
    identifier = peering["VpcPeeringConnectionId"]
    ec2.get_waiter("vpc_peering_connection_exists").wait(VpcPeeringConnectionIds=[identifier])
    return Created(identifier, {"acceptStatus": peering["Status"]["Code"]})


def _delete_peering(context: Context, made: Made) -> None:
    with absence_is_fine("InvalidVpcPeeringConnectionID.NotFound"):
        context.client("ec2").delete_vpc_peering_connection(VpcPeeringConnectionId=made.id)


def _accept_peering(context: Context, inputs: Values) -> Created:
    if inputs.get("autoAccept") is not True:
        raise EngineError("autoAccept is not true: nobody else accepts a peering in the lab, so set it")
    ec2, identifier = context.client("ec2"), str(inputs["vpcPeeringConnectionId"])
    peering = ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=identifier)["VpcPeeringConnection"]
    status = peering["Status"]["Code"]
    if status != "active":
        raise EngineError(f"peering {identifier} is {status} after it was accepted: look at both VPCs' address blocks")
    if context.tags:
        # Each side of a peering has tags of its own.
        ec2.create_tags(Resources=[identifier], Tags=tag_list(context.tags))
    return Created(identifier, {"acceptStatus": status})


# Security groups


def _create_group(context: Context, inputs: Values) -> Created:
    ec2 = context.client("ec2")
    names = {"name": "GroupName", "description": "Description", "vpcId": "VpcId"}
    group = ec2.create_security_group(
        **renamed(inputs, names), TagSpecifications=tag_specifications("security-group", context.tags)
    )["GroupId"]
    ec2.get_waiter("security_group_exists").wait(GroupIds=[group])
    # AWS lets everything out of a new group; the provider takes that away.
    _revoke_all(ec2, group)
    return _created(context, "security-group", group)


def _delete_group(context: Context, made: Made) -> None:
    with absence_is_fine("InvalidGroup.NotFound"):
        context.client("ec2").delete_security_group(GroupId=made.id)


def _take_over_default_group(context: Context, inputs: Values) -> Created:
    for direction in ("ingress", "egress"):
        if inputs.get(direction):
            raise EngineError(f"{direction} of a default security group is not empty: the lab can only empty it")
    ec2 = context.client("ec2")
    group = _default_group(ec2, str(inputs["vpcId"]))
    _revoke_all(ec2, group)
    if context.tags:
        ec2.create_tags(Resources=[group], Tags=tag_list(context.tags))
    return _created(context, "security-group", group, name="default")


def _default_group(ec2: Any, vpc: str) -> str:
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    return str(group["GroupId"])


def _revoke_all(ec2: Any, group: str) -> None:
    of_group = [{"Name": "group-id", "Values": [group]}]
    for egress, revoke in (
        (False, ec2.revoke_security_group_ingress),
        (True, ec2.revoke_security_group_egress),
    ):
        pages = ec2.get_paginator("describe_security_group_rules").paginate(Filters=of_group)
        rules = [rule for page in pages for rule in page["SecurityGroupRules"] if rule["IsEgress"] is egress]
        if rules:
            revoke(GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"] for rule in rules])


def _create_ingress_rule(context: Context, inputs: Values) -> Created:
    return _created_rule(context, context.client("ec2").authorize_security_group_ingress, inputs)


def _create_egress_rule(context: Context, inputs: Values) -> Created:
    return _created_rule(context, context.client("ec2").authorize_security_group_egress, inputs)


def _created_rule(context: Context, authorize: Any, inputs: Values) -> Created:
    (rule,) = authorize(
        GroupId=inputs["securityGroupId"],
        IpPermissions=[_permission(inputs)],
        TagSpecifications=tag_specifications("security-group-rule", context.tags),
    )["SecurityGroupRules"]
    identifier = rule["SecurityGroupRuleId"]
    return _created(context, "security-group-rule", identifier, securityGroupRuleId=identifier)


def _permission(inputs: Values) -> dict[str, Any]:
    permission = renamed(inputs, {"ipProtocol": "IpProtocol", "fromPort": "FromPort", "toPort": "ToPort"})
    description = renamed(inputs, {"description": "Description"})
    match ("cidrIpv4" in inputs, "referencedSecurityGroupId" in inputs):
        case (True, False):
            permission["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"], **description}]
        case (False, True):
            permission["UserIdGroupPairs"] = [{"GroupId": inputs["referencedSecurityGroupId"], **description}]
        case _:
            raise EngineError(
                "a security group rule names its peer by cidrIpv4 or by referencedSecurityGroupId: give one"
            )
    return permission


def _delete_ingress_rule(context: Context, made: Made) -> None:
    _revoke(context.client("ec2").revoke_security_group_ingress, made)


def _delete_egress_rule(context: Context, made: Made) -> None:
    _revoke(context.client("ec2").revoke_security_group_egress, made)


def _revoke(revoke: Any, made: Made) -> None:
    with absence_is_fine("InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound"):
        revoke(GroupId=made.inputs["securityGroupId"], SecurityGroupRuleIds=[made.id])


_RULE_INPUTS = frozenset(
    {
        "cidrIpv4",
        "description",
        "fromPort",
        "ipProtocol",
        "referencedSecurityGroupId",
        "securityGroupId",
        "tags",
        "toPort",
    }
)

TYPES: Types = {
    "aws:ec2/vpc:Vpc": ResourceType(
        _create_vpc, _delete_vpc, frozenset({"cidrBlock", "enableDnsHostnames", "enableDnsSupport", "tags"})
    ),
    "aws:ec2/subnet:Subnet": ResourceType(
        _create_subnet,
        _delete_subnet,
        frozenset({"availabilityZone", "cidrBlock", "mapPublicIpOnLaunch", "tags", "vpcId"}),
    ),
    "aws:ec2/routeTable:RouteTable": ResourceType(
        _create_route_table, _delete_route_table, frozenset({"tags", "vpcId"})
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": ResourceType(
        _associate, _disassociate, frozenset({"routeTableId", "subnetId"})
    ),
    "aws:ec2/route:Route": ResourceType(
        _create_route, _delete_route, frozenset({"destinationCidrBlock", "routeTableId", "vpcPeeringConnectionId"})
    ),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": ResourceType(
        _request_peering,
        _delete_peering,
        frozenset({"autoAccept", "peerRegion", "peerVpcId", "tags", "vpcId"}),
    ),
    # Ends with the peering itself: the provider, too, leaves it to the requester.
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": ResourceType(
        _accept_peering, None, frozenset({"autoAccept", "tags", "vpcPeeringConnectionId"})
    ),
    # Ends with its VPC: AWS does not let anybody delete it.
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ResourceType(
        _take_over_default_group, None, frozenset({"egress", "ingress", "tags", "vpcId"})
    ),
    "aws:ec2/securityGroup:SecurityGroup": ResourceType(
        _create_group, _delete_group, frozenset({"description", "name", "tags", "vpcId"})
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ResourceType(
        _create_ingress_rule, _delete_ingress_rule, _RULE_INPUTS
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": ResourceType(
        _create_egress_rule, _delete_egress_rule, _RULE_INPUTS
    ),
}
