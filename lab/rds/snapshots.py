"""Snapshots of one region: base backups of real servers, copied as files, and restored into new servers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from moto.core.utils import utcnow
from moto.rds.exceptions import (
    DBSnapshotAlreadyExistsError,
    DBSnapshotNotFoundFault,
    ExportTaskAlreadyExistsError,
    InvalidExportSourceStateError,
    SnapshotQuotaExceededFault,
)
from moto.rds.models import DBInstance, DBSnapshot, ExportTask

from lab.rds.creation import INHERITED, Creation, settings_of
from lab.rds.errors import InvalidCombinationError, InvalidDBInstanceStateError, InvalidSnapshotStateError
from lab.rds.instance import AVAILABLE, BACKING_UP
from lab.rds.snapshot import CREATING, LabExport, LabSnapshot

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
MANUAL_SNAPSHOTS_QUOTA = 100
COPIES_IN_FLIGHT_QUOTA = 20

WriteObject = Callable[[str, str, bytes], None]


class Snapshots(Creation):
    """The actions of one region that make, copy, delete, restore and export snapshots."""

    write_object: WriteObject
    """Puts an object into a bucket of the region: bucket, key, content."""

    def create_db_snapshot(
        self,
        db_instance_identifier: str,
        db_snapshot_identifier: str,
        snapshot_type: str = "manual",
        tags: list[dict[str, str]] | None = None,
        original_created_at: datetime | None = None,
        kms_key_id: str | None = None,
        **_: Any,
    ) -> DBSnapshot:
        """CreateDBSnapshot: `creating` until a base backup of the server is there."""
        instance = self.instance(db_instance_identifier)
        if instance.status not in (AVAILABLE, BACKING_UP):
            raise InvalidDBInstanceStateError(f"Instance {db_instance_identifier} is not in available state.")
        self._require_room(db_snapshot_identifier, snapshot_type)
        snapshot = LabSnapshot(
            self,
            instance,
            db_snapshot_identifier,
            self._snapshots_folder,
            snapshot_type=snapshot_type,
            tags=tags,
            original_created_at=original_created_at,
            kms_key_id=kms_key_id,
        )
        self.database_snapshots[snapshot.db_snapshot_identifier] = snapshot
        self.workflows.take_snapshot(instance, snapshot)
        return snapshot

    def create_auto_snapshot(self, db_instance_identifier: str, db_snapshot_identifier: str) -> DBSnapshot:
        """What RDS does in an instance's backup window. The name has seconds here, since two may follow soon."""
        at = utcnow()
        while (name := f"rds:{db_instance_identifier}-{at:%Y-%m-%d-%H-%M-%S}") in self.database_snapshots:
            at += timedelta(seconds=1)
        return super().create_auto_snapshot(db_instance_identifier, name)

    def copy_db_snapshot(
        self,
        source_db_snapshot_identifier: str,
        target_db_snapshot_identifier: str,
        kms_key_id: str | None = None,
        tags: list[dict[str, str]] | None = None,
        copy_tags: bool | None = False,  # noqa: FBT001, FBT002 - moto's signature
        **_: Any,
    ) -> DBSnapshot:
        """CopyDBSnapshot: the files are copied, from another region too."""
        source_region, source = self._snapshot(source_db_snapshot_identifier)
        crosses = source_region is not self
        if source.status != AVAILABLE:
            raise InvalidSnapshotStateError(f"The snapshot {source.db_snapshot_identifier} is not available.")
        if crosses and source.encrypted and kms_key_id is None:
            raise InvalidCombinationError(f"KmsKeyId of a key in {self.region_name} is required.")
        if any(tag["Key"].lower().startswith("aws:") for tag in tags or []):
            raise InvalidCombinationError("Tag keys that begin with aws: are reserved.")
        in_flight = [each for each in self.database_snapshots.values() if each.status == CREATING]
        self._require_room(target_db_snapshot_identifier, "manual")
        if crosses and len(in_flight) >= COPIES_IN_FLIGHT_QUOTA:
            raise SnapshotQuotaExceededFault
        snapshot = LabSnapshot(
            self,
            source.instance,
            target_db_snapshot_identifier,
            self._snapshots_folder,
            tags=(source.tags if copy_tags and not tags else tags) or [],
            kms_key_id=None if kms_key_id is None else self._key(kms_key_id, encrypted=True),
            original_created_at=source.original_snapshot_create_time,
        )

        def copy() -> None:
            if self.network.is_dark_for(self.region_name, source_region.region_name):
                raise OSError(f"{source_region.region_name} does not answer")
            if source_region.database_snapshots.get(source.db_snapshot_identifier) is not source:
                raise OSError(f"the source {source.db_snapshot_identifier} was deleted")
            snapshot.folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source.folder, snapshot.folder, symlinks=True)

        self.database_snapshots[snapshot.db_snapshot_identifier] = snapshot
        self.workflows.copy_snapshot(snapshot, copy)
        return snapshot

    def delete_db_snapshot(self, db_snapshot_identifier: str) -> DBSnapshot:
        """DeleteDBSnapshot; one that is still being copied is given up."""
        snapshot = super().delete_db_snapshot(db_snapshot_identifier)
        if isinstance(snapshot, LabSnapshot):
            shutil.rmtree(snapshot.folder, ignore_errors=True)
        return snapshot

    def restore_db_instance_from_db_snapshot(self, from_snapshot_id: str, overrides: Mapping[str, Any]) -> DBInstance:
        """RestoreDBInstanceFromDBSnapshot: a new instance with the data of the snapshot; nothing else is touched."""
        _, snapshot = self._snapshot(from_snapshot_id)
        if snapshot.status != AVAILABLE:
            raise InvalidSnapshotStateError(f"The snapshot {snapshot.db_snapshot_identifier} is not available.")
        given = {name: value for name, value in settings_of(overrides).items() if value is not None}
        given.pop("db_snapshot_identifier", None)
        self._require_new(given["db_instance_identifier"])
        original = snapshot.instance
        settings = {
            **{name: getattr(original, name) for name in INHERITED},
            "master_user_password": original.master_password,
            "backup_retention_period": original.backup_retention_period,
            "kms_key_id": snapshot.kms_key_id,
            **given,
        }
        # Windows are chosen anew, and tags come from the request, as on AWS.
        instance = self._created(settings)
        self.workflows.restore(instance, snapshot.folder)
        return instance

    def restore_db_instance_to_point_in_time(self, *_: Any, **__: Any) -> DBInstance:
        """RestoreDBInstanceToPointInTime, which the lab cannot do: it keeps no logs."""
        raise InvalidCombinationError("The lab restores snapshots only, and no point in time.")

    def start_export_task(self, kwargs: Mapping[str, Any]) -> ExportTask:
        """StartExportTask: in the lab a description of the export, and no Parquet."""
        _, snapshot = self._snapshot(kwargs["source_arn"])
        name = kwargs["export_task_identifier"]
        if name in self.export_tasks:
            raise ExportTaskAlreadyExistsError(name)
        if snapshot.status != AVAILABLE:
            raise InvalidExportSourceStateError(snapshot.status)
        task = LabExport(self, snapshot, kwargs)
        self.export_tasks[name] = task

        def export() -> None:
            about = {"exportTaskIdentifier": name, "sourceArn": task.source_arn, "status": "COMPLETE"}
            key = "/".join(part for part in (task.s3_prefix, name, f"export_info_{name}.json") if part)
            self.write_object(str(task.s3_bucket), key, json.dumps(about).encode())

        self.workflows.export(task, export)
        return task

    def describe_export_tasks(self, export_task_identifier: str | None = None) -> Iterable[ExportTask]:
        """DescribeExportTasks."""
        return list(super().describe_export_tasks(export_task_identifier or ""))

    def _require_room(self, identifier: str, kind: str) -> None:
        if identifier in self.database_snapshots:
            raise DBSnapshotAlreadyExistsError(identifier)
        manual = [each for each in self.database_snapshots.values() if each.snapshot_type == "manual"]
        if kind == "manual" and len(manual) >= MANUAL_SNAPSHOTS_QUOTA:
            raise SnapshotQuotaExceededFault

    @property
    def _snapshots_folder(self) -> Path:
        return self.fleet.home / "snapshots" / str(self.region_name)

    def _snapshot(self, identifier: str) -> tuple[Snapshots, LabSnapshot]:
        """A snapshot of this region by identifier, or of any region by ARN, and its region."""
        region: Snapshots = self
        name = identifier
        if identifier.startswith("arn:"):
            parts = identifier.split(":", 6)
            name = parts[6]
            found = self.regions.get(parts[3])
            if not isinstance(found, Snapshots):
                raise DBSnapshotNotFoundFault(identifier)
            region = found
        snapshot = region.database_snapshots.get(name)
        if not isinstance(snapshot, LabSnapshot):
            raise DBSnapshotNotFoundFault(identifier)
        return region, snapshot
