"""The failover function's report, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from failover.decide import Action
from failover.policy import Mode
from failover.signals import Answer
from function_runtime.control import Control, Order, Pause
from function_runtime.incident import Incident, Phase
from function_runtime.sites import Site
from function_runtime.trouble import Trouble


@dataclass(frozen=True)
class Decision:
    """What the controller decided: what, by which rule, and why."""

    action: Action
    code: str
    reason: str


@dataclass(frozen=True)
class PlannedStep:
    """A step that a failover would take."""

    phase: str
    what: str


@dataclass(frozen=True)
class Report:
    """What the controller sees, knows and would do.

    Attributes:
        content: the answer as it came, for machines.
        at: when it looked.
        environment: the environment's suffix.
        here: the site that looked.
        writer_site: the recorded writer.
        writer_name: the name clients use.
        epoch: how many failovers there were.
        mode: the mode in force, a pause included.
        pause: who paused, when and why; None where nobody did.
        order: the order on record, None where there is none.
        trouble: the trouble the writer is in, None where it answers.
        signals: each question about the writer and its answer.
        lag_before_seconds: replication lag before the trouble, or now without one; None: unknown.
        loss_bound_seconds: what a failover would lose at most; None: unknown, or no trouble.
        max_data_loss_seconds: what is lost without asking a person.
        decision: what follows, with the order of the question where there was one.
        incident_id: what an order must name now.
        next_epoch: the epoch an order must name now.
        incident: the failover that is under way.
        last_incident: the one that closed last.
        steps: what a failover would do, in order.
    """

    content: Mapping[str, Any]
    at: datetime
    environment: str
    here: Site
    writer_site: Site
    writer_name: str
    epoch: int
    mode: Mode
    pause: Pause | None
    order: Order | None
    trouble: Trouble | None
    signals: Mapping[str, Answer]
    lag_before_seconds: float | None
    loss_bound_seconds: float | None
    max_data_loss_seconds: float
    decision: Decision
    incident_id: str
    next_epoch: int
    incident: Incident | None
    last_incident: Incident | None
    steps: tuple[PlannedStep, ...]

    @property
    def would_fail_over(self) -> bool:
        """Whether the decision is to fail over."""
        return self.decision.action is Action.FAIL_OVER

    @property
    def waits_for_resume(self) -> bool:
        """Whether the incident under way is stopped by a pause: after the promotion was asked for, nothing stops it."""
        if self.incident is None or self.mode is not Mode.PAUSED:
            return False
        return self.incident.step(Phase.PROMOTING) is None and not self.incident.is_taken_back

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Report:
        """Read an answer.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        said = Control.from_item({"version": 0, "pause": content["pause"], "order": content["order"]})
        decision, trouble = content["decision"], content["trouble"]
        return cls(
            content=content,
            at=datetime.fromisoformat(content["at"]),
            environment=content["environment"],
            here=Site(content["here"]),
            writer_site=Site(content["writer_site"]),
            writer_name=content["writer_name"],
            epoch=int(content["epoch"]),
            mode=Mode(content["mode"]),
            pause=said.pause,
            order=said.order,
            trouble=None if trouble is None else Trouble.from_item(trouble),
            signals={name: Answer(answer) for name, answer in content["signals"].items()},
            lag_before_seconds=_number(content["lag_before_seconds"]),
            loss_bound_seconds=_number(content["loss_bound_seconds"]),
            max_data_loss_seconds=float(content["max_data_loss_seconds"]),
            decision=Decision(Action(decision["action"]), decision["code"], decision["reason"]),
            incident_id=content["incident_id"],
            next_epoch=int(content["next_epoch"]),
            incident=_incident(content["incident"]),
            last_incident=_incident(content["last_incident"]),
            steps=tuple(PlannedStep(step["phase"], step["what"]) for step in content["steps"]),
        )


def _incident(item: Mapping[str, Any] | None) -> Incident | None:
    return None if item is None else Incident.from_item(item)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
