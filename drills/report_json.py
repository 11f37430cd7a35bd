"""The report for machines. Its keys are an interface: tools read them, so none comes or goes by the way."""

from __future__ import annotations

import json

from drills.report import DrillReport
from drills.writes_report import Writes

MILLISECOND_DIGITS = 3


def json_of(report: DrillReport) -> str:
    """The report as JSON text; times in seconds from the fault unless they are ISO 8601, to the millisecond.

    ``writes`` counts the rows of all clients together; ``rto_seconds`` is that of the client with the writer's name.
    """
    content = {
        "scenario": report.scenario,
        "passed": report.passed,
        "outcome": report.outcome.value,
        "reason": report.reason,
        "rto_seconds": report.rto_seconds,
        "rpo_seconds": report.rpo_seconds,
        "writes": _writes(report.writes),
        "clients": [
            {
                "name": client.name,
                "writes": {
                    **_writes(client.writes),
                    "failed": client.writes.failed,
                    "acknowledged_on_fresh_connections": client.writes.on_fresh_connections,
                },
                "outage_seconds": client.outage_seconds,
                "rto_seconds": client.rto_seconds,
            }
            for client in report.clients
        ],
        "timeline": [
            {"at_seconds": event.at_seconds, "event": event.event, "detail": event.detail} for event in report.timeline
        ],
        "started_at": report.started_at,
        "versions": dict(report.versions),
        "checks": [{"name": check.name, "passed": check.passed, "evidence": check.evidence} for check in report.checks],
        "signals": {} if report.decision is None else dict(report.decision.signals),
        "messages": [
            {
                "at_seconds": message.at_seconds,
                "topic": message.topic,
                "subject": message.subject,
                "text": message.text,
            }
            for message in report.messages
        ],
    }
    return json.dumps(_rounded(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _writes(writes: Writes) -> dict[str, int]:
    return {
        "attempted": writes.attempted,
        "acknowledged": writes.acknowledged,
        "indeterminate": writes.indeterminate,
        "lost": writes.lost,
        "lost_beyond_reported_rpo": writes.lost_beyond_reported_rpo,
        "accepted_by_old_writer_after_switch": writes.accepted_by_old_writer_after_switch,
    }


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, MILLISECOND_DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
