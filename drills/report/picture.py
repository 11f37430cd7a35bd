"""The picture in the report: writes, replica lag, incident phases and markers on one time axis, as SVG."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from drills.evidence import Evidence
from drills.report.lanes import LAG_HEIGHT, STRIP_GAP, STRIP_HEIGHT, lag_lane, strips
from drills.report.picture_labels import Marker, placed
from drills.report.svg import (
    LABEL_ROW,
    TOP,
    WIDTH,
    Axis,
    grid,
    lane_name,
    marker_lines,
    marker_words,
    rectangle,
    text,
    titled,
)
from function_runtime.incident import Step

PHASE_ROW = 20
LANE_GAP = 22
AXIS_HEIGHT = 38
MIN_BAR = 3.0


def picture_of(evidence: Evidence, markers: Sequence[Marker], astray: Collection[int] = ()) -> str:
    """The picture as an SVG element to put into a page.

    Args:
        evidence: of the drill.
        markers: moments to mark, in any order.
        astray: the rows that the old writer acknowledged after the switch.
    """
    axis = _axis(evidence, markers)
    labels = placed(markers, axis.x, WIDTH)
    steps = () if evidence.incident is None else evidence.incident.steps
    strip_y = TOP + LABEL_ROW * (1 + max((label.row for label in labels), default=-1)) + 12
    lag_y = strip_y + (STRIP_HEIGHT + STRIP_GAP) * len(evidence.clients) - STRIP_GAP + LANE_GAP
    phases_y = lag_y + LAG_HEIGHT + LANE_GAP
    axis_y = phases_y + PHASE_ROW * len(steps) + (8 if steps else 0)
    parts = [
        (
            f'<svg viewBox="0 0 {WIDTH} {axis_y + AXIS_HEIGHT}" role="img" '
            'aria-label="What happened, in seconds from the fault">'
        ),
        *grid(axis, strip_y, axis_y, "seconds from the fault"),
        *strips(axis, evidence.clients, evidence.at, strip_y, astray),
        *lag_lane(axis, "replica lag", evidence.lag_samples, evidence.at, lag_y, LAG_HEIGHT),
        *marker_lines(labels, axis_y),
        *(line for row, step in enumerate(steps) for line in _phase(axis, evidence, step, phases_y + PHASE_ROW * row)),
        *marker_words(labels),
        "</svg>",
    ]
    return "\n".join(parts)


def _axis(evidence: Evidence, markers: Sequence[Marker]) -> Axis:
    moments = [
        0.0,
        *(marker.at_seconds for marker in markers),
        *(evidence.at(attempt.finished_at) for attempt in evidence.attempts),
    ]
    if evidence.incident is not None:
        moments += [evidence.at(step.finished_at) for step in evidence.incident.steps if step.finished_at is not None]
    first = math.floor(min(moments))
    return Axis(float(first), float(max(math.ceil(max(moments)), first + 1)))


def _phase(axis: Axis, evidence: Evidence, step: Step, top: float) -> list[str]:
    start, finished = axis.x(evidence.at(step.started_at)), step.finished_at
    if finished is None:
        end, kind, words = axis.x(axis.ends_at_seconds), "open", "never finished"
    else:
        end, kind = axis.x(evidence.at(finished)), "phase"
        words = f"{(finished - step.started_at).total_seconds():.1f} s, {step.outcome}"
    return [
        lane_name(top + 13, step.phase),
        titled(step.detail or "", rectangle(start, top + 3, max(MIN_BAR, end - start), PHASE_ROW - 7, kind)),
        text(max(start + MIN_BAR, end) + 6, top + 13, words, "legend halo", "start"),
    ]
