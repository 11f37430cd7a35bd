"""What an order would do, as text for the person who is about to give it. Pure functions."""

from __future__ import annotations

from function_runtime import words
from function_runtime.control import Order, OrderKind
from operations import status_text
from operations.report import Report

STANDS_FOR = {
    OrderKind.APPROVE: "approve what the controller asks; any evidence that the writer is alive still stops it",
    OrderKind.PLANNED: "move a healthy writer; it is taken back rather than lose anything",
    OrderKind.FORCED: "fail over whatever the signals say; only a pause and a standby that cannot take over stop it",
}


def plan(order: Order, without: Report, report: Report) -> list[str]:
    """The whole plan.

    Args:
        order: the order as it would be given.
        without: the controller's report without it.
        report: the controller's report as if it had been given.
    """
    with_it = status_text.decision(report) if report.waits_for_approval else status_text.decided(report)
    return [
        f"Plan: {order.kind} failover of {report.environment} from {report.writer_site} to {report.writer_site.other}",
        f"as seen from the {report.here} site at {words.moment(report.at)}",
        "",
        *words.rows(status_text.situation(report)),
        "",
        *status_text.signals(report),
        "",
        *words.rows(
            [
                ("decision now", status_text.decision(without)),
                ("this order", [f"{order.kind}: {STANDS_FOR[order.kind]}", f"given by {order.by}"]),
                ("names", [f"incident {order.incident_id}, epoch {order.epoch}"]),
                ("accepts", [_accepted(order, report)]),
                ("decision with it", with_it),
            ]
        ),
        "",
        "steps",
        *words.indented(f"{number}. {phase}: {what}" for number, (phase, what) in enumerate(report.steps, 1)),
        "",
    ]


def _accepted(order: Order, report: Report) -> str:
    accepted = words.accepted(order)
    bound_only = order.kind is OrderKind.APPROVE and order.accepted_loss_seconds is None
    if bound_only and not order.accepts_unknown_loss:
        return f"{accepted}, {report.max_data_loss_seconds:g} s of writes"
    return accepted
