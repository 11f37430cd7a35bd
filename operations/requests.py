"""What people ask for, as the command line says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from function_runtime.control import InstructionKind, OrderKind
from function_runtime.sites import Site


@dataclass(frozen=True)
class Addressed:
    """What every request has: which deployment is meant.

    Attributes:
        outputs: the flat outputs file.
        stack: the stack that the file must be of; None for any.
    """

    outputs: Path
    stack: str | None


@dataclass(frozen=True)
class StatusRequest(Addressed):
    """Show what the controller sees and decides; ``as_json`` for machines."""

    as_json: bool


@dataclass(frozen=True)
class PauseRequest(Addressed):
    """Let no failover begin, and say why."""

    reason: str


@dataclass(frozen=True)
class ResumeRequest(Addressed):
    """Let failovers happen again."""


@dataclass(frozen=True)
class CancelRequest(Addressed):
    """Withdraw the order on record."""


@dataclass(frozen=True)
class FailoverRequest(Addressed):
    """Order a failover.

    Attributes:
        kind: what the order stands for.
        incident_id: the incident that is approved; None for the other kinds.
        epoch: the epoch that is approved; None for the other kinds.
        accepted_loss_seconds: the data loss that is accepted; None if none was given.
        accepts_unknown_loss: whether a loss without a known upper bound is accepted.
        dry_run: only show the plan.
        yes: do not ask before giving the order.
        wait: follow the failover until it is closed.
    """

    kind: OrderKind
    incident_id: str | None
    epoch: int | None
    accepted_loss_seconds: float | None
    accepts_unknown_loss: bool
    dry_run: bool
    yes: bool
    wait: bool


@dataclass(frozen=True)
class InstructionRequest(Addressed):
    """Get the controller out of what it cannot leave by itself.

    Attributes:
        kind: what is to be done.
        about: the incident to abandon, or the site to adopt.
        dry_run: only say what it would leave.
        yes: do not ask.
        wait: wait until it is carried out.
    """

    kind: InstructionKind
    about: str
    dry_run: bool
    yes: bool
    wait: bool


@dataclass(frozen=True)
class RestoreRequest(Addressed):
    """List what can be restored, or restore it to a new instance.

    Attributes:
        site: where the new instance is made.
        snapshot: the snapshot to restore; None for a point in time.
        point_in_time: the moment to restore; None for the latest, or for a snapshot.
        of: whose automated backups; None for those of the site itself.
        name: the new instance's name; None only lists.
        dry_run: only show the plan.
        yes: do not ask.
        wait: follow it until the instance is there.
    """

    site: Site
    snapshot: str | None
    point_in_time: datetime | None
    of: Site | None
    name: str | None
    dry_run: bool
    yes: bool
    wait: bool


@dataclass(frozen=True)
class InspectRequest(Addressed):
    """Let the operators' network in to a restored or fenced instance; with ``close`` nobody any more.

    Attributes:
        site: where the instance is.
        name: its identifier.
        close: whether to close it.
        dry_run: only say what would be done.
        yes: do not ask before a database is opened that clients have used.
    """

    site: Site
    name: str
    close: bool
    dry_run: bool = False
    yes: bool = False


@dataclass(frozen=True)
class PrepareRequest(Addressed):
    """Show how a database is prepared for the probes; with ``only_sql`` nothing but the SQL."""

    only_sql: bool


@dataclass(frozen=True)
class ReprotectRequest(Addressed):
    """Make a standby for the present writer.

    Attributes:
        keep_looking: stop before the old instance is let go.
        without_snapshot: let it go without a final snapshot, where RDS can make none.
        settled: what the old writer may have taken alone is looked through.
        undo: take back what was begun.
        dry_run: only show the plan.
        yes: do not ask.
        as_json: for machines.
    """

    keep_looking: bool
    without_snapshot: bool
    settled: bool
    undo: bool
    dry_run: bool
    yes: bool
    as_json: bool


Request = (
    PrepareRequest
    | ReprotectRequest
    | RestoreRequest
    | InspectRequest
    | StatusRequest
    | PauseRequest
    | ResumeRequest
    | CancelRequest
    | FailoverRequest
    | InstructionRequest
)
