"""A database instance: what RDS says of it and lets be done to it, and whether its database answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aws_in_memory.refusals import refusal
from function_runtime import rds_status
from function_runtime.session_outcome import SessionOutcome

CHANGEABLE = frozenset({"available", "storage-optimization"})
"""What an instance can be changed in, as far as the tests need it."""


@dataclass
class Outage:
    """A time in which the database does not answer; without an end it goes on."""

    begins: datetime
    ends: datetime | None = None


def covering(outages: Sequence[Outage], at: datetime) -> Outage | None:
    """The one that goes on at a moment."""
    return next((each for each in outages if each.begins <= at and (each.ends is None or at < each.ends)), None)


@dataclass
class DatabaseInstance:
    """One instance.

    Attributes:
        identifier: its name.
        database_group: the security group that its clients are let in by.
        quarantine_group: the one without rules.
        source: what it replicates, None where it takes writes.
        groups: the state of each of its security groups.
        status: RDS's word for what it does; a promotion that goes on has its own.
        replication_ended: RDS has ended its replication for good.
        exists: False where it was deleted.
        refuses_changes: RDS takes no change of it.
        old_connections: whether clients are connected.
        lag_seconds: how far it is behind, as a replica of a living writer.
        slot_lag_bytes: what its replica has yet to get; None where it publishes no such metric.
        outages: when its database does not answer.
        shut: when no new connection reaches it, a probe's neither.
        hung: when it answers and nobody can commit.
        prepared: whether probes can log in.
        refuses_sessions: how the probes' sessions end while something keeps them from working.
        is_busy: whether its clients write all the time.
        host_lost: when its host was lost with it, None where it was not.
        group_change_takes: from asking for other groups until they are in force.
        reboot_takes: from asking for a reboot until it is over; connections may last until then.
        promotion_takes: from asking for the promotion until it takes writes.
        shows_writer_after: how long RDS shows its source after that.
        shows_promotion_after: from asking for it until its status shows it.
        drops_promotions: for each promotion that it accepts, in turn, after how long it drops it.
        backs_up_for: how long it is backed up after its promotion, while it takes writes.
        backup_retention_days: what the promotion asked for.
        generation: the how many-th instance of this name it is.
        promoted_at: when its promotion was asked for.
        rebooted_at: when its last reboot was asked for.
        restarted: when its reboots were over.
        refuses_deletion: RDS deletes it only after that was taken off.
        made_at: when its making was asked for; None where it was there in the beginning.
        making_takes: from that until it is available.
        first_backup_takes: from then until a backup of it is complete.
    """

    identifier: str
    database_group: str
    quarantine_group: str
    source: str | None = None
    groups: dict[str, str] = field(default_factory=dict)
    status: str = "available"
    replication_ended: bool = False
    exists: bool = True
    refuses_changes: bool = False
    old_connections: bool = True
    lag_seconds: float = 0.0
    slot_lag_bytes: float | None = None
    outages: list[Outage] = field(default_factory=list)
    shut: list[Outage] = field(default_factory=list)
    hung: list[Outage] = field(default_factory=list)
    prepared: bool = True
    refuses_sessions: SessionOutcome | None = None
    is_busy: bool = False
    host_lost: datetime | None = None
    group_change_takes: timedelta = timedelta()
    reboot_takes: timedelta = timedelta(seconds=7)
    promotion_takes: timedelta = timedelta(seconds=4)
    shows_promotion_after: timedelta = timedelta(seconds=2)
    shows_writer_after: timedelta = timedelta()
    drops_promotions: list[timedelta] = field(default_factory=list)
    backs_up_for: timedelta = timedelta()
    backup_retention_days: int | None = None
    generation: int = 1
    promoted_at: datetime | None = None
    rebooted_at: datetime | None = None
    restarted: list[datetime] = field(default_factory=list)
    refuses_deletion: bool = False
    made_at: datetime | None = None
    making_takes: timedelta = timedelta(seconds=5)
    first_backup_takes: timedelta = timedelta(seconds=15)
    _changed_at: datetime | None = None
    _dropped_at: datetime | None = None
    _looked_at: datetime | None = None

    def __post_init__(self) -> None:
        self.groups = self.groups or {self.database_group: "active"}

    # What happens to it

    def dies(self, at: datetime) -> None:
        """Its database does not answer any more."""
        self.outages.append(Outage(at))

    def comes_back(self, at: datetime) -> None:
        """It answers again."""
        self.outages[-1].ends = at

    def outage(self, at: datetime) -> Outage | None:
        """The outage that goes on at a moment."""
        return covering(self.outages, at)

    def is_reached(self, at: datetime) -> bool:
        """Whether a probe is answered at a moment."""
        return self.outage(at) is None and covering(self.shut, at) is None

    def is_deleted(self, now: datetime) -> None:
        """Nothing answers any more."""
        self.exists = False
        self.dies(now)

    def is_made(self, source: str | None, now: datetime) -> None:
        """Another one comes under its name, and is not available yet: a replica, or an empty one without a source."""
        self.gives_way_to_a_replica(source, now)
        self.status, self.made_at = "creating", now

    def gives_way_to_a_replica(self, of: str | None, now: datetime) -> None:
        """It is deleted, and a replica of another instance gets its name."""
        self.generation += 1
        self.source, self.promoted_at, self.backup_retention_days = of, None, None
        self._dropped_at = None
        self.exists, self.status, self.replication_ended = True, "available", False
        self.groups, self._changed_at, self.old_connections = {self.database_group: "active"}, None, True
        self.lag_seconds = 0.0
        for outage in (*self.outages, *self.shut, *self.hung):
            outage.ends = now if outage.ends is None else min(outage.ends, now)

    def settle(self, now: datetime) -> None:
        """Let what has taken its time be done."""
        if self._changed_at is not None and now >= self._changed_at + self.group_change_takes:
            self.groups = {name: "active" for name, state in self.groups.items() if state == "adding"}
            self._changed_at = None
        if self.status == "creating" and self.made_at is not None and now >= self.made_at + self.making_takes:
            self.status = "available"
        if self.status == "rebooting" and self.rebooted_at is not None and now >= self.rebooted_at + self.reboot_takes:
            self.status = "available"
            self.restarted.append(self.rebooted_at + self.reboot_takes)
            self.old_connections = self.groups != {self.quarantine_group: "active"}
        self._looked_at = now
        if self._dropped_at is not None and now >= self._dropped_at:
            self.promoted_at = self._dropped_at = None
        if self.is_writer(now - self.shows_writer_after):
            self.source = None

    def is_backed_up(self, now: datetime) -> bool:
        """Whether a backup of it is complete."""
        return self.made_at is None or now >= self.made_at + self.making_takes + self.first_backup_takes

    def is_writer(self, at: datetime) -> bool:
        """Whether it is no replica at a moment, which may be one before RDS was last looked at."""
        if self.promoted_at is None:
            return self.source is None
        over_at = self.promoted_at + self.promotion_takes
        return at >= over_at and (self._dropped_at is None or over_at < self._dropped_at)

    def takes_writes(self, now: datetime) -> bool:
        """Whether it is no replica and works; a backup keeps nobody out."""
        self.settle(now)
        return self.is_writer(now) and self.status in rds_status.WORKING and self.outage(now) is None

    def is_shut(self, now: datetime) -> bool:
        """Whether nobody can write: no new connection and no old one."""
        self.settle(now)
        return self.groups == {self.quarantine_group: "active"} and not self.old_connections

    # What RDS's API does with it

    def describe(self) -> dict[str, Any]:
        """As DescribeDBInstances answers."""
        description: dict[str, Any] = {
            "DBInstanceIdentifier": self.identifier,
            "DbiResourceId": f"db-{self.identifier}-{self.generation}",
            "DBInstanceStatus": self._status(),
            "VpcSecurityGroups": [{"VpcSecurityGroupId": name, "Status": state} for name, state in self.groups.items()],
        }
        if self.source is not None:
            description["ReadReplicaSourceDBInstanceIdentifier"] = self.source
        if self.source is not None and self.replication_ended:
            description["StatusInfos"] = [{"StatusType": "read replication", "Status": "terminated"}]
        return description

    def _status(self) -> str:
        """RDS's word; a promotion and the backup after it have their own."""
        now, asked_at = self._looked_at, self.promoted_at
        if self.status != "available" or now is None or asked_at is None:
            return self.status
        if self.source is not None:
            return "modifying" if now >= asked_at + self.shows_promotion_after else self.status
        return "backing-up" if now < asked_at + self.promotion_takes + self.backs_up_for else self.status

    def change_groups(self, group: str, now: datetime) -> None:
        """Replace its security groups."""
        self._refuse_unless_changeable()
        self.groups = {**dict.fromkeys(self.groups, "removing"), group: "adding"}
        self._changed_at = now
        in_force = now + self.group_change_takes
        if self.shut and self.shut[-1].ends is None:
            self.shut[-1].ends = in_force
        if group == self.quarantine_group:
            self.shut.append(Outage(in_force))
        self.settle(now)

    def reboot(self, now: datetime) -> None:
        """End every connection; clients come back where a group lets them in."""
        self._refuse_unless_changeable()
        self.rebooted_at = now
        self.status = "rebooting"

    def promote(self, backup_retention_days: int, now: datetime) -> None:
        """Begin to make it a database of its own."""
        self._refuse_unless_changeable()
        if self.source is None or self.promoted_at is not None:
            raise refusal("InvalidDBInstanceState")
        self.backup_retention_days = backup_retention_days
        self.promoted_at = now
        self._dropped_at = now + self.drops_promotions.pop(0) if self.drops_promotions else None
        self.settle(now)

    def _refuse_unless_changeable(self) -> None:
        if self.refuses_changes or self._status() not in CHANGEABLE:
            raise refusal("InvalidDBInstanceState")
