"""What people have told the controller: a pause, an order to fail over, an instruction. Written by operators.

It is an item of its own, ``control``, so that an operator's role can be limited to it: people say what they want, and
the controller alone writes what is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

CONTROL = "control"


class OrderKind(StrEnum):
    """What kind of failover a person orders. Axis of evidence: how much of it the order stands for."""

    APPROVE = "approve"
    """The incident that the controller asks about. Every proof of life still stops it."""
    PLANNED = "planned"
    """A move of a healthy writer: nothing may be lost."""
    FORCED = "forced"
    """The person knows better than the signals: only what cannot work or is paused stops it."""


@dataclass(frozen=True)
class Pause:
    """Failovers are paused: observed and reported, not done.

    Attributes:
        by: who paused, as AWS names the caller.
        at: when.
        reason: why, in their words.
    """

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Order:
    """An order to fail over. It is for one incident and one epoch, and void for every other.

    Attributes:
        kind: what it stands for.
        incident_id: the incident it names.
        epoch: the epoch that the failover begins.
        by: who gave it, as AWS names the caller.
        at: when.
        expires_at: after that it is void.
        accepted_loss_seconds: the loss of data that the person accepts; None accepts the policy's bound only.
        accepts_unknown_loss: whether the person accepts a loss that nobody can bound.
    """

    kind: OrderKind
    incident_id: str
    epoch: int
    by: str
    at: datetime
    expires_at: datetime
    accepted_loss_seconds: float | None = None
    accepts_unknown_loss: bool = False

    def is_for(self, incident_id: str | None, epoch: int, at: datetime) -> bool:
        """Whether the order is about this incident and this epoch, and still good."""
        return self.incident_id == incident_id and self.epoch == epoch and at < self.expires_at

    def as_item(self) -> dict[str, Any]:
        """For the state table, and for a report's question."""
        return {
            "kind": self.kind.value,
            "incident_id": self.incident_id,
            "epoch": self.epoch,
            "by": self.by,
            "at": self.at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "accepted_loss_seconds": self.accepted_loss_seconds,
            "accepts_unknown_loss": self.accepts_unknown_loss,
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Order:
        """From the state table.

        Raises:
            KeyError, ValueError: it is not an order.
        """
        loss: Decimal | float | None = item["accepted_loss_seconds"]
        return cls(
            kind=OrderKind(item["kind"]),
            incident_id=str(item["incident_id"]),
            epoch=int(item["epoch"]),
            by=str(item["by"]),
            at=moment_of(item["at"]),
            expires_at=moment_of(item["expires_at"]),
            accepted_loss_seconds=None if loss is None else float(loss),
            accepts_unknown_loss=item["accepts_unknown_loss"] is True,
        )


class InstructionKind(StrEnum):
    """How a person gets the controller out of what it cannot leave by itself. Axis of what is stuck."""

    ABANDON = "abandon"
    """End an incident as far as it has come."""
    ADOPT = "adopt"
    """Where the state is lost: take a site's database for the writer."""
    HAND_OVER = "hand_over"
    """Nothing is stuck: give the other site's controller the authority."""


ABOUT_HANDOVER = "handover"
"""What an instruction to abandon is about that takes back a handover of authority."""


@dataclass(frozen=True)
class Instruction:
    """An instruction.

    Attributes:
        kind: what it is.
        about: the incident to abandon (or the handover: `ABOUT_HANDOVER`), the site to adopt as the writer's, or the
            site whose controller is to get the authority.
        by: who gave it, as AWS names the caller.
        at: when.
        expires_at: after that it is void.
    """

    kind: InstructionKind
    about: str
    by: str
    at: datetime
    expires_at: datetime

    def says(self, kind: InstructionKind, about: str, at: datetime) -> bool:
        """Whether it says this, and is still good."""
        return self.kind is kind and self.about == about and at < self.expires_at

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {
            "kind": self.kind.value,
            "about": self.about,
            "by": self.by,
            "at": self.at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Instruction:
        """From the state table.

        Raises:
            KeyError, ValueError: it is not an instruction.
        """
        return cls(
            InstructionKind(item["kind"]),
            str(item["about"]),
            str(item["by"]),
            moment_of(item["at"]),
            moment_of(item["expires_at"]),
        )


@dataclass(frozen=True)
class Control:
    """The item ``control``.

    Attributes:
        version: grows with each write; 0 before the first.
        pause: None where failovers are not paused.
        order: None where none is given.
        instruction: None where none is given.
    """

    version: int = 0
    pause: Pause | None = None
    order: Order | None = None
    instruction: Instruction | None = None

    def with_pause(self, pause: Pause | None) -> Control:
        """The same with a pause, or with none."""
        return replace(self, pause=pause)

    def with_order(self, order: Order | None) -> Control:
        """The same with an order, or with none."""
        return replace(self, order=order)

    def with_instruction(self, instruction: Instruction | None) -> Control:
        """The same with an instruction, or with none."""
        return replace(self, instruction=instruction)

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        item: dict[str, Any] = {"id": CONTROL, "version": self.version}
        if self.pause is not None:
            item["pause"] = {"by": self.pause.by, "at": self.pause.at.isoformat(), "reason": self.pause.reason}
        if self.order is not None:
            item["order"] = self.order.as_item()
        if self.instruction is not None:
            item["instruction"] = self.instruction.as_item()
        return item

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Control:
        """From the state table.

        Raises:
            KeyError, ValueError: it is not what an operator's command writes.
        """
        pause, order, instruction = item.get("pause"), item.get("order"), item.get("instruction")
        return cls(
            version=int(item["version"]),
            pause=None if pause is None else Pause(str(pause["by"]), moment_of(pause["at"]), str(pause["reason"])),
            order=None if order is None else Order.from_item(order),
            instruction=None if instruction is None else Instruction.from_item(instruction),
        )


def moment_of(text: str) -> datetime:
    """A moment as it is written in an item.

    Raises:
        ValueError: it is none, or has no zone: it could not be compared with the time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: write it with one, such as +00:00")
    return moment
