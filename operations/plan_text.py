"""What an order would do, as text for the person who is about to give it. Pure."""

from __future__ import annotations

from function_runtime import words
from function_runtime.control import Order, OrderKind
from operations import status_text
from operations.report import Report

STANDS_FOR = {
    OrderKind.APPROVE: "approve what the controller asks about; every proof that the writer lives still stops it",
    OrderKind.PLANNED: "move a healthy writer; it is taken back rather than lose anything",
    OrderKind.FORCED: "fail over whatever the signals say; only a pause and a standby that cannot take over stop it",
}


def plan(order: Order, without: Report, with_order: Report) -> list[str]:
    """The whole plan.

    Args:
        order: the order as it would be given.
        without: the report without it.
        with_order: the report as if it were given.
    """
    report = with_order
    on_record = [words.NONE] if report.order is None else words.order(report.order, report.at, report.next_epoch)
    return [
        f"Plan: {order.kind} failover of {report.environment} from {report.writer_site} to {report.writer_site.other}",
        "",
        *words.rows(
            [
                ("seen", [f"by {report.here} at {words.moment(report.at)}"]),
                ("writer", [f"{report.writer_site} (epoch {report.epoch}), as {report.writer_name}"]),
                ("mode", status_text.mode(report)),
                ("trouble", status_text.trouble(report)),
                ("replication lag", [status_text.lag(report)]),
                ("order on record", on_record),
            ]
        ),
        "",
        *status_text.signals(report),
        "",
        *words.rows(
            [
                ("decided now", status_text.decision(without)),
                ("this order", [f"{order.kind}: {STANDS_FOR[order.kind]}", f"given by {order.by}"]),
                ("it names", [f"incident {order.incident_id}, epoch {order.epoch}"]),
                ("it accepts", [_accepted(order, report)]),
                ("decided with it", status_text.decided(report)),
            ]
        ),
        "",
        "steps",
        *words.indented(f"{number}. {each.phase}: {each.what}" for number, each in enumerate(report.steps, 1)),
        "",
    ]


def _accepted(order: Order, report: Report) -> str:
    if order.kind is OrderKind.APPROVE and order.accepted_loss_seconds is None and not order.accepts_unknown_loss:
        return f"no loss beyond the configured bound, {report.max_data_loss_seconds:g} s of writes"
    return words.accepted(order)
