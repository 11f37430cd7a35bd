"""The state table: written with conditions only, so that of two runs that meet one stops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from function_runtime import handover
from function_runtime.control import CONTROL, Control
from function_runtime.handover import Handover
from function_runtime.history import History
from function_runtime.incident import Incident, item_id
from function_runtime.items import AnotherRunIsAtWorkError, Items
from function_runtime.message import Message
from function_runtime.sites import Site
from function_runtime.taken import TAKEN, Taken
from function_runtime.trouble import Trouble, Unready

BIRTH = "birth"
"""Written by the program that made the table, and never by a function: who the writer was then."""
CONTROLLER = "controller"
UNHEARD = "unheard"
LOST = "lost"
OBSERVING = "observing"
NEVER = datetime.min.replace(tzinfo=UTC)


class NoRecordError(LookupError):
    """The table has neither a record nor the note of its birth: it is lost, for every table is born with one."""


class ControlUnreadableError(Exception):
    """What people have told the controller cannot be read."""


@dataclass(frozen=True)
class Proposal:
    """A failover that waits for a person's approval.

    Attributes:
        incident_id: what the approval must name.
        epoch: what it must name too.
        code: why people are asked.
        loss_bound_seconds: what it may lose, None where nobody can say.
    """

    incident_id: str
    epoch: int
    code: str
    loss_bound_seconds: float | None

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {
            "incident_id": self.incident_id,
            "epoch": self.epoch,
            "code": self.code,
            "loss_bound_seconds": self.loss_bound_seconds,
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Proposal:
        """From the state table."""
        loss = item["loss_bound_seconds"]
        return cls(item["incident_id"], int(item["epoch"]), item["code"], None if loss is None else float(loss))


@dataclass(frozen=True)
class Controller:
    """What the system knows about itself.

    Attributes:
        version: grows with each write; 0 before the first.
        epoch: counts failovers.
        writer_site: whose database takes writes.
        switching_to: the site whose database is becoming the writer, to which the writer's name moves meanwhile.
        incident_id: the failover that is under way.
        trouble: the trouble the writer is in.
        unready: what is wrong although the writer is well.
        last_closed_at: when the last failover closed.
        last_incident_id: the incident that closed last.
        proposal: what people are asked to approve: incident, epoch, and the loss it would mean.
        replicated_until: the last moment at which the replica had everything, kept while its lag alone looks too high.
        decision: action, code and reason of the last decision; the reason as it was when the code came up.
        owes_opening: the incident that was taken back and could not open the writer to its clients again.
        let_in_at: when the writer's clients were last let in again; what failed before was our own fence.
        adopted_by: who said who the writer is; then the other database may be no replica, and must be shut.
        heeded_at: when the last instruction that was carried out was given.
        authority: the site whose controller acts, as far as this table knows.
        handover: the handover of authority that is under way, in the giver's table.
        owes_telling: whether the other site's table is to be told of an adoption.
        authority_since: when this site's controller got the authority, in the table that gives it; None: from birth.
        order_dropped: when the order was given that was dropped because it is older than that.
        last_look: when a last look has kept a failover from being opened, and what it found.
    """

    version: int = 0
    epoch: int = 0
    writer_site: Site = Site.PRIMARY
    switching_to: Site | None = None
    incident_id: str | None = None
    trouble: Trouble | None = None
    unready: Unready | None = None
    last_closed_at: datetime | None = None
    last_incident_id: str | None = None
    proposal: Proposal | None = None
    replicated_until: datetime | None = None
    decision: Mapping[str, str] | None = None
    owes_opening: str | None = None
    let_in_at: datetime | None = None
    adopted_by: str | None = None
    heeded_at: datetime | None = None
    authority: Site = Site.RECOVERY
    handover: Handover | None = None
    owes_telling: bool = False
    authority_since: datetime | None = None
    order_dropped: datetime | None = None
    last_look: Mapping[str, str] | None = None

    @property
    def named_site(self) -> Site:
        """The site that the writer's name is to lead to."""
        return self.writer_site if self.switching_to is None else self.switching_to

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        fields = {
            "id": CONTROLLER,
            "version": self.version,
            "epoch": self.epoch,
            "writer_site": self.writer_site.value,
            "switching_to": None if self.switching_to is None else self.switching_to.value,
            "incident_id": self.incident_id,
            "trouble": None if self.trouble is None else self.trouble.as_item(),
            "unready": None if self.unready is None else self.unready.as_item(),
            "last_closed_at": _text(self.last_closed_at),
            "last_incident_id": self.last_incident_id,
            "proposal": None if self.proposal is None else self.proposal.as_item(),
            "replicated_until": _text(self.replicated_until),
            "decision": None if self.decision is None else dict(self.decision),
            "owes_opening": self.owes_opening,
            "let_in_at": _text(self.let_in_at),
            "adopted_by": self.adopted_by,
            "heeded_at": _text(self.heeded_at),
            "authority": self.authority.value,
            "handover": None if self.handover is None else self.handover.as_item(),
            "owes_telling": self.owes_telling or None,
            "authority_since": _text(self.authority_since),
            "order_dropped": _text(self.order_dropped),
            "last_look": None if self.last_look is None else dict(self.last_look),
        }
        return {name: value for name, value in fields.items() if value is not None}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Controller:
        """From the state table."""
        trouble, unready, proposal = item.get("trouble"), item.get("unready"), item.get("proposal")
        handing_over = item.get("handover")
        return cls(
            version=int(item["version"]),
            epoch=int(item["epoch"]),
            writer_site=Site(item["writer_site"]),
            # A record of an older version has none.
            switching_to=Site(item["switching_to"]) if "switching_to" in item else None,
            incident_id=item.get("incident_id"),
            trouble=None if trouble is None else Trouble.from_item(trouble),
            unready=None if unready is None else Unready.from_item(unready),
            last_closed_at=_moment(item.get("last_closed_at")),
            last_incident_id=item.get("last_incident_id"),
            proposal=None if proposal is None else Proposal.from_item(proposal),
            replicated_until=_moment(item.get("replicated_until")),
            decision=item.get("decision"),
            owes_opening=item.get("owes_opening"),
            let_in_at=_moment(item.get("let_in_at")),
            adopted_by=item.get("adopted_by"),
            heeded_at=_moment(item.get("heeded_at")),
            # A record from before there was another controller has none.
            authority=Site(item.get("authority", Site.RECOVERY)),
            handover=None if handing_over is None else Handover.from_item(handing_over),
            owes_telling=item.get("owes_telling", False),
            authority_since=_moment(item.get("authority_since")),
            order_dropped=_moment(item.get("order_dropped")),
            last_look=item.get("last_look"),
        )


@dataclass(frozen=True)
class Unheard:
    """The item ``unheard``: messages that no topic took.

    Attributes:
        version: grows with each write; 0 before the first.
        messages: oldest first.
    """

    version: int = 0
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Observing:
    """The item ``observing``: which run looks at a writer in trouble.

    Attributes:
        version: grows with each write; 0 before the first.
        owner: the run.
        until: after that another run may look.
    """

    version: int = 0
    owner: str = ""
    until: datetime = NEVER


class State:
    """The table.

    Every write raises ``AnotherRunIsAtWorkError`` where the item is no longer what was read.

    Args:
        client: DynamoDB's client in the table's region.
        table: the table's name.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._items = Items(client, table)

    def written(self) -> Controller | None:
        """The recorded state, None before the first write."""
        item = self._items.get(CONTROLLER)
        return None if item is None else Controller.from_item(item)

    def controller(self) -> Controller:
        """The recorded state; before the first write it is as at the table's birth.

        Raises:
            NoRecordError: there is neither.
        """
        written = self.written()
        if written is not None:
            return written
        birth = self._items.get(BIRTH)
        if birth is None:
            raise NoRecordError(f"table {self._items.table} has no item {CONTROLLER} and no item {BIRTH}: it is lost")
        return Controller(writer_site=Site(birth["writer_site"]), authority=Site(birth["authority"]))

    def save_controller(self, controller: Controller) -> Controller:
        """Write it over the version it was read in; returns it with its new version."""
        written = replace(controller, version=controller.version + 1)
        self._items.put(written.as_item(), controller.version)
        return written

    def control(self) -> Control:
        """What people have told the controller.

        Raises:
            ControlUnreadableError: it is not what the operators' commands write.
        """
        item = self._items.get(CONTROL)
        if item is None:
            return Control()
        try:
            return Control.from_item(item)
        except (KeyError, TypeError, ValueError) as error:
            raise ControlUnreadableError(
                f"item {CONTROL} of table {self._items.table} = {item}: {error!r}; write it anew with `nox -s resume`"
            ) from error

    def incident(self, incident_id: str) -> Incident:
        """The incident.

        Raises:
            LookupError: the table does not have it.
        """
        item = self._items.get(item_id(incident_id))
        if item is None:
            raise LookupError(
                f"{item_id(incident_id)} = (not in table {self._items.table}): restore the items from a point in time "
                "when the table had it"
            )
        return Incident.from_item(item)

    def history(self) -> History:
        """Every incident and every handover on record, and how the authority was last got."""
        items = self._items.beginning_with(item_id(""), handover.item_id(), TAKEN)
        incidents = [Incident.from_item(item) for item in items if item["id"].startswith(item_id(""))]
        handovers = [Handover.from_item(item) for item in items if item["id"].startswith(handover.item_id())]
        return History(
            sorted(incidents, key=lambda incident: (incident.epoch, incident.opened_at)),
            sorted(handovers, key=lambda each: each.epoch),
            next((Taken.from_item(item) for item in items if item["id"] == TAKEN), None),
        )

    def save_taken(self, taken: Taken) -> None:
        """Write it over the version it was read in."""
        self._items.put(replace(taken, version=taken.version + 1).as_item(), taken.version)

    def save_handover(self, given: Handover) -> None:
        """Write its history: first when it is given up, again when the other site has taken it."""
        version = 1 if given.taken_at is None else 2
        self._items.put({"id": handover.item_id(given.epoch), "version": version, **given.as_item()}, 0, 1, version)

    def unheard(self) -> Unheard:
        """What people have not been told yet, though they must be."""
        item = self._items.get(UNHEARD)
        if item is None:
            return Unheard()
        return Unheard(int(item["version"]), tuple(Message(each["subject"], each["text"]) for each in item["messages"]))

    def save_unheard(self, unheard: Unheard) -> Unheard:
        """Write it over the version it was read in; returns it with its new version."""
        written = replace(unheard, version=unheard.version + 1)
        messages = [{"subject": each.subject, "text": each.text} for each in written.messages]
        self._items.put({"id": UNHEARD, "version": written.version, "messages": messages}, unheard.version)
        return written

    def observing(self) -> Observing:
        """Which run looks at a writer in trouble, or did last."""
        item = self._items.get(OBSERVING)
        if item is None:
            return Observing()
        return Observing(int(item["version"]), item["owner"], datetime.fromisoformat(item["until"]))

    def save_observing(self, observing: Observing) -> Observing:
        """Write it over the version it was read in; returns it with its new version."""
        written = replace(observing, version=observing.version + 1)
        item = {"id": OBSERVING, "version": written.version, "owner": written.owner, "until": _text(written.until)}
        try:
            self._items.put(item, observing.version)
        except AnotherRunIsAtWorkError:
            # As with an incident: the SDK's second try may meet the result of its first.
            if self.observing() != written:
                raise
        return written

    def told_of_loss(self) -> datetime | None:
        """When people were last told that the state is lost."""
        item = self._items.get(LOST)
        return None if item is None else datetime.fromisoformat(item["told_at"])

    def save_told_of_loss(self, at: datetime) -> None:
        """Keep when people were told that the state is lost."""
        item = self._items.get(LOST)
        version = 0 if item is None else int(item["version"])
        self._items.put({"id": LOST, "version": version + 1, "told_at": at.isoformat()}, version)

    def create_incident(self, incident: Incident) -> Incident:
        """Write a new incident.

        One of the same epoch may be there that a run left behind before the controller pointed to it: until its first
        step is written it binds nobody.
        """
        self._items.put(incident.as_item(), 0, 1)
        return incident

    def save_incident(self, incident: Incident) -> Incident:
        """Write it over the version it was read in; returns it with its new version."""
        written = replace(incident, version=incident.version + 1)
        try:
            self._items.put(written.as_item(), incident.version)
        except AnotherRunIsAtWorkError:
            # The answer to a write may be lost, and the SDK's second try meet its own result: its owner tells.
            if self.incident(incident.incident_id) != written:
                raise
        return written


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
