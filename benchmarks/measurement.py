"""What one benchmark found, beside what was promised."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measurement:
    """A measured number and its target.

    Attributes:
        name: what was measured.
        value: the number.
        unit: its unit.
        target: the most it should be, or None where nothing was promised.
        detail: what it consists of, or how it was measured.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    detail: str = ""

    @property
    def verdict(self) -> str:
        """``ok``, ``over`` or, without a target, nothing."""
        if self.target is None:
            return ""
        return "ok" if self.value <= self.target else "over"


def table(measurements: Sequence[Measurement]) -> str:
    """The measurements as a text table, one a line."""
    rows = [("measured", "value", "target", "", "")]
    rows += [
        (
            one.name,
            f"{one.value:.1f} {one.unit}",
            "" if one.target is None else f"{one.target:g} {one.unit}",
            one.verdict,
            one.detail,
        )
        for one in measurements
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def write_json(measurements: Sequence[Measurement], path: Path) -> None:
    """Write the measurements to a file, for comparison between runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in measurements], indent=2) + "\n")
