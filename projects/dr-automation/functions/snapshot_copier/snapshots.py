"""What RDS says of snapshots, export tasks and replicated backups, read page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PAGE_SIZE = 100
GIB = 2**30
AVAILABLE = "available"
# Of automated backups: their instance is gone.
RETAINED = "retained"


@dataclass(frozen=True)
class Snapshot:
    """A DB snapshot.

    Attributes:
        identifier: its identifier; an automated one begins with ``rds:``.
        arn: its ARN.
        database: the identifier of the instance that it is of.
        status: RDS's word.
        taken_at: when the data was as it is in it, None while RDS does not say.
        key_arn: the KMS key it is encrypted with, None where it is not.
        percent: how much of it is done.
        storage_bytes: the allocated storage of the instance; what the snapshot takes is less.
        tags: its tags.
    """

    identifier: str
    arn: str
    database: str
    status: str
    taken_at: datetime | None
    key_arn: str | None
    percent: int
    storage_bytes: int
    tags: Mapping[str, str]


@dataclass(frozen=True)
class ExportTask:
    """An export of a snapshot to S3.

    Attributes:
        identifier: its identifier.
        status: RDS's word, in capitals.
        cause: why it failed, for people.
    """

    identifier: str
    status: str
    cause: str | None


def automated_snapshots(rds: Any, instance_id: str) -> tuple[Snapshot, ...]:
    """The automated snapshots of an instance."""
    return _snapshots(rds, DBInstanceIdentifier=instance_id, SnapshotType="automated")


def manual_snapshots(rds: Any) -> tuple[Snapshot, ...]:
    """All manual snapshots of the region; a copy is a manual snapshot, and the quota counts all of them."""
    return _snapshots(rds, SnapshotType="manual")


def _snapshots(rds: Any, **question: Any) -> tuple[Snapshot, ...]:
    return tuple(
        snapshot_from(each)
        for each in pages(rds.describe_db_snapshots, "DBSnapshots", MaxRecords=PAGE_SIZE, **question)
    )


def age_order(snapshot: Snapshot) -> tuple[float, str]:
    """The key that puts snapshots in the order of their data, oldest first; two of one moment by their names."""
    return (0.0 if snapshot.taken_at is None else snapshot.taken_at.timestamp(), snapshot.identifier)


def export_tasks(rds: Any) -> tuple[ExportTask, ...]:
    """All export tasks of the region."""
    return tuple(
        ExportTask(each["ExportTaskIdentifier"], each["Status"], each.get("FailureCause") or None)
        for each in pages(rds.describe_export_tasks, "ExportTasks", MaxRecords=PAGE_SIZE)
    )


def automated_backups(rds: Any) -> list[Any]:
    """RDS's descriptions of all automated backups of the region, its own and replicated ones."""
    return pages(rds.describe_db_instance_automated_backups, "DBInstanceAutomatedBackups", MaxRecords=PAGE_SIZE)


def replicated_backups(rds: Any) -> frozenset[str]:
    """The ARNs of the instances of other regions whose automated backups are kept here."""
    backups = automated_backups(rds)
    # Those of an instance that is gone are kept under the ARN that its successor has, too.
    return frozenset(
        each["DBInstanceArn"] for each in backups if each.get("Status") != RETAINED and "DBInstanceArn" in each
    )


def snapshot_from(description: Mapping[str, Any]) -> Snapshot:
    """The snapshot out of RDS's description."""
    # A copy has the time of its own making as SnapshotCreateTime, and the time of its data as the original one.
    taken_at = description.get("OriginalSnapshotCreateTime") or description.get("SnapshotCreateTime")
    return Snapshot(
        identifier=description["DBSnapshotIdentifier"],
        arn=description["DBSnapshotArn"],
        database=description["DBInstanceIdentifier"],
        status=description["Status"],
        taken_at=taken_at,
        key_arn=description.get("KmsKeyId"),
        percent=int(description.get("PercentProgress", 0)),
        storage_bytes=int(description.get("AllocatedStorage", 0)) * GIB,
        tags={tag["Key"]: tag["Value"] for tag in description.get("TagList", [])},
    )


def pages(operation: Any, name: str, **question: Any) -> list[Any]:
    """What an operation of RDS lists, from all its pages."""
    found: list[Any] = []
    while True:
        answer = operation(**question)
        found += answer[name]
        if not answer.get("Marker"):
            return found
        question["Marker"] = answer["Marker"]
