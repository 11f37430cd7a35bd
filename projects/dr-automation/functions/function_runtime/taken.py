"""That a site's controller got the authority, kept beside the record that says so.

Without it a table whose record is lost could not be told from one that was never given authority: what is left is its
birth, an older fact. The incidents and handovers of a table say only what its own controller did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from function_runtime.sites import Site

TAKEN = "taken"


@dataclass(frozen=True)
class Taken:
    """The last time.

    Attributes:
        epoch: the epoch of the record then.
        writer_site: the writer on it.
        authority: the site whose controller got it: the table's own.
        since: when it got it, None where its record does not say.
        version: grows with each write; 0 before the first.
    """

    epoch: int
    writer_site: Site
    authority: Site
    since: datetime | None
    version: int = 0

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {
            "id": TAKEN,
            "version": self.version,
            "epoch": self.epoch,
            "writer_site": self.writer_site.value,
            "authority": self.authority.value,
            "since": None if self.since is None else self.since.isoformat(),
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Taken:
        """From the state table."""
        return cls(
            epoch=int(item["epoch"]),
            writer_site=Site(item["writer_site"]),
            authority=Site(item["authority"]),
            since=None if item["since"] is None else datetime.fromisoformat(item["since"]),
            version=int(item["version"]),
        )
