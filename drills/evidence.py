"""Everything that is known after a drill; the checks and the report are derived from this alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from drills.clients.dns import Answer
from drills.clients.history import Attempt, ClientHistory
from drills.clients.writes_table import StoredRow
from drills.instants import Instant
from drills.records.cloudwatch import AlarmChange, LagSample
from drills.records.messages import Message
from drills.records.restoration import Restoration
from drills.records.state_table import ControllerState, LastLook, RecordedFence
from drills.stage import Action
from function_runtime.control import Order
from function_runtime.incident import Incident, Phase
from shared.sites import Site

PROMOTED_PHASES = (Phase.SHOWN, Phase.WRITES, Phase.PROMOTED, Phase.CLOSED)


@dataclass(frozen=True)
class ReportedLoss:
    """The data loss that the system itself reported.

    Attributes:
        rpo_seconds: at most so many seconds of acknowledged writes; None where it reported no bound.
        trouble_since: when the trouble began according to the system, seconds since 1970; None where it saw none.
        any_loss_accepted: whether an operator accepted a loss without a known bound. Ignored where a bound is reported.
    """

    rpo_seconds: float | None
    trouble_since: float | None
    any_loss_accepted: bool = False


@dataclass(frozen=True)
class Switch:
    """The switch from the old writer to the new one, as clients and the controller saw it.

    Attributes:
        at: when the name first resolved to the new address, the new writer first acknowledged a row, or the controller
            saw that it commits, whichever came first; seconds since 1970.
        old_writer_address: the server that must accept nothing from then on.
    """

    at: float
    old_writer_address: str


@dataclass(frozen=True)
class ReadBack:
    """What one server answered when it was asked for all rows.

    Attributes:
        address: the server.
        rows: all its rows; None where it did not answer.
        takes_writes: whether it is not in recovery; None where it did not answer.
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
        fault: what was broken first; times count from it.
        actions: everything the drill did, the fault included.
        writer: the site of the old writer.
        addresses: each site's database address.
        by_name: the history of the client that finds the writer by its name.
        by_uri: the history of the client that finds it by the multi-host URI.
        others: the histories of the clients that were set beside these two.
        final_writer: the rows of the server that the name pointed to at the end.
        old_writer: the rows of the old writer at the end.
        name_changes: the first DNS answer for the writer's name, and each that differed from the one before.
        controller_before: the controller's state before the fault; None where it had none yet.
        controller_after: the controller's state after the drill.
        incidents: incidents opened during the drill.
        order: the operator's last order; None where there is none.
        guard_fence: what the fence-guard of the old writer's site recorded; None where it recorded nothing.
        alarm_changes: state changes of the trigger and word alarms.
        messages: messages to people since the drill began.
        lag_samples: the replica's lag.
        versions: versions of what ran.
        restoration: what was brought back from a snapshot; None where nothing was.
        unfinished: what could not be done or read, and why; empty where the drill was completed.
        times_asked: how often the writer's name was answered.
        longest_unwatched_seconds: the longest time between two of these answers.
    """

    started_at: Instant
    finished_at: Instant
    fault: Action
    actions: tuple[Action, ...]
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
    order: Order | None
    guard_fence: RecordedFence | None
    alarm_changes: tuple[AlarmChange, ...]
    messages: tuple[Message, ...]
    lag_samples: tuple[LagSample, ...]
    versions: Mapping[str, str]
    unfinished: tuple[str, ...]
    others: tuple[ClientHistory, ...] = ()
    restoration: Restoration | None = None
    times_asked: int = 0
    longest_unwatched_seconds: float = 0.0

    @property
    def recovery_point_seconds(self) -> float | None:
        """How old the restored snapshot was when the data was lost; None where none was restored."""
        return None if self.restoration is None else self.fault.at.wall - self.restoration.data_of.timestamp()

    @property
    def recovery_time_seconds(self) -> float | None:
        """From a person's order to the first row read from the restored instance; None where none was restored."""
        restored = self.restoration
        return None if restored is None else restored.usable_at.seconds_since(restored.ordered_at)

    @property
    def old_address(self) -> str:
        """Address of the database that was the writer when the drill began."""
        return self.addresses[self.writer]

    @property
    def incident(self) -> Incident | None:
        """The incident that led to a promotion, else the last one."""
        for incident in self.incidents:
            if incident.phase in PROMOTED_PHASES:
                return incident
        return self.incidents[-1] if self.incidents else None

    @property
    def reported_loss(self) -> ReportedLoss:
        """The data loss that the system reported."""
        incident = self.incident
        if incident is None:
            return ReportedLoss(rpo_seconds=None, trouble_since=None)
        return ReportedLoss(
            rpo_seconds=incident.data_loss_seconds,
            trouble_since=incident.trouble_since.timestamp(),
            any_loss_accepted=self.unknown_loss_accepted_by is not None,
        )

    @property
    def unknown_loss_accepted_by(self) -> str | None:
        """The operator whose order for this incident accepts a loss without a known bound; None where there is none."""
        incident, order = self.incident, self.order
        if incident is None or order is None or order.incident_id != incident.incident_id:
            return None
        return order.by if order.accepts_unknown_loss else None

    @property
    def clients(self) -> tuple[ClientHistory, ...]:
        """The history of each client."""
        return self.by_name, self.by_uri, *self.others

    @property
    def judged(self) -> Evidence:
        """What the system is judged by: the clients with documented settings, and no row of any other."""
        left_out = [client for client in self.others if not client.is_documented]

        def without_them(read: ReadBack) -> ReadBack:
            rows = read.rows and tuple(row for row in read.rows if not any(client.owns(row.n) for client in left_out))
            return replace(read, rows=rows)

        if not left_out:
            return self
        return replace(
            self,
            others=tuple(client for client in self.others if client.is_documented),
            final_writer=without_them(self.final_writer),
            old_writer=without_them(self.old_writer),
        )

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The attempts of all clients, one client after the other."""
        return tuple(attempt for client in self.clients for attempt in client.attempts)

    @property
    def last_look(self) -> LastLook | None:
        """The last look that kept a failover from beginning in the drill; None where none did."""
        looked = None if self.controller_after is None else self.controller_after.last_look
        return None if looked is None or looked.at.timestamp() < self.started_at.wall else looked

    @property
    def probed_at(self) -> float | None:
        """When the controller saw that the new writer takes writes, seconds since 1970; None where it did not."""
        steps = () if self.incident is None else self.incident.steps
        done = [step.finished_at for step in steps if step.phase is Phase.WRITES and step.finished_at is not None]
        return done[0].timestamp() if done else None

    @property
    def promoted_at(self) -> float | None:
        """The same, or when the first client with documented settings saw it where that was earlier."""
        firsts = [self.first_acknowledged_by_new(client) for client in self.judged.clients]
        seen = [first.finished_at.wall for first in firsts if first is not None]
        return min([*seen, *([] if self.probed_at is None else [self.probed_at])], default=None)

    def first_acknowledged_by_new(self, client: ClientHistory) -> Attempt | None:
        """A client's first acknowledgement after the fault by another server than the old writer.

        Where the client does not say which of the two it was, it was another one if that took writes by then.
        """
        probed_at, known = self.probed_at, self.addresses.values()
        for attempt in client.acknowledged_after(self.fault.at, not_by=self.old_address):
            is_promoted = probed_at is not None and attempt.finished_at.wall >= probed_at
            if attempt.server_address in known or is_promoted:
                return attempt
        return None

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
        """The switch to the new writer; None where there was none."""
        firsts = [self.first_acknowledged_by_new(client) for client in self.clients]
        moments = [first.finished_at.wall for first in firsts if first is not None]
        if self.name_moved is not None:
            moments.append(self.name_moved.at.wall)
        if self.probed_at is not None:
            # From then on there are two writers where the old one accepts anything, whether or not clients see both.
            moments.append(self.probed_at)
        return Switch(at=min(moments), old_writer_address=self.old_address) if moments else None

    def at(self, moment: Instant | datetime | float) -> float:
        """Seconds from the fault to a moment; a bare number is seconds since 1970."""
        if isinstance(moment, Instant):
            return moment.seconds_since(self.fault.at)
        return (moment.timestamp() if isinstance(moment, datetime) else moment) - self.fault.at.wall
