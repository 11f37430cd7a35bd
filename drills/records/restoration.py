"""What a drill brought back from a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drills.clients.writes_table import StoredRow
from drills.instants import Instant


@dataclass(frozen=True)
class Restoration:
    """What was brought back.

    Attributes:
        snapshot: the copy it came from.
        taken_at: when the snapshot was asked for, and everything acknowledged before must be in it.
        data_of: RDS's own time of the data.
        ordered_at: when a person ordered the restore.
        usable_at: when the rows could be read.
        rows: the rows of the client's table.
        count: how many rows the table of the scenario had, None where it has no table of its own.
    """

    snapshot: str
    taken_at: Instant
    data_of: datetime
    ordered_at: Instant
    usable_at: Instant
    rows: tuple[StoredRow, ...]
    count: int | None
