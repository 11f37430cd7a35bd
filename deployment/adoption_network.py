"""The network of a database that is there already: what the network layer has to be told, and who reaches it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from shared.errors import SettingsError
from shared.naming import DATABASE
from shared.sites import Site

SUBNETS = 3


@dataclass(frozen=True)
class Placed:
    """Where a database stands.

    Attributes:
        site: its site.
        vpc_id: its VPC.
        configured: the VPC that the network layer is told to use; None where it would make one.
        settings: what to tell it, by key; empty where it is told, or where no three private subnets are found.
        faults: what of the configured network is not so in EC2.
        groups: the database's security groups.
        clients: who reaches its port through them: address blocks, prefix lists and groups.
        admitted: the blocks that the layer's own group would admit.
    """

    site: Site
    vpc_id: str
    configured: str | None
    settings: Mapping[str, object]
    faults: tuple[SettingsError, ...]
    groups: tuple[str, ...]
    clients: tuple[str, ...]
    admitted: tuple[IPv4Network, ...]

    def facets(self, adoption: Any) -> Iterator[Any]:
        """The differences."""
        effect = adoption.Effect
        if self.configured != self.vpc_id:
            yield adoption.Facet(
                "VPC",
                self.vpc_id,
                self.configured or "one that the network layer makes",
                effect.SETTING,
                f"set {self.site}VpcId in projects/network before that layer is deployed"
                + ("" if self.settings else ": three private subnets in three zones are needed, and it has none"),
            )
        for fault in self.faults:
            yield adoption.Facet(fault.key, fault.value, "as EC2 has it", effect.FIRST, fault.remedy)
        for client in self.not_admitted:
            yield adoption.Facet(
                "client",
                client,
                "admitted by the layer's group",
                effect.CLIENT,
                "let it in by projects/network (an address block in clientCidrs, or its group of clients): after a "
                "failover, and where the controller opens a database, that stands in the layer's own group alone",
            )

    @property
    def not_admitted(self) -> list[str]:
        """Who would be shut out by the layer's own group."""
        return [client for client in self.clients if not is_admitted(client, self.admitted)]


def placed(ec2: Any, instance: Mapping[str, Any], network: Any, site: Site, existing_in_aws: Any) -> Placed:
    """Where a database stands.

    Args:
        ec2: EC2 in its region.
        instance: as RDS describes it.
        network: the network layer's settings.
        site: its site.
        existing_in_aws: that layer's module of this name.

    Raises:
        ClientError, BotoCoreError: EC2 refuses, or does not answer.
    """
    vpc_id = instance["DBSubnetGroup"]["VpcId"]
    existing = network.existing.get(site)
    groups = [each["VpcSecurityGroupId"] for each in instance["VpcSecurityGroups"]]
    own_group = network.environment.names.of(DATABASE, site)
    own = _own_subnets(instance)
    tables = existing_in_aws.route_tables(ec2, vpc_id if existing is None else existing.existing_vpc_id)
    return Placed(
        site=site,
        vpc_id=vpc_id,
        configured=None if existing is None else existing.existing_vpc_id,
        settings={} if existing is not None else _settings(ec2, vpc_id, site, own, tables),
        faults=()
        if existing is None
        else (*existing_in_aws.faults(ec2, existing), *_without_a_route(existing, own, tables)),
        groups=tuple(groups),
        clients=tuple(dict.fromkeys(let_in(ec2, groups, own_group, instance["Endpoint"]["Port"]))),
        admitted=tuple(network.client_blocks),
    )


def _own_subnets(instance: Mapping[str, Any]) -> frozenset[str]:
    """The subnets that a database may stand in."""
    return frozenset(each["SubnetIdentifier"] for each in instance["DBSubnetGroup"].get("Subnets", []))


def _without_a_route(existing: Any, own: frozenset[str], tables: Any) -> Iterator[SettingsError]:
    """Where the database may stand without a way back to the other site's probe and clients."""
    for subnet in sorted(own) if existing.existing_route_table_ids and tables.ids else ():
        table = tables.of(subnet)
        if table not in existing.existing_route_table_ids:
            yield SettingsError(
                f"{existing.site}RouteTableIds",
                list(existing.existing_route_table_ids),
                f"{table} of the database's subnet {subnet} would have no route to the other site: name it too",
            )


def _settings(ec2: Any, vpc_id: str, site: Site, own: frozenset[str], tables: Any) -> dict[str, object]:
    """What to tell the network layer of a VPC: a private subnet in each of three zones, with its route tables.

    The database's own come first, and their route tables are all named.
    """
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    chosen: dict[str, Any] = {}
    for subnet in sorted(
        ec2.describe_subnets(Filters=filters)["Subnets"],
        key=lambda each: (each["SubnetId"] not in own, str(each["SubnetId"])),
    ):
        if tables.of(subnet["SubnetId"]) not in tables.public:
            chosen.setdefault(subnet["AvailabilityZone"], subnet)
    if len(chosen) < SUBNETS:
        return {}
    subnets = [subnet for _, subnet in sorted(chosen.items())][:SUBNETS]
    (vpc,) = ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"]
    needed = [*(subnet["SubnetId"] for subnet in subnets), *sorted(own)]
    return {
        f"{site}VpcId": vpc_id,
        f"{site}VpcCidr": _around(vpc, [IPv4Network(subnet["CidrBlock"]) for subnet in subnets]),
        f"{site}PrivateSubnetIds": [subnet["SubnetId"] for subnet in subnets],
        f"{site}PrivateSubnetCidrs": [subnet["CidrBlock"] for subnet in subnets],
        f"{site}RouteTableIds": list(dict.fromkeys(map(tables.of, needed))),
    }


def _around(vpc: Mapping[str, Any], subnets: list[IPv4Network]) -> str:
    """The one of a VPC's blocks that all these subnets lie in; its first where there is none."""
    blocks = [str(vpc["CidrBlock"]), *(str(each["CidrBlock"]) for each in vpc.get("CidrBlockAssociationSet", []))]
    around = (block for block in blocks if all(subnet.subnet_of(IPv4Network(block)) for subnet in subnets))
    return next(around, blocks[0])


def let_in(ec2: Any, groups: list[str], but: str, port: int) -> Iterator[str]:
    """Whom the groups let in to a port, but for the one of that name."""
    for group in ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]:
        for rule in group.get("IpPermissions", []) if group.get("GroupName") != but else ():
            everything = rule.get("IpProtocol") == "-1"
            if not everything and not rule.get("FromPort", 0) <= port <= rule.get("ToPort", 65535):
                continue
            yield from (each["CidrIp"] for each in rule.get("IpRanges", []))
            yield from (each["CidrIpv6"] for each in rule.get("Ipv6Ranges", []))
            yield from (each["PrefixListId"] for each in rule.get("PrefixListIds", []))
            yield from (each["GroupId"] for each in rule.get("UserIdGroupPairs", []))


def is_admitted(client: str, admitted: tuple[IPv4Network, ...]) -> bool:
    """Whether one of these blocks has all addresses of a client; of a group or a prefix list nobody knows them."""
    return any(block.subnet_of(each) for block in blocks([client]) for each in admitted)


def blocks(clients: Iterable[str]) -> Iterator[IPv4Network]:
    """The address blocks of IPv4 among clients, which may be groups and prefix lists as well."""
    for client in clients:
        with suppress(ValueError):
            yield IPv4Network(client)
