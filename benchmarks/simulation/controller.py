"""The controller's judgement and memory, without AWS: the real ``interpret`` and ``decide``, run after run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from failover.decide import decide
from failover.decision import Action, Decision, Situation
from failover.policy import Policy
from failover.readings import Readings
from failover.remember import kept_trouble
from failover.signals import Remembered, Signals, interpret
from failover.watching import is_told_later
from function_runtime.trouble import Trouble, Unready


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

    def look(self, readings: Readings, stays: Callable[[Signals, Decision], bool] = lambda *_: False) -> Decision:
        """One look: interpret, decide, remember.

        Args:
            readings: what was read.
            stays: whether the run looks again after that.
        """
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
        elif stays(signals, decision) and is_told_later(signals, decision):
            pass
        elif is_alert and of_readiness:
            if self.unready is not None and decision.code not in self.unready.told:
                self._tell(readings.at, decision)
                self.unready = self.unready.tell(decision.code)
        elif trouble is not None and (is_alert or decision.action is Action.ASK) and decision.code not in trouble.told:
            self._tell(readings.at, decision)
            self.trouble = trouble.tell(decision.code)
        return decision

    def keep(self, at: datetime, decision: Decision) -> None:
        """What a last look has made of a failover; people are told once in a trouble."""
        if decision.action is Action.HOLD or self.trouble is None or decision.code in self.trouble.told:
            return
        self._tell(at, decision)
        self.trouble = self.trouble.tell(decision.code)

    def _keep_replicated_until(self, signals: Signals) -> None:
        until, kept = signals.replicated_until, self.replicated_until
        if until is None or signals.trouble is not None:
            return
        if kept is None or until - kept >= timedelta(seconds=self.policy.max_data_loss_seconds / 2):
            self.replicated_until = until

    def _tell(self, at: datetime, decision: Decision) -> None:
        self.told.append(Told(at, decision.code, decision.action is Action.ASK))
