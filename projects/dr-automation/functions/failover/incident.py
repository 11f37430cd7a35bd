"""One failover as it is recorded: its phases, its steps and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """How far a failover has come: the last step that is finished."""

    OPENED = "opened"
    FENCED = "fenced"
    PROMOTING = "promoting"
    PROMOTED = "promoted"
    VERIFIED = "verified"
    SWITCHED = "switched"
    CLOSED = "closed"

    @property
    def next(self) -> Phase | None:
        """The phase that follows, None after the last."""
        phases = list(Phase)
        position = phases.index(self) + 1
        return phases[position] if position < len(phases) else None


@dataclass(frozen=True)
class Step:
    """One step of a failover, recorded before it is taken and after.

    Attributes:
        phase: the phase it leads to.
        started_at: when it was first begun.
        finished_at: when it was done, None while it is not.
        outcome: what came out, one word.
        detail: the same for people.
    """

    phase: Phase
    started_at: datetime
    finished_at: datetime | None = None
    outcome: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Incident:
    """One failover.

    Attributes:
        incident_id: its id.
        epoch: counts failovers, only grows.
        phase: how far it has come.
        opened_at: when it was decided.
        trouble_since: when the writer stopped answering.
        decision: action, code and reason.
        signals: the signals it rests on.
        steps: what was done.
        lag_before_seconds: replication lag before the trouble.
        data_loss_seconds: upper bound of what is lost, in seconds of the writer's time.
        rto_seconds: from the trouble's beginning to the switch; clients' DNS caches come on top.
        closed_at: when people were told that it is over.
        owner: the run that carries it through.
        lease_until: after that, another run may take it over.
        version: grows with each write.
    """

    incident_id: str
    epoch: int
    phase: Phase
    opened_at: datetime
    trouble_since: datetime
    decision: Mapping[str, str]
    signals: Mapping[str, str]
    lag_before_seconds: float
    data_loss_seconds: float
    owner: str
    lease_until: datetime
    steps: tuple[Step, ...] = ()
    rto_seconds: float | None = None
    closed_at: datetime | None = None
    version: int = 1

    def step(self, phase: Phase) -> Step | None:
        """The step that leads to a phase, None where it was not begun."""
        return next((step for step in self.steps if step.phase is phase), None)

    def with_step(self, step: Step) -> Incident:
        """This incident with the step added, or in place of the one of the same phase."""
        others = tuple(each for each in self.steps if each.phase is not step.phase)
        return replace(self, steps=(*others, step))

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {
            "id": item_id(self.incident_id),
            "incident_id": self.incident_id,
            "epoch": self.epoch,
            "phase": self.phase.value,
            "opened_at": self.opened_at.isoformat(),
            "trouble_since": self.trouble_since.isoformat(),
            "decision": dict(self.decision),
            "signals": dict(self.signals),
            "steps": [
                {
                    "phase": step.phase.value,
                    "started_at": step.started_at.isoformat(),
                    "finished_at": _text(step.finished_at),
                    "outcome": step.outcome,
                    "detail": step.detail,
                }
                for step in self.steps
            ],
            "lag_before_seconds": self.lag_before_seconds,
            "data_loss_seconds": self.data_loss_seconds,
            "rto_seconds": self.rto_seconds,
            "closed_at": _text(self.closed_at),
            "owner": self.owner,
            "lease_until": self.lease_until.isoformat(),
            "version": self.version,
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Incident:
        """From the state table."""
        rto = item["rto_seconds"]
        return cls(
            incident_id=item["incident_id"],
            epoch=int(item["epoch"]),
            phase=Phase(item["phase"]),
            opened_at=datetime.fromisoformat(item["opened_at"]),
            trouble_since=datetime.fromisoformat(item["trouble_since"]),
            decision=item["decision"],
            signals=item["signals"],
            steps=tuple(
                Step(
                    phase=Phase(step["phase"]),
                    started_at=datetime.fromisoformat(step["started_at"]),
                    finished_at=_time(step["finished_at"]),
                    outcome=step["outcome"],
                    detail=step["detail"],
                )
                for step in item["steps"]
            ),
            lag_before_seconds=float(item["lag_before_seconds"]),
            data_loss_seconds=float(item["data_loss_seconds"]),
            rto_seconds=None if rto is None else float(rto),
            closed_at=_time(item["closed_at"]),
            owner=item["owner"],
            lease_until=datetime.fromisoformat(item["lease_until"]),
            version=int(item["version"]),
        )


def item_id(incident_id: str) -> str:
    """The incident's key in the state table."""
    return f"incident#{incident_id}"


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
