"""What a site's database needs: a subnet group, a parameter group, and the log groups RDS writes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from data_layer.parameters import Parameter
from shared.naming import DATABASE, Names
from shared.providers import on
from shared.sites import Site

LOG_EXPORTS = ("postgresql", "upgrade")


@dataclass(frozen=True)
class DatabaseFoundationArgs:
    """What the groups are made of.

    Attributes:
        site: where it is.
        subnet_ids: private subnets in three zones.
        engine_major_version: major version of PostgreSQL.
        parameters: what the database is configured with.
        messages_key_arn: key of the log groups.
        log_retention_days: how long logs are kept.
        database_id: identifier of the site's instances, part of the log groups' names.
        log_groups_exist: RDS has made the log groups already.
    """

    site: Site
    subnet_ids: pulumi.Input[Sequence[str]]
    engine_major_version: int
    parameters: Sequence[Parameter]
    messages_key_arn: pulumi.Input[str]
    log_retention_days: int
    database_id: str
    log_groups_exist: bool


class DatabaseFoundation(pulumi.ComponentResource):
    """A site's subnet group, parameter group and log groups.

    A promoted replica keeps its own groups, so each site gets both from this one class and they are equal from the
    start.

    Attributes:
        subnet_group: over the site's private subnets.
        parameter_group: with the parameters of both sites.
        log_groups: created before the database: RDS creates missing ones without encryption and retention. None where
            RDS has made them.
    """

    subnet_group: aws.rds.SubnetGroup
    parameter_group: aws.rds.ParameterGroup
    log_groups: list[aws.cloudwatch.LogGroup]

    def __init__(self, names: Names, args: DatabaseFoundationArgs, provider: aws.Provider) -> None:
        super().__init__("postgres-dr:data:DatabaseFoundation", names.of("database-foundation", args.site), None, None)
        options = on(provider, parent=self)

        subnets_name = names.of(DATABASE, args.site)
        self.subnet_group = aws.rds.SubnetGroup(
            subnets_name,
            name=subnets_name,
            description=f"Private subnets of the {args.site} site",
            subnet_ids=args.subnet_ids,
            tags={"Name": subnets_name},
            opts=options,
        )

        # The major version is part of the name: another family needs a new group before the old one is deleted.
        family = f"postgres{args.engine_major_version}"
        parameters_name = names.of(family, args.site)
        self.parameter_group = aws.rds.ParameterGroup(
            parameters_name,
            name=parameters_name,
            description="PostgreSQL of both sites, configured alike",
            family=family,
            parameters=[
                aws.rds.ParameterGroupParameterArgs(
                    name=parameter.name,
                    value=parameter.value,
                    apply_method=parameter.apply_method,
                )
                for parameter in args.parameters
            ],
            tags={"Name": parameters_name},
            opts=options,
        )

        self.log_groups = []
        for export in () if args.log_groups_exist else LOG_EXPORTS:
            log_group_name = names.of(f"database-{export}", args.site)
            self.log_groups.append(
                aws.cloudwatch.LogGroup(
                    log_group_name,
                    name=f"/aws/rds/instance/{args.database_id}/{export}",
                    retention_in_days=args.log_retention_days,
                    kms_key_id=args.messages_key_arn,
                    tags={"Name": log_group_name},
                    opts=options,
                )
            )

        self.register_outputs({})
