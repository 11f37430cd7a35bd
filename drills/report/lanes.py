"""The lanes that every picture has: how each client's writes ended, by the second, and a replica's lag."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from drills.clients.history import ClientHistory, Outcome
from drills.records.cloudwatch import LagSample
from drills.report.svg import LEFT, RIGHT, WIDTH, Axis, lane_name, rectangle, text, titled

STRIP_HEIGHT = 26
STRIP_GAP = 6
LAG_HEIGHT = 72
# No line is drawn between samples further apart than this: the lag between them is unknown.
LAG_GAP_SECONDS = 5.0


ASTRAY = "astray"
KINDS = (Outcome.ACKNOWLEDGED.value, ASTRAY, Outcome.INDETERMINATE.value, Outcome.FAILED.value)


def strips(
    axis: Axis,
    clients: Sequence[ClientHistory],
    at: Callable[[float], float],
    y: float,
    astray: Collection[int] = (),
) -> list[str]:
    """One strip for each client, one below the other, and one legend for all.

    Args:
        axis: the time axis.
        clients: their histories.
        at: seconds since 1970 to seconds on the axis.
        y: the first one's top.
        astray: the rows that the old writer acknowledged after the switch.
    """
    parts = []
    for row, client in enumerate(clients):
        parts += _strip(axis, client, at, astray, y + (STRIP_HEIGHT + STRIP_GAP) * row)
    legend = {kind: kind for kind in KINDS} | {ASTRAY: "by the old writer", "nothing": "no write ended"}
    if not astray:
        del legend[ASTRAY]
    for row, (kind, words) in enumerate(legend.items()):
        parts.append(rectangle(WIDTH - RIGHT + 14, y + 0.5 + 16 * row, 9, 9, f"{kind} key"))
        parts.append(text(WIDTH - RIGHT + 29, y + 9 + 16 * row, words, "legend", "start"))
    return parts


def _strip(
    axis: Axis, client: ClientHistory, at: Callable[[float], float], astray: Collection[int], y: float
) -> list[str]:
    parts = [lane_name(y + STRIP_HEIGHT / 2 + 4, client.name)]
    parts.append(rectangle(LEFT, y, WIDTH - LEFT - RIGHT, STRIP_HEIGHT, "nothing"))
    counts = Counter(
        (math.floor(at(each.finished_at.wall)), ASTRAY if each.n in astray else each.outcome.value)
        for each in client.attempts
    )
    for second in sorted({second for second, _ in counts}):
        x, end = axis.x(second), axis.x(second + 1)
        ended = {kind: counts[second, kind] for kind in KINDS if kind != ASTRAY or astray}
        words = ", ".join(f"{count} {kind}" for kind, count in ended.items())
        bars = []
        bottom = y + STRIP_HEIGHT
        for kind, count in ended.items():
            height = STRIP_HEIGHT * count / sum(ended.values())
            bottom -= height
            if count:
                bars.append(rectangle(x, bottom, max(0.5, end - x - min(1.0, (end - x) / 4)), height, kind))
        parts.append(titled(f"{client.name}, second {second}: {words}", *bars))
    return parts


def lag_lane(
    axis: Axis, name: str, samples: Sequence[LagSample], at: Callable[[float], float], y: float, height: float
) -> list[str]:
    """The lag of one replica.

    Args:
        axis: the time axis.
        name: of the lane.
        samples: what was measured, oldest first.
        at: seconds since 1970 to seconds on the axis.
        y: the lane's top.
        height: its height.
    """
    bottom = y + height
    shown = [sample for sample in samples if axis.starts_at_seconds <= at(sample.at) <= axis.ends_at_seconds]
    parts = [
        lane_name(y + height / 2 + 4, name),
        f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{WIDTH - RIGHT}" y2="{bottom}"/>',
    ]
    if not shown:
        return [*parts, text((LEFT + WIDTH - RIGHT) / 2, y + height / 2 + 4, "not measured", "legend", "middle")]
    top_seconds = _round_up(max(sample.lag_seconds for sample in shown))
    parts.append(f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>')
    parts.append(text(WIDTH - RIGHT + 14, y + 4, f"{top_seconds:g} s", "legend", "start"))
    parts.append(text(WIDTH - RIGHT + 14, bottom + 4, "0 s", "legend", "start"))
    for run in _runs(shown):
        spots = [(axis.x(at(sample.at)), bottom - height * sample.lag_seconds / top_seconds) for sample in run]
        line = " ".join(f"{x:.1f},{spot_y:.1f}" for x, spot_y in spots)
        parts.append(
            f'<polygon class="lag-area" points="{spots[0][0]:.1f},{bottom} {line} {spots[-1][0]:.1f},{bottom}"/>'
        )
        parts.append(f'<polyline class="lag" points="{line}"/>')
        parts += [
            f'<circle class="lag-point" cx="{x:.1f}" cy="{spot_y:.1f}" r="2"><title>{sample.lag_seconds:.2f} s at '
            f"{at(sample.at):.1f} s</title></circle>"
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


def _round_up(lag_seconds: float) -> float:
    """The next 1, 2 or 5 times a power of ten; at least a tenth of a second, below which a lag is noise."""
    wanted = max(lag_seconds, 0.1)
    power = 10.0 ** math.floor(math.log10(wanted))
    return next((step * power for step in (1, 2, 5) if step * power >= wanted), 10 * power)
