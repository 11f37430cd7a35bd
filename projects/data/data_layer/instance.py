"""What the two instances have in common. Replica and primary swap duties, so they differ in as little as possible."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from data_layer.foundation import LOG_EXPORTS, DatabaseFoundation
from data_layer.windows import Window
from shared.sites import Site

MOVED_BY_FAILOVER = ("vpcSecurityGroupIds", "replicateSourceDb")
"""Arguments that the controller and the fence-guards change while the system runs."""
PERFORMANCE_INSIGHTS_RETENTION_DAYS = 7
# Copying a large database to another region, or changing its storage, takes longer than the provider's default
# timeouts of 40 to 80 minutes.
PATIENCE = pulumi.CustomTimeouts(create="3h", update="3h", delete="2h")


@dataclass(frozen=True)
class InstanceProfile:
    """What holds for both instances.

    Attributes:
        instance_class: such as ``db.t3.medium``.
        port: on which they answer.
        maximum_storage_gib: up to which size storage grows by itself.
        backup_retention_days: of automated backups.
        certificate_authority: of the server certificate.
        apply_immediately: apply changes at once instead of in the maintenance window.
        deletion_protection: refuse deletion.
        monitoring_interval_seconds: between two readings of the operating system; 0 for none.
        monitoring_role_arn: the role RDS writes them with; None where there are none.
        keep_automated_backups: keep automated backups after deletion, until they run out.
    """

    instance_class: str
    port: pulumi.Input[int]
    maximum_storage_gib: int
    backup_retention_days: int
    certificate_authority: str
    apply_immediately: bool
    deletion_protection: bool
    monitoring_interval_seconds: int
    monitoring_role_arn: pulumi.Output[str] | None
    keep_automated_backups: bool


@dataclass(frozen=True)
class Placement:
    """Where an instance is, and what of its site it uses.

    Attributes:
        site: where.
        foundation: its subnet and parameter groups and its logs.
        security_group_id: the group that lets in probes and clients.
        data_key_arn: the site's key: one of another region is refused.
        backup_window: when it is backed up.
        maintenance_window: when it is maintained.
    """

    site: Site
    foundation: DatabaseFoundation
    security_group_id: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    backup_window: Window
    maintenance_window: Window


def common_arguments(name: str, profile: InstanceProfile, placement: Placement) -> aws.rds.InstanceArgs:
    """The arguments that primary and replica share.

    Args:
        name: the instance's identifier.
        profile: what holds for both.
        placement: what depends on the site.
    """
    return aws.rds.InstanceArgs(
        identifier=name,
        instance_class=profile.instance_class,
        port=profile.port,
        db_subnet_group_name=placement.foundation.subnet_group.name,
        parameter_group_name=placement.foundation.parameter_group.name,
        vpc_security_group_ids=[placement.security_group_id],
        publicly_accessible=False,
        network_type="IPV4",
        storage_type="gp3",
        max_allocated_storage=profile.maximum_storage_gib,
        # For a replica RDS needs the key only, but without this the provider would see a change to "unencrypted".
        storage_encrypted=True,
        kms_key_id=placement.data_key_arn,
        # On the replica the provider sets retention and window with a modify after creation, which accepts neither.
        backup_retention_period=profile.backup_retention_days,
        backup_window=placement.backup_window.text,
        copy_tags_to_snapshot=True,
        delete_automated_backups=not profile.keep_automated_backups,
        maintenance_window=placement.maintenance_window.text,
        auto_minor_version_upgrade=True,
        allow_major_version_upgrade=False,
        apply_immediately=profile.apply_immediately,
        ca_cert_identifier=profile.certificate_authority,
        iam_database_authentication_enabled=True,
        database_insights_mode="standard",
        performance_insights_enabled=True,
        performance_insights_kms_key_id=placement.data_key_arn,
        performance_insights_retention_period=PERFORMANCE_INSIGHTS_RETENTION_DAYS,
        # RDS refuses a role with an interval of 0.
        monitoring_interval=profile.monitoring_interval_seconds,
        monitoring_role_arn=profile.monitoring_role_arn,
        enabled_cloudwatch_logs_exports=list(LOG_EXPORTS),
        deletion_protection=profile.deletion_protection,
        tags={"Name": name},
    )


def instance_options(
    profile: InstanceProfile, placement: Placement, provider: aws.Provider, parent: pulumi.Resource
) -> pulumi.ResourceOptions:
    """Options of an instance: its site's provider, made after its log groups, protected from Pulumi as from RDS.

    What a failover changes is not put back: the group that shuts an old writer in, and that the replica has no source
    any more. For these the engine uses the value in the state, which a refresh has read from AWS, not the program's.
    """
    return pulumi.ResourceOptions(
        provider=provider,
        parent=parent,
        depends_on=placement.foundation.log_groups,
        protect=profile.deletion_protection,
        ignore_changes=list(MOVED_BY_FAILOVER),
        custom_timeouts=PATIENCE,
    )
