"""``nox -s status``, ``pause`` and ``resume``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from failover.policy import Mode
from function_runtime import words
from function_runtime.control import Pause
from operations import status_text
from operations.access import Access
from operations.arguments import PauseRequest, StatusRequest
from operations.console import Console
from operations.control_item import ControlItem, ControlUnreadableError
from operations.controller import Controller
from operations.deployment import Deployment
from operations.errors import NoReportError, RefusedError
from operations.recorded import Recorded

DONE = 0
FAILED = 1


def status(request: StatusRequest, deployment: Deployment, access: Access, console: Console) -> int:
    """Show what the controller sees; where it does not tell, what is on record.

    Returns:
        0, or 1 where only the record could be shown.

    Raises:
        RefusedError: the record cannot be read either.
    """
    try:
        report = _controller(deployment, access).report()
    except NoReportError as error:
        recorded = Recorded.read(access.dynamodb, deployment.state_table_name)
        if request.as_json:
            console.say([_json(deployment, recorded.as_json(str(error)))])
        else:
            console.say(recorded.text(str(error), console.now()))
        return FAILED
    console.say([_json(deployment, report.content)] if request.as_json else status_text.status(report))
    return DONE


def pause(request: PauseRequest, deployment: Deployment, access: Access, console: Console) -> int:
    """Let no failover begin.

    Returns:
        0.

    Raises:
        RefusedError: somebody has paused already, or the pause could not be written.
    """
    item = ControlItem(access.dynamodb, deployment.state_table_name)
    control = item.read()
    now = console.now()
    if control.pause is not None:
        raise RefusedError(
            "mode", words.pause(control.pause, now), "nothing was changed; that pause stays until nox -s resume"
        )
    control = item.write(control.with_pause(Pause(access.by, now, request.reason)))
    console.say(
        [
            f"Paused by {access.by} at {words.moment(now)}: {request.reason}",
            "  The controller observes and reports as before. No failover begins, whatever happens to the writer.",
            "  A failover under way stops before its promotion; once that was asked for, it goes on to its end.",
            "  Nothing ends the pause but nox -s resume.",
        ]
    )
    try:
        report = _controller(deployment, access).report()
    except NoReportError as error:
        console.say([f"The pause is written. What it stops is not known now: {error}"])
        return DONE
    order = control.order
    if order is not None and order.is_for(report.incident_id, report.next_epoch, report.at):
        console.say(["An order is on record, and is not carried out while paused:"])
        console.say(words.indented(words.order(order, report.at)))
    if report.incident is None:
        console.say(["No failover is under way."])
    elif report.waits_for_resume:
        console.say([f"Incident {report.incident.incident_id} is {report.incident.phase} and stops here."])
    else:
        console.say([f"Incident {report.incident.incident_id} has asked for the promotion: it goes on to its end."])
    return DONE


def resume(deployment: Deployment, access: Access, console: Console) -> int:
    """Let failovers happen again.

    Returns:
        0, or 1 where failovers stay paused.

    Raises:
        RefusedError: it could not be written.
    """
    item = ControlItem(access.dynamodb, deployment.state_table_name)
    now = console.now()
    try:
        control = item.read()
    except ControlUnreadableError as error:
        item.write_anew()
        console.say([f"It could not be read and was written anew, without a pause and without an order: {error}"])
    else:
        if control.pause is None:
            console.say(["Nobody has paused. Nothing was changed."])
        else:
            item.write(control.with_pause(None))
            console.say([f"Resumed by {access.by}.", f"It was {words.pause(control.pause, now)}"])
    try:
        report = _controller(deployment, access).report()
    except NoReportError as error:
        console.say([f"What the controller decides now is not known: {error}"])
        return DONE
    if report.mode is Mode.PAUSED:
        said = "by the dr-automation layer's setting mode" if report.pause is None else "by somebody else meanwhile"
        console.say([f"Failovers are still paused, {said}. See nox -s status."])
        return FAILED
    console.say(words.rows([("mode", status_text.mode(report)), ("decision now", status_text.decision(report))]))
    if report.order is not None:
        console.say(words.rows([("order", words.order(report.order, report.at, report.next_epoch))]))
    if report.incident is None and report.would_fail_over:
        console.say(["The controller's next run begins this failover. nox -s pause stops it before its promotion."])
    return DONE


def _controller(deployment: Deployment, access: Access) -> Controller:
    return Controller(access.lambda_client, deployment.failover_function_name)


def _json(deployment: Deployment, content: Mapping[str, Any]) -> str:
    return json.dumps({**content, **deployment.identity}, indent=2, sort_keys=True)
