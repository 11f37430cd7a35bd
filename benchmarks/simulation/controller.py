"""The controller's judgement and memory, without AWS: the real ``interpret`` and ``decide``, run after run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from failover.decide import decide
from failover.decision import Action, Decision, Situation
from failover.policy import Policy
from failover.readings import Readings
from failover.signals import interpret
from function_runtime.trouble import Kind, Trouble


@dataclass
class Watcher:
    """One run after the other, as `failover.run` remembers between them.

    Attributes:
        policy: the bounds.
        trouble: what was remembered.
        replicated_until: the last moment at which the replica had everything.
        told: the codes that people were told of, each time they were.
        answers_again: how often people were told that the trouble is over.
    """

    policy: Policy
    trouble: Trouble | None = None
    replicated_until: datetime | None = None
    told: list[str] = field(default_factory=list)
    answers_again: int = 0

    def look(self, readings: Readings) -> Decision:
        """One run: interpret, decide, remember."""
        signals = interpret(readings, self.policy, self.trouble, self.replicated_until)
        situation = Situation(readings.at, readings.here, readings.active, last_closed_at=None)
        decision = decide(signals, situation, self.policy)
        trouble = signals.trouble
        if trouble is None:
            self.replicated_until = signals.replicated_until
            if self.trouble is not None and self.trouble.told:
                self.answers_again += 1
        else:
            if trouble.kind is Kind.FAILING:
                trouble = replace(trouble, lag_before_seconds=signals.lag_before_seconds)
            if decision.action in (Action.ALERT, Action.ASK) and decision.code not in trouble.told:
                self.told.append(decision.code)
                trouble = trouble.tell(decision.code)
        self.trouble = trouble
        return decision
