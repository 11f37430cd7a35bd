"""The primary database (R1)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from data_layer.instance import InstanceProfile, Placement, common_arguments, instance_options
from shared.naming import DATABASE, Names

FINAL_SNAPSHOT_RANDOM_BYTES = 4


@dataclass(frozen=True)
class PrimaryDatabaseArgs:
    """What the primary is made of.

    Attributes:
        profile: what both instances share.
        placement: its site.
        engine_major_version: major version of PostgreSQL.
        extended_support: pay to stay on it past its standard support.
        multi_az: a standby in a second zone.
        allocated_storage_gib: its storage.
        database_name: database made with it.
        username: its master user.
        password: the master user's password, a secret.
        skip_final_snapshot: delete it without a last snapshot.
    """

    profile: InstanceProfile
    placement: Placement
    engine_major_version: int
    extended_support: bool
    multi_az: bool
    allocated_storage_gib: int
    database_name: str
    username: str
    password: pulumi.Output[str]
    skip_final_snapshot: bool


class PrimaryDatabase(pulumi.ComponentResource):
    """The instance that is the writer until a failover.

    The master password is set from the stacks' own secret: one that RDS manages (``ManageMasterUserPassword``) blocks
    read replicas of PostgreSQL.

    Attributes:
        instance: the RDS instance.
    """

    instance: aws.rds.Instance

    def __init__(self, names: Names, args: PrimaryDatabaseArgs, provider: aws.Provider) -> None:
        site = args.placement.site
        super().__init__("postgres-dr:data:PrimaryDatabase", names.of("primary-database", site), None, None)

        name = names.of(DATABASE, site)
        arguments = common_arguments(name, args.profile, args.placement)
        arguments.engine = "postgres"
        # With the major version alone RDS takes the newest minor; a deprecated minor can no longer be created.
        arguments.engine_version = str(args.engine_major_version)
        # Extended Support is charged automatically unless it is declined when the instance is created. If declined, RDS
        # upgrades the major version at the end of standard support: 2027-02-28 for PostgreSQL 14.
        arguments.engine_lifecycle_support = (
            "open-source-rds-extended-support" if args.extended_support else "open-source-rds-extended-support-disabled"
        )
        arguments.allocated_storage = args.allocated_storage_gib
        arguments.multi_az = args.multi_az
        arguments.db_name = args.database_name
        arguments.username = args.username
        arguments.password = args.password
        arguments.skip_final_snapshot = args.skip_final_snapshot
        if not args.skip_final_snapshot:
            # The final snapshot keeps its name: with a random id, a second one can be taken when the environment is
            # created and destroyed again.
            ending = random.RandomId(
                names.of("final-snapshot", site),
                byte_length=FINAL_SNAPSHOT_RANDOM_BYTES,
                opts=pulumi.ResourceOptions(parent=self),
            )
            arguments.final_snapshot_identifier = pulumi.Output.concat(names.of("final", site), "-", ending.hex)
        self.instance = aws.rds.Instance(
            name, arguments, instance_options(args.profile, args.placement, provider, self)
        )

        self.register_outputs({})
