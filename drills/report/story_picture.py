"""The picture of a story: what clients saw, and which site had which role, on one time axis, as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from drills.evidence import Evidence
from drills.report.lanes import STRIP_GAP, STRIP_HEIGHT, lag_lane, strips
from drills.report.svg import RIGHT, TOP, WIDTH, Axis, grid, lane_name, rectangle, text, titled
from drills.stories.evidence import StoryEvidence
from shared.sites import Site

CHAPTER_ROW = 22
ROW = 24
BAR = 16
LANE_GAP = 18
LAG_HEIGHT = 34
AXIS_HEIGHT = 38
CHARACTER_WIDTH = 6.6
MIN_BAR = 2.0


@dataclass(frozen=True)
class Span:
    """A time on a lane.

    Attributes:
        begins_at: seconds from the story's start.
        ends_at: the same.
        words: written on it where there is room.
        kind: its class in the style sheet.
        title: what it says when a pointer rests on it.
    """

    begins_at: float
    ends_at: float
    words: str
    kind: str
    title: str


def story_picture_of(evidence: StoryEvidence) -> str:
    """The picture as an SVG element to put into a page."""
    whole = evidence.whole
    end = max([whole.at(record.ended_at) for record in evidence.records], default=1.0)
    axis = Axis(0.0, float(max(math.ceil(end), 1)))
    lanes = (
        ("drill acts", _acts(evidence)),
        ("name points to", name_spans(whole, axis.ends_at_seconds)),
        ("takes writes", writer_spans(whole)),
        ("has authority", authority_spans(evidence, axis.ends_at_seconds)),
        ("incident", _incident_spans(whole)),
        ("reprotect", _reprotection_spans(evidence)),
        ("handover", _handover_spans(evidence)),
    )
    strip_y = TOP + CHAPTER_ROW + 10
    lanes_y = strip_y + (STRIP_HEIGHT + STRIP_GAP) * len(whole.clients) + LANE_GAP - STRIP_GAP
    lag_y = lanes_y + ROW * len(lanes) + LANE_GAP
    axis_y = lag_y + (LAG_HEIGHT + LANE_GAP) * len(Site)
    parts = [
        (
            f'<svg viewBox="0 0 {WIDTH} {axis_y + AXIS_HEIGHT}" role="img" '
            'aria-label="What happened, in seconds from the start of the story">'
        ),
        *_chapters(axis, evidence, axis_y),
        *grid(axis, strip_y, axis_y, "seconds from the start"),
        *strips(axis, whole.clients, whole.at, strip_y),
    ]
    for row, (name, spans) in enumerate(lanes):
        parts += _lane(axis, name, spans, lanes_y + ROW * row)
    for row, site in enumerate(Site):
        top = lag_y + (LAG_HEIGHT + LANE_GAP) * row
        parts += lag_lane(axis, f"lag of {site}", evidence.lag[site], whole.at, top, LAG_HEIGHT)
    for row, site in enumerate(Site):
        y = lanes_y + 16 * row
        parts.append(rectangle(WIDTH - RIGHT + 14, y + 3.5, 9, 9, f"site-{site}"))
        parts.append(text(WIDTH - RIGHT + 29, y + 12, f"the {site} site", "legend", "start"))
    return "\n".join([*parts, *_faults(axis, evidence, axis_y), "</svg>"])


def name_spans(whole: Evidence, end: float) -> list[Span]:
    """Which site's database the writer's name pointed to."""
    sites = {address: site for site, address in whole.addresses.items()}
    begins = [max(whole.at(answer.at), 0.0) for answer in whole.name_changes]
    return [
        _of_site(sites.get(answer.address), begun, ended, f"the name answers {answer.address}")
        for answer, begun, ended in zip(whole.name_changes, begins, [*begins[1:], end], strict=True)
        if ended > begun
    ]


def writer_spans(whole: Evidence) -> list[Span]:
    """Which site's database acknowledged writes: from its first to its last one without another's between them."""
    sites = {address: site for site, address in whole.addresses.items()}
    acknowledged = sorted(
        (whole.at(attempt.finished_at), sites.get(attempt.server_address or ""))
        for client in whole.clients
        for attempt in client.acknowledged
    )
    runs: list[tuple[Site | None, float, float]] = []
    for at, site in acknowledged:
        if runs and runs[-1][0] is site:
            runs[-1] = (site, runs[-1][1], at)
        else:
            runs.append((site, at, at))
    return [_of_site(site, begun, ended, "it acknowledges writes") for site, begun, ended in runs if ended >= 0]


def authority_spans(evidence: StoryEvidence, end: float) -> list[Span]:
    """Whose controller had the say; nobody's between giving up and taking."""
    if not evidence.records:
        return []
    spans, begun, site = [], 0.0, evidence.records[0].writer.other
    for handover in evidence.handovers:
        if handover.given_up_at is None:
            continue
        given_up = evidence.whole.at(handover.given_up_at)
        spans.append(_of_site(site, begun, given_up, "its controller has authority"))
        if handover.taken_at is None:
            return spans
        begun, site = evidence.whole.at(handover.taken_at), site.other
    return [*spans, _of_site(site, begun, end, "its controller has authority")]


def _acts(evidence: StoryEvidence) -> list[Span]:
    """A tick for everything that was done to the system."""
    moments = [(evidence.whole.at(action.at), action.what) for each in evidence.records for action in each.actions]
    return [Span(at, at, "", "act", what) for at, what in moments]


def _incident_spans(whole: Evidence) -> list[Span]:
    spans = []
    for incident in whole.incidents:
        end = whole.at(whole.finished_at if incident.closed_at is None else incident.closed_at)
        title = f"{incident.incident_id}, {incident.kind}: {incident.decision['reason']}"
        spans.append(Span(whole.at(incident.opened_at), end, f"epoch {incident.epoch}", "phase", title))
    return spans


def _handover_spans(evidence: StoryEvidence) -> list[Span]:
    whole = evidence.whole
    return [
        Span(
            whole.at(each.begun_at),
            whole.at(whole.finished_at if each.taken_at is None else each.taken_at),
            f"to {each.receiver}",
            "phase",
            f"from {each.giver} to {each.receiver}, in epoch {each.epoch}",
        )
        for each in evidence.handovers
    ]


def _reprotection_spans(evidence: StoryEvidence) -> list[Span]:
    """A bar for each step; one that was begun again counts from its first beginning."""
    whole = evidence.whole
    spans = []
    for record in evidence.records:
        found = record.reprotection
        for step in () if found is None or not record.chapter.reprotects else found.steps:
            end = whole.at(whole.finished_at if step.finished_at is None else step.finished_at)
            spans.append(Span(whole.at(step.began_at), end, step.step.value, "step", f"{step.step}: {step.detail}"))
    return spans


def _of_site(site: Site | None, begins_at: float, ends_at: float, title: str) -> Span:
    if site is None:
        return Span(begins_at, ends_at, "neither", "failed", title)
    return Span(begins_at, ends_at, site.value, f"site-{site}", f"{site}: {title}")


def _lane(axis: Axis, name: str, spans: Iterable[Span], y: float) -> list[str]:
    parts = [lane_name(y + 12, name)]
    for span in spans:
        x, end = axis.x(span.begins_at), axis.x(span.ends_at)
        width = max(end - x, MIN_BAR)
        bar = [rectangle(x, y, width, BAR, span.kind)]
        if CHARACTER_WIDTH * len(span.words) + 8 <= width:
            bar.append(text(x + 5, y + 12, span.words, "on-bar", "start"))
        lasts = f" to {span.ends_at:.1f} s" if span.ends_at > span.begins_at else ""
        seconds = f"{span.begins_at:.1f} s{lasts}"
        parts.append(titled(f"{span.title}, {seconds}", *bar))
    return parts


def _chapters(axis: Axis, evidence: StoryEvidence, bottom: float) -> list[str]:
    """A band for each chapter through the whole picture, with its number and as much of its name as there is room."""
    parts = []
    for number, record in enumerate(evidence.records, start=1):
        x, end = axis.x(evidence.whole.at(record.began_at)), axis.x(evidence.whole.at(record.ended_at))
        if number % 2:
            parts.append(rectangle(x, TOP, end - x, bottom - TOP, "band"))
        words = f"{number} {record.chapter.scenario.name}"
        room = int((end - x - 8) / CHARACTER_WIDTH)
        shown = words if len(words) <= room else str(number)
        parts.append(titled(record.chapter.scenario.summary, text(x + 5, TOP + 15, shown, "chapter", "start")))
    return parts


def _faults(axis: Axis, evidence: StoryEvidence, bottom: float) -> list[str]:
    """A line where something broke, or was ordered."""
    parts = []
    for record in evidence.records:
        if record.chapter.moves_writer:
            x = axis.x(evidence.whole.at(record.fault.at))
            line = f'<line class="marker fault" x1="{x:.1f}" y1="{TOP + CHAPTER_ROW}" x2="{x:.1f}" y2="{bottom:.1f}"/>'
            parts.append(titled(record.fault.what, line))
    return parts
