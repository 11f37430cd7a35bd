"""The picture of a drill: everything on one axis, in seconds from the fault.

The colours are the page's: the picture names classes and leaves light and dark to the style sheet.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from drills.svg_markers import Label, Marker, placed
from drills.timeline import Availability, LagPoint, PhaseSpan, Series

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
# Between samples further apart than this nothing is known about the lag, so no line is drawn.
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


def picture_of(series: Series, markers: Sequence[Marker]) -> str:
    """The picture as an SVG element to put into a page.

    Args:
        series: what is drawn along the axis.
        markers: moments to mark, in any order.
    """
    axis = _axis(series, markers)
    labels = placed(markers, axis.x, WIDTH)
    strip_y = TOP + LABEL_ROW * (1 + max((label.row for label in labels), default=-1)) + 12
    lag_y = strip_y + (STRIP_HEIGHT + STRIP_GAP) * len(series.availability) - STRIP_GAP + LANE_GAP
    phases_y = lag_y + LAG_HEIGHT + LANE_GAP
    axis_y = phases_y + PHASE_ROW * len(series.phases) + (8 if series.phases else 0)
    parts = [
        (
            f'<svg viewBox="0 0 {WIDTH} {axis_y + AXIS_HEIGHT}" role="img" '
            'aria-label="What happened, in seconds from the fault">'
        ),
        *_grid(axis, strip_y, axis_y),
        *_strips(axis, series.availability, strip_y),
        *_lag(axis, series.lag, lag_y),
        *_lines(labels, axis_y),
        *_phases(axis, series.phases, phases_y),
        *_words(labels),
        "</svg>",
    ]
    return "\n".join(parts)


def _axis(series: Series, markers: Sequence[Marker]) -> Axis:
    ends = [
        0.0,
        series.ends_at_seconds,
        *(marker.at_seconds for marker in markers),
        *(phase.finished_at_seconds for phase in series.phases if phase.finished_at_seconds is not None),
    ]
    starts = [0.0, series.starts_at_seconds, *(marker.at_seconds for marker in markers)]
    first = math.floor(min(starts))
    return Axis(float(first), float(max(math.ceil(max(ends)), first + 1)))


def _grid(axis: Axis, top: float, bottom: float) -> list[str]:
    parts = []
    for tick in axis.ticks:
        x = axis.x(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom + 5:.1f}"/>')
        parts.append(_text(x, bottom + 18, str(tick), "tick", "middle"))
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{bottom:.1f}" x2="{WIDTH - RIGHT}" y2="{bottom:.1f}"/>')
    parts.append(_text(WIDTH - RIGHT + 14, bottom + 18, "seconds from the fault", "lane", "start"))
    return parts


def _strips(axis: Axis, clients: Sequence[Availability], y: float) -> list[str]:
    """One strip for each client, one below the other, and one legend for all."""
    parts = []
    for row, client in enumerate(clients):
        parts += _strip(axis, client, y + (STRIP_HEIGHT + STRIP_GAP) * row)
    legend = {kind: kind for kind in ("acknowledged", "indeterminate", "failed")} | {"nothing": "none ended"}
    for row, (kind, words) in enumerate(legend.items()):
        parts.append(_rectangle(WIDTH - RIGHT + 14, y + 0.5 + 16 * row, 9, 9, f"{kind} key"))
        parts.append(_text(WIDTH - RIGHT + 29, y + 9 + 16 * row, words, "legend", "start"))
    return parts


def _strip(axis: Axis, client: Availability, y: float) -> list[str]:
    parts = [_text(LEFT - 12, y + STRIP_HEIGHT / 2 + 4, client.client, "lane", "end")]
    parts.append(_rectangle(LEFT, y, WIDTH - LEFT - RIGHT, STRIP_HEIGHT, "nothing"))
    for second in client.seconds:
        total = second.acknowledged + second.indeterminate + second.failed
        if total == 0:
            continue
        x, end = axis.x(second.at_seconds), axis.x(second.at_seconds + 1)
        title = (
            f"{client.client}, second {second.at_seconds}: {second.acknowledged} acknowledged, "
            f"{second.indeterminate} indeterminate, {second.failed} failed"
        )
        parts.append(f"<g><title>{html.escape(title)}</title>")
        bottom = y + STRIP_HEIGHT
        for count, kind in (
            (second.acknowledged, "acknowledged"),
            (second.indeterminate, "indeterminate"),
            (second.failed, "failed"),
        ):
            height = STRIP_HEIGHT * count / total
            bottom -= height
            if count:
                parts.append(_rectangle(x, bottom, max(0.5, end - x - 1), height, kind))
        parts.append("</g>")
    return parts


def _lag(axis: Axis, points: Sequence[LagPoint], y: float) -> list[str]:
    bottom = y + LAG_HEIGHT
    points = [point for point in points if axis.starts_at_seconds <= point.at_seconds <= axis.ends_at_seconds]
    parts = [
        _text(LEFT - 12, y + LAG_HEIGHT / 2 + 4, "replica's lag", "lane", "end"),
        f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{WIDTH - RIGHT}" y2="{bottom}"/>',
    ]
    if not points:
        return [*parts, _text((LEFT + WIDTH - RIGHT) / 2, y + LAG_HEIGHT / 2 + 4, "not measured", "legend", "middle")]
    top_seconds = _round_up(max(point.lag_seconds for point in points))
    parts.append(f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>')
    parts.append(_text(WIDTH - RIGHT + 14, y + 4, f"{top_seconds:g} s", "legend", "start"))
    parts.append(_text(WIDTH - RIGHT + 14, bottom + 4, "0 s", "legend", "start"))
    for run in _runs(points):
        spots = [(axis.x(point.at_seconds), bottom - LAG_HEIGHT * point.lag_seconds / top_seconds) for point in run]
        line = " ".join(f"{x:.1f},{spot_y:.1f}" for x, spot_y in spots)
        parts.append(
            f'<polygon class="lag-area" points="{spots[0][0]:.1f},{bottom} {line} {spots[-1][0]:.1f},{bottom}"/>'
        )
        parts.append(f'<polyline class="lag" points="{line}"/>')
        parts += [
            f'<circle class="lag-point" cx="{x:.1f}" cy="{spot_y:.1f}" r="2"><title>{point.lag_seconds:.2f} s at '
            f"{point.at_seconds:.1f} s</title></circle>"
            for point, (x, spot_y) in zip(run, spots, strict=True)
        ]
    return parts


def _runs(points: Sequence[LagPoint]) -> list[list[LagPoint]]:
    runs: list[list[LagPoint]] = []
    for point in points:
        if runs and point.at_seconds - runs[-1][-1].at_seconds <= LAG_GAP_SECONDS:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _phases(axis: Axis, phases: Sequence[PhaseSpan], y: float) -> list[str]:
    parts = []
    for row, phase in enumerate(phases):
        top = y + PHASE_ROW * row
        start = axis.x(phase.started_at_seconds)
        finished = phase.finished_at_seconds
        end = axis.x(axis.ends_at_seconds if finished is None else finished)
        took = "never finished" if finished is None else f"{finished - phase.started_at_seconds:.1f} s"
        words = took + (f", {phase.outcome}" if phase.outcome else "")
        parts.append(_text(LEFT - 12, top + 13, phase.phase, "lane", "end"))
        bar = _rectangle(
            start, top + 3, max(MIN_BAR, end - start), PHASE_ROW - 7, "open" if finished is None else "phase"
        )
        parts.append(f"<g><title>{html.escape(phase.detail)}</title>{bar}</g>")
        parts.append(_text(max(start + MIN_BAR, end) + 6, top + 13, words, "legend halo", "start"))
    return parts


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
