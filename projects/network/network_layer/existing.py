"""A VPC that is there already and stays its owner's: what the configuration says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations

import pulumi

from network_layer.addresses import SUBNETS_PER_SITE, parsed_block
from shared.errors import SettingsError
from shared.settings import SettingsReader
from shared.sites import Site

NONE = "none"


@dataclass(frozen=True)
class ExistingNetwork:
    """A site's VPC, subnets and route tables by their ids. Nothing of them is made, changed or deleted.

    What they are in AWS is configuration here, because nothing calls AWS while a program runs; a deploy compares both
    beforehand (`network_layer.preflight`).

    Attributes:
        site: where it is.
        existing_vpc_id: the VPC.
        vpc_block: its block that the private subnets lie in.
        subnet_ids: three private subnets in three zones.
        subnet_blocks: their blocks, in the same order.
        existing_route_table_ids: the subnets' route tables; may be none where the connection between the sites, and so
            the routes, are somebody else's.
    """

    site: Site
    existing_vpc_id: str
    vpc_block: IPv4Network
    subnet_ids: tuple[str, ...]
    subnet_blocks: tuple[IPv4Network, ...]
    existing_route_table_ids: tuple[str, ...]

    @property
    def vpc_id(self) -> pulumi.Output[str]:
        """The VPC."""
        return pulumi.Output.from_input(self.existing_vpc_id)

    @property
    def vpc_cidr(self) -> pulumi.Output[str]:
        """Its address block."""
        return pulumi.Output.from_input(str(self.vpc_block))

    @property
    def private_subnet_ids(self) -> pulumi.Output[list[str]]:
        """Ids of the private subnets."""
        return pulumi.Output.from_input(list(self.subnet_ids))

    @property
    def route_table_ids(self) -> Sequence[pulumi.Output[str]]:
        """The route tables that need a route to the other site."""
        return [pulumi.Output.from_input(table) for table in self.existing_route_table_ids]

    def route_name(self, name: str, position: int) -> str:
        """The logical name of a route in the table at that position."""
        return f"{name}-{self.existing_route_table_ids[position]}"


def existing_network(
    reader: SettingsReader, site: Site, vpc_block: IPv4Network, *, routes_are_ours: bool
) -> ExistingNetwork | None:
    """What a stack says of a VPC that is there already; None where the layer makes one.

    Args:
        reader: of the stack's configuration.
        site: where.
        vpc_block: what the stack calls the VPC's block.
        routes_are_ours: whether this layer makes the routes to the other site.

    Raises:
        SettingsError: an id or block is malformed, missing, given twice, or lies outside of the VPC.
    """
    vpc_key, subnets_key, blocks_key, tables_key = (
        f"{site}{what}" for what in ("VpcId", "PrivateSubnetIds", "PrivateSubnetCidrs", "RouteTableIds")
    )
    vpc_id = reader.text(vpc_key, NONE)
    if vpc_id == NONE:
        for key in (subnets_key, blocks_key, tables_key):
            if reader.texts(key):
                raise SettingsError(key, list(reader.texts(key)), f"set {vpc_key} too: without it a VPC is made")
        return None
    _ids(vpc_key, [vpc_id], "vpc")
    subnet_ids = _ids(subnets_key, reader.texts(subnets_key), "subnet")
    if len(subnet_ids) != SUBNETS_PER_SITE:
        raise SettingsError(
            subnets_key, list(subnet_ids), f"name {SUBNETS_PER_SITE} private subnets of {vpc_id}, in three zones"
        )
    blocks = tuple(parsed_block(blocks_key, text) for text in reader.texts(blocks_key))
    if len(blocks) != len(subnet_ids):
        raise SettingsError(
            blocks_key, [str(block) for block in blocks], f"give the block of each of {subnets_key}, in the same order"
        )
    for block in blocks:
        if not block.subnet_of(vpc_block):
            raise SettingsError(blocks_key, block, f"it lies outside of {site}VpcCidr ({vpc_block}): correct one")
    for one, other in combinations(blocks, 2):
        if one.overlaps(other):
            raise SettingsError(blocks_key, one, f"it overlaps {other}, as no two subnets do")
    tables = _ids(tables_key, reader.texts(tables_key), "rtb")
    if routes_are_ours and not tables:
        raise SettingsError(
            tables_key,
            list(tables),
            f"name the route tables of {subnets_key}: each gets a route to the other site. Where routes and the "
            "connection are somebody else's, set peeringConnectionId",
        )
    return ExistingNetwork(site, vpc_id, vpc_block, subnet_ids, blocks, tables)


def existing_connection(reader: SettingsReader) -> str | None:
    """The id of a connection between the sites that is there already; None where a peering is made.

    Raises:
        SettingsError: it is the id of neither a peering nor a transit gateway.
    """
    key = "peeringConnectionId"
    given = reader.text(key, NONE)
    if given != NONE and not re.fullmatch(r"(pcx|tgw)-[0-9a-f]{8,17}", given):
        raise SettingsError(
            key, given, "give the id of a VPC peering (pcx-...) or a transit gateway (tgw-...), or none"
        )
    return None if given == NONE else given


def _ids(key: str, texts: Sequence[str], prefix: str) -> tuple[str, ...]:
    for text in texts:
        if not re.fullmatch(rf"{prefix}-[0-9a-f]{{8,17}}", text):
            raise SettingsError(key, text, f"give the id as EC2 lists it, such as {prefix}-0123456789abcdef0")
    if len(set(texts)) != len(texts):
        raise SettingsError(key, list(texts), "name each once")
    return tuple(texts)
