"""One time in which the writer did not answer, or could not be replaced, as the state table remembers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What the trouble looks like from here. Axis of evidence."""

    FAILING = "failing"
    SILENT = "silent"
    FLAPPING = "flapping"
    HUNG = "hung"
    """It answers, and nobody can commit."""


@dataclass(frozen=True)
class Trouble:
    """One time of trouble, as the state table remembers it.

    Attributes:
        kind: failing, silent, or answering again and again only to fail again.
        since: when it began.
        first_failure_by: the latest instant at which the first probe can have failed.
        lag_before_seconds: the last replication lag from before, None where none is known.
        told: codes of the decisions people were told of in this trouble; each is told once.
        dark_since: since when every run has found the writer's region dark, None where it answers.
        maintenance_at: when RDS last reported work on the writer in this trouble, None where it did not.
        incident_id: the incident this would become; what people's orders name.
    """

    kind: Kind
    since: datetime
    first_failure_by: datetime
    lag_before_seconds: float | None = None
    told: tuple[str, ...] = ()
    dark_since: datetime | None = None
    maintenance_at: datetime | None = None
    incident_id: str | None = None

    @property
    def is_hung(self) -> bool:
        """Whether the writer answers, and nobody can commit."""
        return self.kind is Kind.HUNG

    def tell(self, code: str) -> Trouble:
        """This trouble, with one more code told."""
        return replace(self, told=(*self.told, code))

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {
            "kind": self.kind.value,
            "since": self.since.isoformat(),
            "first_failure_by": self.first_failure_by.isoformat(),
            "lag_before_seconds": self.lag_before_seconds,
            "told": list(self.told),
            "dark_since": None if self.dark_since is None else self.dark_since.isoformat(),
            "maintenance_at": None if self.maintenance_at is None else self.maintenance_at.isoformat(),
            "incident_id": self.incident_id,
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Trouble:
        """From the state table."""
        lag, dark_since, maintenance_at = item["lag_before_seconds"], item["dark_since"], item["maintenance_at"]
        return cls(
            kind=Kind(item["kind"]),
            since=datetime.fromisoformat(item["since"]),
            first_failure_by=datetime.fromisoformat(item["first_failure_by"]),
            lag_before_seconds=None if lag is None else float(lag),
            told=tuple(item["told"]),
            dark_since=None if dark_since is None else datetime.fromisoformat(dark_since),
            maintenance_at=None if maintenance_at is None else datetime.fromisoformat(maintenance_at),
            incident_id=item["incident_id"],
        )


@dataclass(frozen=True)
class Unready:
    """What is wrong although the writer is well: it could not be replaced by itself, or is about not to be well.

    Attributes:
        since: when each concern was first seen, by its code.
        told: codes that people were told of; each is told once while it lasts.
    """

    since: Mapping[str, datetime]
    told: tuple[str, ...] = ()

    @classmethod
    def seen(cls, codes: Iterable[str], at: datetime, before: Unready | None) -> Unready | None:
        """What is wrong now, None where nothing is.

        Args:
            codes: of the concerns there are.
            at: now.
            before: what was wrong when it was looked at last.
        """
        known = {} if before is None else before.since
        since = {code: known.get(code, at) for code in codes}
        told = () if before is None else tuple(code for code in before.told if code in since)
        return cls(since, told) if since else None

    def tell(self, code: str) -> Unready:
        """This, with one more code told."""
        return replace(self, told=(*self.told, code))

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {"since": {code: at.isoformat() for code, at in self.since.items()}, "told": list(self.told)}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Unready:
        """From the state table."""
        return cls({code: datetime.fromisoformat(at) for code, at in item["since"].items()}, tuple(item["told"]))
