"""What the network layer's stack configures, read and checked in one place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from types import MappingProxyType

from network_layer.addresses import (
    SUBNETS_PER_SITE,
    parsed_client_blocks,
    parsed_vpc_block,
    refuse_client_overlap,
    refuse_overlap,
    subnet_blocks,
)
from network_layer.existing import ExistingNetwork, existing_connection, existing_network
from shared.cloudwatch import log_retention_days
from shared.environment import Environment
from shared.errors import SettingsError
from shared.settings import SettingsReader
from shared.sites import Site

DEFAULT_VPC_CIDRS = {Site.PRIMARY: "10.20.0.0/16", Site.RECOVERY: "10.30.0.0/16"}
# RDS for PostgreSQL takes these ports only (CreateDBInstance, parameter Port).
SMALLEST_DATABASE_PORT = 1150
LARGEST_PORT = 65535


@dataclass(frozen=True)
class NetworkSettings:
    """Settings of the network layer.

    Attributes:
        environment: what all layers share.
        vpc_blocks: address block of each site's VPC.
        existing: the networks of those sites whose VPC is there already.
        existing_connection_id: a connection between the sites' networks that is there already; None where a peering is
            made.
        availability_zones: three zones of each site's region, by name.
        database_port: port of the databases.
        client_blocks: address blocks of the databases' clients, admitted in both sites.
        operator_blocks: address blocks from which people look at restored and fenced databases.
        flow_log_retention_days: how long the VPC flow logs are kept.
        key_deletion_days: how long a destroyed KMS key can still be rescued.
    """

    environment: Environment
    vpc_blocks: Mapping[Site, IPv4Network]
    existing: Mapping[Site, ExistingNetwork]
    existing_connection_id: str | None
    availability_zones: Mapping[Site, tuple[str, ...]]
    database_port: int
    client_blocks: tuple[IPv4Network, ...]
    operator_blocks: tuple[IPv4Network, ...]
    flow_log_retention_days: int
    key_deletion_days: int

    def subnet_blocks(self, site: Site) -> tuple[IPv4Network, ...]:
        """Address blocks of a site's private subnets, in the order of its zones."""
        return self.existing[site].subnet_blocks if site in self.existing else subnet_blocks(self.vpc_blocks[site])

    @property
    def inspection_admits(self) -> str:
        """Whom an inspected database lets in: clients too, if the operators' network has addresses of theirs."""
        both = any(block.overlaps(client) for block in self.operator_blocks for client in self.client_blocks)
        return "operators and clients" if both else "operators"

    @classmethod
    def load(cls, reader: SettingsReader | None = None) -> NetworkSettings:
        """Read the stack's configuration and check it.

        Raises:
            SettingsError: a value is missing or cannot be used.
        """
        reader = SettingsReader() if reader is None else reader
        environment = Environment.load()
        vpc_blocks = {
            site: parsed_vpc_block(f"{site}VpcCidr", reader.text(f"{site}VpcCidr", cidr))
            for site, cidr in DEFAULT_VPC_CIDRS.items()
        }
        refuse_overlap("recoveryVpcCidr", vpc_blocks[Site.RECOVERY], "primaryVpcCidr", vpc_blocks[Site.PRIMARY])
        connection_id = existing_connection(reader)
        found = {
            site: existing_network(reader, site, block, routes_are_ours=connection_id is None)
            for site, block in vpc_blocks.items()
        }
        existing = {site: each for site, each in found.items() if each is not None}
        # In a VPC of the layer's own nobody else lives; in an existing one, the database's clients may.
        taken = [
            pair
            for site, block in vpc_blocks.items()
            for pair in (
                [(f"{site}PrivateSubnetCidrs", each) for each in existing[site].subnet_blocks]
                if site in existing
                else [(f"{site}VpcCidr", block)]
            )
        ]
        return cls(
            environment=environment,
            vpc_blocks=MappingProxyType(vpc_blocks),
            existing=MappingProxyType(existing),
            existing_connection_id=connection_id,
            availability_zones=MappingProxyType(
                {site: _zones(reader, site, region) for site, region in environment.regions.items()}
            ),
            database_port=reader.whole_number(
                "databasePort", 5432, minimum=SMALLEST_DATABASE_PORT, maximum=LARGEST_PORT
            ),
            client_blocks=_outside_blocks(reader, "clientCidrs", taken),
            operator_blocks=_outside_blocks(reader, "operatorCidrs", taken),
            flow_log_retention_days=log_retention_days(reader, "flowLogRetentionDays", 90),
            key_deletion_days=reader.whole_number("keyDeletionDays", 30, minimum=7, maximum=30),
        )


def _outside_blocks(
    reader: SettingsReader, key: str, taken: Sequence[tuple[str, IPv4Network]]
) -> tuple[IPv4Network, ...]:
    blocks = parsed_client_blocks(key, reader.texts(key))
    for block in blocks:
        for taken_key, taken_block in taken:
            refuse_client_overlap(key, block, taken_key, taken_block)
    return blocks


def _zones(reader: SettingsReader, site: Site, region: str) -> tuple[str, ...]:
    # By configuration, not asked of AWS: the answer to such a question can change and would then move subnets.
    key = f"{site}AvailabilityZones"
    zones = reader.texts(key)
    if not zones:
        return tuple(f"{region}{letter}" for letter in "abc")
    if len(zones) != SUBNETS_PER_SITE or len(set(zones)) != len(zones):
        raise SettingsError(key, list(zones), f"name {SUBNETS_PER_SITE} different zones, or none for a, b and c")
    for zone in zones:
        if not re.fullmatch(rf"{re.escape(region)}[a-z]", zone):
            raise SettingsError(key, zone, f"name a zone of {region}, such as {region}a")
    return zones
