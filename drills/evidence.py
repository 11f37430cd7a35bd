"""Everything a drill knows when it is over; what is judged, drawn and reported is derived from this alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drills.client_history import ClientHistory
from drills.cloudwatch_records import AlarmChange, LagSample
from drills.fences import RecordedFence
from drills.history import Attempt, ReportedLoss, StoredRow, Switch
from drills.incidents import ControllerState, Incident, OperatorOrder
from drills.instants import Instant
from drills.names import Answer
from drills.people import Message
from drills.stage import Deed
from shared.sites import Site

PROMOTED_PHASES = ("promoted", "verified", "switched", "closed")


@dataclass(frozen=True)
class ReadBack:
    """What one server answered when it was asked for all rows.

    Attributes:
        address: the server.
        rows: what it holds; None where it did not answer.
        takes_writes: whether it is a writer in its own eyes; None where it did not answer.
        why_not: why it did not answer; empty where it did.
    """

    address: str
    rows: tuple[StoredRow, ...] | None
    takes_writes: bool | None
    why_not: str = ""


@dataclass(frozen=True)
class Evidence:
    """The records of one drill.

    Attributes:
        started_at: when the drill began.
        finished_at: when everything had been read.
        fault: what was broken first.
        deeds: everything the drill did, the fault included.
        writer: the site of the old writer.
        addresses: each site's database address.
        by_name: the history of the client that finds the writer by its name.
        by_uri: the history of the client that finds it by the multi-host URI.
        final_writer: what the server behind the name in the end holds.
        old_writer: what the old writer holds in the end.
        name_changes: answers of the DNS server to the writer's name, each that differed from the one before.
        controller_before: the controller's state before the fault; None where it had none yet.
        controller_after: and after the drill.
        incidents: incidents opened during the drill.
        order: what an operator ordered last; None where nobody did.
        guard_fence: what the fence-guard of the old writer's site has recorded; None where it has nothing.
        alarm_changes: of the trigger and the latch alarm.
        messages: what people were told since the drill began.
        lag_samples: the replica's lag.
        versions: what ran.
        unfinished: what could not be done or read, and why; empty where the drill was played to its end.
    """

    started_at: Instant
    finished_at: Instant
    fault: Deed
    deeds: tuple[Deed, ...]
    writer: Site
    addresses: Mapping[Site, str]
    by_name: ClientHistory
    by_uri: ClientHistory
    final_writer: ReadBack
    old_writer: ReadBack
    name_changes: tuple[Answer, ...]
    controller_before: ControllerState | None
    controller_after: ControllerState | None
    incidents: tuple[Incident, ...]
    order: OperatorOrder | None
    guard_fence: RecordedFence | None
    alarm_changes: tuple[AlarmChange, ...]
    messages: tuple[Message, ...]
    lag_samples: tuple[LagSample, ...]
    versions: Mapping[str, str]
    unfinished: tuple[str, ...]

    @property
    def old_address(self) -> str:
        """Address of the database that was the writer when the drill began."""
        return self.addresses[self.writer]

    @property
    def incident(self) -> Incident | None:
        """The incident that went furthest: the promoted one, else the last."""
        for incident in self.incidents:
            if incident.phase in PROMOTED_PHASES:
                return incident
        return self.incidents[-1] if self.incidents else None

    @property
    def reported_loss(self) -> ReportedLoss:
        """What the system says was lost."""
        incident = self.incident
        if incident is None:
            return ReportedLoss(rpo_seconds=None, trouble_since=None)
        return ReportedLoss(
            rpo_seconds=incident.data_loss_seconds,
            trouble_since=incident.trouble_since,
            any_loss_accepted=self.unknown_loss_accepted_by is not None,
        )

    @property
    def unknown_loss_accepted_by(self) -> str | None:
        """The operator whose order for this incident accepts a loss that nobody can bound; None where there is none."""
        incident, order = self.incident, self.order
        if incident is None or order is None or order.incident_id != incident.incident_id:
            return None
        return order.by if order.accepts_unknown_loss else None

    @property
    def clients(self) -> tuple[ClientHistory, ...]:
        """The history of each client."""
        return self.by_name, self.by_uri

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What all clients tried; each client's in order, one client after the other."""
        return tuple(attempt for client in self.clients for attempt in client.attempts)

    def first_acknowledged_by_new(self, client: ClientHistory) -> Attempt | None:
        """A client's first acknowledgement after the fault by another server than the old writer."""
        after = client.acknowledged_after(self.fault.at, not_by=self.old_address)
        return after[0] if after else None

    def rto_seconds(self, client: ClientHistory) -> float | None:
        """From the fault to a client's first acknowledgement by another server; None where there is none."""
        first = self.first_acknowledged_by_new(client)
        return None if first is None else self.at(first.finished_at)

    @property
    def name_moved(self) -> Answer | None:
        """The first answer after the fault with another address than the old writer's."""
        for answer in self.name_changes:
            if answer.address != self.old_address and self.at(answer.at) > 0:
                return answer
        return None

    @property
    def switch(self) -> Switch | None:
        """The move to the new writer as clients saw it: the name's answer or any client's first acknowledgement."""
        firsts = [self.first_acknowledged_by_new(client) for client in self.clients]
        moments = [first.finished_at.wall for first in firsts if first is not None]
        if self.name_moved is not None:
            moments.append(self.name_moved.at.wall)
        return Switch(at=min(moments), old_writer_address=self.old_address) if moments else None

    def at(self, moment: Instant | float) -> float:
        """Seconds from the fault to a moment; a bare number is one of the wall clock."""
        if isinstance(moment, Instant):
            return moment.seconds_since(self.fault.at)
        return moment - self.fault.at.wall
