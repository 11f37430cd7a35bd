"""What EC2 shows of an existing VPC against what the configuration says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.errors import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import RouteTableTypeDef

    from network_layer.existing import ExistingNetwork

GONE = (".NotFound", ".Malformed")
EVERYWHERE = "0.0.0.0/0"
TARGETS = ("GatewayId", "InstanceId", "NetworkInterfaceId", "ConnectionId")


@dataclass(frozen=True)
class RouteTables:
    """The route tables of a VPC.

    Attributes:
        ids: of all of them.
        main: the one of every subnet that has none of its own; empty where EC2 shows none.
        of_subnet: the tables of the subnets that have one of their own.
        public: those that lead to an internet gateway.
    """

    ids: frozenset[str]
    main: str
    of_subnet: Mapping[str, str]
    public: frozenset[str]

    def of(self, subnet_id: str) -> str:
        """The table that a subnet uses."""
        return self.of_subnet.get(subnet_id, self.main)


def route_tables(ec2: EC2Client, vpc_id: str) -> RouteTables:
    """The route tables of a VPC, and which subnets use them.

    Raises:
        ClientError: EC2 does not let these credentials look.
        BotoCoreError: it does not answer.
    """
    tables = _described_tables(ec2, vpc_id)
    associations = [(table["RouteTableId"], each) for table in tables for each in table.get("Associations", [])]
    return RouteTables(
        ids=frozenset(table["RouteTableId"] for table in tables),
        main=next((table for table, each in reversed(associations) if each.get("Main")), ""),
        of_subnet={each["SubnetId"]: table for table, each in associations if "SubnetId" in each},
        public=frozenset(
            table["RouteTableId"]
            for table in tables
            if any(route.get("GatewayId", "").startswith("igw-") for route in table.get("Routes", []))
        ),
    )


def faults(ec2: EC2Client, network: ExistingNetwork) -> Iterator[SettingsError]:
    """What of an existing network is not as it is configured, or as the layers need it.

    Args:
        ec2: EC2 in its region.
        network: what the configuration says.

    Yields:
        one error each, with the key, what is there, and what to do.

    Raises:
        ClientError: EC2 does not let these credentials look.
        BotoCoreError: it does not answer.
    """
    site, vpc_id = network.site, network.existing_vpc_id
    vpc = _found(lambda: ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"])
    if vpc is None:
        yield SettingsError(f"{site}VpcId", vpc_id, f"EC2 has no such VPC in {ec2.meta.region_name}: give one of there")
        return
    blocks = {each["CidrBlock"] for each in vpc.get("CidrBlockAssociationSet", [])} | {vpc["CidrBlock"]}
    if str(network.vpc_block) not in blocks:
        yield SettingsError(f"{site}VpcCidr", network.vpc_block, f"{vpc_id} has {_listed(blocks)}: give that")
    yield from _without_names(ec2, network)
    yield from _subnets(ec2, network)
    yield from _route_tables(ec2, network)


def diverted(ec2: EC2Client, network: ExistingNetwork, other_block: IPv4Network) -> Iterator[tuple[str, str, str]]:
    """Routes of the tables that get one to the other site which lead to some of its addresses already.

    Args:
        ec2: EC2 in its region.
        network: what the configuration says.
        other_block: the block of the other site's VPC.

    Yields:
        the table, the route's block and where it leads: not to a peering of exactly that block, which may be ours.

    Raises:
        ClientError: EC2 does not let these credentials look.
        BotoCoreError: it does not answer.
    """
    for table in _described_tables(ec2, network.existing_vpc_id):
        for route in table.get("Routes", []) if table["RouteTableId"] in network.existing_route_table_ids else ():
            block = IPv4Network(route.get("DestinationCidrBlock", EVERYWHERE))
            ours = block == other_block and "VpcPeeringConnectionId" in route
            if block.prefixlen and block.overlaps(other_block) and not ours:
                to = next((str(value) for key, value in route.items() if key.endswith(TARGETS)), "somewhere")
                yield table["RouteTableId"], str(block), to


def _without_names(ec2: EC2Client, network: ExistingNetwork) -> Iterator[SettingsError]:
    """The writer's name lives in a private zone: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html."""
    for attribute, name in (("enableDnsSupport", "DNS resolution"), ("enableDnsHostnames", "DNS host names")):
        answer: Mapping[str, Any] = ec2.describe_vpc_attribute(
            VpcId=network.existing_vpc_id,
            Attribute=attribute,  # type: ignore[arg-type] # a literal each
        )
        if not answer[attribute[0].upper() + attribute[1:]].get("Value"):
            yield SettingsError(
                f"{network.site}VpcId",
                network.existing_vpc_id,
                f"its {name} is off, and the writer's name would not resolve in it: aws ec2 modify-vpc-attribute "
                f"--region {ec2.meta.region_name} --vpc-id {network.existing_vpc_id} "
                f"--{'enable-dns-support' if attribute == 'enableDnsSupport' else 'enable-dns-hostnames'}",
            )


def _subnets(ec2: EC2Client, network: ExistingNetwork) -> Iterator[SettingsError]:
    site, zones = network.site, dict[str, str]()
    for subnet_id, block in zip(network.subnet_ids, network.subnet_blocks, strict=True):
        key = f"{site}PrivateSubnetIds"
        subnet = _found(lambda subnet_id=subnet_id: ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"])
        if subnet is None or subnet["VpcId"] != network.existing_vpc_id:
            where = "EC2 has no such subnet" if subnet is None else f"it lies in {subnet['VpcId']}"
            yield SettingsError(key, subnet_id, f"{where}: name subnets of {network.existing_vpc_id}")
            continue
        if IPv4Network(subnet["CidrBlock"]) != block:
            yield SettingsError(f"{site}PrivateSubnetCidrs", block, f"{subnet_id} has {subnet['CidrBlock']}: give that")
        zone = subnet["AvailabilityZone"]
        if zone in zones:
            yield SettingsError(key, subnet_id, f"it lies in {zone}, as {zones[zone]} does: name one of another zone")
        zones[zone] = subnet_id


def _route_tables(ec2: EC2Client, network: ExistingNetwork) -> Iterator[SettingsError]:
    tables = route_tables(ec2, network.existing_vpc_id)
    key = f"{network.site}RouteTableIds"
    for table_id in network.existing_route_table_ids:
        if table_id not in tables.ids:
            yield SettingsError(
                key, table_id, f"{network.existing_vpc_id} has {_listed(tables.ids)}: name those of the subnets"
            )
    for subnet_id, table_id in tables.of_subnet.items():
        if table_id in tables.public and subnet_id in network.subnet_ids:
            yield SettingsError(
                f"{network.site}PrivateSubnetIds",
                subnet_id,
                f"its route table {table_id} leads to an internet gateway: name private subnets",
            )
    for subnet_id in network.subnet_ids if network.existing_route_table_ids else ():
        table_id = tables.of(subnet_id)
        if table_id not in network.existing_route_table_ids:
            yield SettingsError(
                key,
                list(network.existing_route_table_ids),
                f"{subnet_id} uses {table_id}, which would have no route to the other site: name it too",
            )


def _described_tables(ec2: EC2Client, vpc_id: str) -> Sequence[RouteTableTypeDef]:
    return ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["RouteTables"]


def _found(ask: Any) -> Any | None:
    """The one that was asked for; None where there is none."""
    try:
        found = ask()
    except ClientError as error:
        if any(str(error.response["Error"]["Code"]).endswith(end) for end in GONE):
            return None
        raise
    return found[0] if found else None


def _listed(names: Set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
