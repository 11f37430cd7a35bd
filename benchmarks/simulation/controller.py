"""The controller's judgement and memory, without AWS: the real ``interpret`` and ``decide``, run after run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from failover.answer import Answer
from failover.decide import decide
from failover.decision import Action, Decision, Situation
from failover.policy import Policy
from failover.readings import Readings
from failover.remember import kept_trouble
from failover.signals import Remembered, Signals, interpret
from function_runtime.trouble import Kind, Trouble, Unready


@dataclass(frozen=True)
class Told:
    """People were told of a decision.

    Attributes:
        at: when.
        code: which.
        is_question: whether they were asked.
    """

    at: datetime
    code: str
    is_question: bool


@dataclass
class Watcher:
    """One run after the other, as `failover.run` and `failover.remember` remember between them.

    Attributes:
        policy: the bounds.
        trouble: what was remembered.
        unready: since when each concern has been there.
        replicated_until: the last moment at which the replica had everything.
        signals: what was seen last.
        told: what people were told, each time they were.
        answers_again: how often people were told that the trouble is over.
        ready_again: how often they were told that nothing is in a failover's way any more.
    """

    policy: Policy
    trouble: Trouble | None = None
    unready: Unready | None = None
    replicated_until: datetime | None = None
    signals: Signals | None = None
    told: list[Told] = field(default_factory=list)
    answers_again: int = 0
    ready_again: int = 0

    def look(self, readings: Readings) -> Decision:
        """One run: interpret, decide, remember."""
        signals = interpret(readings, self.policy, Remembered(self.trouble, self.replicated_until, self.unready))
        situation = Situation(readings.at, readings.here, readings.active, last_closed_at=None)
        decision = decide(signals, situation, self.policy)
        trouble, before, unready_before = kept_trouble(signals), self.trouble, self.unready
        self.signals, self.trouble, self.unready = signals, trouble, signals.unready
        self._keep_replicated_until(signals)
        is_alert, of_readiness = (
            decision.action is Action.ALERT,
            decision.code in {each.code for each in signals.concerns},
        )
        if trouble is None and before is not None and before.told:
            self.answers_again += 1
        elif trouble is None and unready_before and unready_before.told and not (self.unready and self.unready.told):
            self.ready_again += 1
        elif is_alert and of_readiness:
            if self.unready is not None and decision.code not in self.unready.told:
                self._tell(readings.at, decision)
                self.unready = self.unready.tell(decision.code)
        elif trouble is not None and (is_alert or decision.action is Action.ASK) and decision.code not in trouble.told:
            self._tell(readings.at, decision)
            self.trouble = trouble.tell(decision.code)
        return decision

    def stays_seconds(self, decision: Decision, poll_seconds: float) -> float:
        """How long after its beginning a run still looks again, as `failover.watching` has it; 0 where it ends."""
        trouble = None if self.signals is None else self.signals.trouble
        if trouble is None or self.signals is None:
            return 0.0
        if trouble.dark_since is not None and self.signals.region_answers is Answer.UNKNOWN:
            return self.policy.darkness.total_seconds() + 2 * poll_seconds
        waits = trouble.kind is Kind.FAILING and decision.action is Action.HOLD
        return self.policy.outage_seconds - 2 * poll_seconds if waits else 0.0

    def _keep_replicated_until(self, signals: Signals) -> None:
        until, kept = signals.replicated_until, self.replicated_until
        if until is None or signals.trouble is not None:
            return
        if kept is None or until - kept >= timedelta(seconds=self.policy.max_data_loss_seconds / 2):
            self.replicated_until = until

    def _tell(self, at: datetime, decision: Decision) -> None:
        self.told.append(Told(at, decision.code, decision.action is Action.ASK))
