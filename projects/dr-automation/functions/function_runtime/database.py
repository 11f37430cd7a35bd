"""One database instance, through the RDS API of its own region."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from function_runtime.clients import code_of
from function_runtime.readings import Instance

INVALID_STATES = frozenset({"InvalidDBInstanceState", "InvalidDBInstanceStateFault"})
ABSENT = frozenset({"DBInstanceNotFound", "DBInstanceNotFoundFault"})


class NotInThisStateError(Exception):
    """RDS refuses what was asked in the instance's present state; asked later it may agree."""


class Database:
    """One instance.

    Every method raises botocore's errors where RDS does not answer or refuses for good.

    Args:
        rds: RDS's client in the instance's region.
        instance_id: its identifier.
        quarantine_group_id: the security group without rules.

    Attributes:
        resource_id: its ``DbiResourceId`` at the last look; None before the first.
    """

    def __init__(self, rds: Any, instance_id: str, quarantine_group_id: str) -> None:
        self.resource_id: str | None = None
        self._rds = rds
        self._instance_id = instance_id
        self._quarantine_group_id = quarantine_group_id

    def describe(self) -> Instance:
        """The instance."""
        answer = self._rds.describe_db_instances(DBInstanceIdentifier=self._instance_id)
        instance = instance_from(answer["DBInstances"][0])
        self.resource_id = instance.resource_id
        return instance

    def find(self) -> Instance | None:
        """The instance, None where there is none (any more)."""
        try:
            return self.describe()
        except ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise

    def is_quarantined(self, instance: Instance) -> bool:
        """Whether no new connection reaches it: the group without rules is the only one, and in force."""
        return dict(instance.security_groups) == {self._quarantine_group_id: "active"}

    def quarantine(self) -> None:
        """Replace its security groups with the one that has no rules.

        Raises:
            NotInThisStateError: not in its present state.
        """
        self.put_into_group(self._quarantine_group_id)

    def put_into_group(self, group_id: str) -> None:
        """Replace its security groups with one.

        Groups change as soon as possible in any case. ``ApplyImmediately`` would apply whatever else is pending too,
        such as another class: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html

        Raises:
            NotInThisStateError: not in its present state.
        """
        self._ask(self._rds.modify_db_instance, VpcSecurityGroupIds=[group_id])

    def reboot(self) -> None:
        """Reboot it, which ends every connection.

        Raises:
            NotInThisStateError: not in its present state.
        """
        self._ask(self._rds.reboot_db_instance)

    def has_restarted(self, after: datetime) -> bool:
        """Whether RDS tells of a restart after a moment: its event RDS-EVENT-0006.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
        """
        answer = self._rds.describe_events(
            SourceIdentifier=self._instance_id,
            SourceType="db-instance",
            StartTime=after,
            EventCategories=["availability"],
        )
        return any(event["Date"] > after and "restarted" in event["Message"] for event in answer["Events"])

    def promote(self, backup_retention_days: int) -> None:
        """Make the replica a database of its own, with automated backups for so many days (RDS's default is 1).

        Raises:
            NotInThisStateError: not in its present state, for instance during a backup.
        """
        self._ask(self._rds.promote_read_replica, BackupRetentionPeriod=backup_retention_days)

    def _ask(self, operation: Any, **parameters: Any) -> None:
        try:
            operation(DBInstanceIdentifier=self._instance_id, **parameters)
        except ClientError as error:
            if code_of(error) in INVALID_STATES:
                raise NotInThisStateError(str(error)) from error
            raise


def instance_from(description: Mapping[str, Any]) -> Instance:
    """The instance out of RDS's description."""
    source = description.get("ReadReplicaSourceDBInstanceIdentifier")
    return Instance(
        status=description["DBInstanceStatus"],
        replica_of=source if source else None,
        security_groups={
            group["VpcSecurityGroupId"]: group["Status"] for group in description.get("VpcSecurityGroups", [])
        },
        replication_ended=any(
            info.get("StatusType") == "read replication" and info.get("Status") == "terminated"
            for info in description.get("StatusInfos", [])
        ),
        resource_id=description.get("DbiResourceId"),
    )
