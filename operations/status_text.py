"""The status as text for a person. Pure functions. What is unknown is shown as unknown, never as good."""

from __future__ import annotations

from datetime import datetime

from failover.decision import Action
from failover.policy import Mode
from function_runtime import words
from function_runtime.control import Order
from function_runtime.incident import Incident
from function_runtime.trouble import Trouble
from operations.report import Report

QUESTIONS = {
    "answers_here": "the writer answers this site's probes",
    "probe_works": "this site's probe reaches this site's own database",
    "answers_there": "the writer answers the probes of its own site",
    "commits": "the probes' heartbeats commit on the writer",
    "rds_healthy": "RDS reports the writer as operational",
    "in_maintenance": "RDS reports work on the writer (a reboot, a modification)",
    "region_answers": "AWS answers in the writer's region",
    "witness_sees": "the witness in a third region sees the writer",
    "host_reports": "RDS measures the writer's host",
    "committed": "the replica shows commits of the writer since the trouble began",
    "process_lives": "the replication stream shows that the writer's process lives",
    "stream_ended": "the replication stream has ended since the trouble began",
    "standby_ready": "this site's database is an available replica",
    "lets_clients_in": "the writer's security groups let clients in",
    "catches_up": "the replica lags so little that a planned failover can wait for it",
}
EVIDENCE = {
    "": "weaker: nothing is known of the probes' sessions in the writer",
    "works": "the probes commit in the writer",
    "not_prepared": "weaker: the probes see that the writer answers, not that it commits; nox -s prepare-database",
    "read_only": "the writer is read-only",
    "full": "the writer's storage is full",
    "hung": "the writer's commits hang",
}
MEANING = {
    Action.HOLD: "hold: do nothing",
    Action.ALERT: "alert: notify people, do not fail over",
    Action.ASK: "ask: fail over as soon as a person approves",
    Action.FAIL_OVER: "fail over",
}


def status(report: Report) -> list[str]:
    """The whole status."""
    approve = approval(report)
    return [
        f"{report.environment}, as seen from the {report.here} site at {words.moment(report.at)}",
        "",
        *words.rows(
            [
                *situation(report),
                *unsettled(report),
                ("decision", decision(report)),
                *([] if approve is None else [("to approve", [approve])]),
            ]
        ),
        "",
        *signals(report),
        "",
        *incidents(report.incident, report.last_incident),
    ]


def situation(report: Report) -> list[tuple[str, list[str]]]:
    """The rows that the status and the plan of a failover have in common."""
    return [
        ("writer", [f"{report.writer_site} (epoch {report.epoch}), as {report.writer_name}", *_moving(report)]),
        ("mode", [mode(report)]),
        ("trouble", [trouble(report.trouble, report.at)]),
        ("evidence", [evidence(report)]),
        *([("also wrong", list(report.concerns))] if report.concerns else []),
        ("replication lag", [lag(report)]),
        ("order on record", order(report.order, report.at, report.next_epoch)),
    ]


def _moving(report: Report) -> list[str]:
    """Where the name leads while a failover makes another writer."""
    incident = report.incident
    if incident is None or incident.has_new_writer or not incident.moves_name:
        return []
    return [f"the name moves to {incident.new_writer}: RDS promotes its database, which takes no writes yet"]


def unsettled(report: Report) -> list[tuple[str, list[str]]]:
    """What of the record is not borne out by the databases, or owed to them, or all but happened."""
    rows = []
    if report.owes_opening is not None:
        rows.append(("to be opened", [f"the writer's database, shut by {report.owes_opening}: every run tries to"]))
    if report.last_look is not None:
        at, found = report.last_look
        rows.append(("last look", [f"at {words.ago(at, report.at)} it kept a failover from beginning", found]))
    if report.doubt is not None:
        rows.append(("in doubt", [f"whether the record is right; nothing is published: {report.doubt}"]))
    return rows


def mode(report: Report) -> str:
    """The mode in force, and who set it."""
    if report.pause is not None:
        return words.pause(report.pause, report.at)
    return "paused, by the layer's setting mode" if report.mode is Mode.PAUSED else str(report.mode)


def trouble(trouble: Trouble | None, now: datetime) -> str:
    """The trouble and how long it has lasted."""
    return words.NONE if trouble is None else f"{trouble.kind} since {words.ago(trouble.since, now)}"


def evidence(report: Report) -> str:
    """What the probes' sessions in the writer prove, and what to run where they prove less than they could."""
    if report.session is None and report.trouble is not None:
        return "none from the probes' sessions: they do not get into the writer"
    return EVIDENCE.get(report.session or "", f"weaker: the probes' sessions in the writer end as: {report.session}")


def lag(report: Report) -> str:
    """How far the replica is behind, and what a failover would lose."""
    if report.writer_site is report.here:
        return "unknown: this site measures the lag of its own database only, which is the writer"
    lag_before = words.seconds_or_unknown(report.lag_before_seconds)
    if report.trouble is None:
        return lag_before
    return f"{lag_before} before the trouble; a failover would lose: {words.loss(report.loss_bound_seconds)}"


def order(order: Order | None, now: datetime, next_epoch: int) -> list[str]:
    """The order on record, and whether it is still good."""
    return [words.NONE] if order is None else words.order(order, now, next_epoch)


def decision(report: Report) -> list[str]:
    """What the controller does next, by which rule, and why."""
    if report.incident is None:
        return decided(report)
    waits = "; it waits until failovers are resumed" if report.waits_for_resume else ""
    if report.waits_for_approval:
        waits += "; it waits for an approval: the old writer answers after its fence"
    return [f"continue the incident under way{waits}"]


def decided(report: Report) -> list[str]:
    """The decision itself, without a look at the incident under way."""
    return [f"{MEANING[report.decision.action]} ({report.decision.code})", report.decision.reason]


def approval(report: Report) -> str | None:
    """How to approve what the controller asks; None if it asks nothing."""
    incident = report.incident
    if incident is not None:
        if not report.waits_for_approval:
            return None
        loss = incident.data_loss_seconds
    elif report.decision.action is Action.ASK:
        loss = report.loss_bound_seconds
    else:
        return None
    command = words.approve_command(*report.to_name, loss, report.max_data_loss_seconds)
    return f"see what would happen: {command} --dry-run"


def signals(report: Report) -> list[str]:
    """Every signal, its answer, and what it means."""
    width = max(map(len, report.signals))
    return [
        "signals",
        *(
            f"  {name.replace('_', ' '):<{width}}  {answer:<7}  {QUESTIONS.get(name, '')}".rstrip()
            for name, answer in report.signals.items()
        ),
    ]


def incidents(under_way: Incident | None, last: Incident | None) -> list[str]:
    """The failover under way, and the last one with how it ended."""
    ended = [] if last is None else words.indented(words.outcome(last))
    return [*_incident("incident under way", under_way), "", *_incident("last incident", last), *ended]


def _incident(title: str, incident: Incident | None) -> list[str]:
    if incident is None:
        return [f"{title}: none"]
    by = "by the controller" if incident.ordered_by is None else f"ordered by {incident.ordered_by}"
    head = f"{incident.incident_id}, {incident.kind}, {by}, to {incident.new_writer}"
    return [title, *words.indented([head, *(words.step(step) for step in incident.steps)])]
