"""The labels in the picture: which moments have one, and where, so that no label covers another or is crossed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from drills.clients.routes import ByName, ByUri
from drills.report.timeline import WRITES_AGAIN, TimelineEvent

# An upper bound for the page's 12 px font: too wide costs a row, too narrow makes labels overlap.
CHARACTER_WIDTH = 6.6
LABEL_PADDING = 14.0
BURST_SECONDS = 1.0

SHORT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "fault": "fault",
        "drill acts": "drill acts",
        "incident opened": "incident opened",
        "the writer's name moves": "name moves",
        f"{WRITES_AGAIN} ({ByName.name})": "name: writes again",
        f"{WRITES_AGAIN} ({ByUri.name})": "URI: writes again",
        "incident closed": "incident closed",
    }
)
"""Which events are marked, and their short names in the picture; the timeline lists all events in full."""


@dataclass(frozen=True)
class Marker:
    """A moment to mark, in seconds from the fault; ``kind`` is its class in the style sheet."""

    at_seconds: float
    text: str
    kind: str


@dataclass(frozen=True)
class Label:
    """A marker with its place: ``x`` in pixels, ``row`` from the top; ``text`` runs to the right of ``x``."""

    marker: Marker
    x: float
    row: int
    text: str

    @property
    def ends_at(self) -> float:
        """The first pixel to the right that is free again."""
        return self.x + CHARACTER_WIDTH * len(self.text) + LABEL_PADDING


def markers_of(events: Sequence[TimelineEvent]) -> tuple[Marker, ...]:
    """The events that are marked in the picture."""
    markers = []
    for event in events:
        if event.event in SHORT_WORDS:
            kind = "fault" if event.event == "fault" else event.source
            markers.append(Marker(event.at_seconds, SHORT_WORDS[event.event], kind))
        elif event.source == "alarm" and event.at_seconds > 0:
            markers.append(Marker(event.at_seconds, event.event, event.source))
    messages = [event.at_seconds for event in events if event.source == "people" and event.at_seconds > 0]
    return tuple(sorted([*markers, *_messages(messages)], key=lambda marker: marker.at_seconds))


def _messages(moments: Sequence[float]) -> list[Marker]:
    """One marker for messages that come within a second: people read them together."""
    bursts: list[list[float]] = []
    for moment in sorted(moments):
        if bursts and moment - bursts[-1][0] <= BURST_SECONDS:
            bursts[-1].append(moment)
        else:
            bursts.append([moment])
    return [Marker(burst[0], "message" if len(burst) == 1 else f"{len(burst)} messages", "people") for burst in bursts]


def placed(markers: Sequence[Marker], x_of: Callable[[float], float], right_edge: float) -> tuple[Label, ...]:
    """Give every marker a row.

    A label is to the right of its line, and lines run down. So a label is placed below every earlier one that reaches
    over it: no line crosses a label then.

    Args:
        markers: in any order.
        x_of: seconds from the fault to pixels.
        right_edge: labels that would reach beyond it are shortened; in pixels.
    """
    labels: list[Label] = []
    for marker in sorted(markers, key=lambda marker: marker.at_seconds):
        x = x_of(marker.at_seconds)
        above = [label.row for label in labels if label.ends_at > x]
        text = _fitting(marker, right_edge - x - LABEL_PADDING)
        labels.append(Label(marker, x, 1 + max(above, default=-1), text))
    return tuple(labels)


def _fitting(marker: Marker, room: float) -> str:
    """The marker's text and its moment; a text that is too long ends in an ellipsis."""
    moment = f", {marker.at_seconds:.1f} s"
    most = max(1, int(room / CHARACTER_WIDTH) - len(moment))
    words = marker.text if len(marker.text) <= most else marker.text[: most - 1].rstrip() + "\u2026"
    return words + moment
