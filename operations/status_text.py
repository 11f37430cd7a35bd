"""What the controller sees, as text for a person. Pure. Unknown is said as unknown, never as fine."""

from __future__ import annotations

from failover.decide import Action
from failover.policy import Mode
from function_runtime import words
from function_runtime.incident import Incident
from operations.report import Report

QUESTIONS = {
    "answers_here": "the writer answers this site's probes",
    "probe_works": "this site's probe reaches this site's own database",
    "answers_there": "the writer answers its own site's probes",
    "rds_healthy": "RDS calls the writer operational",
    "in_maintenance": "RDS says that work on the writer goes on",
    "region_answers": "the writer's region answers",
    "witness_sees": "the witness in a third region sees the writer",
    "replica_receives": "the replica has received something since the trouble began",
    "standby_ready": "this site's database is an available replica",
}
MEANING = {
    Action.HOLD: "hold: do nothing",
    Action.ALERT: "alert: tell people, fail nothing over",
    Action.ASK: "ask: fail over as soon as a person approves",
    Action.FAIL_OVER: "fail over",
}


def status(report: Report) -> list[str]:
    """The whole status."""
    return [
        f"{report.environment}, as {report.here} sees it at {words.moment(report.at)}",
        "",
        *words.rows(
            [
                ("writer", [f"{report.writer_site} (epoch {report.epoch}), as {report.writer_name}"]),
                ("mode", mode(report)),
                ("trouble", trouble(report)),
                ("replication lag", [lag(report)]),
                ("decision", decision(report)),
                *([("to approve", approval(report))] if approval(report) else []),
                (
                    "order",
                    [words.NONE] if report.order is None else words.order(report.order, report.at, report.next_epoch),
                ),
            ]
        ),
        "",
        *signals(report),
        "",
        *incidents(report),
    ]


def mode(report: Report) -> list[str]:
    """The mode in force, and who is behind it."""
    if report.pause is not None:
        return [words.pause(report.pause, report.at)]
    return ["paused, by the layer's setting mode"] if report.mode is Mode.PAUSED else [str(report.mode)]


def trouble(report: Report) -> list[str]:
    """The trouble and how long it lasts."""
    if report.trouble is None:
        return [words.NONE]
    return [f"{report.trouble.kind} since {words.ago(report.trouble.since, report.at)}"]


def lag(report: Report) -> str:
    """How far behind the replica is, and what a failover would lose."""
    if report.writer_site is report.here:
        return "unknown: this site knows the lag of its own database only, which is the writer"
    if report.trouble is None:
        return words.seconds_or_unknown(report.lag_before_seconds)
    before = words.seconds_or_unknown(report.lag_before_seconds)
    return f"{before} before the trouble; a failover would lose: {words.loss(report.loss_bound_seconds)}"


def decision(report: Report) -> list[str]:
    """What it decided, by which rule, and why."""
    if report.incident is not None:
        waits = "; it waits, because failovers are paused" if report.waits_for_resume else ""
        return [f"carry the incident under way through{waits}"]
    return decided(report)


def decided(report: Report) -> list[str]:
    """The decision itself."""
    return [f"{MEANING[report.decision.action]} ({report.decision.code})", report.decision.reason]


def approval(report: Report) -> list[str]:
    """How to approve what the controller asks about; nothing where it asks nothing."""
    if report.decision.action is not Action.ASK or report.incident is not None:
        return []
    command = words.approve_command(
        report.incident_id,
        report.next_epoch,
        report.lag_before_seconds,
        report.loss_bound_seconds,
        report.max_data_loss_seconds,
    )
    return [f"see what it would do: {command} --dry-run"]


def signals(report: Report) -> list[str]:
    """Every question and its answer."""
    told = [(name.replace("_", " "), str(answer), QUESTIONS.get(name, "")) for name, answer in report.signals.items()]
    widest = max(len(name) for name, _, _ in told)
    return ["signals", *(f"  {name:<{widest}}  {answer:<7}  {what}".rstrip() for name, answer, what in told)]


def incidents(report: Report) -> list[str]:
    """The failover under way, and the last one."""
    lines = ["incident under way: none"]
    if report.incident is not None:
        lines = ["incident under way", *incident(report.incident)]
    lines.append("")
    if report.last_incident is None:
        return [*lines, "last incident: none"]
    return [
        *lines,
        "last incident",
        *incident(report.last_incident),
        *words.indented(words.outcome(report.last_incident)),
    ]


def incident(one: Incident) -> list[str]:
    """An incident with its steps."""
    by = "by the controller" if one.ordered_by is None else f"ordered by {one.ordered_by}"
    head = f"{one.incident_id}, {one.kind}, {by}, to {one.new_writer}"
    return words.indented([head, *(words.step(step) for step in one.steps)])
