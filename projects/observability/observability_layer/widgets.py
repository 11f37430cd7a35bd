"""The widgets of a CloudWatch dashboard, as plain data.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from shared.cloudwatch import STANDARD_PERIOD_SECONDS

GRID_WIDTH = 24
DEFAULT_HEIGHT = 6


@dataclass(frozen=True)
class Series:
    """One line of a graph, by the minute, as RDS and Lambda publish their metrics."""

    namespace: pulumi.Input[str]
    metric: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str
    region: str
    label: pulumi.Input[str]

    def row(self) -> list[Any]:
        """The line as the dashboard's body writes it."""
        dimensions = [part for pair in self.dimensions.items() for part in pair]
        options = {
            "region": self.region,
            "stat": self.statistic,
            "label": self.label,
            "period": STANDARD_PERIOD_SECONDS,
        }
        return [self.namespace, self.metric, *dimensions, options]


@dataclass(frozen=True)
class Widget:
    """One widget without its place."""

    kind: str
    properties: Mapping[str, Any]
    height: int = DEFAULT_HEIGHT


def text(markdown: pulumi.Input[str], *, height: int) -> Widget:
    """A paragraph."""
    return Widget("text", {"markdown": markdown}, height)


def alarm_states(title: str, alarm_arns: Sequence[pulumi.Input[str]], region: str) -> Widget:
    """The states of alarms of one region."""
    return Widget("alarm", {"title": title, "alarms": list(alarm_arns), "region": region}, 4)


def graph(
    title: str,
    region: str,
    series: Sequence[Series],
    *,
    low: float | None = None,
    high: float | None = None,
    limit: tuple[str, float] | None = None,
) -> Widget:
    """Lines over time.

    Args:
        title: what is shown, with its unit.
        region: the dashboard's region; each line names its own.
        series: the lines.
        low: bottom of the scale.
        high: top of the scale.
        limit: label and value of a horizontal line.
    """
    scale = {key: value for key, value in (("min", low), ("max", high)) if value is not None}
    properties: dict[str, Any] = {
        "title": title,
        "view": "timeSeries",
        "region": region,
        "metrics": [line.row() for line in series],
        "yAxis": {"left": scale},
    }
    if limit is not None:
        properties["annotations"] = {"horizontal": [{"label": limit[0], "value": limit[1]}]}
    return Widget("metric", properties)


def laid_out(rows: Sequence[Sequence[Widget]]) -> list[dict[str, Any]]:
    """Each row's widgets side by side over the whole width, the rows below each other."""
    placed = []
    top = 0
    for row in rows:
        width = GRID_WIDTH // len(row)
        for column, widget in enumerate(row):
            placed.append(
                {
                    "type": widget.kind,
                    "x": column * width,
                    "y": top,
                    "width": width,
                    "height": widget.height,
                    "properties": dict(widget.properties),
                }
            )
        top += max(widget.height for widget in row)
    return placed
