"""What a scenario acts on: the running system, the writing client, and the notes of what was done to whom and when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from drills.client import WritingClient
from drills.incidents import Decision, controller_state, incidents_since
from drills.instants import Instant
from drills.system import DatabaseServer, LabSystem
from lab.target import DeployedDatabase
from shared.sites import Site

Progress = Callable[[str], None]

POLL_SECONDS = 0.1
SAY_AGAIN_SECONDS = 5.0


@dataclass(frozen=True)
class Deed:
    """Something the drill did to the system."""

    at: Instant
    what: str


class DrillNotReadyError(Exception):
    """The system is not in a state that the drill presumes, at its start or between two of its deeds: it ends there."""


class Stage:
    """A system in which a client writes, ready to be broken.

    Attributes:
        system: what the drill runs on.
        client: the client that is writing.
        writer: the site whose database was the writer when the drill began.
        started_at: when the drill began.
    """

    def __init__(
        self, system: LabSystem, client: WritingClient, writer: Site, started_at: Instant, progress: Progress
    ) -> None:
        self.system = system
        self.client = client
        self.writer = writer
        self.started_at = started_at
        self._progress = progress
        self._deeds: list[Deed] = []
        self._fault: Deed | None = None

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
    def fault(self) -> Deed | None:
        """The first thing that was broken; every time of the report counts from it."""
        return self._fault

    @property
    def deeds(self) -> tuple[Deed, ...]:
        """Everything the drill did, the fault included."""
        return tuple(self._deeds)

    def say(self, line: str) -> None:
        """Tell the person watching."""
        self._progress(line)

    def break_it(self, what: str, action: Callable[[], None]) -> None:
        """Break something. The first call is the fault, dated before the action: an outage is not counted short."""
        deed = self._noted(what)
        if self._fault is None:
            self._fault = deed
        action()

    def do(self, what: str, action: Callable[[], None]) -> Deed:
        """Do something else to the system, such as repairing what was broken, and note it."""
        deed = self._noted(what)
        action()
        return deed

    def keep_writing(self, seconds: float) -> None:
        """Let the client write on."""
        self.say(f"the client writes on for {seconds:g} s")
        time.sleep(seconds)

    def wait_for_new_writer(self, deadline_seconds: float) -> bool:
        """Wait until another server than the old writer acknowledged a row through the writer's name.

        Returns:
            Whether one did before the deadline.
        """
        began = Instant.now() if self._fault is None else self._fault.at
        old_address = self.writer_database.address

        def new_writer_acknowledged() -> bool:
            return self.client.acknowledged_since(began, not_by=old_address) is not None

        recovered = self.wait_until("the other database to take writes", new_writer_acknowledged, deadline_seconds)
        if recovered:
            first = self.client.acknowledged_since(began, not_by=old_address)
            if first is not None:
                self.say(f"recovered: first write acknowledged after {first.finished_at.seconds_since(began):.1f} s")
        else:
            self.say(f"not recovered within {deadline_seconds:g} s")
        return recovered

    def wait_for_incident_closed(self, deadline_seconds: float) -> bool:
        """Wait until the controller has closed an incident of this drill.

        Returns:
            Whether it did before the deadline.
        """

        def closed() -> bool:
            incidents = incidents_since(self.system, self.started_at)
            return any(incident.phase == "closed" for incident in incidents)

        return self.wait_until("the incident to be closed", closed, deadline_seconds)

    def wait_for_decision(self, deadline_seconds: float, *, action: str, code: str | None = None) -> Decision | None:
        """Wait until the controller has recorded a decision.

        Args:
            deadline_seconds: how long to wait.
            action: what it must be: ``alert``, for one.
            code: the rule that must have decided; None where any may.

        Returns:
            The decision; None where the last one recorded before the deadline was another, or where an incident was
            opened meanwhile, after which the decision that is waited for is not to be expected.
        """
        found: list[Decision] = []

        def settled() -> bool:
            state = controller_state(self.system)
            decision = None if state is None else state.decision
            if decision is not None and decision.action == action and code in (None, decision.code):
                found.append(decision)
            return bool(found or incidents_since(self.system, self.started_at))

        what = action if code is None else f"{action} ({code})"
        self.wait_until(f"the controller to decide: {what}", settled, deadline_seconds)
        for decision in found:
            self.say(f"the controller decided: {decision.action} ({decision.code}): {decision.reason}")
            return decision
        self.say(f"the controller did not decide {what} within {deadline_seconds:g} s")
        return None

    def require(self, what: str, reached: Callable[[], bool], deadline_seconds: float) -> None:
        """Wait for something without which the scenario means nothing.

        Raises:
            DrillNotReadyError: it was not so before the deadline.
        """
        if not self.wait_until(what, reached, deadline_seconds):
            raise DrillNotReadyError(f"the drill cannot go on: {what} was waited for in vain ({deadline_seconds:g} s)")

    def wait_until(self, for_what: str, reached: Callable[[], bool], deadline_seconds: float) -> bool:
        """Wait until something is so, and say now and then that it is waited for.

        Returns:
            Whether it was so before the deadline.
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

    def _noted(self, what: str) -> Deed:
        deed = Deed(Instant.now(), what)
        self._deeds.append(deed)
        self.say(what)
        return deed
