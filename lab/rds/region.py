"""The API of RDS in one region: what it refuses, and what it changes at once. The rest is left to the workflows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.rds.models import DBInstance, DBSnapshot

from lab.aws import LabNetwork
from lab.rds.backup_replication import RETAINED, BackupReplications, ReplicatedBackup
from lab.rds.catalogue import ENGINE, engine_versions, family_of
from lab.rds.creation import settings_of
from lab.rds.errors import InvalidCombinationError, InvalidDBInstanceStateError
from lab.rds.fleet import DatabaseFleet
from lab.rds.instance import (
    AVAILABLE,
    BACKING_UP,
    DELETING,
    MODIFYING,
    REBOOTING,
    STARTING,
    STOPPED,
    STOPPING,
    STORAGE_FULL,
    STORAGE_OPTIMIZATION,
    LabInstance,
)
from lab.rds.lookups import Lookups
from lab.rds.snapshot import LabSnapshot
from lab.rds.snapshots import Snapshots, WriteObject
from lab.rds.validation import engine_version, require_available, require_class
from lab.rds.workflows import Workflows

# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html: these wait for the maintenance
# window unless ApplyImmediately is given, everything else takes effect as soon as possible. ApplyImmediately applies
# what is pending from before, too.
_WAITING = ("db_instance_class", "engine_version", "allocated_storage", "storage_type", "iops", "multi_az")


class RegionalRds(Snapshots):
    """RDS in one region: moto's state, AWS's refusals, and real servers behind."""

    def __init__(
        self,
        region: str,
        account_id: str,
        regions: Mapping[str, RegionalRds],
        fleet: DatabaseFleet,
        network: LabNetwork,
        lookups: Lookups,
        workflows: Workflows,
        write_object: WriteObject,
    ) -> None:
        """A region without instances.

        Args:
            region: the region.
            account_id: the account.
            regions: all regions, this one included once it is there.
            fleet: the servers.
            network: is told which site the VPCs belong to.
            lookups: the region's other services.
            workflows: does what takes time.
            write_object: puts an object into a bucket of the region.
        """
        super().__init__(region, account_id)
        self.regions: Mapping[str, RegionalRds] = regions
        self.fleet = fleet
        self.known_parameters = fleet.known_parameters
        self.lookups = lookups
        self.network = network
        self.workflows = workflows
        self.write_object = write_object
        self._backup_replications = BackupReplications(region, account_id, lookups)

    def modify_db_instance(self, db_instance_identifier: str, db_kwargs: Mapping[str, Any]) -> DBInstance:
        """ModifyDBInstance: the instance is `modifying` for a while."""
        instance = self.instance(db_instance_identifier)
        if instance.status not in (AVAILABLE, BACKING_UP, STORAGE_FULL, STORAGE_OPTIMIZATION, STOPPED):
            raise InvalidDBInstanceStateError(
                f"Database instance {instance.db_instance_identifier} is not in available state "
                f"(it is {instance.status})."
            )
        settings = {name: value for name, value in settings_of(db_kwargs).items() if value is not None}
        if "new_db_instance_identifier" in settings:
            raise InvalidCombinationError("The lab renames no instances.")
        if "engine_version" in settings:
            settings["engine_version"] = engine_version(settings["engine_version"])
        if "db_instance_class" in settings:
            require_class(settings["db_instance_class"])
        if "vpc_security_group_ids" in settings:
            self.lookups.require_security_groups(settings["vpc_security_group_ids"], instance.vpc_id)
        if settings.get("backup_retention_period") == 0 and instance.replicas:
            raise InvalidCombinationError("Backup retention cannot be turned off: the DB instance has read replicas.")
        group = settings.get("db_parameter_group_name")
        if group is not None:
            self.require_parameter_group(group, instance.engine_version)
        waiting: dict[str, Any] = {}
        if db_kwargs.get("apply_immediately"):
            settings = {**instance.pending_modified_values, **settings}
        else:
            waiting = {name: settings.pop(name) for name in _WAITING if name in settings}
        instance.pending_modified_values = {
            **instance.pending_modified_values,
            **{name: value for name, value in waiting.items() if value != getattr(instance, name)},
        }
        for applied in settings:
            instance.pending_modified_values.pop(applied, None)
        if "enable_performance_insights" in settings:
            settings["performance_insights_enabled"] = settings.pop("enable_performance_insights")
        other_group = group is not None and group != instance.parameter_group().name
        backup = instance.backup_retention_period == 0 and settings.get("backup_retention_period", 0) > 0
        password = settings.get("master_user_password")
        super().modify_db_instance(db_instance_identifier, settings)
        if "ca_certificate_identifier" in settings:
            instance.certificate_details = {"CAIdentifier": instance.ca_certificate_identifier}
        if other_group:
            instance.parameter_apply_status = "pending-reboot"
        if instance.status != STOPPED:
            instance.status = MODIFYING
            self.workflows.modify(instance, password=password, reload=other_group, backup=backup)
        return instance

    def reboot_db_instance(self, db_instance_identifier: str) -> DBInstance:
        """RebootDBInstance."""
        instance = self.instance(db_instance_identifier)
        require_available(instance)
        instance.status = REBOOTING
        self.workflows.reboot(instance)
        return instance

    def promote_read_replica(self, db_kwargs: Mapping[str, Any]) -> DBInstance:
        """PromoteReadReplica: the replica becomes a standalone instance. Asynchronous, and cannot be undone."""
        settings = settings_of(db_kwargs)
        instance = self.instance(settings["db_instance_identifier"])
        if not instance.is_read_replica:
            raise InvalidDBInstanceStateError(f"DB Instance {instance.db_instance_identifier} is not a read replica.")
        # Refused while backing-up, as on AWS:
        # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplica.html
        require_available(instance)
        retention = settings.get("backup_retention_period")
        if settings.get("preferred_backup_window") is not None:
            instance.preferred_backup_window = settings["preferred_backup_window"]
        instance.status = MODIFYING
        self.workflows.promote(instance, self.source_of(instance), 1 if retention is None else retention)
        return instance

    def stop_db_instance(self, db_instance_identifier: str, db_snapshot_identifier: str | None = None) -> DBInstance:
        """StopDBInstance, of an instance that is no replica and has none."""
        instance = self.instance(db_instance_identifier)
        if instance.is_read_replica or instance.replicas:
            raise InvalidDBInstanceStateError(
                f"Cannot stop or start a read replica, or an instance that has one: {instance.db_instance_identifier}"
            )
        require_available(instance)
        if db_snapshot_identifier is not None:
            self.create_db_snapshot(db_instance_identifier, db_snapshot_identifier)
        instance.status = STOPPING
        self.workflows.stop(instance)
        return instance

    def start_db_instance(self, db_instance_identifier: str) -> DBInstance:
        """StartDBInstance."""
        instance = self.instance(db_instance_identifier)
        if instance.status != STOPPED:
            raise InvalidDBInstanceStateError(f"Instance {db_instance_identifier} is not stopped.")
        instance.status = STARTING
        self.workflows.start(instance)
        return instance

    def delete_db_instance(
        self,
        db_instance_identifier: str,
        final_db_snapshot_identifier: str | None = None,
        skip_final_snapshot: bool | None = False,  # noqa: FBT001, FBT002 - moto's signature
        delete_automated_backups: bool | None = True,  # noqa: FBT001, FBT002
    ) -> DBInstance:
        """DeleteDBInstance: the instance is `deleting`, then gone.

        Its replicas in other regions stay, with their replication terminated; they are not promoted.
        """
        instance = self.instance(db_instance_identifier)
        if instance.status == DELETING:
            raise InvalidDBInstanceStateError(f"Instance {db_instance_identifier} is already being deleted.")
        if instance.deletion_protection:
            raise InvalidCombinationError(
                "Cannot delete protected DB Instance, please disable deletion protection and try again."
            )
        near = [replica for replica in instance.replicas if not replica.startswith("arn:")]
        if near:
            raise InvalidDBInstanceStateError(
                f"Promote or delete the read replicas of {db_instance_identifier} in its own region first: {near}"
            )
        final = self._final_snapshot(instance, final_db_snapshot_identifier, skip=bool(skip_final_snapshot))
        if delete_automated_backups is not False:
            for snapshot in self._automated_snapshots(instance.dbi_resource_id):
                self.delete_db_snapshot(snapshot.db_snapshot_identifier)
        for regional in self.regions.values():
            regional._backup_replications.source_deleted(instance)
        for arn in instance.replicas:
            self.find(arn).replication_terminated = True
        source = self.source_of(instance)
        if source is not None:
            source.remove_replica(instance)
        instance.status = DELETING
        self.workflows.delete(instance, source, final)
        return instance

    def _final_snapshot(self, instance: LabInstance, identifier: str | None, *, skip: bool) -> LabSnapshot | None:
        """The snapshot with which an instance is deleted; None where none is wanted."""
        name = instance.db_instance_identifier
        if skip:
            if identifier is not None:
                raise InvalidCombinationError(
                    "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is specified."
                )
            return None
        if instance.is_read_replica:
            # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
            raise InvalidCombinationError(f"SkipFinalSnapshot is required when a read replica is deleted: {name}")
        if identifier is None:
            raise InvalidCombinationError(
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
            )
        snapshot = self.create_db_snapshot(name, identifier)
        return snapshot if isinstance(snapshot, LabSnapshot) else None

    def _automated_snapshots(self, resource_id: str) -> list[DBSnapshot]:
        """Those of one instance: a successor under its name has others."""
        return [
            each
            for each in self.database_snapshots.values()
            if each.snapshot_type == "automated" and each.dbi_resource_id == resource_id
        ]

    def automated_backups(self) -> list[dict[str, Any]]:
        """The automated backups of the region's instances, and those retained of deleted ones."""
        living = {instance.dbi_resource_id for instance in self.instances()}
        of_each = {
            each.dbi_resource_id: each for each in self.database_snapshots.values() if each.snapshot_type == "automated"
        }
        return [
            {
                "DBInstanceArn": newest.database.db_instance_arn,
                "DBInstanceIdentifier": newest.db_instance_identifier,
                "DbiResourceId": resource_id,
                "Region": self.region_name,
                "Status": "active" if resource_id in living else RETAINED,
                "BackupRetentionPeriod": newest.database.backup_retention_period,
                "Encrypted": newest.encrypted,
                "Engine": newest.engine,
                "EngineVersion": newest.engine_version,
            }
            for resource_id, newest in of_each.items()
        ]

    def start_backup_replication(self, source_arn: str, settings: Mapping[str, Any]) -> ReplicatedBackup:
        """Replicate the automated backups of an instance of another region to this one."""
        return self._backup_replications.start(self.find(source_arn), settings)

    def stop_backup_replication(self, source_arn: str) -> ReplicatedBackup:
        """Stop replicating the automated backups of an instance."""
        return self._backup_replications.stop(source_arn)

    def replicated_backups(self) -> tuple[ReplicatedBackup, ...]:
        """The automated backups of other regions' instances in this region."""
        return self._backup_replications.all()

    def describe_db_engine_versions(self, engine: str | None, version: str | None) -> list[dict[str, Any]]:
        """The versions that RDS offers, or those of an engine and of a major or minor version."""
        return [
            {
                "Engine": ENGINE,
                "EngineVersion": offered,
                "MajorEngineVersion": offered.partition(".")[0],
                "DBParameterGroupFamily": family_of(offered),
                "DBEngineDescription": "PostgreSQL",
                "DBEngineVersionDescription": f"PostgreSQL {offered}",
                "Status": "available",
                "SupportsReadReplica": True,
            }
            for offered in engine_versions()
            if engine in (None, ENGINE) and (version is None or offered == version or offered.startswith(f"{version}."))
        ]
