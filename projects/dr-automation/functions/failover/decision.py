"""A decision, and the recorded state that it is made in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from function_runtime.control import Order
from function_runtime.sites import Site


class Action(StrEnum):
    """What to do."""

    HOLD = "hold"
    """Nothing, and nobody needs to know."""
    ALERT = "alert"
    """Nothing, and people need to know."""
    ASK = "ask"
    """A failover, as soon as a person approves it."""
    FAIL_OVER = "fail_over"


@dataclass(frozen=True)
class Decision:
    """What to do and why.

    Attributes:
        action: what.
        code: the rule that decided, one word for machines.
        reason: the same for people.
    """

    action: Action
    code: str
    reason: str

    def as_item(self) -> dict[str, str]:
        """For the state table."""
        return {"action": self.action.value, "code": self.code, "reason": self.reason}


@dataclass(frozen=True)
class Situation:
    """What is recorded, as far as a decision needs it.

    Attributes:
        at: now.
        here: the site that decides.
        writer: the recorded writer.
        last_closed_at: when the last failover closed, None where there was none.
        order: a person's order that is for this incident and this epoch, None where there is none.
    """

    at: datetime
    here: Site
    writer: Site
    last_closed_at: datetime | None
    order: Order | None = None
