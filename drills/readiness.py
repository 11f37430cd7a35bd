"""What must hold before a fault: the name points to a writer, no alarm, the controller has run, replication works."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from drills.clients.connection import ConnectionLostError, NotConnectedError, StatementRefusedError
from drills.clients.dns import NameNotResolvedError, ask
from drills.clients.writes_table import newest_row
from drills.records.cloudwatch import alarm_state, lag_samples
from drills.records.state_table import authority, controller_state, recorded_writer
from drills.stage import DrillNotReadyError, Progress, Stage
from drills.system import LabSystem
from shared.sites import Site

READY_DEADLINE_SECONDS = 60.0
# A sample's minute, its delay, and the next sample.
LAG_DEADLINE_SECONDS = 30.0
POLL_SECONDS = 0.2
DATABASE_ERRORS = (NotConnectedError, StatementRefusedError, ConnectionLostError)

Found = TypeVar("Found")


def wait_until_ready(system: LabSystem, progress: Progress) -> Site:
    """Wait until the system is in the normal state that a drill starts from.

    Returns:
        The site whose database the writer's name answers with.

    Raises:
        DrillNotReadyError: it did not reach that state in time.
    """
    target = system.target
    progress("waiting until the system is ready")
    site = _until(
        f"the name {target.writer_name} answers with the address of the writer on record",
        lambda: _writer_behind_the_name(system),
        READY_DEADLINE_SECONDS,
    )
    _until("the controller has run and recorded its state", lambda: controller_state(system), READY_DEADLINE_SECONDS)
    here = authority(system)
    trigger = target.automation[here].trigger_alarm_name
    _until(
        f"alarm {trigger} is OK",
        lambda: True if alarm_state(system, here, trigger) == "OK" else None,
        READY_DEADLINE_SECONDS,
    )
    progress(f"ready: the writer is in the {site} site")
    return site


def wait_for_replication(stage: Stage, began_at: float) -> None:
    """Wait until the client's rows arrive at the other site's database, and its lag is measured.

    Args:
        stage: its client is writing.
        began_at: lag measured earlier does not count; seconds since 1970.

    Raises:
        DrillNotReadyError: no rows arrive, or the lag is not measured.
    """
    target = stage.system.target
    replica = target.databases[stage.writer.other]

    def newest() -> int | None:
        try:
            n = newest_row(target, replica.address)
        except DATABASE_ERRORS:
            return None  # The table itself has not arrived there yet.
        return n if n > 0 else None

    n = _until(f"the replica {replica.identifier} holds rows of this drill", newest, READY_DEADLINE_SECONDS)
    # Without a lag from before the fault, the controller cannot say how much may be lost.
    _until(
        f"the lag of {replica.identifier} is measured",
        lambda: lag_samples(stage.system, replica, began_at, time.time()) or None,
        LAG_DEADLINE_SECONDS,
    )
    stage.say(f"replication works: row {n} has reached the {stage.writer.other} site")


def _writer_behind_the_name(system: LabSystem) -> Site | None:
    try:
        address = ask(system.target.writer_name, system.dns_server).address
    except NameNotResolvedError:
        return None
    writer = recorded_writer(system)
    return writer if writer is not None and system.target.databases[writer].address == address else None


def _until(what: str, look: Callable[[], Found | None], deadline_seconds: float) -> Found:
    began = time.monotonic()
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() - began > deadline_seconds:
            raise DrillNotReadyError(f"the system is not ready: waited {deadline_seconds:g} s in vain until {what}")
        time.sleep(POLL_SECONDS)
