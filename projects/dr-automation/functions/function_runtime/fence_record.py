"""What a guard did about its database: one item in the other site's state table, written with conditions only.

The other site is where a new writer is made, and its controller tells people what became of the old one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from function_runtime.fence import Outcome
from function_runtime.items import Items
from function_runtime.sites import Site

BY = "fence-guard"


@dataclass(frozen=True)
class FenceRecord:
    """One site's fence.

    Attributes:
        site: whose database.
        epoch: the epoch in which it is no longer the writer.
        outcome: how far it has come.
        detail: the same for people.
        at: when it was written.
        told: what people were told of in this epoch, each once: outcomes, and two writers.
        version: grows with each write; 0 before the first.
        resource_id: the instance's ``DbiResourceId``: another instance may get its name.
    """

    site: Site
    epoch: int
    outcome: Outcome
    detail: str
    at: datetime
    told: tuple[str, ...] = ()
    version: int = 0
    resource_id: str | None = None

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {
            "id": item_id(self.site),
            "version": self.version,
            "epoch": self.epoch,
            "outcome": self.outcome.value,
            "detail": self.detail,
            "at": self.at.isoformat(),
            "by": BY,
            "told": [str(each) for each in self.told],
            "resource_id": self.resource_id,
        }


def item_id(site: Site) -> str:
    """The item's key in the state table."""
    return f"fence#{site.value}"


class FenceRecords:
    """The items of the fence-guards. Every method raises botocore's errors where DynamoDB refuses or is silent.

    Args:
        client: DynamoDB's client in the table's region.
        table: the table's name.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._items = Items(client, table)

    def read(self, site: Site) -> FenceRecord | None:
        """The site's record, None where there is none."""
        item = self._items.get(item_id(site))
        if item is None:
            return None
        return FenceRecord(
            site=site,
            epoch=int(item["epoch"]),
            outcome=Outcome(item["outcome"]),
            detail=item["detail"],
            at=datetime.fromisoformat(item["at"]),
            told=tuple(item["told"]),
            version=int(item["version"]),
            resource_id=item.get("resource_id"),
        )

    def save(self, record: FenceRecord) -> FenceRecord:
        """Write it over the version it was read in; returns it with its new version.

        Raises:
            AnotherRunIsAtWorkError: the item is no longer what was read.
        """
        written = replace(record, version=record.version + 1)
        self._items.put(written.as_item(), record.version)
        return written
