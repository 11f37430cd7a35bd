"""RDS in one region: which requests it takes, what it refuses, and in whose hands it puts the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.rds.exceptions import DBInstanceNotFoundError
from moto.rds.models import DBInstance

from lab.aws import LabNetwork
from lab.rds.backup_replication import BackupReplications, ReplicatedBackup
from lab.rds.catalogue import ENGINE, engine_versions, family_of
from lab.rds.errors import InvalidCombinationError, InvalidDBInstanceStateError, InvalidValueError
from lab.rds.events import InstanceEvent
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
    LabInstance,
)
from lab.rds.lookups import Lookups
from lab.rds.placement import PlacementBooks
from lab.rds.validation import engine_version, require_available, require_class, require_login
from lab.rds.workflows import Workflows

# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html: these wait for the maintenance
# window unless ApplyImmediately is given, everything else takes effect as soon as possible.
_WAITING = ("db_instance_class", "engine_version", "allocated_storage", "storage_type", "iops", "multi_az")
_REQUEST_ONLY = ("apply_immediately", "allow_major_version_upgrade", "pre_signed_url", "source_region")


class RegionalRds(PlacementBooks):
    """The books of one region with moto's bookkeeping, AWS's refusals, and real servers behind.

    Every call is made under the lock of the books.
    """

    def __init__(
        self,
        region: str,
        account_id: str,
        fleet: DatabaseFleet,
        network: LabNetwork,
        lookups: Lookups,
        workflows: Workflows,
        regions: Mapping[str, RegionalRds],
    ) -> None:
        """Open empty books.

        Args:
            region: the region.
            account_id: the account.
            fleet: the servers.
            network: learns which site the VPCs belong to.
            lookups: the region's other services.
            workflows: does what takes time.
            regions: every region's books, for what crosses regions.
        """
        super().__init__(region, account_id)
        self.fleet = fleet
        self.known_parameters = fleet.known_parameters
        self.lookups = lookups
        self.network = network
        self._workflows = workflows
        self._regions = regions
        self._backup_replications = BackupReplications(region, account_id, lookups)

    def create_db_instance(self, db_kwargs: Mapping[str, Any]) -> DBInstance:
        """Take a new instance: `creating` now, a server with initdb in a while."""
        settings = self._settings(db_kwargs)
        self.require_new(settings["db_instance_identifier"])
        if settings.get("engine") != ENGINE:
            raise InvalidValueError(f"Invalid DB engine: {settings.get('engine')}. The lab runs {ENGINE} only.")
        if settings.get("db_cluster_identifier") is not None:
            raise InvalidCombinationError("The lab has no DB clusters.")
        settings["engine_version"] = engine_version(settings.get("engine_version"))
        require_class(settings["db_instance_class"])
        password = settings.get("master_user_password")
        if settings.get("manage_master_user_password"):
            raise InvalidCombinationError("The lab manages no master passwords; give MasterUserPassword.")
        require_login(settings.get("master_username"), password)
        if not settings.get("allocated_storage"):
            raise InvalidCombinationError("You must specify a value for AllocatedStorage.")
        self.complete(settings)
        instance = self.admit(settings)
        self._workflows.create(instance)
        return instance

    def create_db_instance_read_replica(self, db_kwargs: Mapping[str, Any]) -> DBInstance:
        """Take a new replica of an instance of this or another region."""
        settings = self._settings(db_kwargs)
        self.require_new(settings["db_instance_identifier"])
        source = self._find(settings["source_db_instance_identifier"])
        crosses = source.region != self.region_name
        if source.status not in (AVAILABLE, BACKING_UP, MODIFYING):
            raise InvalidDBInstanceStateError(f"DB instance {source.db_instance_identifier} is not in available state.")
        if source.backup_retention_period == 0:
            raise InvalidDBInstanceStateError(
                f"Automated backups are not enabled for this database instance. To enable automated backups, use "
                f"ModifyDBInstance to set the backup retention period to a non-zero value. "
                f"(DB instance {source.db_instance_identifier})"
            )
        if crosses and source.storage_encrypted and settings.get("kms_key_id") is None:
            raise InvalidCombinationError(
                "Cannot create a cross region unencrypted read replica from encrypted source: "
                f"KmsKeyId of a key in {self.region_name} is required."
            )
        inherited = {
            "engine": source.engine,
            "engine_version": source.engine_version,
            "db_instance_class": source.db_instance_class,
            "allocated_storage": source.allocated_storage,
            "storage_type": source.storage_type,
            "iops": source.iops,
            "port": source.port,
            "master_username": source.master_username,
            "master_user_password": source.master_password,
            "db_name": source.db_name,
            "auto_minor_version_upgrade": source.auto_minor_version_upgrade,
            "storage_encrypted": source.storage_encrypted,
            "engine_lifecycle_support": source.engine_lifecycle_support,
            "preferred_backup_window": source.preferred_backup_window,
            "preferred_maintenance_window": source.preferred_maintenance_window,
        }
        if not crosses:
            inherited["kms_key_id"] = source.kms_key_id
            inherited["db_parameter_group_name"] = source.db_parameter_group_name
            inherited["db_subnet_group_name"] = source.db_subnet_group.name
        given = {name: value for name, value in settings.items() if value is not None}
        settings = {
            **inherited,
            **given,
            "backup_retention_period": 0,
            "source_db_instance_identifier": source.db_instance_arn if crosses else source.db_instance_identifier,
        }
        require_class(settings["db_instance_class"])
        self.complete(settings)
        instance = self.admit(settings)
        instance.set_as_replica()
        source.add_replica(instance)
        self._workflows.create_replica(instance, source)
        return instance

    def modify_db_instance(self, db_instance_identifier: str, db_kwargs: Mapping[str, Any]) -> DBInstance:
        """Change an instance; it is `modifying` for a while."""
        instance = self._instance(db_instance_identifier)
        if instance.status not in (AVAILABLE, BACKING_UP, STOPPED):
            raise InvalidDBInstanceStateError(
                f"Database instance {instance.db_instance_identifier} is not in available state "
                f"(it is {instance.status})."
            )
        settings = {name: value for name, value in self._settings(db_kwargs).items() if value is not None}
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
        waiting = {} if db_kwargs.get("apply_immediately") else {
            name: settings.pop(name) for name in _WAITING if name in settings
        }  # fmt: skip
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
            self._workflows.modify(instance, password=password, reload=other_group, backup=backup)
        return instance

    def reboot_db_instance(self, db_instance_identifier: str) -> DBInstance:
        """Restart an instance."""
        instance = self._instance(db_instance_identifier)
        require_available(instance)
        instance.status = REBOOTING
        self._workflows.reboot(instance)
        return instance

    def promote_read_replica(self, db_kwargs: Mapping[str, Any]) -> DBInstance:
        """Make an instance of its own out of a replica: asynchronous and for good."""
        settings = self._settings(db_kwargs)
        instance = self._instance(settings["db_instance_identifier"])
        if not instance.is_read_replica:
            raise InvalidDBInstanceStateError(f"DB Instance {instance.db_instance_identifier} is not a read replica.")
        # Refused while backing-up, as on AWS:
        # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplica.html
        require_available(instance)
        retention = settings.get("backup_retention_period")
        if settings.get("preferred_backup_window") is not None:
            instance.preferred_backup_window = settings["preferred_backup_window"]
        instance.status = MODIFYING
        self._workflows.promote(instance, self._source_of(instance), 1 if retention is None else retention)
        return instance

    def stop_db_instance(self, db_instance_identifier: str, db_snapshot_identifier: str | None = None) -> DBInstance:
        """Stop an instance that neither is a replica nor has one."""
        instance = self._instance(db_instance_identifier)
        if instance.is_read_replica or instance.replicas:
            raise InvalidDBInstanceStateError(
                f"Cannot stop or start a read replica, or an instance that has one: {instance.db_instance_identifier}"
            )
        require_available(instance)
        if db_snapshot_identifier is not None:
            self.create_db_snapshot(db_instance_identifier, db_snapshot_identifier)
        instance.status = STOPPING
        self._workflows.stop(instance)
        return instance

    def start_db_instance(self, db_instance_identifier: str) -> DBInstance:
        """Start a stopped instance."""
        instance = self._instance(db_instance_identifier)
        if instance.status != STOPPED:
            raise InvalidDBInstanceStateError(f"Instance {db_instance_identifier} is not stopped.")
        instance.status = STARTING
        self._workflows.start(instance)
        return instance

    def delete_db_instance(
        self,
        db_instance_identifier: str,
        final_db_snapshot_identifier: str | None = None,
        skip_final_snapshot: bool | None = False,  # noqa: FBT001, FBT002 - moto's signature
        delete_automated_backups: bool | None = True,  # noqa: FBT001, FBT002
    ) -> DBInstance:
        """Delete an instance: `deleting` now, gone in a while.

        A replica in another region outlives its source with its replication terminated; it is not promoted.
        """
        instance = self._instance(db_instance_identifier)
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
        if not skip_final_snapshot and not instance.is_read_replica:
            if final_db_snapshot_identifier is None:
                raise InvalidCombinationError(
                    "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
                )
            self.create_db_snapshot(db_instance_identifier, final_db_snapshot_identifier)
        if delete_automated_backups is not False:
            for snapshot in self.describe_db_snapshots(db_instance_identifier, None, "automated", {}):
                self.delete_db_snapshot(snapshot.db_snapshot_identifier)
        for arn in instance.replicas:
            self._find(arn).replication_terminated = True
        source = self._source_of(instance)
        if source is not None:
            source.remove_replica(instance)
        instance.status = DELETING
        self._workflows.delete(instance, source)
        return instance

    def start_backup_replication(self, source_arn: str, settings: Mapping[str, Any]) -> ReplicatedBackup:
        """Replicate the automated backups of another region's instance into this one."""
        return self._backup_replications.start(self._find(source_arn), settings)

    def stop_backup_replication(self, source_arn: str) -> ReplicatedBackup:
        """Replicate them no longer."""
        return self._backup_replications.stop(source_arn)

    def replicated_backups(self) -> tuple[ReplicatedBackup, ...]:
        """The automated backups this region has of other regions' instances."""
        return self._backup_replications.all()

    def describe_db_engine_versions(self, engine: str | None, version: str | None) -> list[dict[str, Any]]:
        """The versions on offer, of one engine and one major or minor version where they are named."""
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

    def record(self, instance: LabInstance, message: str, category: str) -> None:
        """Write an event down."""
        self.events.append(InstanceEvent(instance, message, category))

    def forget(self, instance: LabInstance) -> None:
        """Take a deleted instance off the books."""
        self.databases.pop(instance.db_instance_identifier, None)

    def parameters_changed(self, instance: LabInstance) -> None:
        """Bring a changed parameter group to a server that is up."""
        if instance.reachable and instance.status != DELETING:
            self._workflows.reload_parameters(instance)

    def find_db_from_id(self, db_id: str) -> DBInstance:
        """An instance by identifier, or by ARN from any region; moto's looks into its own books."""
        return self._find(db_id)

    def _find(self, identifier: str) -> LabInstance:
        if not identifier.startswith("arn:"):
            return self._instance(identifier)
        found = re.fullmatch(r"arn:[^:]+:rds:([^:]+):\d+:db:(.+)", identifier)
        if found is None or found[1] not in self._regions:
            raise DBInstanceNotFoundError(identifier)
        return self._regions[found[1]]._instance(found[2])

    def _instance(self, identifier: str) -> LabInstance:
        # By ARN, too: the API takes both (moto's own lookup does the parsing).
        instance = self.describe_db_instances(identifier)[0]
        if not isinstance(instance, LabInstance):
            raise DBInstanceNotFoundError(identifier)
        return instance

    def _source_of(self, instance: LabInstance) -> LabInstance | None:
        if instance.source_db_instance_identifier is None:
            return None
        try:
            return self._find(instance.source_db_instance_identifier)
        except DBInstanceNotFoundError:
            return None

    def _settings(self, db_kwargs: Mapping[str, Any]) -> dict[str, Any]:
        return {name: db_kwargs[name] for name in dict(**db_kwargs) if name not in _REQUEST_ONLY}
