"""A snapshot and an export of one, with what moto's lack."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from moto.core.utils import utcnow
from moto.rds.models import DBSnapshot, ExportTask, RDSBackend

from lab.rds.instance import AVAILABLE, FAILED, LabInstance

CREATING = "creating"


class LabSnapshot(DBSnapshot):
    """A snapshot with files. It is `creating` until they are there."""

    def __init__(
        self, backend: RDSBackend, instance: LabInstance, identifier: str, snapshots: Path, **settings: Any
    ) -> None:
        """A snapshot without files.

        Args:
            backend: the state of its region.
            instance: what it is of.
            identifier: its identifier.
            snapshots: the folder of the region's snapshots.
            settings: moto's own arguments.
        """
        super().__init__(backend, instance, identifier, **settings)
        self.instance = instance
        self.folder = snapshots / self.db_snapshot_identifier.replace(":", "-")
        self.status = CREATING
        self.percent_progress = 0

    def end(self, *, failed: bool) -> None:
        """Set what it ends with."""
        self.status, self.percent_progress = (FAILED, 0) if failed else (AVAILABLE, 100)


class LabExport(ExportTask):
    """An export that takes a while."""

    def __init__(self, backend: RDSBackend, snapshot: DBSnapshot, settings: Mapping[str, Any]) -> None:
        super().__init__(backend, snapshot, dict(settings))
        self.status = "STARTING"
        self.task_start_time = utcnow()
        self.task_end_time: datetime | None = None
        self.percent_progress = 0
        self.failure_cause: str | None = None

    def end(self, failure: str | None) -> None:
        """Set what it ends with."""
        self.status = "COMPLETE" if failure is None else "FAILED"
        self.failure_cause = failure
        self.percent_progress = 100 if failure is None else 0
        self.task_end_time = utcnow()
