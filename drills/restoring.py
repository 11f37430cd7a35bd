"""Bring back what is lost from a snapshot, as a person does with ``nox -s restore``, and count what came back."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployment.state_tables import read_tables
from drills.clients.writes_table import count_rows, read_rows
from drills.instants import Instant
from drills.records.restoration import Restoration
from drills.stage import DrillNotReadyError, Stage
from function_runtime.sites import Site
from operations.console import Console
from operations.inspect_command import RestoreAccess, inspect
from operations.places import Places
from operations.requests import InspectRequest, RestoreRequest
from operations.restore_command import restore
from snapshot_copier.plan import PREFIX

if TYPE_CHECKING:
    from drills.system import LabSystem

SNAPSHOT_DEADLINE_SECONDS = 40.0
NAME = "restored-by-the-drill"
# The outputs are at hand, so that no file is read.
UNREAD = Path("-")
OPERATOR = "arn:aws:iam::000000000000:user/the-drills-operator"


@dataclass(frozen=True)
class Copied:
    """A snapshot that lies in the other site.

    Attributes:
        identifier: the copy's identifier.
        taken_at: when the snapshot was asked for.
        data_of: RDS's own time of the data.
    """

    identifier: str
    taken_at: Instant
    data_of: datetime


class _Quiet(Console):
    """A terminal whose lines go to whoever watches the drill."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def say(self, lines: Iterable[str]) -> None:
        for line in lines:
            if line.strip():
                self._stage.say(f"  {line}")


def snapshot_and_copy(stage: Stage) -> Copied:
    """Let the backup window come, and wait until the snapshot copier has its copy in the other site.

    Raises:
        DrillNotReadyError: no copy came.
    """
    writer, there = stage.writer_database, stage.replica_database.region
    taken_at = Instant.now()
    names: list[str] = []
    stage.do(
        "the backup window comes: RDS takes an automated snapshot of the writer",
        lambda: names.append(stage.system.take_automated_snapshot(writer.region, writer.identifier)),
    )
    identifier = PREFIX + names[0].removeprefix("rds:")
    rds = stage.system.client("rds", there)

    def copies() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        return [each for each in found if (each["DBSnapshotIdentifier"], each["Status"]) == (identifier, "available")]

    stage.require("the snapshot copier to have copied it", lambda: bool(copies()), SNAPSHOT_DEADLINE_SECONDS)
    return Copied(identifier, taken_at, copies()[0]["OriginalSnapshotCreateTime"])


def bring_back(stage: Stage, copied: Copied, table: str | None = None) -> Restoration:
    """Restore the copy to a new instance in the standby's site, open it for the operators, and read it.

    Args:
        stage: the drill's system.
        copied: what is restored.
        table: a table to count besides the client's own; None for none.

    Raises:
        DrillNotReadyError: the command did not end well.
    """
    system, site = stage.system, Site(stage.writer.other.value)
    places, access = Places.of(system.outputs), _access(system)
    ordered_at = Instant.now()
    console = _Quiet(stage)
    order = RestoreRequest(UNREAD, None, site, copied.identifier, None, None, NAME, dry_run=False, yes=True, wait=True)
    ended: list[int] = []
    stage.do(f"a person restores {copied.identifier}", lambda: ended.append(restore(order, places, access, console)))
    if ended != [0]:
        raise DrillNotReadyError(f"the restore ended with {ended}")
    stage.do(
        "a person opens it for the operators' network",
        lambda: inspect(InspectRequest(UNREAD, None, site, NAME, close=False), places, access, console),
    )
    rds = system.client("rds", places.at[site].region)

    def instance() -> dict[str, Any]:
        found: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"][0]
        return found

    stage.require("it to be open", lambda: instance()["DBInstanceStatus"] == "available", SNAPSHOT_DEADLINE_SECONDS)
    # The lab's network reads the groups once a second.
    time.sleep(1.5)
    address = instance()["Endpoint"]["Address"]
    rows = read_rows(system.target, address)
    count = None if table is None else count_rows(system.target, address, table)
    return Restoration(copied.identifier, copied.taken_at, copied.data_of, ordered_at, Instant.now(), rows, count)


def _access(system: LabSystem) -> RestoreAccess:
    target = system.target
    rds = {Site(site.value): system.client("rds", database.region) for site, database in target.databases.items()}
    clients = {Site(site.value): system.client("dynamodb", target.region(site)) for site in target.databases}
    names = {Site(site.value): each.state_table_name for site, each in target.automation.items()}
    return RestoreAccess(OPERATOR, rds, lambda: read_tables(clients, names))
