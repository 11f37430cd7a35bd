"""One drill from beginning to end: wait until the system is ready, write, break, wait, read back, judge, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lab.drill.client import Pace, WritingClient
from lab.drill.cloudwatch_records import alarm_changes, alarm_state, lag_samples
from lab.drill.connection import ConnectionLostError, NotConnectedError, StatementRefusedError
from lab.drill.evidence import Evidence
from lab.drill.html import page_of
from lab.drill.incidents import ControllerState, controller_state, incidents_since
from lab.drill.instants import Instant
from lab.drill.names import NameNotResolvedError, NameWatch, ask
from lab.drill.people import People
from lab.drill.report import DrillReport, report_of
from lab.drill.scenario import Scenario
from lab.drill.scenarios import scenario_named
from lab.drill.stage import DrillNotReadyError, Progress, Stage
from lab.drill.system import LabSystem
from lab.drill.writes_table import make_empty_table
from shared.sites import Site

READY_DEADLINE_SECONDS = 60.0
STEADY_SECONDS = 5.0
POLL_SECONDS = 0.2
LAST_MESSAGES_SECONDS = 1.0
DATABASE_ERRORS = (NotConnectedError, StatementRefusedError, ConnectionLostError)


def run_drill(
    system: LabSystem, scenario_name: str, report_dir: Path, progress: Progress, pace: Pace | None = None
) -> DrillReport:
    """Run one drill and write ``drill-<scenario>.json`` and ``.html`` into the directory.

    Args:
        system: what to break; it stays broken.
        scenario_name: which scenario.
        report_dir: made where it does not exist.
        progress: called with a short line for each thing that happens.
        pace: how the client writes; 20 rows a second by default.

    Raises:
        SettingsError: there is no such scenario; nothing was touched.
        DrillNotReadyError: the system did not become ready; nothing was broken.
    """
    scenario = scenario_named(scenario_name)
    started_at = Instant.now()
    writer = _wait_until_ready(system, progress)
    with People(system) as people:
        evidence = _rehearse(system, scenario, writer, started_at, progress, pace or Pace(), people)
    report = report_of(scenario, evidence)
    report_dir.mkdir(parents=True, exist_ok=True)
    report.write_json(report_dir / f"drill-{scenario.name}.json")
    page = report_dir / f"drill-{scenario.name}.html"
    page.write_text(page_of(report), encoding="utf-8")
    progress(f"{'passed' if report.passed else 'FAILED'}: {report.verdict}")
    progress(f"report: {page}")
    return report


def _rehearse(
    system: LabSystem,
    scenario: Scenario,
    writer: Site,
    started_at: Instant,
    progress: Progress,
    pace: Pace,
    people: People,
) -> Evidence:
    target = system.target
    make_empty_table(target, target.databases[writer].address)
    controller_before = controller_state(system)
    client = WritingClient(target, system.dns_server, pace)
    watch = NameWatch(target.writer_name, system.dns_server)
    stage = Stage(system, client, writer, started_at, progress)
    watch.start()
    client.start()
    try:
        stage.keep_writing(STEADY_SECONDS)
        _wait_for_replication(stage)
        scenario.run(stage)
    finally:
        client.stop()
        watch.stop()
    fault = stage.fault
    if fault is None:
        raise DrillNotReadyError(f"scenario {scenario.name} broke nothing: there is nothing to judge")
    progress("reading back what is there, and what was recorded")
    # What was published last is still on its way to the queue.
    time.sleep(LAST_MESSAGES_SECONDS)
    addresses: Mapping[Site, str] = {site: database.address for site, database in target.databases.items()}
    return Evidence(
        started_at=started_at,
        fault=fault,
        deeds=stage.deeds,
        writer=writer,
        addresses=addresses,
        attempts=client.attempts,
        final_writer=_read_back(system, _final_address(system, addresses[writer])),
        old_writer=_read_back(system, addresses[writer]),
        name_changes=watch.changes,
        controller_before=controller_before,
        controller_after=controller_state(system),
        incidents=incidents_since(system, started_at),
        alarm_changes=alarm_changes(system, started_at.wall),
        messages=_messages(people),
        lag_samples=lag_samples(system, target.databases[writer.other], started_at.wall, time.time()),
        versions=system.versions(),
        finished_at=Instant.now(),
    )


def _wait_until_ready(system: LabSystem, progress: Progress) -> Site:
    """Wait for what a fault presumes: a writer under the name, a calm alarm, a controller that ran, a measured lag."""
    target = system.target
    progress("waiting for a calm system")

    def writer() -> Site | None:
        try:
            address = ask(target.writer_name, system.dns_server).address
        except NameNotResolvedError:
            return None
        return next((site for site, database in target.databases.items() if database.address == address), None)

    site = _until(f"the name {target.writer_name} answers with the address of one of the databases", writer)
    _until(
        f"alarm {target.trigger_alarm_name} is OK", lambda: alarm_state(system, target.trigger_alarm_name) == "OK" or None
    )
    _until("the controller has run and recorded its state", lambda: _controller(system))
    replica = target.databases[site.other]
    _until(
        f"the lag of {replica.identifier} is measured",
        lambda: lag_samples(system, replica, time.time() - READY_DEADLINE_SECONDS, time.time()) or None,
    )
    progress(f"ready: the writer is in the {site} site")
    return site


def _controller(system: LabSystem) -> ControllerState | None:
    state = controller_state(system)
    return state if state is not None else None


def _until[T](what: str, look: Callable[[], T | None]) -> T:
    raise NotImplementedError
