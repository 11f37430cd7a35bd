"""What a scenario acts on: the running system, the writing client, and the notes of what was done to whom and when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from lab.drill.client import WritingClient
from lab.drill.incidents import incidents_since
from lab.drill.instants import Instant
from lab.drill.system import DatabaseServer, LabSystem
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
    """The system was not in the state a drill starts from, so nothing was broken."""


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
        database = self.system.target.databases[self.writer]
        return self.system.server(database.region, database.identifier)

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
        old_address = self.system.target.databases[self.writer].address

        def new_writer_acknowledged() -> bool:
            return self.client.acknowledged_since(began, not_by=old_address) is not None

        recovered = self._wait("the other database to take writes", new_writer_acknowledged, deadline_seconds)
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

        return self._wait("the incident to be closed", closed, deadline_seconds)

    def _noted(self, what: str) -> Deed:
        deed = Deed(Instant.now(), what)
        self._deeds.append(deed)
        self.say(what)
        return deed

    def _wait(self, for_what: str, reached: Callable[[], bool], deadline_seconds: float) -> bool:
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
