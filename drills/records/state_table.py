"""What the controllers, their operator and the fence-guards have recorded in the state tables of both sites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from drills.instants import Instant
from drills.system import LabSystem
from function_runtime.control import Order
from function_runtime.incident import Incident
from function_runtime.items import Items, plain
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class Decision:
    """What the controller decided, by which rule, and why."""

    action: str
    code: str
    reason: str


@dataclass(frozen=True)
class Proposal:
    """A failover that waits for a person's approval.

    Attributes:
        incident_id: the incident that the approval must name.
        epoch: the epoch that it must name.
        loss_bound_seconds: what the failover may lose; None where the controller cannot say.
    """

    incident_id: str
    epoch: int
    loss_bound_seconds: float | None


@dataclass(frozen=True)
class LastLook:
    """A last look at the writer that has kept a failover from beginning.

    Attributes:
        at: when it was over.
        life: what it proved.
        found: what each site's probe found.
    """

    at: datetime
    life: str
    found: str


@dataclass(frozen=True)
class ControllerState:
    """The controller's state.

    Attributes:
        epoch: how many failovers there were.
        decision: its last decision.
        proposal: what it asks people to approve.
        last_look: the last look that kept a failover from beginning; None where none has.
    """

    epoch: int
    decision: Decision | None = None
    proposal: Proposal | None = None
    last_look: LastLook | None = None


@dataclass(frozen=True)
class RecordedFence:
    """What a fence-guard did last.

    Attributes:
        epoch: the epoch whose writer the fence protects.
        outcome: how the fence ended, in the guard's word.
        detail: what happened.
    """

    epoch: int
    outcome: str
    detail: str


def authority(system: LabSystem) -> Site:
    """The site whose controller acts, by the newest record; the recovery site where there is none."""
    record = _newest_record(system)
    return Site.RECOVERY if record is None else Site(record.get("authority", Site.RECOVERY))


def recorded_writer(system: LabSystem) -> Site | None:
    """The site whose database is the writer, by the newest record; None where there is none."""
    record = _newest_record(system)
    return None if record is None else Site(record["writer_site"])


def _newest_record(system: LabSystem) -> dict[str, Any] | None:
    """The controller's record of the highest epoch, or what its table began with; of one epoch, who has the say."""
    found = [
        (int(item.get("epoch", 0)), item.get("authority", Site.RECOVERY) == site, item)
        for site in Site
        for item in (_item(system, site, "controller") or _item(system, site, "birth"),)
        if item is not None
    ]
    return max(found, key=lambda each: each[:2])[2] if found else None


def controller_state(system: LabSystem) -> ControllerState | None:
    """The state of the controller that acts; None before its first run."""
    item = _item(system, authority(system), "controller")
    if item is None:
        return None
    decision, asked = item.get("decision"), item.get("proposal")
    proposal = None
    if asked is not None:
        loss = asked["loss_bound_seconds"]
        proposal = Proposal(asked["incident_id"], int(asked["epoch"]), None if loss is None else float(loss))
    looked = item.get("last_look")
    return ControllerState(
        int(item["epoch"]),
        None if decision is None else decision_of(decision),
        proposal,
        None if looked is None else LastLook(datetime.fromisoformat(looked["at"]), looked["life"], looked["found"]),
    )


def decision_of(recorded: Mapping[str, str]) -> Decision:
    """A decision as the controller records it, in its state and in an incident."""
    return Decision(recorded["action"], recorded["code"], recorded["reason"])


def incidents_since(system: LabSystem, started_at: Instant) -> tuple[Incident, ...]:
    """The incidents opened since a moment by either controller, oldest first."""
    incidents = []
    for site in Site:
        client: DynamoDBClient = system.client("dynamodb", system.target.region(site))
        pages = client.get_paginator("scan").paginate(
            TableName=system.target.automation[site].state_table_name, ConsistentRead=True
        )
        items = [plain(item) for page in pages for item in page["Items"]]
        incidents += [Incident.from_item(item) for item in items if str(item["id"]).startswith("incident#")]
    recent = [incident for incident in incidents if incident.opened_at.timestamp() >= started_at.wall]
    return tuple(sorted(recent, key=lambda incident: incident.opened_at))


def operator_order(system: LabSystem) -> Order | None:
    """The order on record for the controller that acts; None where nobody gave one."""
    item = _item(system, authority(system), "control")
    return None if item is None or item.get("order") is None else Order.from_item(item["order"])


def recorded_fence(system: LabSystem, site: Site) -> RecordedFence | None:
    """What the fence-guard of a site recorded, in the other site's table; None where it has recorded nothing yet."""
    item = _item(system, site.other, f"fence#{site.value}")
    return None if item is None else RecordedFence(int(item["epoch"]), item["outcome"], item["detail"])


def _item(system: LabSystem, site: Site, key: str) -> dict[str, Any] | None:
    client = system.client("dynamodb", system.target.region(site))
    return Items(client, system.target.automation[site].state_table_name).get(key)
