"""The cross-region replica that is promoted in a disaster (R2)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from data_layer.instance import InstanceProfile, Placement, common_arguments, instance_options
from shared.naming import DATABASE, Names


@dataclass(frozen=True)
class ReplicaDatabaseArgs:
    """What the replica is made of.

    Attributes:
        profile: what both instances share.
        placement: its site.
        source_arn: ARN of the primary: across regions a name is not enough.
    """

    profile: InstanceProfile
    placement: Placement
    source_arn: pulumi.Output[str]


class ReplicaDatabase(pulumi.ComponentResource):
    """The standby instance: engine, version, storage, users and databases come from its source and are not said here.

    It is backed up itself, so that it can be promoted with backups in place.

    Attributes:
        instance: the RDS instance.
    """

    instance: aws.rds.Instance

    def __init__(self, names: Names, args: ReplicaDatabaseArgs, provider: aws.Provider) -> None:
        site = args.placement.site
        super().__init__("postgres-dr:data:ReplicaDatabase", names.of("replica-database", site), None, None)

        name = names.of(DATABASE, site)
        arguments = common_arguments(name, args.profile, args.placement)
        arguments.replicate_source_db = args.source_arn
        # RDS refuses to delete a replica with a final snapshot. Once promoted, deletion protection guards it.
        arguments.skip_final_snapshot = True
        self.instance = aws.rds.Instance(
            name, arguments, instance_options(args.profile, args.placement, provider, self)
        )

        self.register_outputs({})
