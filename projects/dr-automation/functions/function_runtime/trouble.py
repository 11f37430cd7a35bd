"""One time in which the writer did not answer, or could not be replaced, as the state table remembers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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
        first_failure_by: the latest instant at which the first probe can have failed that was not lost by chance.
        lag_before_seconds: the last replication lag from before, None where none is known.
        told: codes of the decisions people were told of in this trouble; each is told once.
        dark_since: since when every run has found the writer's region dark, None where it answers.
        maintenance_at: when RDS last reported work on the writer in this trouble, None where it did not.
        incident_id: the incident this would become; what people's orders name.
        lived_at: when the writer last showed life after it had begun, None where it has not.
        may_have_lived_until: when a run last found the writer's region answering in it and its own site's probes not
            failing, or those first failed; None where none has.
        unwatched_until: until when no run had looked since it was decided on, None where they went on looking.
    """

    kind: Kind
    since: datetime
    first_failure_by: datetime
    lag_before_seconds: float | None = None
    told: tuple[str, ...] = ()
    dark_since: datetime | None = None
    maintenance_at: datetime | None = None
    incident_id: str | None = None
    lived_at: datetime | None = None
    may_have_lived_until: datetime | None = None
    unwatched_until: datetime | None = None

    @property
    def is_hung(self) -> bool:
        """Whether the writer answers, and nobody can commit."""
        return self.kind is Kind.HUNG

    @property
    def has_shown_life(self) -> bool:
        """Whether the writer has shown life after the trouble had begun."""
        return self.lived_at is not None

    def tell(self, code: str) -> Trouble:
        """This trouble, with one more code told."""
        return replace(self, told=(*self.told, code))

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {
            # Versions of the function that know no hung writer take it for one that comes and goes.
            "kind": (Kind.FLAPPING if self.is_hung else self.kind).value,
            "hung": self.is_hung,
            "since": self.since.isoformat(),
            "first_failure_by": self.first_failure_by.isoformat(),
            "lag_before_seconds": self.lag_before_seconds,
            "told": list(self.told),
            "dark_since": _text(self.dark_since),
            "maintenance_at": _text(self.maintenance_at),
            "incident_id": self.incident_id,
            "lived_at": _text(self.lived_at),
            "may_have_lived_until": _text(self.may_have_lived_until),
            "unwatched_until": _text(self.unwatched_until),
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Trouble:
        """From the state table."""
        lag = item["lag_before_seconds"]
        return cls(
            kind=Kind.HUNG if item.get("hung") else Kind(item["kind"]),
            since=datetime.fromisoformat(item["since"]),
            first_failure_by=datetime.fromisoformat(item["first_failure_by"]),
            lag_before_seconds=None if lag is None else float(lag),
            told=tuple(item["told"]),
            dark_since=_moment(item["dark_since"]),
            maintenance_at=_moment(item["maintenance_at"]),
            incident_id=item["incident_id"],
            # Older versions know none of these.
            lived_at=_moment(item.get("lived_at")),
            may_have_lived_until=_moment(item.get("may_have_lived_until")),
            unwatched_until=_moment(item.get("unwatched_until")),
        )


@dataclass(frozen=True)
class Unready:
    """What is wrong although the writer is well: it could not be replaced by itself, or is about not to be well.

    Attributes:
        since: when each concern was first seen, by its code.
        seen_at: when each was seen last.
        told: codes that people were told of; each is told once while it lasts.
    """

    since: Mapping[str, datetime]
    seen_at: Mapping[str, datetime]
    told: tuple[str, ...] = ()

    @classmethod
    def seen(
        cls, codes: Iterable[str], at: datetime, before: Unready | None, forgotten_after: timedelta
    ) -> Unready | None:
        """What is wrong now, or was a short time ago; None where nothing is.

        Args:
            codes: of the concerns there are.
            at: now.
            before: what was wrong when it was looked at last.
            forgotten_after: what comes and goes within this time lasts.
        """
        known = {} if before is None else before.since
        last = {} if before is None else before.seen_at
        seen_at = {code: seen for code, seen in last.items() if at - seen <= forgotten_after}
        seen_at.update(dict.fromkeys(codes, at))
        told = () if before is None else tuple(code for code in before.told if code in seen_at)
        return cls({code: known.get(code, at) for code in seen_at}, seen_at, told) if seen_at else None

    def tell(self, code: str) -> Unready:
        """This, with one more code told."""
        return replace(self, told=(*self.told, code))

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {"since": _texts(self.since), "seen_at": _texts(self.seen_at), "told": list(self.told)}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Unready:
        """From the state table."""
        return cls(_moments(item["since"]), _moments(item.get("seen_at", item["since"])), tuple(item["told"]))


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _texts(moments: Mapping[str, datetime]) -> dict[str, str]:
    return {code: at.isoformat() for code, at in moments.items()}


def _moments(texts: Mapping[str, str]) -> dict[str, datetime]:
    return {code: datetime.fromisoformat(text) for code, text in texts.items()}
