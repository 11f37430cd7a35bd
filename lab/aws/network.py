"""The lab's network: VPC addresses as loopback addresses, security groups, cut links and dark regions."""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.sites import Site

logger = logging.getLogger(__name__)

Clients = Callable[[str, str], Any]
"""Gives the boto3 client of a service in a region."""

_RULES_VALID_SECONDS = 1.0
# Lies in no VPC: what interrupts its way interrupts everybody's.
_NOBODYS_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing is bound to it


_VPC_ADDRESSES, _LOOPBACK_ADDRESSES = ipaddress.IPv4Network("10.0.0.0/8"), ipaddress.IPv4Network("127.0.0.0/8")


def loopback_address(vpc_address: str) -> str:
    """The loopback address that stands for a VPC address: 10.a.b.c is 127.a.b.c.

    Raises:
        ValueError: the address does not lie in 10.0.0.0/8.
    """
    return _moved(vpc_address, "10", "127")


def vpc_address(loopback: str) -> str:
    """The VPC address a loopback address stands for: 127.a.b.c is 10.a.b.c.

    Raises:
        ValueError: the address does not lie in 127.0.0.0/8.
    """
    return _moved(loopback, "127", "10")


def loopback_network(network: ipaddress.IPv4Network) -> ipaddress.IPv4Network | None:
    """The loopback addresses that stand for the VPC addresses in a network; None where there are none."""
    if network.supernet_of(_VPC_ADDRESSES):
        return _LOOPBACK_ADDRESSES
    if not network.subnet_of(_VPC_ADDRESSES):
        return None
    return ipaddress.IPv4Network(f"{loopback_address(str(network.network_address))}/{network.prefixlen}")


def _moved(address: str, from_net: str, to_net: str) -> str:
    first, _, rest = str(ipaddress.IPv4Address(address)).partition(".")
    if first != from_net:
        raise ValueError(f"{address} does not lie in {from_net}.0.0.0/8")
    return f"{to_net}.{rest}"


@dataclass(frozen=True)
class IngressRule:
    """An ingress rule of a security group: which sources may connect to which TCP ports."""

    first_port: int
    last_port: int
    networks: tuple[ipaddress.IPv4Network, ...] = ()
    groups: frozenset[str] = frozenset()

    def sources(self, groups_of_address: Mapping[str, frozenset[str]], port: int) -> list[ipaddress.IPv4Network]:
        """The networks from which the rule lets connect to a port, where addresses have these security groups."""
        if not self.first_port <= port <= self.last_port:
            return []
        bearers = [address for address, groups in groups_of_address.items() if self.groups & groups]
        return [*self.networks, *(ipaddress.IPv4Network(address) for address in bearers)]


@dataclass(frozen=True)
class _Region:
    """The security groups and network interfaces of a region, as EC2 had them at one time."""

    read_at: float
    rules: Mapping[str, tuple[IngressRule, ...]] = field(default_factory=dict)
    groups_of_address: Mapping[str, frozenset[str]] = field(default_factory=dict)


class LabNetwork:
    """Decides who can connect to whom, from EC2's security groups and from the cuts and dark regions of a drill.

    Addresses are VPC addresses (10.a.b.c) in every call.
    """

    def __init__(self, client: Clients, regions: Mapping[Site, str]) -> None:
        """Nothing is read yet; ``client`` gives boto3 clients for EC2, ``regions`` is each site's region."""
        self._client = client
        self._regions = dict(regions)
        self._read: dict[str, _Region] = {}
        self._reading: dict[str, threading.Lock] = {region: threading.Lock() for region in self._regions.values()}
        self._networks: dict[ipaddress.IPv4Network, Site] = {}
        self._cuts: set[frozenset[Site]] = set()
        self._dark: set[tuple[str | None, str]] = set()
        self._state = threading.Lock()

    def register(self, site: Site, cidr: str) -> None:
        """Set which site a VPC's addresses belong to."""
        with self._state:
            self._networks[ipaddress.IPv4Network(cidr)] = site

    def site_of(self, address: str) -> Site | None:
        """The site that an address belongs to; None for one outside every registered VPC."""
        wanted = ipaddress.IPv4Address(address)
        with self._state:
            for network, site in self._networks.items():
                if wanted in network:
                    return site
        return None

    def site_in(self, region: str) -> Site:
        """The site whose region this is.

        Raises:
            LookupError: no site is there.
        """
        for site, its_region in self._regions.items():
            if its_region == region:
                return site
        raise LookupError(f"no site is in {region}")

    def cut(self, one: Site, other: Site) -> None:
        """Cut the link between two sites; `DatabaseFleet.follow_interruptions` silences established connections."""
        with self._state:
            self._cuts.add(frozenset((one, other)))

    def heal(self) -> None:
        """Undo every cut; dark regions stay dark."""
        with self._state:
            self._cuts.clear()

    def is_cut(self, source: str, destination: str) -> bool:
        """Whether a cut lies between the sites of two addresses."""
        sites = {self.site_of(source), self.site_of(destination)}
        with self._state:
            return sites in self._cuts

    def darken(self, region: str, *, seen_from: str | None = None) -> None:
        """Make a region unreachable, for the clients of one region (``seen_from``) or for everybody (None)."""
        with self._state:
            self._dark.add((seen_from, region))

    def lighten(self, region: str) -> None:
        """Undo every `darken` of a region."""
        with self._state:
            self._dark = {(seen_from, dark) for seen_from, dark in self._dark if dark != region}

    def is_dark_for(self, observer: str, region: str) -> bool:
        """Whether a region is unreachable from another one."""
        if observer == region:
            return False
        with self._state:
            return bool(self._dark & {(None, region), (None, observer), (observer, region)})

    def is_interrupted(self, source: str, destination: str) -> bool:
        """Whether a cut or a dark region is between two addresses."""
        return self.is_cut(source, destination) or self._is_in_the_dark(source, destination)

    def _is_in_the_dark(self, source: str, destination: str) -> bool:
        source_region, destination_region = self._region_of(source), self._region_of(destination)
        dark = {(None, source_region), (None, destination_region), (source_region, destination_region)}
        with self._state:
            return bool(self._dark & (dark - {(None, None)}))

    def _region_of(self, address: str) -> str | None:
        site = self.site_of(address)
        return None if site is None else self._regions[site]

    def admission(
        self, destination: str, security_group_ids: Iterable[str], port: int
    ) -> tuple[tuple[ipaddress.IPv4Network, bool], ...]:
        """Whose new connections get through.

        Args:
            destination: the endpoint's address; the security groups are those of its site's region.
            security_group_ids: the destination's security groups.
            port: the destination's port.

        Returns:
            Networks, and whether they get through: the first that holds a source decides, and in none it does not. It
            does where a rule of one of the groups admits it and no cut is in between. While EC2 does not answer, the
            rules that were read last are used; where none were read, nobody is admitted.
        """
        site = self.site_of(destination)
        if site is None or self.is_interrupted(_NOBODYS_ADDRESS, destination):
            return ()
        with self._state:
            networks = tuple(self._networks)
        away = [each for each in networks if self.is_interrupted(str(each.network_address), destination)]
        region = self._region(self._regions[site])
        let_in = dict.fromkeys(
            source
            for group in security_group_ids
            for rule in region.rules.get(group, ())
            for source in rule.sources(region.groups_of_address, port)
        )
        return (*((each, False) for each in away), *((each, True) for each in let_in))

    def _region(self, name: str) -> _Region:
        with self._reading[name]:
            known = self._read.get(name)
            now = time.monotonic()
            if known is not None and now - known.read_at < _RULES_VALID_SECONDS:
                return known
            try:
                fresh = self._read_region(name, now)
            except (BotoCoreError, ClientError) as error:
                logger.warning("EC2 of %s did not answer, the rules that were read last are used: %s", name, error)
                if known is None:
                    return _Region(now)
                fresh = _Region(now, known.rules, known.groups_of_address)
            self._read[name] = fresh
            return fresh

    def _read_region(self, name: str, now: float) -> _Region:
        ec2 = self._client("ec2", name)
        rules = {
            group["GroupId"]: ingress_rules(group.get("IpPermissions", ()))
            for page in ec2.get_paginator("describe_security_groups").paginate()
            for group in page["SecurityGroups"]
        }
        groups_of_address: dict[str, frozenset[str]] = {}
        for page in ec2.get_paginator("describe_network_interfaces").paginate():
            for interface in page["NetworkInterfaces"]:
                groups = frozenset(group["GroupId"] for group in interface.get("Groups", ()))
                for address in _addresses(interface):
                    groups_of_address[address] = groups
        return _Region(now, rules, groups_of_address)


def ingress_rules(permissions: Iterable[Mapping[str, Any]]) -> tuple[IngressRule, ...]:
    """The TCP rules of a security group's `IpPermissions`."""
    rules = []
    for permission in permissions:
        protocol = str(permission["IpProtocol"])
        if protocol == "-1":
            first, last = 0, 65535
        elif protocol in ("tcp", "6"):
            first, last = int(permission["FromPort"]), int(permission["ToPort"])
        else:
            continue
        rules.append(
            IngressRule(
                first,
                last,
                tuple(ipaddress.IPv4Network(found["CidrIp"]) for found in permission.get("IpRanges", ())),
                frozenset(found["GroupId"] for found in permission.get("UserIdGroupPairs", ()) if "GroupId" in found),
            )
        )
    return tuple(rules)


def _addresses(interface: Mapping[str, Any]) -> Sequence[str]:
    addresses = [found["PrivateIpAddress"] for found in interface.get("PrivateIpAddresses", ())]
    if "PrivateIpAddress" in interface and interface["PrivateIpAddress"] not in addresses:
        addresses.append(interface["PrivateIpAddress"])
    return addresses
