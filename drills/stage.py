"""What a scenario acts on: the running system and the writing clients; notes what was done to the system, and when."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from drills.clients.client import Clients
from drills.instants import Instant
from drills.records.restoration import Restoration
from drills.records.state_table import controller_state, incidents_since
from drills.system import DatabaseServer, LabSystem
from function_runtime.incident import Phase
from lab.target import DeployedAutomation, DeployedDatabase
from shared.sites import Site

Progress = Callable[[str], None]

POLL_SECONDS = 0.1
SAY_AGAIN_SECONDS = 5.0
# More than most scenarios allow, so that the report says how long it really took.
FAILOVER_DEADLINE_SECONDS = 120.0
DECISION_DEADLINE_SECONDS = 60.0
WRITES_DEADLINE_SECONDS = 15.0
AFTER_FAILOVER_SECONDS = 4.0
CLOSED_DEADLINE_SECONDS = 40.0
AFTER_WRITES_RESUMED_SECONDS = 4.0


@dataclass(frozen=True)
class Action:
    """Something the drill did to the system."""

    at: Instant
    what: str


class DrillNotReadyError(Exception):
    """The system is not in the state that the drill, or its next step, requires: the drill ends there."""


class Stage:
    """A system in which clients write, ready to be broken.

    Attributes:
        system: what the drill runs on.
        clients: the clients that are writing.
        writer: the site whose database was the writer when the drill began.
        started_at: when the drill began.
    """

    def __init__(
        self, system: LabSystem, clients: Clients, writer: Site, started_at: Instant, progress: Progress
    ) -> None:
        self.system = system
        self.clients = clients
        self.writer = writer
        self.started_at = started_at
        self._progress = progress
        self._actions: list[Action] = []
        self._fault: Action | None = None
        self.restoration: Restoration | None = None
        """What was brought back from a snapshot; None where nothing was."""

    @property
    def writer_server(self) -> DatabaseServer:
        """The server that was the writer when the drill began."""
        return self.system.server(self.writer_database.region, self.writer_database.identifier)

    @property
    def replica_server(self) -> DatabaseServer:
        """The server that was its replica then."""
        return self.system.server(self.replica_database.region, self.replica_database.identifier)

    @property
    def writer_database(self) -> DeployedDatabase:
        """The database that was the writer when the drill began."""
        return self.system.target.databases[self.writer]

    @property
    def replica_database(self) -> DeployedDatabase:
        """The database that was its replica then."""
        return self.system.target.databases[self.writer.other]

    @property
    def controller(self) -> DeployedAutomation:
        """The automation beside that replica, whose controller acted when the drill began."""
        return self.system.target.automation[self.writer.other]

    @property
    def fault(self) -> Action | None:
        """The first thing that was broken; every time in the report counts from it."""
        return self._fault

    @property
    def actions(self) -> tuple[Action, ...]:
        """Everything the drill did, the fault included."""
        return tuple(self._actions)

    def say(self, line: str) -> None:
        """Tell the person watching."""
        self._progress(line)

    def break_it(self, what: str, action: Callable[[], None]) -> None:
        """Break something. The first call is the fault; its time is taken before the action, so no outage is missed."""
        self._note(what)
        if self._fault is None:
            self._fault = self._actions[-1]
        action()

    def do(self, what: str, action: Callable[[], object]) -> None:
        """Do something else to the system, such as repairing what was broken, and note it."""
        self._note(what)
        action()

    def keep_writing(self, seconds: float) -> None:
        """Let the client write on."""
        self.say(f"the client writes on for {seconds:g} s")
        time.sleep(seconds)

    def wait_for_failover(self, deadline_seconds: float = FAILOVER_DEADLINE_SECONDS) -> bool:
        """Wait for the other database to take writes through the writer's name, then for the incident to be closed.

        Returns:
            Whether the other database took writes in time.
        """
        began = Instant.now() if self._fault is None else self._fault.at
        old_address = self.writer_database.address

        def new_writer_acknowledged() -> bool:
            return self.clients.acknowledged_since(began, not_by=old_address) is not None

        if not self.wait_until("the other database to take writes", new_writer_acknowledged, deadline_seconds):
            self.say(f"not recovered within {deadline_seconds:g} s")
            return False
        first = self.clients.acknowledged_since(began, not_by=old_address)
        if first is not None:
            self.say(f"recovered: first write acknowledged after {first.finished_at.seconds_since(began):.1f} s")
        self.keep_writing(AFTER_FAILOVER_SECONDS)

        def closed() -> bool:
            incidents = incidents_since(self.system, self.started_at)
            return any(incident.phase is Phase.CLOSED for incident in incidents)

        # The incident is closed, and people are told, after the name has moved.
        if not self.wait_until("the incident to be closed", closed, CLOSED_DEADLINE_SECONDS):
            self.say(f"the incident is not closed within {CLOSED_DEADLINE_SECONDS:g} s")
        return True

    def wait_for_writes(self, deadline_seconds: float = WRITES_DEADLINE_SECONDS) -> None:
        """Wait until a write is acknowledged after this moment, then let the client write on for a while."""
        since = Instant.now()
        if not self.wait_until(
            "a write to be acknowledged", lambda: self.clients.acknowledged_since(since) is not None, deadline_seconds
        ):
            self.say(f"no write was acknowledged within {deadline_seconds:g} s")
        self.keep_writing(AFTER_WRITES_RESUMED_SECONDS)

    def wait_for_decision(self, *, action: str, codes: Collection[str] = ()) -> bool:
        """Wait until the controller has recorded a decision.

        Args:
            action: what the decision must be, such as ``alert``.
            codes: the rules it may come from; none where any will do.

        Returns:
            Whether it was recorded in time, and before an incident was opened.
        """

        what = f"{action} ({' or '.join(codes)})" if codes else action
        decided = False

        def settled() -> bool:
            nonlocal decided
            state = controller_state(self.system)
            decision = None if state is None else state.decision
            decided = decision is not None and decision.action == action and (not codes or decision.code in codes)
            return decided or bool(incidents_since(self.system, self.started_at))

        self.wait_until(f"the controller to decide: {what}", settled, DECISION_DEADLINE_SECONDS)
        self.say(f"the controller {'decided' if decided else 'did not decide'}: {what}")
        return decided

    def require(self, what: str, reached: Callable[[], bool], deadline_seconds: float) -> None:
        """Wait for something without which the drill makes no sense.

        Raises:
            DrillNotReadyError: it did not happen before the deadline.
        """
        if not self.wait_until(what, reached, deadline_seconds):
            raise DrillNotReadyError(f"the drill cannot go on: waited {deadline_seconds:g} s in vain for {what}")

    def wait_until(self, for_what: str, reached: Callable[[], bool], deadline_seconds: float) -> bool:
        """Wait until something has happened, and report now and then that the drill is waiting.

        Returns:
            Whether it happened before the deadline.
        """
        began = time.monotonic()
        say_at = began
        while not reached():
            now = time.monotonic()
            if now - began > deadline_seconds:
                return False
            if now >= say_at:
                self.say(f"waiting for {for_what} ({now - began:.0f} s)")
                say_at = now + SAY_AGAIN_SECONDS
            time.sleep(POLL_SECONDS)
        return True

    def _note(self, what: str) -> None:
        self._actions.append(Action(Instant.now(), what))
        self.say(what)
