"""The security groups of one site, for databases, probe and clients. Every rule is a resource of its own."""

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
class SiteSecurityGroupsArgs:
    """Who may talk to whom.

    Attributes:
        site: where the groups are.
        vpc_id: the site's VPC.
        database_port: the only port there is.
        client_blocks: address blocks of the database's clients outside both VPCs.
        operator_blocks: address blocks from which people look at restored and fenced databases.
        own_vpc_block: address block of the site's VPC.
        other_vpc_block: address block of the other site's VPC.
        other_subnet_blocks: address blocks of the other site's private subnets, where its probe and its clients run.
    """

    site: Site
    vpc_id: pulumi.Output[str]
    database_port: int
    client_blocks: Sequence[IPv4Network]
    operator_blocks: Sequence[IPv4Network]
    own_vpc_block: IPv4Network
    other_vpc_block: IPv4Network
    other_subnet_blocks: Sequence[IPv4Network]


class SiteSecurityGroups(pulumi.ComponentResource):
    """Five groups.

    - *database* lets in the probes and the named clients of both sites, on the database's port. It lets nothing out:
      answers on admitted connections need no rule, replication between the sites runs on AWS's own network outside the
      VPC, and nothing else in the database has a reason to open a connection.
    - *probe* lets nothing in, and out to the database's port in the two VPCs only.
    - *clients* does the same for whatever runs in the private subnets and uses the database. Its members have groups of
      their own for everything else they do; names are resolved without a rule, by the VPC's own resolver.
    - *quarantine* has no rules. Fencing puts the database behind it alone, and so is a restored one at first.
    - *inspection* lets in the operators' own network only, so that people can look at what such a database holds.

    The provider takes AWS's own "everything out" rule away from every group it makes, so no rule here means none there.
    """

    database: aws.ec2.SecurityGroup
    probe: aws.ec2.SecurityGroup
    clients: aws.ec2.SecurityGroup
    quarantine: aws.ec2.SecurityGroup
    inspection: aws.ec2.SecurityGroup

    def __init__(self, names: Names, args: SiteSecurityGroupsArgs, provider: aws.Provider) -> None:
        super().__init__("postgres-dr:network:SiteSecurityGroups", names.of("security-groups", args.site), None, None)
        self._names = names
        self._args = args
        self._options = on(provider, parent=self)

        self.database = self._group("database", "PostgreSQL: in from the probes and clients of both sites")
        self.probe = self._group("probe", "Health probe: out to the databases of both sites only")
        self.clients = self._group("clients", "Clients of the databases: out to the databases of both sites only")
        self.quarantine = self._group("quarantine", "Fenced database: no rules, nothing in and nothing out")
        self.inspection = self._group("inspection", "Restored or fenced database: in from the operators' network only")

        self._admit_own("probe-own", self.probe, "probe of this site")
        self._admit_own("clients-own", self.clients, "clients of this site")
        for block in args.other_subnet_blocks:
            # A group of another region cannot be referenced, so the other site's probe and clients are named by where
            # they run: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
            # AWS refuses a second rule for the same block (InvalidPermission.Duplicate), also beside one that is about
            # to go: one rule serves both, under the name that it always had.
            self._admit_block(f"probe-{_dashed(block)}", block, f"probe and clients of the {args.site.other} site")
        for block in args.client_blocks:
            self._admit_block(f"client-{_dashed(block)}", block, "clients")
        for block in args.operator_blocks:
            self._admit_block(f"operator-{_dashed(block)}", block, "operators", self.inspection)
        for site, block in ((args.site, args.own_vpc_block), (args.site.other, args.other_vpc_block)):
            self._let_out("probe", self.probe, site, block)
            self._let_out("clients", self.clients, site, block)

        self.register_outputs({})

    def _group(self, what: str, description: str) -> aws.ec2.SecurityGroup:
        name = self._names.of(what, self._args.site)
        return aws.ec2.SecurityGroup(
            name,
            name=name,
            description=description,
            vpc_id=self._args.vpc_id,
            tags={"Name": name},
            opts=self._options,
        )

    def _admit_own(self, what: str, group: aws.ec2.SecurityGroup, description: str) -> None:
        name = self._names.of(what, self._args.site)
        aws.vpc.SecurityGroupIngressRule(
            name,
            security_group_id=self.database.id,
            description=description,
            ip_protocol="tcp",
            from_port=self._args.database_port,
            to_port=self._args.database_port,
            referenced_security_group_id=group.id,
            tags={"Name": name},
            opts=self._options,
        )

    def _admit_block(
        self, what: str, block: IPv4Network, description: str, into: aws.ec2.SecurityGroup | None = None
    ) -> None:
        name = self._names.of(what, self._args.site)
        aws.vpc.SecurityGroupIngressRule(
            name,
            security_group_id=(self.database if into is None else into).id,
            description=description,
            ip_protocol="tcp",
            from_port=self._args.database_port,
            to_port=self._args.database_port,
            cidr_ipv4=str(block),
            tags={"Name": name},
            opts=self._options,
        )

    def _let_out(self, what: str, group: aws.ec2.SecurityGroup, site: Site, block: IPv4Network) -> None:
        name = self._names.of(f"{what}-to-{site}", self._args.site)
        aws.vpc.SecurityGroupEgressRule(
            name,
            security_group_id=group.id,
            description=f"database of the {site} site",
            ip_protocol="tcp",
            from_port=self._args.database_port,
            to_port=self._args.database_port,
            cidr_ipv4=str(block),
            tags={"Name": name},
            opts=self._options,
        )


def _dashed(block: IPv4Network) -> str:
    return str(block).replace(".", "-").replace("/", "-")
