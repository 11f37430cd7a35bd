"""``nox -s status``, ``pause`` and ``resume``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from failover.policy import Mode
from function_runtime import words
from function_runtime.control import Pause
from function_runtime.sites import Site
from function_runtime.state import ControlUnreadableError
from operations import status_text
from operations.access import LISTING, Access
from operations.arguments import PauseRequest, StatusRequest
from operations.console import Console
from operations.control_item import ControlItem
from operations.controller import Controller
from operations.deployment import Deployment
from operations.errors import NoReportError, RefusedError
from operations.exit_codes import DONE, REFUSED
from operations.held import wait_until_held
from operations.places import Places
from operations.recorded import Recorded
from operations.restorable import restorable, summary
from shared.errors import SettingsError


def status(request: StatusRequest, deployment: Deployment, access: Access, console: Console) -> int:
    """Show what the controller sees; if it does not answer, what the state table says.

    Returns:
        0; 1 if only the state table could be shown.

    Raises:
        RefusedError: the state table cannot be read either.
    """
    try:
        report = Controller(access, deployment).report()
    except NoReportError as error:
        recorded = Recorded.read(access.dynamodb, deployment.state_table_name)
        if request.as_json:
            console.say([_json(deployment, recorded.as_json(str(error)))])
        else:
            console.say(recorded.text(str(error), console.now()))
        return REFUSED
    if request.as_json:
        console.say([_json(deployment, report.content)])
    else:
        # At once: what could be restored may take as long as a dark region's silence.
        console.say([*status_text.status(report), ""])
        console.say(_restorable(request, access, console))
    return DONE


def _restorable(request: StatusRequest, access: Access, console: Console) -> list[str]:
    try:
        places = Places.read(request.outputs)
    except SettingsError as error:
        return words.indented([f"what could be restored: unknown ({error})"], by=0)
    rds = {site: access.session.client("rds", region_name=places.at[site].region, config=LISTING) for site in Site}
    return summary(restorable(rds, places), console.now())


def pause(request: PauseRequest, deployment: Deployment, access: Access, console: Console) -> int:
    """Let no failover begin.

    Returns:
        0.

    Raises:
        RefusedError: somebody has paused already, or the pause could not be written.
        ControlUnreadableError: what is on record is damaged.
    """
    item = ControlItem(access.dynamodb, deployment.state_table_name)
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
        report = Controller(access, deployment).report()
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
        console.say(wait_until_held(Controller(access, deployment), console, report))
    return DONE


def resume(deployment: Deployment, access: Access, console: Console) -> int:
    """Let failovers happen again.

    Returns:
        0; 1 if failovers are still paused.

    Raises:
        RefusedError: it could not be written.
    """
    item = ControlItem(access.dynamodb, deployment.state_table_name)
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
        report = Controller(access, deployment).report()
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


def _json(deployment: Deployment, content: Mapping[str, Any]) -> str:
    return json.dumps({**content, **deployment.identity}, indent=2, sort_keys=True)
