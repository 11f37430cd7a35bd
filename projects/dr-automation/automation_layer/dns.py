"""The names clients use (R11), in a private zone that both VPCs know, and those of clients that are configured.

A failover does not depend on Route 53's control plane, which is in one region: the records for both sites exist from
the start, and a health check chooses between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from automation_layer.client_vpcs import ClientVpc
from automation_layer.health_checks import LAYER, HealthChecks
from automation_layer.settings import AutomationSettings
from shared.contracts import DataContract, NetworkContract
from shared.providers import on
from shared.sites import Site


@dataclass(frozen=True)
class ClientNamesArgs:
    """What the names refer to.

    Attributes:
        network: both sites' VPCs.
        data: both sites' databases.
        health_checks: what chooses between the records.
    """

    network: NetworkContract
    data: DataContract
    health_checks: HealthChecks


class ClientNames(pulumi.ComponentResource):
    """The zone, who knows it, the writer's name and the reader's name.

    - *writer*: the primary site's database while that is the writer, else the recovery site's. The second record has no
      check: when it is asked for, nothing else is left.
    - *reader*: the standby while it answers, else the writer. The recovery site's database while it is the standby and
      answers; else the primary site's while that answers; else, with both unhealthy, the first again: where a standby
      in the primary site does not answer, that is the writer.

    A client's VPC in this account is associated with the zone, one in another account is authorized for it: that
    account makes the association. Every association but the first two is a resource of its own, here or elsewhere.

    Attributes:
        zone_id: the private hosted zone.
    """

    zone_id: pulumi.Output[str]

    def __init__(self, settings: AutomationSettings, args: ClientNamesArgs, provider: aws.Provider) -> None:
        super().__init__("postgres-dr:automation:ClientNames", settings.environment.names.of("client-names", LAYER))
        self._settings = settings
        self._args = args
        self._options = on(provider, parent=self)
        self._zone = aws.route53.Zone(
            settings.environment.names.of("clients", LAYER),
            name=settings.zone_name,
            comment=f"Writer and reader of the PostgreSQL of {settings.environment.suffix}",
            vpcs=[
                aws.route53.ZoneVpcArgs(
                    vpc_id=args.network.at(site).vpc_id, vpc_region=settings.environment.regions[site]
                )
                for site in Site
            ],
            force_destroy=not settings.environment.protected,
            # A private zone is born with a VPC, and the provider takes this list for all that there may be: it would
            # remove the associations below, and those that somebody else has made.
            # https://www.pulumi.com/registry/packages/aws/api-docs/route53/zone/
            opts=pulumi.ResourceOptions.merge(
                on(provider, parent=self, protect=settings.environment.protected),
                pulumi.ResourceOptions(ignore_changes=["vpcs"]),
            ),
        )
        self.zone_id = self._zone.zone_id
        for vpc in settings.client_vpcs:
            self._make_known_in(vpc)
        checks = args.health_checks
        self._record(settings.writer_name, "writer", "PRIMARY", Site.PRIMARY, checks.writer_is_in_primary)
        self._record(settings.writer_name, "writer", "SECONDARY", Site.RECOVERY, None)
        self._record(settings.reader_name, "reader", "PRIMARY", Site.RECOVERY, checks.standby_is_in_recovery)
        self._record(settings.reader_name, "reader", "SECONDARY", Site.PRIMARY, checks.primary_answers)
        self.register_outputs({})

    def _make_known_in(self, vpc: ClientVpc) -> None:
        own = vpc.account_id == self._settings.environment.account_id
        kind = aws.route53.ZoneAssociation if own else aws.route53.VpcAssociationAuthorization
        kind(
            self._settings.environment.names.of(vpc.vpc_id, LAYER),
            zone_id=self._zone.zone_id,
            vpc_id=vpc.vpc_id,
            vpc_region=vpc.region,
            opts=self._options,
        )

    def _record(
        self, name: str, what: str, rank: str, site: Site, health_check: aws.route53.HealthCheck | None
    ) -> None:
        identifier = self._settings.environment.names.of(f"{what}-{rank.lower()}", LAYER)
        aws.route53.Record(
            identifier,
            zone_id=self._zone.zone_id,
            name=name,
            type="CNAME",
            ttl=self._settings.timings.name_ttl_seconds,
            records=[self._args.data.at(site).database_address],
            set_identifier=identifier,
            failover_routing_policies=[aws.route53.RecordFailoverRoutingPolicyArgs(type=rank)],
            health_check_id=None if health_check is None else health_check.id,
            opts=self._options,
        )
