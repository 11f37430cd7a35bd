"""``nox -s pause`` and ``resume``."""

from __future__ import annotations

from failover.policy import Mode
from function_runtime import words
from function_runtime.control import Pause
from function_runtime.state import ControlUnreadableError
from operations import status_text
from operations.access import Access
from operations.console import Console
from operations.controller import Controller
from operations.errors import NoReportError, RefusedError
from operations.exit_codes import DONE, REFUSED
from operations.held import wait_until_held
from operations.requests import PauseRequest


def pause(request: PauseRequest, access: Access, console: Console) -> int:
    """Let no failover begin.

    Returns:
        0.

    Raises:
        RefusedError: somebody has paused already, or the pause could not be written.
        ControlUnreadableError: what is on record is damaged.
    """
    item = access.control
    control = item.read()
    now = console.now()
    if control.pause is not None:
        raise RefusedError(
            "mode", words.pause(control.pause, now), "nothing was changed; that pause holds until nox -s resume"
        )
    control = item.write(control.with_pause(Pause(access.by, now, request.reason)))
    console.say(
        [
            f"Paused by {access.by} at {words.moment(now)}: {request.reason}",
            "  The controller observes and reports as before. No failover begins, whatever happens to the writer.",
            "  A failover under way is held before its promotion; a planned one is taken back. Once RDS was asked to",
            "  promote, it is completed.",
            "  The pause holds until nox -s resume.",
        ]
    )
    try:
        report = Controller(access).report()
    except NoReportError as error:
        console.say([f"The pause is on record. Whether a failover is under way is not known: {error}"])
        return DONE
    order = control.order
    if order is not None and order.is_for(report.incident_id, report.next_epoch, report.at):
        console.say(["An order is on record. It is not carried out while failovers are paused:"])
        console.say(words.indented(words.order(order, report.at)))
    if report.incident is None:
        console.say(["No failover is under way."])
    else:
        console.say(wait_until_held(Controller(access), console, report))
    return DONE


def resume(access: Access, console: Console) -> int:
    """Let failovers happen again.

    Returns:
        0; 1 if failovers are still paused.

    Raises:
        RefusedError: it could not be written.
    """
    item = access.control
    now = console.now()
    try:
        control = item.read()
    except ControlUnreadableError as error:
        item.write_anew()
        console.say([f"Replaced by an empty item, without pause and order, because it was unreadable: {error}"])
    else:
        if control.pause is None:
            console.say(["Failovers are not paused. Nothing was changed."])
        else:
            item.write(control.with_pause(None))
            console.say([f"Resumed by {access.by}.", f"It was {words.pause(control.pause, now)}"])
    try:
        report = Controller(access).report()
    except NoReportError as error:
        console.say([f"What the controller decides now is not known: {error}"])
        return DONE
    if report.mode is Mode.PAUSED:
        said = "by the dr-automation layer's setting mode" if report.pause is None else "by somebody else since"
        console.say([f"Failovers are still paused, {said}. See nox -s status."])
        return REFUSED
    rows = [("mode", [status_text.mode(report)]), ("decision now", status_text.decision(report))]
    if report.order is not None:
        rows.append(("order on record", status_text.order(report.order, report.at, report.next_epoch)))
    console.say(words.rows(rows))
    if report.incident is not None:
        console.say(
            [
                f"Incident {report.incident.incident_id} goes on from {report.incident.phase}, as it is: a resume does",
                "not decide anew whether the writer is dead, and undoes no fence. To end it instead:",
                f"  nox -s failover -- --abandon {report.incident.incident_id} --dry-run",
            ]
        )
    elif report.would_fail_over:
        console.say(["The controller's next run begins this failover. nox -s pause stops it before its promotion."])
    return DONE
