"""One site's VPC: private subnets in three zones, a route table, and no access to the internet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from shared.naming import Names
from shared.providers import on
from shared.sites import Site


@dataclass(frozen=True)
class SiteNetworkArgs:
    """What a site's network is made of.

    Attributes:
        site: where it is.
        vpc_block: address block of the VPC.
        subnet_blocks: address blocks of the private subnets.
        availability_zones: their zones, in the same order.
    """

    site: Site
    vpc_block: IPv4Network
    subnet_blocks: Sequence[IPv4Network]
    availability_zones: Sequence[str]


class SiteNetwork(pulumi.ComponentResource):
    """A VPC with private subnets. It has no internet gateway and no NAT: nothing in it needs one, and both cost.

    Attributes:
        site: where it is.
        vpc: the VPC.
        subnets: its private subnets.
        route_table: the one route table of the private subnets.
    """

    site: Site
    vpc: aws.ec2.Vpc
    subnets: list[aws.ec2.Subnet]
    route_table: aws.ec2.RouteTable

    def __init__(self, names: Names, args: SiteNetworkArgs, provider: aws.Provider) -> None:
        super().__init__("postgres-dr:network:SiteNetwork", names.of("network", args.site), None, None)
        options = on(provider, parent=self)
        self.site = args.site

        vpc_name = names.of("vpc", args.site)
        self.vpc = aws.ec2.Vpc(
            vpc_name,
            cidr_block=str(args.vpc_block),
            # Both are needed to resolve the private hosted zone of the writer's name inside the VPC:
            # https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": vpc_name},
            opts=options,
        )

        # Every VPC comes with a group that lets its members talk to each other and to the world. It cannot be
        # deleted, so it is adopted and emptied: a resource without a group of its own then reaches nothing.
        default_group_name = names.of("default-closed", args.site)
        aws.ec2.DefaultSecurityGroup(
            default_group_name,
            vpc_id=self.vpc.id,
            ingress=[],
            egress=[],
            tags={"Name": default_group_name},
            opts=options,
        )

        route_table_name = names.of("private", args.site)
        self.route_table = aws.ec2.RouteTable(
            route_table_name, vpc_id=self.vpc.id, tags={"Name": route_table_name}, opts=options
        )

        self.subnets = []
        for zone, block in zip(args.availability_zones, args.subnet_blocks, strict=True):
            subnet_name = names.of(f"private-{zone[-1]}", args.site)
            subnet = aws.ec2.Subnet(
                subnet_name,
                vpc_id=self.vpc.id,
                cidr_block=str(block),
                availability_zone=zone,
                map_public_ip_on_launch=False,
                tags={"Name": subnet_name, "Tier": "private"},
                opts=options,
            )
            # Without an association a subnet silently uses the VPC's main route table, where no peering route is.
            aws.ec2.RouteTableAssociation(
                subnet_name, subnet_id=subnet.id, route_table_id=self.route_table.id, opts=options
            )
            self.subnets.append(subnet)

        self.register_outputs({})

    @property
    def vpc_id(self) -> pulumi.Output[str]:
        """The VPC."""
        return self.vpc.id

    @property
    def vpc_cidr(self) -> pulumi.Output[str]:
        """Its address block."""
        return self.vpc.cidr_block

    @property
    def route_table_ids(self) -> Sequence[pulumi.Output[str]]:
        """The route tables that need a route to the other site."""
        return [self.route_table.id]

    def route_name(self, name: str, _position: int) -> str:
        """The logical name of a route in the table at that position: there is one table only."""
        return name

    @property
    def private_subnet_ids(self) -> pulumi.Output[list[str]]:
        """Ids of the private subnets, in the order of the zones."""
        return pulumi.Output.all(*(subnet.id for subnet in self.subnets)).apply(list)
