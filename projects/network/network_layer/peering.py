"""The peering between the sites' VPCs, with routes on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from network_layer.existing import ExistingNetwork
from network_layer.site_network import SiteNetwork
from shared.naming import Names
from shared.providers import on
from shared.sites import Site

Network = SiteNetwork | ExistingNetwork
"""A site's network, made here or found."""


@dataclass(frozen=True)
class PeeringArgs:
    """What is connected.

    Attributes:
        networks: the network of each site.
        vpc_blocks: address block of each site's VPC.
        recovery_region: the accepter's region.
    """

    networks: Mapping[Site, Network]
    vpc_blocks: Mapping[Site, IPv4Network]
    recovery_region: str


class Peering(pulumi.ComponentResource):
    """An inter-region peering, requested by the primary site and accepted by the recovery site.

    Its DNS option (resolve the peer's public host names to private addresses) stays off: it concerns names of instances
    with a public address. A database that is not publicly accessible has a name that resolves to its private address
    from anywhere, and the writer's name lives in a private zone that both VPCs are associated with.
    https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html

    Attributes:
        connection_id: id of the peering once it is accepted, so that what uses it waits for that.
    """

    connection_id: pulumi.Output[str]

    def __init__(self, names: Names, args: PeeringArgs, providers: Mapping[Site, aws.Provider]) -> None:
        super().__init__("postgres-dr:network:Peering", names.of("peering", "network"), None, None)

        requester_name = names.of("peering", Site.PRIMARY)
        requested = aws.ec2.VpcPeeringConnection(
            requester_name,
            vpc_id=args.networks[Site.PRIMARY].vpc_id,
            peer_vpc_id=args.networks[Site.RECOVERY].vpc_id,
            peer_region=args.recovery_region,
            # A peering across regions cannot be accepted by its requester.
            auto_accept=False,
            tags={"Name": requester_name},
            opts=on(providers[Site.PRIMARY], parent=self),
        )
        accepter_name = names.of("peering", Site.RECOVERY)
        accepted = aws.ec2.VpcPeeringConnectionAccepter(
            accepter_name,
            vpc_peering_connection_id=requested.id,
            auto_accept=True,
            tags={"Name": accepter_name},
            opts=on(providers[Site.RECOVERY], parent=self),
        )
        self.connection_id = accepted.vpc_peering_connection_id

        for site, network in args.networks.items():
            for position, table_id in enumerate(network.route_table_ids):
                aws.ec2.Route(
                    network.route_name(names.of(f"to-{site.other}", site), position),
                    route_table_id=table_id,
                    destination_cidr_block=str(args.vpc_blocks[site.other]),
                    vpc_peering_connection_id=self.connection_id,
                    opts=on(providers[site], parent=self),
                )

        self.register_outputs({})
