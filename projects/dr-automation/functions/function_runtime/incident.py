"""One failover as it is recorded: its phases, its steps and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from function_runtime.fence import Outcome
from function_runtime.sites import Site


class Phase(StrEnum):
    """How far a failover has come: the last step that is finished."""

    OPENED = "opened"
    FENCED = "fenced"
    DRAINED = "drained"
    PROMOTING = "promoting"
    PROMOTED = "promoted"
    VERIFIED = "verified"
    SWITCHED = "switched"
    OPENED_AGAIN = "opened_again"
    CLOSED = "closed"


class Kind(StrEnum):
    """What set a failover off. Axis of authority."""

    AUTOMATIC = "automatic"
    APPROVED = "approved"
    PLANNED = "planned"
    FORCED = "forced"


IN_AN_EMERGENCY = (
    Phase.OPENED,
    Phase.FENCED,
    Phase.PROMOTING,
    Phase.PROMOTED,
    Phase.VERIFIED,
    Phase.SWITCHED,
    Phase.CLOSED,
)
# Nothing may be lost, so the replica first receives everything.
WHEN_PLANNED = (Phase.OPENED, Phase.FENCED, Phase.DRAINED, *IN_AN_EMERGENCY[2:])
# A planned failover that would lose something: the writer gets its clients back.
TAKEN_BACK = (Phase.OPENED, Phase.FENCED, Phase.DRAINED, Phase.OPENED_AGAIN, Phase.CLOSED)
# What a planned failover needs of these steps to go on to the promotion.
NEEDED_WHEN_PLANNED = {Phase.FENCED: Outcome.FENCED.value, Phase.DRAINED: "drained"}


@dataclass(frozen=True)
class Step:
    """One step of a failover, recorded before it is taken and after.

    Attributes:
        phase: the phase it leads to.
        started_at: when it was first begun.
        finished_at: when it was done, None while it is not.
        outcome: what came out, one word.
        detail: the same for people.
        told: what people were told of while it is not done, each once.
    """

    phase: Phase
    started_at: datetime
    finished_at: datetime | None = None
    outcome: str | None = None
    detail: str | None = None
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Incident:
    """One failover.

    Attributes:
        incident_id: its id.
        kind: what set it off.
        new_writer: the site that becomes the writer.
        epoch: counts failovers, only grows.
        phase: how far it has come.
        opened_at: when it was decided.
        trouble_since: when the writer stopped answering.
        decision: action, code and reason.
        signals: the signals it rests on.
        steps: what was done.
        lag_before_seconds: replication lag before the trouble, None where it was not known.
        data_loss_seconds: upper bound of what is lost, in seconds of the writer's time; None where nobody can say.
        ordered_by: who ordered or approved it, None where nobody had to.
        rto_seconds: from the trouble's beginning to the switch; clients' DNS caches come on top.
        closed_at: when people were told that it is over.
        owner: the run that carries it through.
        lease_until: after that, another run may take it over.
        version: grows with each write.
    """

    incident_id: str
    kind: Kind
    new_writer: Site
    epoch: int
    phase: Phase
    opened_at: datetime
    trouble_since: datetime
    decision: Mapping[str, str]
    signals: Mapping[str, str]
    lag_before_seconds: float | None
    data_loss_seconds: float | None
    owner: str
    lease_until: datetime
    ordered_by: str | None = None
    steps: tuple[Step, ...] = ()
    rto_seconds: float | None = None
    closed_at: datetime | None = None
    version: int = 1

    @property
    def next_phase(self) -> Phase | None:
        """The phase that follows, None after the last."""
        phases: tuple[Phase, ...] = IN_AN_EMERGENCY
        if self.kind is Kind.PLANNED:
            phases = TAKEN_BACK if self.is_taken_back else WHEN_PLANNED
        remaining = phases[phases.index(self.phase) + 1 :]
        # A planned failover that could not be fenced has nothing to drain.
        if self.is_taken_back and Phase.DRAINED in remaining:
            remaining = remaining[1:]
        return remaining[0] if remaining else None

    @property
    def is_taken_back(self) -> bool:
        """Whether a planned failover cannot go on without a loss, so that the old writer stays the writer."""
        if self.kind is not Kind.PLANNED:
            return False
        return any(
            step.finished_at is not None
            and step.phase in NEEDED_WHEN_PLANNED
            and step.outcome != NEEDED_WHEN_PLANNED[step.phase]
            for step in self.steps
        )

    @property
    def is_fenced(self) -> bool:
        """Whether the old writer is known to be fenced by the failover itself."""
        fenced = self.step(Phase.FENCED)
        return fenced is not None and fenced.outcome == Outcome.FENCED

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
            "kind": self.kind.value,
            "new_writer": self.new_writer.value,
            "ordered_by": self.ordered_by,
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
                    "told": list(step.told),
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
        return cls(
            incident_id=item["incident_id"],
            kind=Kind(item["kind"]),
            new_writer=Site(item["new_writer"]),
            ordered_by=item["ordered_by"],
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
                    told=tuple(step["told"]),
                )
                for step in item["steps"]
            ),
            lag_before_seconds=_number(item["lag_before_seconds"]),
            data_loss_seconds=_number(item["data_loss_seconds"]),
            rto_seconds=_number(item["rto_seconds"]),
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


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
