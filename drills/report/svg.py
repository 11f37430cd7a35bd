"""What the pictures in reports are drawn with: a time axis and a few SVG elements.

Colours are in ``style.css``: a picture names classes only.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from drills.report.picture_labels import Label

WIDTH = 1080
LEFT = 118
RIGHT = 190
TOP = 8
LABEL_ROW = 18
MAX_TICKS = 16
TICK_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)


@dataclass(frozen=True)
class Axis:
    """The time axis: seconds to pixels."""

    starts_at_seconds: float
    ends_at_seconds: float

    def x(self, at_seconds: float) -> float:
        """Where a moment is; one beyond the ends is at the end."""
        inside = min(max(at_seconds, self.starts_at_seconds), self.ends_at_seconds)
        share = (inside - self.starts_at_seconds) / (self.ends_at_seconds - self.starts_at_seconds)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    @property
    def ticks(self) -> range:
        """Whole seconds to write at the axis; 0 is one of them if it is on the axis."""
        span = self.ends_at_seconds - self.starts_at_seconds
        step = next((step for step in TICK_STEPS if span / step <= MAX_TICKS), math.ceil(span / MAX_TICKS))
        first = math.ceil(self.starts_at_seconds / step) * step
        return range(first, math.floor(self.ends_at_seconds) + 1, step)


def grid(axis: Axis, top: float, bottom: float, unit: str) -> list[str]:
    """The axis with its ticks, and a line through the picture at each of them.

    Args:
        axis: the axis.
        top: where the lines begin.
        bottom: where the axis is.
        unit: what the numbers at it are.
    """
    parts = []
    for tick in axis.ticks:
        x = axis.x(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom + 5:.1f}"/>')
        parts.append(text(x, bottom + 18, str(tick), "tick", "middle"))
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{bottom:.1f}" x2="{WIDTH - RIGHT}" y2="{bottom:.1f}"/>')
    parts.append(text(WIDTH - RIGHT + 14, bottom + 18, unit, "lane", "start"))
    return parts


def marker_lines(labels: Sequence[Label], bottom: float) -> list[str]:
    """A line down from each label."""
    return [
        f'<line class="marker {html.escape(label.marker.kind)}" x1="{label.x:.1f}" y1="{_baseline(label) - 9:.1f}" '
        f'x2="{label.x:.1f}" y2="{bottom:.1f}"/>'
        for label in labels
    ]


def marker_words(labels: Sequence[Label]) -> list[str]:
    """The labels' texts."""
    return [
        text(label.x + 5, _baseline(label), label.text, f"label {html.escape(label.marker.kind)} halo", "start")
        for label in labels
    ]


def lane_name(y: float, words: str) -> str:
    """The name of a lane, to the left of it; ``y`` is the text's baseline."""
    return text(LEFT - 12, y, words, "lane", "end")


def titled(title: str, *parts: str) -> str:
    """Elements that say more when a pointer rests on them."""
    return f"<g><title>{html.escape(title)}</title>{''.join(parts)}</g>"


def rectangle(x: float, y: float, width: float, height: float, kind: str) -> str:
    """A rectangle of a class of the style sheet."""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def text(x: float, y: float, words: str, kind: str, anchor: str) -> str:
    """A text of a class of the style sheet; ``anchor`` is start, middle or end."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _baseline(label: Label) -> float:
    return TOP + LABEL_ROW * label.row + 12
