"""One scenario run on a running system, and the evidence gathered, also where the scenario could not be completed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg
from botocore.exceptions import BotoCoreError, ClientError

from drills.clients.client import Clients
from drills.clients.dns import NameNotResolvedError, NameWatch, ask
from drills.clients.given import Given
from drills.clients.others import Wanted
from drills.clients.routes import ByName, ByUri
from drills.clients.writes_table import make_empty_table, read_rows, takes_writes
from drills.clients.writing_client import Pace, RowNumbers, WritingClient
from drills.evidence import Evidence, ReadBack
from drills.instants import Instant
from drills.readiness import DATABASE_ERRORS, wait_for_replication, wait_until_ready
from drills.records.cloudwatch import alarm_changes, lag_samples
from drills.records.messages import Message, People
from drills.records.state_table import (
    ControllerState,
    controller_state,
    incidents_since,
    operator_order,
    recorded_fence,
)
from drills.scenario import Scenario
from drills.stage import Action, DrillNotReadyError, Progress, Stage
from drills.system import LabSystem
from shared.errors import SettingsError
from shared.sites import Site

STEADY_SECONDS = 5.0
LAST_MESSAGES_SECONDS = 1.0
# A client that waits for a silent host finds the new writer that much later.
LAST_CLIENT_SECONDS = 15.0
# One that keeps the old address as long as a JVM does, or has hung and is given up.
LAST_OTHER_SECONDS = 45.0

# What a broken system or an unexpected record can raise. Anything else is a defect in the drill itself.
ENDS_A_DRILL = (
    *DATABASE_ERRORS,
    DrillNotReadyError,
    NameNotResolvedError,
    SettingsError,
    BotoCoreError,
    ClientError,
    psycopg.Error,
    OSError,
    KeyError,
    ValueError,
)

Record = TypeVar("Record")


class Rehearsal:
    """One drill under way. It keeps what it has seen, so that a drill that stops half-way is reported too."""

    def __init__(self, system: LabSystem, progress: Progress, pace: Pace, others: Sequence[Wanted] = ()) -> None:
        self._system = system
        self._progress = progress
        self._pace = pace
        self._started_at = Instant.now()
        self._writer = Site.PRIMARY
        given, numbers = Given(system.target, system.dns_server, system.authority_file), RowNumbers()
        self._clients = Clients(
            WritingClient(ByName(given), numbers, pace),
            WritingClient(ByUri(given), numbers, pace),
            [other.client(given, block, pace) for block, other in enumerate(others, start=1)],
        )
        self._patience_seconds = LAST_OTHER_SECONDS if others else LAST_CLIENT_SECONDS
        self._watch = NameWatch(system.target.writer_name, system.dns_server)
        self._stage: Stage | None = None
        self._controller_before: ControllerState | None = None
        self._messages: tuple[Message, ...] = ()
        self._unfinished: list[str] = []

    def play(self, scenario: Scenario) -> Evidence:
        """Run the scenario and gather the evidence.

        Returns:
            All that is known; what could not be done or read is in its ``unfinished``.
        """
        try:
            self._writer = wait_until_ready(self._system, self._progress)
            with People(self._system) as people:
                try:
                    self._write_and_break(scenario)
                finally:
                    # The last messages may still be on their way to the queue.
                    time.sleep(LAST_MESSAGES_SECONDS)
                    self._messages = people.messages()
        except ENDS_A_DRILL as error:
            self._note("the drill", error)
        return self._evidence()

    def _write_and_break(self, scenario: Scenario) -> None:
        target = self._system.target
        make_empty_table(target, target.databases[self._writer].address)
        self._controller_before = controller_state(self._system)
        stage = Stage(self._system, self._clients, self._writer, self._started_at, self._progress)
        self._stage = stage
        self._watch.start()
        try:
            self._clients.start()
            stage.keep_writing(STEADY_SECONDS)
            wait_for_replication(stage, self._started_at.wall)
            scenario.run(stage)
            self._let_every_client_write(stage)
        finally:
            self._watch.stop()
            self._clients.stop()

    def _let_every_client_write(self, stage: Stage) -> None:
        """A scenario waits for the client with the name; another one may find the writer later."""
        since = Instant.now()
        stage.wait_until(
            "every client to write", lambda: self._clients.have_all_written_since(since), self._patience_seconds
        )

    def _evidence(self) -> Evidence:
        self._progress("reading the rows and the records")
        system, target = self._system, self._system.target
        addresses = {site: database.address for site, database in target.databases.items()}
        replica = target.databases[self._writer.other]
        since = self._started_at
        actions = () if self._stage is None else self._stage.actions
        fault = None if self._stage is None else self._stage.fault
        if fault is None:
            self._unfinished.append("nothing was broken")
        old_writer = self._read_back(addresses[self._writer])
        by_name, by_uri, *others = (client.history for client in self._clients.each)
        return Evidence(
            started_at=since,
            fault=Action(Instant.now(), "nothing was broken") if fault is None else fault,
            actions=actions,
            writer=self._writer,
            addresses=addresses,
            by_name=by_name,
            by_uri=by_uri,
            others=tuple(others),
            final_writer=self._final_writer(old_writer),
            old_writer=old_writer,
            name_changes=self._watch.changes,
            controller_before=self._controller_before,
            controller_after=self._read("the controller's state", lambda: controller_state(system), None),
            incidents=self._read("the incidents", lambda: incidents_since(system, since), ()),
            order=self._read("the operators' orders", lambda: operator_order(system), None),
            guard_fence=self._read("the fence-guard's record", lambda: recorded_fence(system, self._writer), None),
            alarm_changes=self._read("the alarms' history", lambda: alarm_changes(system, since.wall), ()),
            messages=self._messages,
            lag_samples=self._read(
                "the replica's lag", lambda: lag_samples(system, replica, since.wall, time.time()), ()
            ),
            versions=self._read("the versions", system.versions, {}),
            unfinished=tuple(self._unfinished),
            restoration=None if self._stage is None else self._stage.restoration,
            times_asked=self._watch.times_asked,
            longest_unwatched_seconds=self._watch.longest_gap_seconds,
            finished_at=Instant.now(),
        )

    def _final_writer(self, old_writer: ReadBack) -> ReadBack:
        """The rows of the server that the name points to, without any cache, which might still name the old one."""
        try:
            address = ask(self._system.target.writer_name, self._system.dns_server).address
        except NameNotResolvedError as error:
            return ReadBack("(no address)", None, None, str(error))
        return old_writer if address == old_writer.address else self._read_back(address)

    def _read_back(self, address: str) -> ReadBack:
        target = self._system.target
        try:
            return ReadBack(address, read_rows(target, address), takes_writes(target, address))
        except DATABASE_ERRORS as error:
            return ReadBack(address, None, None, f"{address} does not answer: {error}")

    def _read(self, what: str, look: Callable[[], Record], otherwise: Record) -> Record:
        try:
            return look()
        except ENDS_A_DRILL as error:
            self._note(f"reading {what}", error)
            return otherwise

    def _note(self, what: str, error: Exception) -> None:
        line = f"{what} ended early: {type(error).__name__}: {' '.join(str(error).split())}"
        self._unfinished.append(line)
        self._progress(line)
