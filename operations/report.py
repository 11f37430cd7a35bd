"""The failover function's report, typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from failover.answer import Answer
from failover.decision import Action, Decision
from failover.policy import Mode
from function_runtime.control import Control, Order, Pause
from function_runtime.incident import Incident, Kind
from function_runtime.sites import Site
from function_runtime.trouble import Trouble


@dataclass(frozen=True)
class Protection:
    """Whether a failure of the writer would be survived by the standby.

    Attributes:
        protected: whether it would.
        code: why or why not, as `failover.protection.Code`.
        reason: the same for people.
    """

    protected: bool
    code: str
    reason: str


@dataclass(frozen=True)
class Report:
    """What the controller sees, what is on record, and what it would do.

    Attributes:
        content: the function's answer, unchanged, for ``--json``.
        at: when the controller looked.
        environment: the environment's suffix.
        here: the site the controller runs in.
        authority: the site whose controller has the say, as far as this one knows.
        handover: the handover of authority that this controller carries out; None where there is none.
        protection: whether a failure would be survived now, and why not.
        writer_site: the writer on record.
        writer_name: the DNS name that clients use.
        epoch: how many failovers there have been.
        mode: the mode in force; paused while a pause is on record.
        pause: who paused, when and why; None if nobody has.
        order: the order on record; None if there is none.
        trouble: since when the writer has not answered, and how; None while it answers.
        signals: each signal and its answer.
        session: how the probes' newest sessions in the writer ended at best; None if that is unknown.
        concerns: why a failover may not come by itself although the writer is well, and what else is wrong with it.
        lag_before_seconds: replication lag before the trouble began, or now if there is none; None if unknown.
        loss_bound_seconds: the most that a failover would lose; None if unknown, or if there is no trouble.
        max_data_loss_seconds: the loss up to which nobody has to be asked.
        decision: the controller's decision; with the order that was asked about, if one was.
        incident_id: the incident that an order must name now.
        next_epoch: the epoch that an order must name now.
        doubt: why nobody can say whether the record is right; None where it is.
        owes_opening: what has left the writer's database shut; None where nothing has.
        incident: the failover under way; None if there is none.
        last_incident: the failover that closed last; None if there was none.
        last_look: when a last look at the writer kept a failover from beginning, and what it found; None if none has.
        steps: what a failover would do, in order: phases and what happens in them.
    """

    content: Mapping[str, Any]
    at: datetime
    environment: str
    here: Site
    authority: Site
    handover: Mapping[str, Any] | None
    protection: Protection
    writer_site: Site
    writer_name: str
    epoch: int
    mode: Mode
    pause: Pause | None
    order: Order | None
    trouble: Trouble | None
    signals: Mapping[str, Answer]
    session: str | None
    concerns: Sequence[str]
    lag_before_seconds: float | None
    loss_bound_seconds: float | None
    max_data_loss_seconds: float
    decision: Decision
    incident_id: str
    next_epoch: int
    doubt: str | None
    owes_opening: str | None
    incident: Incident | None
    last_incident: Incident | None
    last_look: tuple[datetime, str] | None
    steps: tuple[tuple[str, str], ...]

    @property
    def would_fail_over(self) -> bool:
        """Whether the decision is to fail over."""
        return self.decision.action is Action.FAIL_OVER

    @property
    def waits_for_resume(self) -> bool:
        """Whether a pause holds the incident under way.

        A planned one is taken back instead; and once RDS was asked to promote, a pause holds nothing.
        """
        incident = self.incident
        if incident is None or self.mode is not Mode.PAUSED or incident.kind is Kind.PLANNED:
            return False
        return not incident.may_be_promoted and not incident.is_taken_back

    @property
    def waits_for_approval(self) -> bool:
        """Whether the incident under way waits for a person's approval: its old writer answers after its fence."""
        asked, incident = self.content["proposal"], self.incident
        if asked is None or incident is None or incident.may_be_promoted or incident.is_taken_back:
            return False
        return bool(asked["incident_id"] == incident.incident_id)

    @property
    def to_name(self) -> tuple[str, int]:
        """The incident and the epoch that an order must name now."""
        if self.incident is not None and self.waits_for_approval:
            return self.incident.incident_id, self.incident.epoch
        return self.incident_id, self.next_epoch

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Report:
        """Parse the function's answer.

        Raises:
            KeyError, TypeError, ValueError: it is not a report.
        """
        said = Control.from_item({"version": 0, "pause": content["pause"], "order": content["order"]})
        decision, trouble, protection = content["decision"], content["trouble"], content["protection"]
        return cls(
            content=content,
            at=datetime.fromisoformat(content["at"]),
            environment=content["environment"],
            here=Site(content["here"]),
            authority=Site(content["authority"]),
            handover=content["handover"],
            protection=Protection(protection["protected"] is True, protection["code"], protection["reason"]),
            writer_site=Site(content["writer_site"]),
            writer_name=content["writer_name"],
            epoch=int(content["epoch"]),
            mode=Mode(content["mode"]),
            pause=said.pause,
            order=said.order,
            trouble=None if trouble is None else Trouble.from_item(trouble),
            signals={name: Answer(answer) for name, answer in content["signals"].items()},
            session=content["session"],
            concerns=tuple(content["concerns"]),
            lag_before_seconds=_number(content["lag_before_seconds"]),
            loss_bound_seconds=_number(content["loss_bound_seconds"]),
            max_data_loss_seconds=float(content["max_data_loss_seconds"]),
            decision=Decision(Action(decision["action"]), decision["code"], decision["reason"]),
            incident_id=content["incident_id"],
            next_epoch=int(content["next_epoch"]),
            doubt=content["doubt"],
            owes_opening=content["owes_opening"],
            incident=_incident(content["incident"]),
            last_incident=_incident(content["last_incident"]),
            last_look=_last_look(content["last_look"]),
            steps=tuple((step["phase"], step["what"]) for step in content["steps"]),
        )


def _incident(item: Mapping[str, Any] | None) -> Incident | None:
    return None if item is None else Incident.from_item(item)


def _last_look(item: Mapping[str, str] | None) -> tuple[datetime, str] | None:
    return None if item is None else (datetime.fromisoformat(item["at"]), item["found"])


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
