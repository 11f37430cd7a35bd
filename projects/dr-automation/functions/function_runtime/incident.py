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
    SHOWN = "shown"
    """RDS shows the promotion under way, and the writer's name moves."""
    WRITES = "writes"
    """The new writer takes writes, and is the writer on record."""
    PROMOTED = "promoted"
    """RDS shows that the promotion is over."""
    OPENED_AGAIN = "opened_again"
    CLOSED = "closed"
    VERIFIED = "verified"
    """Of an older version, which recorded the writer only after RDS showed the end of the promotion."""
    SWITCHED = "switched"
    """The same: the writer was on record, and its name moved."""


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
    Phase.SHOWN,
    Phase.WRITES,
    Phase.PROMOTED,
    Phase.CLOSED,
)
# Nothing may be lost, so the replica first receives everything.
WHEN_PLANNED = (Phase.OPENED, Phase.FENCED, Phase.DRAINED, *IN_AN_EMERGENCY[2:])
# A failover that ends before RDS has accepted the promotion: the writer gets its clients back.
TAKEN_BACK = (Phase.OPENED_AGAIN, Phase.CLOSED)
AFTER_PROMOTING = frozenset(
    {Phase.SHOWN, Phase.WRITES, Phase.PROMOTED, Phase.VERIFIED, Phase.SWITCHED, Phase.OPENED_AGAIN}
)
# What a planned failover needs of these steps to go on to the promotion.
NEEDED_WHEN_PLANNED = {Phase.FENCED: Outcome.FENCED.value, Phase.DRAINED: "drained"}


class Shown(StrEnum):
    """What RDS shows of a promotion that it has accepted. Axis of what can still come."""

    WRITER = "writer"
    """The standby is a database of its own and works."""
    UNDER_WAY = "under_way"
    """It becomes one: it is at work since it was asked, or has lost its source."""
    REPLICA = "replica"
    """It is a replica that works, as it was before it was asked."""
    NEVER = "never"
    """It will not become one."""
    UNKNOWN = "unknown"
    """RDS does not say, or shows what says nothing of a promotion, such as a backup."""


class Promotion(StrEnum):
    """How the promotion's step ends. Axis of what is to follow: only the first two make a new writer."""

    ASKED = "asked"
    """RDS has accepted it."""
    ALREADY_PROMOTED = "already_promoted"
    """RDS shows that it has happened."""
    NOT_ACCEPTED = "not_accepted"
    """RDS refuses it for good, or has not accepted it in the time there is."""


ACCEPTED = frozenset({Promotion.ASKED.value, Promotion.ALREADY_PROMOTED.value})
WITHDRAWN = "withdrawn"
"""How any step before the promotion ends when people take the failover back: by a pause, a cancellation."""
ABANDONED = "abandoned"
"""How the step under way ends where a failover is ended, mostly by a person, that has made no new writer."""
NOT_AWAITED = "not_awaited"
"""How a step ends when a person ends a failover whose new writer RDS shows: nobody waits for the rest."""
NOT_SHOWN = "not_shown"
"""How the wait for the promotion's end is over where RDS has not shown it in time; the new writer takes writes."""
NOT_OPENED = "not_opened"
"""How the opening ends where the writer could not be opened in time; a later run opens it."""


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
        called_at: when RDS was last asked for what cannot be taken back, written before the call: the promotion.
        shows: what RDS has shown at every look since `shows_since`, where the step waits for how long that lasts: a
            writer, or a replica.
        shows_since: since when.
    """

    phase: Phase
    started_at: datetime
    finished_at: datetime | None = None
    outcome: str | None = None
    detail: str | None = None
    told: tuple[str, ...] = ()
    called_at: datetime | None = None
    shows: Shown | None = None
    shows_since: datetime | None = None


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
        rto_seconds: from the trouble's beginning to the first write that the new writer took.
        closed_at: when people were told that it is over.
        owner: the run that carries it through.
        lease_until: after that, another run may take it over.
        version: grows with each write.
        old_writer_resource_id: the ``DbiResourceId`` of the writer that was replaced, None where RDS did not say.
        asked_again: how often RDS was asked again for a promotion that it had accepted and dropped.
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
    old_writer_resource_id: str | None = None
    asked_again: int = 0

    @property
    def next_phase(self) -> Phase | None:
        """The phase that follows, None after the last."""
        if self.phase is Phase.CLOSED:
            return None
        if self.is_taken_back:
            return Phase.CLOSED if self.phase is Phase.OPENED_AGAIN else Phase.OPENED_AGAIN
        phases = WHEN_PLANNED if self.kind is Kind.PLANNED else IN_AN_EMERGENCY
        return phases[phases.index(self._reached) + 1]

    @property
    def _reached(self) -> Phase:
        """The phase, in this version's order: one of an older version is carried on from where that is true, too."""
        if self.phase is Phase.SWITCHED:
            return Phase.PROMOTED
        if self.phase in (Phase.PROMOTED, Phase.VERIFIED) and not self.has_new_writer:
            return Phase.PROMOTING
        return self.phase

    @property
    def is_taken_back(self) -> bool:
        """Whether it has ended without a new writer, so that the old one stays the writer and gets its clients back."""
        if self.is_abandoned or self.is_promotion_accepted:
            return self.is_abandoned
        return any(step.finished_at is not None and self._takes_back(step) for step in self.steps)

    def _takes_back(self, step: Step) -> bool:
        if step.outcome in (WITHDRAWN, Promotion.NOT_ACCEPTED):
            return True
        if step.phase is Phase.FENCED and self.must_be_fenced:
            return step.outcome != Outcome.FENCED
        needed = NEEDED_WHEN_PLANNED.get(step.phase) if self.kind is Kind.PLANNED else None
        return needed is not None and step.outcome != needed

    @property
    def must_be_fenced(self) -> bool:
        """Whether no new writer may be made while the old one is not fenced: it answered when this was decided.

        A person who forces a failover has decided that too.
        """
        return self.kind is not Kind.FORCED and self.signals.get("answers_here") == "yes"

    @property
    def is_abandoned(self) -> bool:
        """Whether it was ended before it made a new writer: by a person, or because RDS has dropped the promotion."""
        return any(step.outcome == ABANDONED for step in self.steps)

    @property
    def is_promotion_accepted(self) -> bool:
        """Whether RDS has accepted the promotion: nothing leads back from there."""
        promoting = self.step(Phase.PROMOTING)
        return promoting is not None and promoting.finished_at is not None and promoting.outcome in ACCEPTED

    @property
    def may_be_promoted(self) -> bool:
        """Whether RDS has accepted the promotion, or was asked and nobody knows what came of it."""
        promoting = self.step(Phase.PROMOTING)
        if promoting is None:
            return False
        if self.is_abandoned:
            return False
        return self.is_promotion_accepted if promoting.finished_at is not None else promoting.called_at is not None

    @property
    def moves_name(self) -> bool:
        """Whether the writer's name is to lead to its new writer, on record or not yet."""
        shown = self.step(Phase.SHOWN)
        return self.has_new_writer or (shown is not None and shown.finished_at is not None and not self.is_taken_back)

    @property
    def has_new_writer(self) -> bool:
        """Whether its new writer is the writer on record."""
        switched, writes = self.step(Phase.SWITCHED), self.step(Phase.WRITES)
        if writes is None:
            return switched is not None and switched.outcome == Phase.SWITCHED.value
        return writes.finished_at is not None and not self.is_taken_back

    @property
    def is_fenced(self) -> bool:
        """Whether the old writer is known to be fenced by the failover itself."""
        fenced = self.step(Phase.FENCED)
        return fenced is not None and fenced.outcome == Outcome.FENCED

    def step(self, phase: Phase) -> Step | None:
        """The step that leads to a phase, None where it was not begun."""
        return next((step for step in self.steps if step.phase is phase), None)

    def begun(self, phase: Phase) -> Step:
        """The step that leads to a phase.

        Raises:
            ValueError: it is not begun.
        """
        step = self.step(phase)
        if step is None:
            raise ValueError(f"incident {self.incident_id}: step {phase} is not begun")
        return step

    def with_step(self, step: Step) -> Incident:
        """This incident with the step added, or in place of the one of the same phase."""
        others = tuple(each for each in self.steps if each.phase is not step.phase)
        return replace(self, steps=(*others, step))

    def promoted_after_all(self, at: datetime, why: str) -> Incident:
        """This incident where it was taken back on record, and RDS shows that the new writer has been made."""
        begun = self.step(Phase.PROMOTING)
        step = Step(Phase.PROMOTING, at) if begun is None else begun
        done = replace(step, finished_at=at, outcome=Promotion.ALREADY_PROMOTED.value, detail=why)
        # What people ended ends with the new writer that is there, and what followed the promotion begins anew.
        kept = tuple(
            replace(each, outcome=NOT_AWAITED) if each.outcome == ABANDONED else each
            for each in self.steps
            if each.phase not in AFTER_PROMOTING
        )
        # Nobody knows any more what the replica had when it was promoted.
        return replace(self, steps=kept, phase=Phase.PROMOTING, data_loss_seconds=None).with_step(done)

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
                    "called_at": _text(step.called_at),
                    "shows": None if step.shows is None else step.shows.value,
                    "shows_since": _text(step.shows_since),
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
            "old_writer_resource_id": self.old_writer_resource_id,
            "asked_again": self.asked_again,
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
                    # An incident of an older version has none of these.
                    called_at=_time(step.get("called_at")),
                    shows=None if step.get("shows") is None else Shown(step["shows"]),
                    shows_since=_time(step.get("shows_since")),
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
            old_writer_resource_id=item.get("old_writer_resource_id"),
            asked_again=int(item.get("asked_again", 0)),
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
