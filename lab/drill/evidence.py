"""Everything a drill knows when it is over; what is judged, drawn and reported is derived from this alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lab.drill.cloudwatch_records import AlarmChange, LagSample
from lab.drill.history import Attempt, Outcome, ReportedLoss, StoredRow, Switch
from lab.drill.incidents import ControllerState, Incident
from lab.drill.instants import Instant
from lab.drill.names import Answer
from lab.drill.people import Message
from lab.drill.stage import Deed
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
        attempts: the client's history.
        final_writer: what the server behind the name in the end holds.
        old_writer: what the old writer holds in the end.
        name_changes: answers of the DNS server to the writer's name, each that differed from the one before.
        controller_before: the controller's state before the fault; None where it had none yet.
        controller_after: and after the drill.
        incidents: incidents opened during the drill.
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
    attempts: tuple[Attempt, ...]
    final_writer: ReadBack
    old_writer: ReadBack
    name_changes: tuple[Answer, ...]
    controller_before: ControllerState | None
    controller_after: ControllerState | None
    incidents: tuple[Incident, ...]
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
        return ReportedLoss(rpo_seconds=incident.data_loss_seconds, trouble_since=incident.trouble_since)

    @property
    def last_acknowledged_before(self) -> Attempt | None:
        """The last acknowledgement before the fault."""
        before = [
            attempt
            for attempt in self.attempts
            if attempt.outcome is Outcome.ACKNOWLEDGED and self.at(attempt.finished_at) <= 0
        ]
        return before[-1] if before else None

    @property
    def first_acknowledged_by_new(self) -> Attempt | None:
        """The first acknowledgement after the fault by another server than the old writer."""
        for attempt in self.attempts:
            if (
                attempt.outcome is Outcome.ACKNOWLEDGED
                and attempt.server_address != self.old_address
                and self.at(attempt.finished_at) > 0
            ):
                return attempt
        return None

    @property
    def name_moved(self) -> Answer | None:
        """The first answer after the fault with another address than the old writer's."""
        for answer in self.name_changes:
            if answer.address != self.old_address and self.at(answer.at) > 0:
                return answer
        return None

    @property
    def switch(self) -> Switch | None:
        """The move to the new writer as clients saw it: the name's answer or the first acknowledgement."""
        moments = []
        if self.name_moved is not None:
            moments.append(self.name_moved.at.wall)
        if self.first_acknowledged_by_new is not None:
            moments.append(self.first_acknowledged_by_new.finished_at.wall)
        return Switch(at=min(moments), old_writer_address=self.old_address) if moments else None

    def at(self, moment: Instant | float) -> float:
        """Seconds from the fault to a moment; a bare number is one of the wall clock."""
        if isinstance(moment, Instant):
            return moment.seconds_since(self.fault.at)
        return moment - self.fault.at.wall
