"""The report of a story as JSON. Its keys are an interface that tools read: do not add or remove one in passing."""

from __future__ import annotations

import json
from dataclasses import asdict

from drills.instants import iso
from drills.report.json_file import rounded
from drills.report.story_report import StoryReport
from drills.report.story_timeline import story_timeline_of


def story_json_of(report: StoryReport) -> str:
    """The report as JSON text; times in seconds from the story's start unless they are ISO 8601, to the millisecond."""
    whole = report.evidence.whole
    content = {
        "scenario": report.scenario.name,
        "passed": report.passed,
        "verdict": report.verdict,
        "writes": {"acknowledged": report.acknowledged, "lost": report.lost},
        "name": {
            "times_asked": whole.times_asked,
            "longest_unwatched_seconds": whole.longest_unwatched_seconds,
            "moves": [{"at_seconds": whole.at(answer.at), "address": answer.address} for answer in whole.name_changes],
        },
        "chapters": [
            {
                "name": chapter.scenario.name,
                "passed": chapter.passed,
                "outcome": chapter.outcome.value,
                "began_at_seconds": whole.at(chapter.evidence.started_at),
                "ended_at_seconds": whole.at(chapter.evidence.finished_at),
                "writer": chapter.evidence.writer.value,
                "rto_seconds": chapter.rto_seconds,
                "rpo_seconds": chapter.rpo_seconds,
                "lost": chapter.writes.lost,
                "outage_seconds": {client.name: client.outage_seconds for client in chapter.clients},
                "checks": [asdict(check) for check in chapter.checks],
            }
            for chapter in report.chapters
        ],
        "checks": [asdict(check) for check in report.checks],
        "timeline": [
            {"at_seconds": event.at_seconds, "event": event.event, "detail": event.detail}
            for event in story_timeline_of(report.evidence)
        ],
        "messages": [
            {
                "at_seconds": whole.at(message.sent_at),
                "topic": message.topic,
                "subject": message.subject,
                "text": message.text,
            }
            for message in whole.messages
        ],
        "started_at": iso(whole.fault.at.wall),
        "versions": dict(whole.versions),
    }
    return json.dumps(rounded(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
