"""The item ``reprotect`` in the table of the writer's site: what this command does or has done last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from deployment.state_tables import REPROTECT
from function_runtime.sites import Site

MOST_EARLIER = 20


class Reason(StrEnum):
    """Why there is something to do. Axis of what is wrong with the standby's site."""

    FAILED_OVER = "failed_over"
    """Its database is the old writer, shut."""
    STANDBY_BROKEN = "standby_broken"
    """Its database is a replica that cannot catch up any more."""
    NO_INSTANCE = "no_instance"
    """It has no database."""
    AUTHORITY_ELSEWHERE = "authority_elsewhere"
    """Its database is a replica, and its controller has no authority."""
    NOT_FOLLOWED = "not_followed"
    """All is well but the data layer's configuration, which names another site as the active one."""


class StepName(StrEnum):
    """The steps, in their order."""

    FOLLOW = "follow"
    PAUSE = "pause"
    RELEASE = "release"
    SNAPSHOT = "snapshot"
    DELETE = "delete"
    CREATE = "create"
    RESUME = "resume"
    BACK_UP = "back_up"
    HAND_OVER = "hand_over"


@dataclass(frozen=True)
class Done:
    """A step that was begun.

    Attributes:
        step: which.
        began_at: when.
        finished_at: when it was done; None while it is not.
        detail: what came of it, for people.
    """

    step: StepName
    began_at: datetime
    finished_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True)
class Record:
    """What is on record.

    Attributes:
        version: grows with each write; 0 before the first.
        site: where the standby is made.
        writer_site: whose database is the writer.
        epoch: of the writer's record when it began.
        reason: why.
        by: who began it, as AWS names the caller.
        began_at: when.
        replaces: whether an instance, or one that the state knows, has to go first.
        old_instance_id: its ``DbiResourceId``; None where RDS has none.
        generation: of the instance that is to come.
        steps: what was begun, in order.
        finished_at: when it was finished or undone; None while it is not.
        old_birth: the configured birth of what has to go; None where nothing has to.
        outcome: how it ended: finished, undone, superseded.
        earlier: what ended before it, newest first, in short.
    """

    version: int
    site: Site
    writer_site: Site
    epoch: int
    reason: Reason
    by: str
    began_at: datetime
    replaces: bool
    old_instance_id: str | None
    generation: int
    steps: tuple[Done, ...] = ()
    finished_at: datetime | None = None
    old_birth: str | None = None
    outcome: str = ""
    earlier: tuple[Mapping[str, str], ...] = ()

    def step(self, name: StepName) -> Done | None:
        """The step, None where it was not begun."""
        return next((each for each in self.steps if each.step is name), None)

    def has_finished(self, name: StepName) -> bool:
        """Whether the step is done."""
        step = self.step(name)
        return step is not None and step.finished_at is not None

    def begun(self, name: StepName, at: datetime) -> Record:
        """The same with the step begun; a step that was begun before keeps its time."""
        return self if self.step(name) is not None else replace(self, steps=(*self.steps, Done(name, at)))

    def finished(self, name: StepName, at: datetime, detail: str) -> Record:
        """The same with the step done."""
        begun = self.begun(name, at)
        steps = tuple(
            replace(each, finished_at=at, detail=detail) if each.step is name else each for each in begun.steps
        )
        return replace(begun, steps=steps)

    def ended(self, at: datetime, outcome: str) -> Record:
        """The same at its end."""
        return replace(self, finished_at=at, outcome=outcome)

    def history(self, at: datetime) -> tuple[Mapping[str, str], ...]:
        """What a successor keeps of it and of those before it."""
        ended = self if self.finished_at is not None else self.ended(at, "superseded")
        short = {
            "site": self.site.value,
            "epoch": str(self.epoch),
            "reason": self.reason.value,
            "generation": str(self.generation),
            "by": self.by,
            "began_at": self.began_at.isoformat(),
            "finished_at": "" if ended.finished_at is None else ended.finished_at.isoformat(),
            "outcome": ended.outcome,
        }
        return (short, *self.earlier)[:MOST_EARLIER]

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {
            "id": REPROTECT,
            "version": self.version,
            "site": self.site.value,
            "writer_site": self.writer_site.value,
            "epoch": self.epoch,
            "reason": self.reason.value,
            "by": self.by,
            "began_at": self.began_at.isoformat(),
            "replaces": self.replaces,
            "old_instance_id": self.old_instance_id,
            "generation": self.generation,
            "old_birth": self.old_birth,
            "steps": [
                {
                    "step": each.step.value,
                    "began_at": each.began_at.isoformat(),
                    "finished_at": None if each.finished_at is None else each.finished_at.isoformat(),
                    "detail": each.detail,
                }
                for each in self.steps
            ],
            # The snapshot copier looks for it: it is there only at the end.
            **({} if self.finished_at is None else {"finished_at": self.finished_at.isoformat()}),
            "outcome": self.outcome,
            "earlier": [dict(each) for each in self.earlier],
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Record:
        """From the state table.

        Raises:
            KeyError, TypeError, ValueError: it is not what this command writes.
        """
        finished_at = item.get("finished_at")
        return cls(
            version=int(item["version"]),
            site=Site(item["site"]),
            writer_site=Site(item["writer_site"]),
            epoch=int(item["epoch"]),
            reason=Reason(item["reason"]),
            by=item["by"],
            began_at=datetime.fromisoformat(item["began_at"]),
            replaces=item["replaces"] is True,
            old_instance_id=item["old_instance_id"],
            generation=int(item["generation"]),
            old_birth=item.get("old_birth"),
            steps=tuple(
                Done(
                    StepName(each["step"]),
                    datetime.fromisoformat(each["began_at"]),
                    None if each["finished_at"] is None else datetime.fromisoformat(each["finished_at"]),
                    each["detail"],
                )
                for each in item["steps"]
            ),
            finished_at=None if finished_at is None else datetime.fromisoformat(finished_at),
            outcome=item["outcome"],
            earlier=tuple(item["earlier"]),
        )
