"""What all instances have in common, and what follows their role. Instances swap roles, so they differ in little."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from data_layer.adopted import kept_of
from data_layer.births import Adopted, Replica
from data_layer.declared import DeclaredInstance, Role
from data_layer.foundation import LOG_EXPORTS, DatabaseFoundation
from data_layer.windows import Window
from shared.sites import Site

MOVED_BY_FAILOVER = ("vpcSecurityGroupIds", "replicateSourceDb")
"""Arguments that the controller and the fence-guards change while the system runs."""
FIXED_AT_BIRTH = (
    "dbName",
    "engine",
    "engineLifecycleSupport",
    "kmsKeyId",
    "restoreToPointInTime",
    "snapshotIdentifier",
    "storageEncrypted",
    "username",
)
"""Arguments with which the provider would replace an instance when they change. A successor is a new generation."""
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
        protected: the environment's databases refuse to be deleted.
        skip_final_snapshot: the environment's databases may be deleted without a last snapshot.
        monitoring_interval_seconds: between two readings of the operating system; 0 for none.
        monitoring_role_arn: the role RDS writes them with; None where there are none.
        taken_over: those of `data_layer.adopted.KEPT` that a deploy sets on an adopted instance.
    """

    instance_class: str
    port: pulumi.Input[int]
    maximum_storage_gib: int
    backup_retention_days: int
    certificate_authority: str
    apply_immediately: bool
    protected: bool
    skip_final_snapshot: bool
    monitoring_interval_seconds: int
    monitoring_role_arn: pulumi.Output[str] | None
    taken_over: frozenset[str] = frozenset()

    def refuses_deletion(self, role: Role) -> bool:
        """Whether an instance in this role refuses to be deleted, by RDS and by Pulumi.

        A standby becomes the writer without a deploy, and `pulumi destroy` follows the last deploy, which had it
        deleted without a final snapshot: RDS takes none of a replica. So where the writer has one taken, the standby
        refuses. To end such an environment, retire the standby first.
        """
        match role:
            case Role.ACTIVE:
                return self.protected
            case Role.STANDBY:
                return self.protected or not self.skip_final_snapshot
            case Role.RETIRING:
                return False

    def skips_final_snapshot(self, declared: DeclaredInstance) -> bool:
        """Whether an instance is deleted without a last snapshot.

        One is taken of the writer, and of whatever was one and can only be deleted as one. RDS takes none of a replica,
        and refuses to delete one with it. Of a standby that began as a replica nothing here knows whether it was
        promoted: it refuses to be deleted. Before one is retired, `./dr reprotect` takes a snapshot of it and waits for
        that.
        """
        is_replica = isinstance(declared.birth, Replica) and declared.role is not Role.ACTIVE
        return self.skip_final_snapshot or is_replica or declared.role is Role.RETIRING


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


def common_arguments(
    name: str, declared: DeclaredInstance, profile: InstanceProfile, placement: Placement
) -> aws.rds.InstanceArgs:
    """The arguments that all instances have.

    Args:
        name: the instance's identifier.
        declared: which instance it is.
        profile: what holds for all.
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
        # On a replica the provider sets retention and window with a modify after creation, which accepts neither.
        backup_retention_period=profile.backup_retention_days,
        backup_window=placement.backup_window.text,
        copy_tags_to_snapshot=True,
        # Of one that is retired on purpose they are kept until they run out, also in a short-lived environment.
        delete_automated_backups=profile.skip_final_snapshot and declared.role is not Role.RETIRING,
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
        deletion_protection=profile.refuses_deletion(declared.role),
        tags={"Name": name},
    )


def ignored_changes(role: Role) -> list[str]:
    """The arguments of which a change is not applied, in this role."""
    return [*MOVED_BY_FAILOVER, *FIXED_AT_BIRTH, *([] if role is Role.ACTIVE else ["password"])]


def instance_options(
    name: str,
    declared: DeclaredInstance,
    profile: InstanceProfile,
    placement: Placement,
    provider: aws.Provider,
    parent: pulumi.Resource,
    after: pulumi.Resource | None,
) -> pulumi.ResourceOptions:
    """Options of an instance: its site's provider, made after its log groups, protected from Pulumi as from RDS.

    What a failover changes is not put back: the group that shuts an old writer in, and that a promoted replica has no
    source any more. For what is ignored the engine uses the value in the state, not the program's. So a changed
    password reaches the active instance alone, and no change ever replaces an instance.

    An adopted instance is read under its identifier, once: with the same one in the state the engine does not import
    again. Whoever destroys the environment has not made it, so Pulumi always protects it, and where it lets go of it
    all the same, leaves it in AWS; AWS protects it as it did before.

    Args:
        name: the instance's identifier.
        declared: which instance it is.
        profile: what holds for all.
        placement: what depends on the site.
        provider: of its site.
        parent: the component it belongs to.
        after: the active instance, of one that is not: it is made after that, and destroyed before it.
    """
    is_adopted = isinstance(declared.birth, Adopted)
    is_kept = is_adopted and declared.role is not Role.RETIRING
    return pulumi.ResourceOptions(
        import_=name if is_adopted else None,
        provider=provider,
        parent=parent,
        depends_on=[*placement.foundation.log_groups, *([] if after is None else [after])],
        protect=profile.refuses_deletion(declared.role) or is_kept,
        # The engine replaces what it imports under another id, protected or not.
        retain_on_delete=is_kept,
        ignore_changes=[*ignored_changes(declared.role), *kept_of(declared, profile.taken_over)],
        custom_timeouts=PATIENCE,
    )
