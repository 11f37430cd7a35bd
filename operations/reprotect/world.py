"""What reprotection sees and does outside of the data layer's program: databases, snapshots, state tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from deployment.state_tables import Tables
from function_runtime import rds_status
from function_runtime.control import Control
from function_runtime.fence_record import FenceRecord
from function_runtime.incident import Incident
from function_runtime.sites import Site
from operations.reprotect.record import Record


@dataclass(frozen=True)
class InstanceSeen:
    """A site's instance, as RDS describes it.

    Attributes:
        resource_id: its ``DbiResourceId``.
        status: RDS's word for its status.
        replica_of: ARN of its source; None where it is no replica.
        security_groups: each group's status, by its id.
        is_quarantined: whether the group without rules is its only one, and in force.
        replication: RDS's word for its replication, such as `terminated`; None where RDS says nothing of it.
        is_backed_up: whether a backup of it is complete.
        keeps_backups: whether its automated backups are on.
    """

    resource_id: str
    status: str
    replica_of: str | None
    security_groups: Mapping[str, str] = field(default_factory=dict)
    is_quarantined: bool = False
    replication: str | None = None
    is_backed_up: bool = False
    keeps_backups: bool = True

    @property
    def is_dead(self) -> bool:
        """Whether RDS says that it does not work, and not merely that it is at work on it."""
        return self.status not in rds_status.WORKING and not rds_status.is_maintenance(self.status)


@dataclass(frozen=True)
class SnapshotSeen:
    """A manual snapshot.

    Attributes:
        resource_id: ``DbiResourceId`` of the instance that it is of.
        status: RDS's word for its status.
    """

    resource_id: str
    status: str


@dataclass(frozen=True)
class Fence:
    """What is on record of shutting the old writer.

    Attributes:
        incident: the failover that made the present writer; None where a person's adoption did.
        guard: what the guard of the old writer's site has recorded; None for nothing.
    """

    incident: Incident | None
    guard: FenceRecord | None


class World(Protocol):
    """AWS. Every method raises `RefusedError` where AWS refuses, and `SilentRegionError` where a region is silent."""

    by: str
    """ARN of the person's own identity."""

    def now(self) -> datetime:
        """The time."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def tables(self) -> Tables:
        """What both state tables say; of a dark region's that it is silent."""

    def fence(self, tables: Tables, old_writer: Site) -> Fence:
        """What is on record of shutting a database that is no longer the writer's."""

    def instance(self, site: Site) -> InstanceSeen | None:
        """The instance under the site's identifier."""

    def instance_arn(self, site: Site) -> str:
        """The ARN of whatever instance bears the site's identifier."""

    def standby_is_broken(self) -> bool | None:
        """Whether the controller with authority calls its standby broken; None where it does not say."""

    def snapshot_name(self, site: Site, resource_id: str, epoch: int) -> str:
        """The name of an instance's final snapshot: no other instance's has it, and no other failover's."""

    def snapshot(self, site: Site, name: str) -> SnapshotSeen | None:
        """A manual snapshot."""

    def take_snapshot(self, site: Site, name: str) -> None:
        """Begin a manual snapshot of the site's instance."""

    def newest_backup(self) -> datetime | None:
        """The latest moment that a snapshot or backup in either region could bring back."""

    def replicates_backups_of(self, site: Site) -> bool:
        """Whether RDS replicates the automated backups of the site's instance into the other region."""

    def stop_replicating_backups_of(self, site: Site) -> None:
        """End that; what was replicated stays."""

    def control(self, site: Site) -> Control:
        """What people have told a site's controller."""

    def tell(self, site: Site, control: Control) -> None:
        """Tell it, over the version that was read."""

    def save(self, record: Record) -> Record:
        """Write the item `reprotect` in the table of the writer's site, over the version that was read."""
