"""``nox -s failover``: show the plan, give the order, follow it."""

from __future__ import annotations

from deployment.state_tables import read_table
from function_runtime import words
from function_runtime.control import Order, OrderKind
from function_runtime.incident import Kind
from operations import plan_text
from operations.access import Access
from operations.authority import refuse_handed_over
from operations.console import Console
from operations.controller import Controller
from operations.deployment import Deployment
from operations.errors import NoReportError, RefusedError
from operations.exit_codes import DONE, INTERRUPTED, REFUSED, WOULD_NOT_HAPPEN
from operations.follow import Follower
from operations.held import wait_until_held
from operations.orders import give_order, new_order, withdraw_order
from operations.report import Report
from operations.requests import FailoverRequest


def failover(request: FailoverRequest, deployment: Deployment, access: Access, console: Console) -> int:
    """Show what an order would do, then give it, unless it is a dry run.

    Returns:
        0 done, or a dry run of what would happen; 1 the failover was taken back; 3 a dry run of what would not happen;
        130 interrupted while following it.

    Raises:
        SettingsError: the controller's authority has gone meanwhile.
        RefusedError: it does not happen; no order is left on record.
    """

    def order_for(report: Report) -> Order:
        loss, unknown = request.accepted_loss_seconds, request.accepts_unknown_loss
        return new_order(request.kind, *report.to_name, access.by, console.now(), loss, accepts_unknown_loss=unknown)

    controller = Controller(access)
    without = controller.report()
    report = controller.report(order_for(without))
    order = order_for(report)
    console.say(plan_text.plan(order, without, report))
    obstacle = _obstacle(request, report)
    if request.dry_run:
        console.say(
            [
                "Dry run: nothing was done.",
                "It would happen." if obstacle is None else f"It would NOT happen: {obstacle}.",
            ]
        )
        return DONE if obstacle is None else WOULD_NOT_HAPPEN
    if obstacle is not None:
        raise RefusedError("failover", f"{order.kind} (nothing was done)", obstacle)
    if not request.yes:
        _confirm(order, deployment, console)
    client, table = access.dynamodb[access.site], access.place.state_table_name
    # It may have taken the person a while to say so.
    refuse_handed_over(access.site, read_table(access.site, client, table).controller)
    order = order_for(report)
    give_order(client, table, order)
    console.say([f"Order given at {words.moment(order.at)}, good until {words.moment(order.expires_at)}."])
    if not request.wait:
        console.say(["Follow it with nox -s status; withdraw it with nox -s failover -- --cancel."])
        return DONE
    follower = Follower(controller, console, lambda given: withdraw_order(client, table, given))
    try:
        incident = follower.follow(order)
    except KeyboardInterrupt:
        console.say(
            [
                "",
                f"Interrupted. What has begun goes on; the order is good until {words.moment(order.expires_at)}.",
                "Withdraw it with nox -s failover -- --cancel. See nox -s status.",
            ]
        )
        return INTERRUPTED
    console.say([f"Incident {incident.incident_id} is closed.", *words.indented(words.outcome(incident))])
    return REFUSED if incident.is_taken_back else DONE


def cancel(access: Access, console: Console) -> int:
    """Withdraw the order on record.

    Returns:
        0.

    Raises:
        RefusedError: DynamoDB refuses, or another person has written at the same time.
    """
    withdrawn = withdraw_order(access.dynamodb[access.site], access.place.state_table_name)
    if withdrawn is None:
        console.say(["No order is on record. Nothing was changed."])
        return DONE
    console.say(["Withdrawn:", *words.indented(words.order(withdrawn, console.now()))])
    try:
        report = Controller(access).report()
    except NoReportError as error:
        console.say([f"Whether a failover had already begun is not known: {error}"])
        return DONE
    incident = report.incident
    if incident is None:
        return DONE
    if incident.kind is Kind.PLANNED:
        console.say([f"Incident {incident.incident_id} had already begun: it is taken back before its promotion."])
        console.say(wait_until_held(Controller(access), console, report))
        return DONE
    console.say(
        [
            f"Incident {incident.incident_id} ({incident.kind}) had already begun and goes on: a cancellation ends no",
            "such failover. nox -s pause holds it before its promotion, and then",
            f"nox -s failover -- --abandon {incident.incident_id} ends it.",
        ]
    )
    return DONE


def _obstacle(request: FailoverRequest, report: Report) -> str | None:
    """Why it would not happen; None if it would."""
    approves = request.kind is OrderKind.APPROVE
    if report.incident is not None and not (approves and report.waits_for_approval):
        name = report.incident.incident_id
        return f"incident {name} is under way; follow it with nox -s status, or end it with --abandon {name}"
    if approves:
        now = report.to_name
        if (request.incident_id, request.epoch) != now:
            return (
                f"--approve {request.incident_id} --epoch {request.epoch} is not what the controller asks about now: "
                f"that is incident {now[0]}, epoch {now[1]}; look at it before you approve it"
            )
    return (
        None
        if report.would_fail_over or report.incident is not None
        else f"{report.decision.reason} ({report.decision.code})"
    )


def _confirm(order: Order, deployment: Deployment, console: Console) -> None:
    whose = f"stack {deployment.stack_name} in account {deployment.account_id}"
    answer = console.ask(f"Type {order.incident_id} to give this order to {whose}: ")
    if answer != order.incident_id:
        raise RefusedError("incident", answer or "(nothing)", f"nothing was done; type {order.incident_id} to do it")
