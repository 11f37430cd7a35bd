"""The timeline of a story: the events of all chapters, in seconds from its start."""

from __future__ import annotations

from dataclasses import replace

from drills.report.timeline import TimelineEvent, timeline_of
from drills.stories.evidence import StoryEvidence
from function_runtime.handover import Handover

CHAPTER = "chapter begins"
# They are the start of a drill, and not of each chapter.
OF_A_START = ("client starts writing", "the writer's name answers")


def story_timeline_of(evidence: StoryEvidence) -> tuple[TimelineEvent, ...]:
    """Every recorded event in order of time."""
    whole = evidence.whole
    events = []
    for number, (record, part) in enumerate(evidence.told, start=1):
        summary = record.chapter.scenario.summary
        events.append(TimelineEvent(whole.at(record.began_at), CHAPTER, f"{number}: {summary}", "drill"))
        offset = whole.at(record.fault.at)
        breaks = record.chapter.moves_writer
        for event in timeline_of(part):
            if number > 1 and event.event.startswith(OF_A_START):
                continue
            name = "drill acts" if event.event == "fault" and not breaks else event.event
            events.append(replace(event, at_seconds=event.at_seconds + offset, event=name))
    events += [event for handover in evidence.handovers for event in _handover_events(evidence, handover)]
    return tuple(sorted(events, key=lambda event: event.at_seconds))


def _handover_events(evidence: StoryEvidence, handover: Handover) -> list[TimelineEvent]:
    giver, receiver = handover.giver, handover.receiver
    moments = (
        (handover.begun_at, "handover begins", f"from {giver} to {receiver}, in epoch {handover.epoch}"),
        (handover.told_at, "the other site is told", f"the table of {receiver} names the writer and the epoch"),
        (handover.given_up_at, "authority is given up", f"the controller of {giver} acts no more"),
        (handover.taken_at, "authority is taken", f"the controller of {receiver} acts from now on"),
    )
    return [
        TimelineEvent(evidence.whole.at(at), event, detail, "controller")
        for at, event, detail in moments
        if at is not None
    ]
