"""A handover of authority as it is recorded: in the giver's record while it is under way, and as history for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from function_runtime.sites import Site


class HandoverStep(StrEnum):
    """The steps of the giver's controller, in their order. Each waits for a word to be out (`failover.handover`)."""

    TELL = "tell"
    """The other site's record gets epoch, writer and authority as they are."""
    GIVE_UP = "give_up"
    """The giver's record names the other site's controller: from here on there is no way back."""
    TAKE = "take"
    """The other site's record names its own controller, which acts from then on."""


@dataclass(frozen=True)
class Handover:
    """One handover.

    Attributes:
        giver: the site whose controller gives the authority away.
        receiver: the other one.
        by: who asked for it, as AWS names the caller.
        epoch: the epoch in which it happens.
        begun_at: when it began.
        told_at: when the other site's record was written.
        given_up_at: when the giver began to give it up.
        taken_at: when the other site's record got it.
        seen_since: since when what the next step waits for has been seen without a break.
        people_told: whether people were told that it lasts.
    """

    giver: Site
    receiver: Site
    by: str
    epoch: int
    begun_at: datetime
    told_at: datetime | None = None
    given_up_at: datetime | None = None
    taken_at: datetime | None = None
    seen_since: datetime | None = None
    people_told: bool = False

    @property
    def next_step(self) -> HandoverStep:
        """The step that follows."""
        if self.told_at is None:
            return HandoverStep.TELL
        return HandoverStep.GIVE_UP if self.given_up_at is None else HandoverStep.TAKE

    @property
    def since(self) -> datetime:
        """When the last step was taken."""
        return self.given_up_at or self.told_at or self.begun_at

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {
            "from": self.giver.value,
            "to": self.receiver.value,
            "by": self.by,
            "epoch": self.epoch,
            "begun_at": self.begun_at.isoformat(),
            "told_at": _text(self.told_at),
            "given_up_at": _text(self.given_up_at),
            "taken_at": _text(self.taken_at),
            "seen_since": _text(self.seen_since),
            "people_told": self.people_told,
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Handover:
        """From the state table."""
        return cls(
            giver=Site(item["from"]),
            receiver=Site(item["to"]),
            by=item["by"],
            epoch=int(item["epoch"]),
            begun_at=datetime.fromisoformat(item["begun_at"]),
            told_at=_moment(item["told_at"]),
            given_up_at=_moment(item["given_up_at"]),
            taken_at=_moment(item["taken_at"]),
            seen_since=_moment(item["seen_since"]),
            people_told=item["people_told"],
        )


def item_id(epoch: int | None = None) -> str:
    """The key of a handover's history in the giver's table; without an epoch what all of them begin with."""
    return "handover#" if epoch is None else f"handover#{epoch:06d}"


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
