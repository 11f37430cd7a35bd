"""What a deploy of this layer checks in the account before it touches anything, with boto3 and read-only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from network_layer.existing_in_aws import diverted, faults
from shared.errors import SettingsError
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from network_layer.existing import ExistingNetwork
    from network_layer.settings import NetworkSettings

# A dark region is not waited for long.
CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})


def _refuse_another_vpc(settings: NetworkSettings, site: Site, deployed: Mapping[str, object]) -> None:
    """Refuse another VPC than the layer is deployed in, such as one of its own where an existing one is not named now.

    Raises:
        SettingsError: it would be another one.
    """
    if site in settings.existing:
        key, wanted = f"{site}VpcId", settings.existing[site].existing_vpc_id
    else:
        key, wanted = f"{site}VpcCidr", str(settings.vpc_blocks[site])
    before = deployed.get(key, wanted)
    if before != wanted:
        raise SettingsError(
            key,
            wanted,
            f"the layer is deployed in {deployed.get(f'{site}VpcId')} ({deployed.get(f'{site}VpcCidr')}), and another "
            "VPC needs other groups: the rules of those that the databases stand in would go, and all clients with "
            f"them. Put back what projects/network/Pulumi.{settings.environment.stack}.yaml said of it",
        )


def _diversions(ec2: EC2Client, network: ExistingNetwork, other_block: IPv4Network) -> Iterator[str]:
    """What of somebody else's traffic the route to the other site would take.

    Raises:
        SettingsError: a route lies within the other site's block: AWS refuses the same one, and a longer one stays.
    """
    key = f"{network.site.other}VpcCidr"
    for table, block, to in diverted(ec2, network, other_block):
        if IPv4Network(block).subnet_of(other_block):
            raise SettingsError(key, other_block, f"{table} leads {block} to {to}: choose a block that is free")
        yield (
            f"{key} = {other_block}: {table} leads {block} to {to}; whatever is reached there under {other_block} "
            "would not be any more: be sure that nobody uses it"
        )


def check(settings: NetworkSettings, deployed: Mapping[str, object]) -> tuple[str, ...]:
    """Hold what the configuration says of existing VPCs against EC2, with the credentials the deploy will have.

    Args:
        settings: the layer's settings.
        deployed: the outputs of its stack, empty where it is not deployed.

    Returns:
        which regions did not answer, so that nothing was compared there; whose traffic the routes may take.

    Raises:
        SettingsError: a VPC, subnet or route table is not there, or not what the configuration says; a route leads
            into the other site's block already.
    """
    for site in Site:
        _refuse_another_vpc(settings, site, deployed)
    warnings: list[str] = []
    for site, network in settings.existing.items():
        region = settings.environment.regions[site]
        try:
            ec2 = boto3.client("ec2", region_name=region, config=CONFIG)
            for fault in faults(ec2, network):
                raise fault
            other_block = settings.vpc_blocks[site.other]
            is_routed = deployed.get(f"{site.other}VpcCidr") == str(other_block)
            if settings.existing_connection_id is None and not is_routed:
                warnings += _diversions(ec2, network, other_block)
        except ClientError as error:
            raise SettingsError("AWS", f"({region})", f"let these credentials describe its VPCs: {error}") from error
        except BotoCoreError as error:
            warnings.append(f"{region} does not answer, so {network.existing_vpc_id} there was not looked at: {error}")
    return tuple(warnings)
