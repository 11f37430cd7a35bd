"""The world of reprotection on AWS.

A person's own credentials look at databases and take the final snapshot; the operators' role reads both state tables
and writes the items `control` and `reprotect`, as it does for every other command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from deployment.final_snapshots import final_snapshot_name
from deployment.state_tables import REPROTECT, Tables, newest, read_tables
from function_runtime.clients import AwsError, unanswered
from function_runtime.control import Control
from function_runtime.database import instance_from
from function_runtime.fence_record import FenceRecord, FenceRecords
from function_runtime.incident import Incident
from function_runtime.items import AnotherRunIsAtWorkError, Items
from function_runtime.sites import Site
from function_runtime.state import State
from operations.access import Role
from operations.authority import authority_by
from operations.console import Console
from operations.control_item import ControlItem
from operations.controller import Controller
from operations.deployment import Deployment
from operations.errors import ChangedMeanwhileError, NoReportError, RefusedError, SilentRegionError
from operations.inspect_command import find_instance
from operations.places import Places
from operations.reprotect.record import Record
from operations.reprotect.world import Fence, InstanceSeen, SnapshotSeen, World
from operations.restorable import newest_backup, restorable
from snapshot_copier.snapshots import automated_backups, replicated_backups

Answer = TypeVar("Answer")
BROKEN = "standby_broken"


@dataclass(frozen=True)
class AwsWorld(World):
    """AWS.

    Attributes:
        by: ARN of the person's own identity.
        deployment: where the controllers are.
        role: the operators' role.
        rds: RDS in each site's region, under the person's own credentials.
        places: the databases' identifiers and groups.
        arns: the ARN of each site's database.
        console: the clock.
    """

    by: str
    deployment: Deployment
    role: Role
    rds: Mapping[Site, Any]
    places: Places
    arns: Mapping[Site, str]
    console: Console

    def now(self) -> datetime:
        """The machine's clock."""
        return self.console.now()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.console.sleep(seconds)

    def tables(self) -> Tables:
        """Both state tables."""
        return read_tables(self.role.dynamodb, self._names)

    def fence(self, tables: Tables, old_writer: Site) -> Fence:
        """From whichever table knows most: the guard writes where it runs, the failover where it was decided."""
        record = newest(tables)
        incidents: list[Incident] = []
        guards: list[FenceRecord] = []
        for site, table in tables.items():
            if table.controller is None:
                continue
            client, name = self.role.dynamodb[site], self._names[site]
            guard = self._asked(site, "read the fence", FenceRecords(client, name).read, old_writer)
            guards += [] if guard is None else [guard]
            if table is record and table.controller.last_incident_id is not None:
                incidents += self._incident(site, table.controller.last_incident_id)
        made = [each for each in incidents if each.has_new_writer and each.new_writer is old_writer.other]
        return Fence(made[0] if made else None, max(guards, key=lambda each: (each.epoch, each.at), default=None))

    def instance(self, site: Site) -> InstanceSeen | None:
        """What RDS describes under the site's identifier."""
        found = self._asked(site, "look at the instance", find_instance, self.rds[site], self._id(site))
        if found is None:
            return None
        known = instance_from(found)
        words = [
            each["Status"] for each in found.get("StatusInfos", []) if each.get("StatusType") == "read replication"
        ]
        quarantine = {self.places.at[site].quarantine_group_id: "active"}
        return InstanceSeen(
            resource_id=found["DbiResourceId"],
            status=known.status,
            replica_of=known.replica_of,
            security_groups=known.security_groups,
            is_quarantined=dict(known.security_groups) == quarantine,
            replication=words[0] if words else None,
            is_backed_up="LatestRestorableTime" in found or self._offers_a_moment(site, found["DbiResourceId"]),
            keeps_backups=found.get("BackupRetentionPeriod", 0) > 0,
        )

    def instance_arn(self, site: Site) -> str:
        """By the data layer's outputs."""
        return self.arns[site]

    def standby_is_broken(self) -> bool | None:
        """By the report of the controller with authority."""
        site = authority_by(self.tables()).site
        if site is None:
            return None
        try:
            report = Controller(self.role.toward(site, self.deployment)).report()
        except NoReportError:
            return None
        return report.protection.code == BROKEN

    def snapshot_name(self, site: Site, resource_id: str, epoch: int) -> str:
        """As a deploy that deletes the instance looks for it."""
        return f"{final_snapshot_name(self._id(site), resource_id)}-{epoch}"

    def snapshot(self, site: Site, name: str) -> SnapshotSeen | None:
        """A manual snapshot."""
        rds = self.rds[site]
        missing = rds.exceptions.DBSnapshotNotFoundFault

        def described() -> SnapshotSeen | None:
            try:
                (found,) = rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"]
            except missing:
                return None
            return SnapshotSeen(found["DbiResourceId"], found["Status"])

        return self._asked(site, f"look at snapshot {name}", described)

    def take_snapshot(self, site: Site, name: str) -> None:
        """Begin it. An answer that was lost may have been a yes, which the next look finds."""
        rds = self.rds[site]
        try:
            rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=self._id(site))
        except rds.exceptions.DBSnapshotAlreadyExistsFault:
            return
        except AwsError as error:
            raise self._refused(site, f"take snapshot {name}", error) from error

    def newest_backup(self) -> datetime | None:
        """By what could be restored in both regions."""
        return newest_backup(restorable(self.rds, self.places))

    def replicates_backups_of(self, site: Site) -> bool:
        """By the other region, where the replication is."""
        there = site.other
        listed = self._asked(there, "list replicated backups", replicated_backups, self.rds[there])
        return self.arns[site] in listed

    def stop_replicating_backups_of(self, site: Site) -> None:
        """In the other region."""
        rds = self.rds[site.other]
        self._asked(
            site.other,
            "stop a replication of backups",
            lambda: rds.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=self.arns[site]),
        )

    def control(self, site: Site) -> Control:
        """The item `control`."""
        return self._control_item(site).read()

    def tell(self, site: Site, control: Control) -> None:
        """Write it."""
        self._control_item(site).write(control)

    def save(self, record: Record) -> Record:
        """Write the item `reprotect`."""
        site = record.writer_site
        items = Items(self.role.dynamodb[site], self._names[site])
        written = replace(record, version=record.version + 1)
        try:
            items.put(written.as_item(), record.version)
        except AnotherRunIsAtWorkError as error:
            # The answer to a write may be lost, and the SDK's second try meet its own result.
            if items.get(REPROTECT) == written.as_item():
                return written
            raise ChangedMeanwhileError(
                f"item {REPROTECT}", f"no longer version {record.version}", "another person runs this too; talk to them"
            ) from error
        except AwsError as error:
            raise self._refused(site, f"write the item {REPROTECT}", error) from error
        return written

    @property
    def _names(self) -> Mapping[Site, str]:
        return {site: place.state_table_name for site, place in self.deployment.at.items()}

    def _id(self, site: Site) -> str:
        return self.places.at[site].database_id

    def _control_item(self, site: Site) -> ControlItem:
        return ControlItem(self.role.dynamodb[site], self._names[site])

    def _incident(self, site: Site, incident_id: str) -> list[Incident]:
        state = State(self.role.dynamodb[site], self._names[site])
        try:
            return [self._asked(site, "read the last incident", state.incident, incident_id)]
        except LookupError:
            return []

    def _offers_a_moment(self, site: Site, resource_id: str) -> bool:
        backups = self._asked(site, "list automated backups", automated_backups, self.rds[site])
        return any(
            each.get("DbiResourceId") == resource_id and "LatestTime" in each.get("RestoreWindow", {})
            for each in backups
        )

    def _asked(self, site: Site, what: str, call: Callable[..., Answer], *arguments: Any) -> Answer:
        try:
            return call(*arguments)
        except AwsError as error:
            raise self._refused(site, what, error) from error

    def _refused(self, site: Site, what: str, error: Any) -> RefusedError:
        region = self.places.at[site].region
        if unanswered(error).service_answered:
            return RefusedError("AWS", f"({error})", f"let your credentials {what} in {region}, then call this again")
        return SilentRegionError(
            f"the {site} region", f"(does not answer: {error})", "wait until it does, then call this again"
        )
