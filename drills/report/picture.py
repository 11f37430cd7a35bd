"""The picture in the report: writes, replica lag, incident phases and markers on one time axis, as SVG.

Colours are in ``style.css``: the picture names classes only.
"""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from drills.clients.history import ClientHistory, Outcome
from drills.evidence import Evidence
from drills.records.cloudwatch import LagSample
from drills.report.picture_labels import Label, Marker, placed
from function_runtime.incident import Step

WIDTH = 1080
LEFT = 118
RIGHT = 190
TOP = 8
LABEL_ROW = 18
STRIP_HEIGHT = 26
STRIP_GAP = 6
LAG_HEIGHT = 72
PHASE_ROW = 20
LANE_GAP = 22
AXIS_HEIGHT = 38
MAX_TICKS = 16
TICK_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
# No line is drawn between samples further apart than this: the lag between them is unknown.
LAG_GAP_SECONDS = 5.0
MIN_BAR = 3.0


@dataclass(frozen=True)
class Axis:
    """The time axis: seconds from the fault to pixels."""

    starts_at_seconds: float
    ends_at_seconds: float

    def x(self, at_seconds: float) -> float:
        """Where a moment is; one beyond the ends is at the end."""
        inside = min(max(at_seconds, self.starts_at_seconds), self.ends_at_seconds)
        share = (inside - self.starts_at_seconds) / (self.ends_at_seconds - self.starts_at_seconds)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    @property
    def ticks(self) -> range:
        """Whole seconds to write at the axis; 0, the fault, is one of them."""
        span = self.ends_at_seconds - self.starts_at_seconds
        step = next((step for step in TICK_STEPS if span / step <= MAX_TICKS), math.ceil(span / MAX_TICKS))
        first = math.ceil(self.starts_at_seconds / step) * step
        return range(first, math.floor(self.ends_at_seconds) + 1, step)


def picture_of(evidence: Evidence, markers: Sequence[Marker]) -> str:
    """The picture as an SVG element to put into a page.

    Args:
        evidence: of the drill.
        markers: moments to mark, in any order.
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
        *_grid(axis, strip_y, axis_y),
        *_strips(axis, evidence, strip_y),
        *_lag(axis, evidence, lag_y),
        *_lines(labels, axis_y),
        *(line for row, step in enumerate(steps) for line in _phase(axis, evidence, step, phases_y + PHASE_ROW * row)),
        *_words(labels),
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


def _grid(axis: Axis, top: float, bottom: float) -> list[str]:
    parts = []
    for tick in axis.ticks:
        x = axis.x(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom + 5:.1f}"/>')
        parts.append(_text(x, bottom + 18, str(tick), "tick", "middle"))
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{bottom:.1f}" x2="{WIDTH - RIGHT}" y2="{bottom:.1f}"/>')
    parts.append(_text(WIDTH - RIGHT + 14, bottom + 18, "seconds from the fault", "lane", "start"))
    return parts


def _strips(axis: Axis, evidence: Evidence, y: float) -> list[str]:
    """One strip for each client, one below the other, and one legend for all."""
    parts = []
    for row, client in enumerate(evidence.clients):
        parts += _strip(axis, evidence, client, y + (STRIP_HEIGHT + STRIP_GAP) * row)
    legend = {outcome.value: outcome.value for outcome in Outcome} | {"nothing": "no write ended"}
    for row, (kind, words) in enumerate(legend.items()):
        parts.append(_rectangle(WIDTH - RIGHT + 14, y + 0.5 + 16 * row, 9, 9, f"{kind} key"))
        parts.append(_text(WIDTH - RIGHT + 29, y + 9 + 16 * row, words, "legend", "start"))
    return parts


def _strip(axis: Axis, evidence: Evidence, client: ClientHistory, y: float) -> list[str]:
    """How the client's writes ended, by the second."""
    parts = [_text(LEFT - 12, y + STRIP_HEIGHT / 2 + 4, client.name, "lane", "end")]
    parts.append(_rectangle(LEFT, y, WIDTH - LEFT - RIGHT, STRIP_HEIGHT, "nothing"))
    counts = Counter((math.floor(evidence.at(each.finished_at)), each.outcome) for each in client.attempts)
    for second in sorted({second for second, _ in counts}):
        x, end = axis.x(second), axis.x(second + 1)
        ended = {outcome: counts[second, outcome] for outcome in Outcome}
        words = ", ".join(f"{count} {outcome}" for outcome, count in ended.items())
        parts.append(f"<g><title>{html.escape(f'{client.name}, second {second}: {words}')}</title>")
        bottom = y + STRIP_HEIGHT
        for outcome, count in ended.items():
            height = STRIP_HEIGHT * count / sum(ended.values())
            bottom -= height
            if count:
                parts.append(_rectangle(x, bottom, max(0.5, end - x - 1), height, outcome))
        parts.append("</g>")
    return parts


def _lag(axis: Axis, evidence: Evidence, y: float) -> list[str]:
    bottom = y + LAG_HEIGHT
    samples = [
        sample
        for sample in evidence.lag_samples
        if axis.starts_at_seconds <= evidence.at(sample.at) <= axis.ends_at_seconds
    ]
    parts = [
        _text(LEFT - 12, y + LAG_HEIGHT / 2 + 4, "replica lag", "lane", "end"),
        f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{WIDTH - RIGHT}" y2="{bottom}"/>',
    ]
    if not samples:
        return [*parts, _text((LEFT + WIDTH - RIGHT) / 2, y + LAG_HEIGHT / 2 + 4, "not measured", "legend", "middle")]
    top_seconds = _round_up(max(sample.lag_seconds for sample in samples))
    parts.append(f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>')
    parts.append(_text(WIDTH - RIGHT + 14, y + 4, f"{top_seconds:g} s", "legend", "start"))
    parts.append(_text(WIDTH - RIGHT + 14, bottom + 4, "0 s", "legend", "start"))
    for run in _runs(samples):
        spots = [
            (axis.x(evidence.at(sample.at)), bottom - LAG_HEIGHT * sample.lag_seconds / top_seconds) for sample in run
        ]
        line = " ".join(f"{x:.1f},{spot_y:.1f}" for x, spot_y in spots)
        parts.append(
            f'<polygon class="lag-area" points="{spots[0][0]:.1f},{bottom} {line} {spots[-1][0]:.1f},{bottom}"/>'
        )
        parts.append(f'<polyline class="lag" points="{line}"/>')
        parts += [
            f'<circle class="lag-point" cx="{x:.1f}" cy="{spot_y:.1f}" r="2"><title>{sample.lag_seconds:.2f} s at '
            f"{evidence.at(sample.at):.1f} s</title></circle>"
            for sample, (x, spot_y) in zip(run, spots, strict=True)
        ]
    return parts


def _runs(samples: Sequence[LagSample]) -> list[list[LagSample]]:
    runs: list[list[LagSample]] = []
    for sample in samples:
        if runs and sample.at - runs[-1][-1].at <= LAG_GAP_SECONDS:
            runs[-1].append(sample)
        else:
            runs.append([sample])
    return runs


def _phase(axis: Axis, evidence: Evidence, step: Step, top: float) -> list[str]:
    start, finished = axis.x(evidence.at(step.started_at)), step.finished_at
    if finished is None:
        end, kind, words = axis.x(axis.ends_at_seconds), "open", "never finished"
    else:
        end, kind = axis.x(evidence.at(finished)), "phase"
        words = f"{(finished - step.started_at).total_seconds():.1f} s, {step.outcome}"
    bar = _rectangle(start, top + 3, max(MIN_BAR, end - start), PHASE_ROW - 7, kind)
    return [
        _text(LEFT - 12, top + 13, step.phase, "lane", "end"),
        f"<g><title>{html.escape(step.detail or '')}</title>{bar}</g>",
        _text(max(start + MIN_BAR, end) + 6, top + 13, words, "legend halo", "start"),
    ]


def _lines(labels: Sequence[Label], bottom: float) -> list[str]:
    return [
        f'<line class="marker {html.escape(label.marker.kind)}" x1="{label.x:.1f}" y1="{_baseline(label) - 9:.1f}" '
        f'x2="{label.x:.1f}" y2="{bottom:.1f}"/>'
        for label in labels
    ]


def _words(labels: Sequence[Label]) -> list[str]:
    return [
        _text(label.x + 5, _baseline(label), label.text, f"label {html.escape(label.marker.kind)} halo", "start")
        for label in labels
    ]


def _baseline(label: Label) -> float:
    return TOP + LABEL_ROW * label.row + 12


def _round_up(lag_seconds: float) -> float:
    """The next 1, 2 or 5 times a power of ten; at least a tenth of a second, below which a lag is noise."""
    wanted = max(lag_seconds, 0.1)
    power = 10.0 ** math.floor(math.log10(wanted))
    return next((step * power for step in (1, 2, 5) if step * power >= wanted), 10 * power)


def _rectangle(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _text(x: float, y: float, words: str, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'
