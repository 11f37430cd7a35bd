"""The report as JSON. Its keys are an interface that tools read: do not add or remove one in passing."""

from __future__ import annotations

import json
from dataclasses import asdict

from drills.instants import iso
from drills.report.report import DrillReport, Writes
from drills.report.timeline import timeline_of

MILLISECOND_DIGITS = 3
COUNTS = (
    "attempted",
    "acknowledged",
    "indeterminate",
    "lost",
    "lost_beyond_reported_rpo",
    "accepted_by_old_writer_after_switch",
)


def json_of(report: DrillReport) -> str:
    """The report as JSON text; times in seconds from the fault unless they are ISO 8601, to the millisecond.

    ``writes`` counts the rows of all clients with documented settings together; ``rto_seconds`` is that of the client
    with the writer's name.
    """
    evidence = report.evidence
    content = {
        "scenario": report.scenario.name,
        "passed": report.passed,
        "outcome": report.outcome.value,
        "reason": report.reason,
        "rto_seconds": report.rto_seconds,
        "rpo_seconds": report.rpo_seconds,
        "recovery_point_seconds": evidence.recovery_point_seconds,
        "recovery_time_seconds": evidence.recovery_time_seconds,
        "writes": _writes(report.writes),
        "clients": [
            {
                "name": client.name,
                "documented_settings": client.history.is_documented,
                "writes": {
                    **_writes(client.writes),
                    "failed": client.writes.failed,
                    "acknowledged_on_fresh_connections": client.writes.on_fresh_connections,
                },
                "outage_seconds": client.outage_seconds,
                "rto_seconds": client.rto_seconds,
                "after_promotion_seconds": client.after_promotion_seconds,
                "after_name_moved_seconds": client.after_name_moved_seconds,
                "longest_wait_seconds": client.history.longest_wait_seconds,
                "hung": client.hung,
                "trouble": client.history.trouble,
            }
            for client in report.clients
        ],
        "timeline": [
            {"at_seconds": event.at_seconds, "event": event.event, "detail": event.detail}
            for event in timeline_of(evidence)
        ],
        "started_at": iso(evidence.started_at.wall),
        "versions": dict(evidence.versions),
        "checks": [asdict(check) for check in report.checks],
        "signals": {} if evidence.incident is None else dict(evidence.incident.signals),
        "messages": [
            {
                "at_seconds": evidence.at(message.sent_at),
                "topic": message.topic,
                "subject": message.subject,
                "text": message.text,
            }
            for message in evidence.messages
        ],
    }
    return json.dumps(rounded(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _writes(writes: Writes) -> dict[str, int]:
    return {name: getattr(writes, name) for name in COUNTS}


def rounded(value: object) -> object:
    """The same with every number to the millisecond."""
    if isinstance(value, float):
        return round(value, MILLISECOND_DIGITS)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return value
