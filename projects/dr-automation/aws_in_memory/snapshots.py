"""Snapshots, exports and replicated backups of one region's RDS. A copy is complete when time has passed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from aws_in_memory.happenings import Happenings
from aws_in_memory.refusals import refusal

PAGE = 100
COPY_TAKES = timedelta(minutes=5)
SNAPSHOT_TAKES = timedelta(seconds=15)


class Snapshots:
    """The part of RDS that keeps data.

    Attributes:
        snapshots: descriptions as RDS answers them, by identifier.
        exports: export tasks, in the order they were started.
        replicated: ARNs of instances of other regions whose automated backups are kept here.
        stuck: whether copies never get beyond 30 %.
        quota: how many manual snapshots there may be.
    """

    def __init__(self, aws: Happenings, region: str) -> None:
        self._aws, self._region = aws, region
        self.snapshots: dict[str, dict[str, Any]] = {}
        self.exports: list[dict[str, Any]] = []
        self.replicated: list[str] = []
        self.stuck = False
        self.quota = 100
        self.find: Callable[[str], dict[str, Any] | None] = self.snapshots.get

    def take(self, database: str, kind: str = "automated", name: str | None = None) -> dict[str, Any]:
        """A complete snapshot of now."""
        now = self._aws.now
        identifier = f"rds:{database}-{now:%Y-%m-%d-%H-%M}" if name is None else name
        self.snapshots[identifier] = {
            "DBSnapshotIdentifier": identifier,
            "DBSnapshotArn": f"arn:aws:rds:{self._region}:111122223333:snapshot:{identifier}",
            "DBInstanceIdentifier": database,
            "SnapshotType": kind,
            "Status": "available",
            "SnapshotCreateTime": now,
            "PercentProgress": 100,
            "AllocatedStorage": 20,
            "KmsKeyId": f"arn:key-{self._region}",
            "TagList": [{"Key": "Owner", "Value": "team"}, {"Key": "aws:rds:trail", "Value": "system"}],
        }
        return self.snapshots[identifier]

    def describe_db_snapshots(self, **asked: Any) -> Any:
        """DescribeDBSnapshots, a page of it."""
        name = asked.get("DBSnapshotIdentifier")
        if name is not None and name not in self.snapshots:
            raise refusal("DBSnapshotNotFound", 404)
        found = [
            each
            for each in map(self._settled, list(self.snapshots.values()))
            if asked.get("SnapshotType", each["SnapshotType"]) == each["SnapshotType"]
            and (name is None or each["DBSnapshotIdentifier"] == name)
            and asked.get("DBInstanceIdentifier", each["DBInstanceIdentifier"]) == each["DBInstanceIdentifier"]
        ]
        begin = int(asked.get("Marker", 0))
        more = {"Marker": str(begin + PAGE)} if len(found) > begin + PAGE else {}
        return {"DBSnapshots": found[begin : begin + PAGE], **more}

    def copy_db_snapshot(self, **asked: Any) -> Any:
        """CopyDBSnapshot."""
        name = asked["TargetDBSnapshotIdentifier"]
        if name in self.snapshots:
            raise refusal("DBSnapshotAlreadyExists")
        source = self.find(asked["SourceDBSnapshotIdentifier"])
        if source is None:
            raise refusal("DBSnapshotNotFound", 404)
        if sum(each["SnapshotType"] == "manual" for each in self.snapshots.values()) >= self.quota:
            raise refusal("SnapshotQuotaExceeded")
        copied = self.take(source["DBInstanceIdentifier"], "manual", name)
        copied |= {
            "Status": "creating",
            "PercentProgress": 30,
            "KmsKeyId": asked["KmsKeyId"],
            "TagList": asked["Tags"],
            "OriginalSnapshotCreateTime": source["SnapshotCreateTime"],
            "SourceDBSnapshotIdentifier": asked["SourceDBSnapshotIdentifier"],
        }
        return {"DBSnapshot": copied}

    def delete_db_snapshot(self, DBSnapshotIdentifier: str) -> Any:  # noqa: N803
        """DeleteDBSnapshot."""
        if DBSnapshotIdentifier not in self.snapshots:
            raise refusal("DBSnapshotNotFound", 404)
        return {"DBSnapshot": self.snapshots.pop(DBSnapshotIdentifier)}

    def describe_export_tasks(self, **_: Any) -> Any:
        """DescribeExportTasks."""
        return {"ExportTasks": self.exports}

    def start_export_task(self, **asked: Any) -> Any:
        """StartExportTask."""
        self.exports.append({**asked, "Status": "COMPLETE", "TaskStartTime": self._aws.now})
        return self.exports[-1]

    def describe_db_instance_automated_backups(self, **_: Any) -> Any:
        """DescribeDBInstanceAutomatedBackups."""
        return {"DBInstanceAutomatedBackups": [{"DBInstanceArn": arn} for arn in self.replicated]}

    def start_db_instance_automated_backups_replication(self, **asked: Any) -> Any:
        """StartDBInstanceAutomatedBackupsReplication."""
        self.replicated.append(asked["SourceDBInstanceArn"])
        return {}

    def stop_db_instance_automated_backups_replication(self, SourceDBInstanceArn: str) -> Any:  # noqa: N803
        """StopDBInstanceAutomatedBackupsReplication."""
        self.replicated = [each for each in self.replicated if each != SourceDBInstanceArn]
        return {}

    def _settled(self, snapshot: dict[str, Any]) -> dict[str, Any]:
        source = snapshot.get("SourceDBSnapshotIdentifier")
        if snapshot["Status"] == "creating" and source is not None and self.find(source) is None:
            # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html: the copy may fail then.
            snapshot["Status"] = "failed"
        begun: datetime = snapshot["SnapshotCreateTime"]
        takes = COPY_TAKES if "OriginalSnapshotCreateTime" in snapshot else SNAPSHOT_TAKES
        if snapshot["Status"] == "creating" and not self.stuck and self._aws.now - begun >= takes:
            snapshot |= {"Status": "available", "PercentProgress": 100}
        return snapshot
