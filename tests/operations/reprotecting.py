"""A world for reprotection, in memory: two databases, two tables, the data layer, and a controller that hands over.

Every call can be made the last one. It counts what must never happen: a database that takes writes is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from deployment.state_tables import Answer, Table, Tables
from function_runtime.control import Control, InstructionKind
from function_runtime.fence import Outcome
from function_runtime.fence_record import FenceRecord
from function_runtime.sites import Site
from function_runtime.state import Controller
from operations.errors import ChangedMeanwhileError, RefusedError, SilentRegionError
from operations.reprotect.data_layer import DataLayer, Declared
from operations.reprotect.record import Record
from operations.reprotect.refusals import Words
from operations.reprotect.runner import reprotect
from operations.reprotect.world import Fence, InstanceSeen, SnapshotSeen, World

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
P, R = Site.PRIMARY, Site.RECOVERY
ALICE = "arn:aws:iam::111122223333:user/alice"


MOST_SLEEPS = 500


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Database:
    """An instance."""

    resource_id: str
    replica_of: str | None = None
    is_quarantined: bool = False
    status: str = "available"
    replication: str | None = None
    backed_up: bool = True
    keeps_backups: bool = True

    @property
    def takes_writes(self) -> bool:
        return self.replica_of is None and not self.is_quarantined and self.status == "available"


@dataclass
class Made:
    """An instance in Pulumi's state."""

    generation: int
    resource_id: str
    protected: bool


@dataclass
class Cloud:
    """What outlives the process.

    Attributes:
        databases: by site: what RDS has under the site's identifier.
        state: by site: what Pulumi's state has.
        configuration: the data layer's.
        controllers: what each table says.
        handovers: the handover in each table.
        controls: what people have told each controller.
        items: the item `reprotect` of each table.
        snapshots: manual ones, by name.
        replicated: whose backups RDS replicates, and whether Pulumi's state knows it.
        guards: what each site's guard has recorded.
        dark: silent regions.
        deleted: the resource ids of deleted instances, and whether they took writes then.
        deploys: how often the layer was deployed.
        calls: the names of all calls.
        strikes: is called before and after each call; raises what is to become of it.
    """

    databases: dict[Site, Database | None]
    state: dict[Site, Made | None]
    configuration: dict[str, str] = field(default_factory=dict)
    controllers: dict[Site, Controller] = field(default_factory=dict)
    handovers: dict[Site, dict[str, Any] | None] = field(default_factory=lambda: {P: None, R: None})
    controls: dict[Site, Control] = field(default_factory=lambda: {P: Control(), R: Control()})
    items: dict[Site, dict[str, Any] | None] = field(default_factory=lambda: {P: None, R: None})
    snapshots: dict[str, SnapshotSeen] = field(default_factory=dict)
    replicated: dict[Site, bool] = field(default_factory=dict)
    guards: dict[Site, FenceRecord | None] = field(default_factory=lambda: {P: None, R: None})
    calls_broken: bool | None = None
    dark: set[Site] = field(default_factory=set)
    now: datetime = START
    deleted: list[tuple[str, bool]] = field(default_factory=list)
    deploys: int = 0
    calls: list[str] = field(default_factory=list)
    strikes: Callable[[str, str], None] = lambda name, when: None
    ids: Any = field(default_factory=lambda: count(1))

    def call(self, name: str) -> None:
        self.calls.append(name)
        self.strikes(name, "before")

    def done(self, name: str) -> None:
        self.strikes(name, "after")

    def arn(self, site: Site) -> str:
        return f"arn:aws:rds:{site}:111122223333:db:database-{site}"

    def tick(self) -> None:
        """The controllers run: who is told to hands authority over, a step a run."""
        for giver in Site:
            taker, instruction = giver.other, self.controls[giver].instruction
            under_way = self.handovers[giver]
            if giver in self.dark or taker in self.dark:
                continue
            if under_way is None:
                if (
                    instruction is not None
                    and instruction.says(InstructionKind.HAND_OVER, taker, self.now)
                    and self.controllers[giver].authority is giver
                ):
                    self.handovers[giver] = {"from": giver.value, "to": taker.value}
                continue
            if "told_at" not in under_way:
                if instruction is not None and instruction.says(InstructionKind.ABANDON, "handover", self.now):
                    self.handovers[giver] = None
                    continue
                told = self.controllers[giver]
                self.controllers[taker] = replace(told, authority=giver)
                under_way["told_at"] = self.now.isoformat()
            elif "given_up_at" not in under_way:
                self.controllers[giver] = replace(self.controllers[giver], authority=taker)
                under_way["given_up_at"] = self.now.isoformat()
            else:
                self.controllers[taker] = replace(self.controllers[taker], authority=taker)
                self.handovers[giver] = None


class FakeWorld(World):
    """AWS, for one process."""

    def __init__(self, cloud: Cloud, by: str = ALICE) -> None:
        self.cloud, self.by = cloud, by
        self.slept = 0

    def _called(self, name: str, site: Site | None = None) -> None:
        self.cloud.call(name)
        if site is not None and site in self.cloud.dark:
            raise SilentRegionError(f"RDS in {site}", "(silent)", "wait")

    def now(self) -> datetime:
        return self.cloud.now

    def sleep(self, seconds: float) -> None:
        self.slept += 1
        assert self.slept < MOST_SLEEPS, "it waits for what does not come"
        self.cloud.now += timedelta(seconds=seconds)
        for database in self.cloud.databases.values():
            if database is not None:
                database.backed_up = True
        self.cloud.snapshots = {
            name: replace(each, status="available" if each.status == "creating" else each.status)
            for name, each in self.cloud.snapshots.items()
        }
        self.cloud.tick()

    def tables(self) -> Tables:
        self._called("tables")
        cloud = self.cloud
        return {
            site: Table(site, Answer.SILENT, why="silent")
            if site in cloud.dark
            else Table(site, Answer.RECORD, cloud.controllers[site], cloud.handovers[site], cloud.items[site])
            for site in Site
        }

    def fence(self, tables: Tables, old_writer: Site) -> Fence:
        self._called("fence")
        return Fence(None, self.cloud.guards[old_writer])

    def instance(self, site: Site) -> InstanceSeen | None:
        self._called("instance", site)
        found = self.cloud.databases[site]
        if found is None:
            return None
        groups = {"sg-quarantine" if found.is_quarantined else "sg-database": "active"}
        return InstanceSeen(
            found.resource_id,
            found.status,
            found.replica_of,
            groups,
            found.is_quarantined,
            found.replication,
            found.backed_up,
            found.keeps_backups,
        )

    def instance_arn(self, site: Site) -> str:
        return self.cloud.arn(site)

    def standby_is_broken(self) -> bool | None:
        return self.cloud.calls_broken

    def snapshot_name(self, site: Site, resource_id: str, epoch: int) -> str:
        return f"final-database-{site}-{resource_id}-{epoch}"

    def snapshot(self, site: Site, name: str) -> SnapshotSeen | None:
        self._called("snapshot", site)
        return self.cloud.snapshots.get(name)

    def take_snapshot(self, site: Site, name: str) -> None:
        self._called("take_snapshot", site)
        database = self.cloud.databases[site]
        if database is None or database.status != "available" or name in self.cloud.snapshots:
            raise RefusedError("snapshot", name, "RDS refuses it")
        self.cloud.snapshots[name] = SnapshotSeen(database.resource_id, "creating")
        self.cloud.done("take_snapshot")

    def newest_backup(self) -> datetime | None:
        return self.cloud.now - timedelta(hours=3)

    def replicates_backups_of(self, site: Site) -> bool:
        self._called("replicates_backups_of", site.other)
        return site in self.cloud.replicated

    def stop_replicating_backups_of(self, site: Site) -> None:
        self._called("stop_replicating_backups_of", site.other)
        del self.cloud.replicated[site]
        self.cloud.done("stop_replicating_backups_of")

    def control(self, site: Site) -> Control:
        self._called("control")
        return self.cloud.controls[site]

    def tell(self, site: Site, control: Control) -> None:
        self._called("tell")
        if self.cloud.controls[site].version != control.version:
            raise ChangedMeanwhileError("control", site, "try again")
        self.cloud.controls[site] = replace(control, version=control.version + 1)
        self.cloud.done("tell")

    def save(self, record: Record) -> Record:
        self._called("save")
        item = self.cloud.items[record.writer_site]
        if (0 if item is None else item["version"]) != record.version:
            raise ChangedMeanwhileError("reprotect", record.version, "try again")
        written = replace(record, version=record.version + 1)
        self.cloud.items[record.writer_site] = written.as_item()
        self.cloud.done("save")
        return written


class FakeLayer(DataLayer):
    """The data layer: what its program declares is made, and what it does not is deleted, by the identifier."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def configuration(self) -> Mapping[str, str]:
        return dict(self.cloud.configuration)

    def change(self, values: Mapping[str, str | None]) -> str:
        self.cloud.call("change")
        changed = {key: value for key, value in values.items() if self.cloud.configuration.get(key) != value}
        for key, value in values.items():
            self.cloud.configuration.pop(key, None)
            if value is not None:
                self.cloud.configuration[key] = value
        self.cloud.done("change")
        return "\n".join(f"+{key}: {value}" for key, value in changed.items())

    def deploy(self, say: Callable[[str], None]) -> None:
        cloud = self.cloud
        cloud.call("deploy")
        cloud.deploys += 1
        declared = Declared.of(cloud.configuration)
        if cloud.dark:
            raise RefusedError("deploy", "data", "a region does not answer")
        if declared.retiring is declared.active_site or declared.births[declared.active_site] == "none":
            raise RefusedError("deploy", "data", "the configuration contradicts itself")
        active = declared.active_site
        if active in cloud.replicated and not cloud.replicated[active]:
            raise RefusedError("deploy", "data", "RDS replicates these backups already")
        cloud.replicated.pop(active.other, None)
        cloud.replicated[active] = True
        for site in Site:
            self._settle(site, declared)
            cloud.strikes("deploy", f"after {site}")
        cloud.done("deploy")

    def _settle(self, site: Site, declared: Declared) -> None:
        cloud, made = self.cloud, self.cloud.state[site]
        protected = declared.retiring is not site
        exists = declared.births[site] != "none"
        if made is not None and (not exists or made.generation != declared.generations[site]):
            if made.protected:
                raise RefusedError("deploy", "data", f"the instance of {site} is protected")
            gone = cloud.databases[site]
            if gone is not None:
                cloud.deleted.append((gone.resource_id, gone.takes_writes))
            cloud.databases[site] = cloud.state[site] = made = None
        if made is not None:
            if made.protected is not protected and cloud.databases[site] is None:
                raise RefusedError("deploy", "data", f"RDS has no database-{site} to change")
            made.protected = protected
        elif exists:
            if cloud.databases[site] is not None:
                raise RefusedError("deploy", "data", f"there is an instance called database-{site}")
            resource_id = f"db-{site}-{next(cloud.ids)}".upper()
            source = cloud.databases[site.other]
            is_replica = declared.births[site] == "replica"
            if is_replica and (source is None or not source.takes_writes or not source.keeps_backups):
                raise RefusedError("deploy", "data", "RDS makes no replica of such a source")
            replica_of = cloud.arn(site.other) if is_replica else None
            cloud.databases[site] = Database(resource_id, replica_of, backed_up=False)
            cloud.state[site] = Made(declared.generations[site], resource_id, protected)

    def instance_id(self, site: Site) -> str | None:
        made = self.cloud.state[site]
        return None if made is None else made.resource_id

    def replicates_backups_of(self, site: Site) -> bool:
        return self.cloud.replicated.get(site, False)


def deployed(writer: Site = P, authority: Site | None = None, epoch: int = 0) -> Cloud:
    """All is well: the writer, its replica, authority with the replica's site."""
    cloud = Cloud({P: None, R: None}, {P: None, R: None})
    for site in Site:
        source = None if site is writer else cloud.arn(writer)
        cloud.databases[site] = Database(f"DB-{site}-0", source)
        cloud.state[site] = Made(1, f"DB-{site}-0", protected=True)
    holder = writer.other if authority is None else authority
    cloud.controllers = {
        site: Controller(version=1, epoch=epoch, writer_site=writer, authority=holder) for site in Site
    }
    cloud.configuration = {
        "activeSite": writer.value,
        f"{writer}Birth": "original",
        f"{writer.other}Birth": "replica",
        "primaryGeneration": "1",
        "recoveryGeneration": "1",
    }
    cloud.replicated = {writer: True}
    return cloud


def failed_over(old: Site = P) -> Cloud:
    """A failover has moved the writer from there; its guard has shut the old one."""
    cloud = deployed(old)
    was, now = cloud.databases[old], cloud.databases[old.other]
    assert was is not None
    assert now is not None
    was.is_quarantined, now.replica_of = True, None
    # The old site's table was told nothing: it may have been dark.
    cloud.controllers[old.other] = Controller(version=9, epoch=1, writer_site=old.other, authority=old.other)
    cloud.controllers[old] = Controller(version=1, epoch=0, writer_site=old, authority=old.other)
    cloud.guards[old] = FenceRecord(old, 1, Outcome.FENCED, "", START)
    # Begun by the copier.
    cloud.replicated[old.other] = False
    return cloud


def broken_standby() -> Cloud:
    """The replica has lost its slot."""
    cloud = deployed()
    standby = cloud.databases[R]
    assert standby is not None
    standby.replication = "terminated"
    return cloud


SETTLED = Words(settled=True)


def run(cloud: Cloud, words: Words = SETTLED, *, keep_looking: bool = False) -> tuple[Record | None, list[str]]:
    """One call of the command, to its end or to where it is struck; returns what is on record, and what was said."""
    said: list[str] = []

    def tell(step: Any, record: Record) -> None:
        said.append(f"{step.name} {'done' if record.has_finished(step.name) else 'begins'}")

    world, layer = FakeWorld(cloud), FakeLayer(cloud)
    return reprotect(world, layer, words, said.append, tell, keep_looking=keep_looking), said
