"""The database of a site (R1, R2)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from data_layer.births import Adopted, Arn, FromPointInTime, FromSnapshot, NoInstance, Original, Replica
from data_layer.declared import FIRST_GENERATION, DeclaredInstance, Role
from data_layer.instance import InstanceProfile, Placement, common_arguments, instance_options
from shared.naming import DATABASE, Names
from shared.sites import Site

FINAL_SNAPSHOT_RANDOM_BYTES = 4
COMPONENT = ("postgres-dr:data:Database", "database-instance")
# Type and name of a component are part of the URNs of what it holds. With others, Pulumi would replace the databases of
# environments that are older than generations.
FIRST_COMPONENTS = {
    Site.PRIMARY: ("postgres-dr:data:PrimaryDatabase", "primary-database"),
    Site.RECOVERY: ("postgres-dr:data:ReplicaDatabase", "replica-database"),
}


@dataclass(frozen=True)
class DatabaseContent:
    """What an original is made with, and what the writer has.

    Attributes:
        engine_major_version: major version of PostgreSQL.
        extended_support: pay to stay on it past its standard support.
        multi_az: the writer has a standby in a second zone.
        allocated_storage_gib: storage of an original.
        database_name: database made with an original.
        username: master user of an original.
        password: the master user's password, a secret.
    """

    engine_major_version: int
    extended_support: bool
    multi_az: bool
    allocated_storage_gib: int
    database_name: str
    username: str
    password: pulumi.Output[str]


@dataclass(frozen=True)
class DatabaseArgs:
    """What an instance is made of.

    Attributes:
        declared: which instance it is.
        profile: what all instances share.
        placement: its site.
        content: what an original is made with.
        own_arn: ARN of the instance, a literal.
        other_arn: ARN of the other site's instance, a literal: a retired source must not take its replica along.
        active: the active instance; None of the active one itself.
    """

    declared: DeclaredInstance
    profile: InstanceProfile
    placement: Placement
    content: DatabaseContent
    own_arn: Arn
    other_arn: Arn
    active: pulumi.Resource | None = None


class Database(pulumi.ComponentResource):
    """One instance: a site's, of one generation, in whatever role.

    Its arguments say how it came into being, and never change; what follows its role does. It is backed up in every
    role, so that it can be promoted with backups in place. The master password is set from the stacks' own secret: one
    that RDS manages (``ManageMasterUserPassword``) blocks read replicas of PostgreSQL.

    Attributes:
        instance: the RDS instance.
    """

    instance: aws.rds.Instance

    def __init__(self, names: Names, args: DatabaseArgs, provider: aws.Provider) -> None:
        declared = args.declared
        site, first = declared.site, declared.generation == FIRST_GENERATION
        token, what = FIRST_COMPONENTS[site] if first else COMPONENT
        super().__init__(token, declared.numbered(names.of(what, site)), None, None)

        arguments = common_arguments(args.own_arn.name, declared, args.profile, args.placement)
        _set_birth(arguments, args)
        is_original, is_active = isinstance(declared.birth, Original), declared.role is Role.ACTIVE
        if is_original or is_active:
            arguments.password = args.content.password
        if is_active:
            arguments.multi_az = args.content.multi_az
        self._set_final_snapshot(arguments, names, args)
        self.instance = aws.rds.Instance(
            declared.numbered(names.of(DATABASE, site)),
            arguments,
            instance_options(args.own_arn.name, declared, args.profile, args.placement, provider, self, args.active),
        )

        self.register_outputs({})

    def _set_final_snapshot(self, arguments: aws.rds.InstanceArgs, names: Names, args: DatabaseArgs) -> None:
        declared = args.declared
        skip = args.profile.skips_final_snapshot(declared)
        arguments.skip_final_snapshot = skip
        if not skip:
            # The final snapshot keeps its name: with a random id, a second one can be taken when the environment is
            # created and destroyed again.
            ending = random.RandomId(
                declared.numbered(names.of("final-snapshot", declared.site)),
                byte_length=FINAL_SNAPSHOT_RANDOM_BYTES,
                opts=pulumi.ResourceOptions(parent=self),
            )
            arguments.final_snapshot_identifier = pulumi.Output.concat(
                declared.numbered(names.of("final", declared.site)), "-", ending.hex
            )


def _set_birth(arguments: aws.rds.InstanceArgs, args: DatabaseArgs) -> None:
    """How the instance comes into being. What is not said here comes from its source."""
    content = args.content
    match args.declared.birth:
        case Original():
            arguments.engine = "postgres"
            # With the major version alone RDS takes the newest minor; a deprecated minor can no longer be created.
            arguments.engine_version = str(content.engine_major_version)
            arguments.allocated_storage = content.allocated_storage_gib
            arguments.db_name = content.database_name
            arguments.username = content.username
            arguments.engine_lifecycle_support = _lifecycle_support(content)
        case Replica(source):
            # Across regions a name is not enough.
            arguments.replicate_source_db = str(args.other_arn if source is None else source)
        case FromSnapshot(snapshot):
            arguments.snapshot_identifier = str(snapshot)
            arguments.engine_lifecycle_support = _lifecycle_support(content)
        case FromPointInTime(source, moment):
            from_instance = source.kind == "db"
            arguments.restore_to_point_in_time = aws.rds.InstanceRestoreToPointInTimeArgs(
                source_db_instance_identifier=source.name if from_instance else None,
                source_db_instance_automated_backups_arn=None if from_instance else str(source),
                restore_time=moment,
                use_latest_restorable_time=True if moment is None else None,
            )
            arguments.engine_lifecycle_support = _lifecycle_support(content)
        case Adopted():
            # All of it is as it was found.
            pass
        case NoInstance():
            raise AssertionError(f"the {args.declared.site} site has no instance to declare")


def _lifecycle_support(content: DatabaseContent) -> str:
    """Extended Support is charged automatically unless it is declined when the instance is created.

    If declined, RDS upgrades the major version at the end of standard support: 2027-02-28 for PostgreSQL 14.
    """
    return (
        "open-source-rds-extended-support" if content.extended_support else "open-source-rds-extended-support-disabled"
    )
