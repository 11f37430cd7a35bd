"""Automated backups that are replicated to a region from instances of other regions."""

from __future__ import annotations

import random
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.rds.exceptions import RDSClientError

from lab.rds.errors import InvalidCombinationError, InvalidDBInstanceStateError, InvalidValueError
from lab.rds.instance import LabInstance
from lab.rds.lookups import Lookups

REPLICATING = "replicating"
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/AutomatedBackups.StopReplicating.html: what was replicated
# stays until its retention is over.
RETAINED = "retained"
DEFAULT_RETENTION_DAYS = 7
LONGEST_RETENTION_DAYS = 35

_ID_LETTERS = string.ascii_lowercase + string.digits


@dataclass
class ReplicatedBackup:
    """The replicated backups of one source instance.

    Attributes:
        arn: its own ARN, in the region it is replicated to.
        source: the instance.
        retention_days: how long backups are kept.
        kms_key_arn: key of this region; None where the source is not encrypted.
        status: `replicating` or `retained`.
    """

    arn: str
    source: LabInstance
    retention_days: int
    kms_key_arn: str | None
    status: str = REPLICATING

    def described(self) -> dict[str, Any]:
        """The answer of the API."""
        source = self.source
        answer = {
            "DBInstanceAutomatedBackupsArn": self.arn,
            "DBInstanceArn": source.db_instance_arn,
            "DBInstanceIdentifier": source.db_instance_identifier,
            "DbiResourceId": source.dbi_resource_id,
            "Region": source.region,
            "Status": self.status,
            "BackupRetentionPeriod": self.retention_days,
            "Encrypted": bool(source.storage_encrypted),
            "Engine": source.engine,
            "EngineVersion": source.engine_version,
            "AllocatedStorage": source.allocated_storage,
            "StorageType": source.storage_type,
            "MasterUsername": source.master_username,
        }
        return answer if self.kms_key_arn is None else {**answer, "KmsKeyId": self.kms_key_arn}


class BackupReplications:
    """The backups that are replicated to one region."""

    def __init__(self, region: str, account_id: str, lookups: Lookups) -> None:
        """Nothing is replicated yet; `lookups` finds the region's KMS keys."""
        self._region = region
        self._account_id = account_id
        self._lookups = lookups
        self._backups: list[ReplicatedBackup] = []

    def start(self, source: LabInstance, settings: Mapping[str, Any]) -> ReplicatedBackup:
        """Replicate a source's backups from now on.

        Raises:
            RDSClientError: the source is in this region, has no backups or is replicated already, or the key or the
                retention period cannot be used.
        """
        name = source.db_instance_identifier
        if source.region == self._region:
            raise InvalidValueError(f"The source DB instance {name} must be in another region than {self._region}.")
        if source.backup_retention_period == 0:
            raise InvalidDBInstanceStateError(f"Automated backups are not enabled for the DB instance {name}.")
        if source.db_instance_automated_backups_replications:
            raise RDSClientError(
                "InvalidDBInstanceAutomatedBackupState", f"The automated backups of {name} are replicated already."
            )
        retention_days = int(settings.get("BackupRetentionPeriod", DEFAULT_RETENTION_DAYS))
        if not 1 <= retention_days <= LONGEST_RETENTION_DAYS:
            raise InvalidValueError(f"Invalid backup retention period: {retention_days}. Must be between 1 and 35.")
        key = settings.get("KmsKeyId")
        if source.storage_encrypted and key is None:
            raise InvalidCombinationError(
                f"The source DB instance {name} is encrypted: KmsKeyId of a key in {self._region} is required."
            )
        identifier = "ab-" + "".join(random.choices(_ID_LETTERS, k=39))  # noqa: S311
        backup = ReplicatedBackup(
            arn=f"arn:aws:rds:{self._region}:{self._account_id}:auto-backup:{identifier}",
            source=source,
            retention_days=retention_days,
            kms_key_arn=None if key is None else self._lookups.key_arn(key),
        )
        self._backups.append(backup)
        source.db_instance_automated_backups_replications = [{"DBInstanceAutomatedBackupsArn": backup.arn}]
        return backup

    def stop(self, source_arn: str) -> ReplicatedBackup:
        """Stop replicating a source's backups; those that are here are retained.

        Raises:
            InvalidDBInstanceStateError: they are not replicated to this region.
        """
        for backup in self._backups:
            if backup.source.db_instance_arn == source_arn and backup.status == REPLICATING:
                backup.status = RETAINED
                backup.source.db_instance_automated_backups_replications = []
                return backup
        raise InvalidDBInstanceStateError(f"The automated backups of {source_arn} are not replicated here.")

    def source_deleted(self, source: LabInstance) -> None:
        """The source is being deleted: what was replicated is retained, and a successor starts anew."""
        for backup in self._backups:
            if backup.source is source:
                backup.status = RETAINED

    def all(self) -> tuple[ReplicatedBackup, ...]:
        """Every replicated backup, retained ones included."""
        return tuple(self._backups)
