"""Hold, alert or fail over: a pure function of the signals, total, and always with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from failover.policy import Mode, Policy
from failover.signals import Answer, Signals
from failover.trouble import Kind, Trouble
from function_runtime.sites import Site


class Action(StrEnum):
    """What to do."""

    HOLD = "hold"
    ALERT = "alert"
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
    """

    at: datetime
    here: Site
    writer: Site
    last_closed_at: datetime | None


def decide(signals: Signals, situation: Situation, policy: Policy) -> Decision:
    """Decide. Fails closed: what is not known never leads to a failover.

    Args:
        signals: the answers.
        situation: the recorded state.
        policy: the operator's bounds.
    """
    if situation.writer is situation.here:
        return Decision(Action.HOLD, "writer_is_here", f"the {situation.here} site is the writer")
    trouble = signals.trouble
    if trouble is None or signals.answers_here is Answer.YES:
        return Decision(Action.HOLD, "healthy", "the writer answers this site's probes")
    age = situation.at - trouble.since
    if signals.answers_here is not Answer.NO:
        return _not_proven(trouble, age, policy)
    return (
        _proof_of_life(signals, age, policy)
        or _second_signal_missing(signals)
        or _held_back(situation, policy)
        or _loss_not_acceptable(signals, policy)
        or _standby_not_ready(signals)
        or _people_decide(policy)
        or Decision(
            Action.FAIL_OVER,
            "writer_dead",
            f"no probe from the standby site reached the writer for {age.total_seconds():.0f} s, "
            f"{' and '.join(second_signals(signals))}; "
            f"replication lag before that {signals.lag_before_seconds:.3g} s",
        )
    )


def second_signals(signals: Signals) -> list[str]:
    """What confirms, independently of this site's probes, that the writer is dead."""
    found = []
    if signals.answers_there is Answer.NO:
        found.append("its own site's probes fail too")
    if signals.rds_healthy is Answer.NO:
        found.append("RDS reports it as failed")
    if signals.region_answers is Answer.NO:
        found.append("its region is dark while another region answers")
    return found


def _not_proven(trouble: Trouble, age: timedelta, policy: Policy) -> Decision:
    if trouble.kind is Kind.SILENT:
        late = age > policy.maintenance_patience
        reason = f"this site's probes have reported nothing for {age.total_seconds():.0f} s: the writer is not watched"
        return Decision(Action.ALERT if late else Action.HOLD, "not_watched", reason)
    reason = f"probes have failed for {age.total_seconds():.0f} s, too few or not yet {policy.outage_seconds:g} s"
    return Decision(Action.HOLD, "outage_too_short", reason)


def _proof_of_life(signals: Signals, age: timedelta, policy: Policy) -> Decision | None:
    if signals.answers_there is Answer.YES:
        return Decision(Action.ALERT, "answers_its_own_site", "the writer answers its own site: the link is broken")
    if signals.replica_receives is Answer.YES:
        reason = "the replica has received changes since the trouble began: the writer lives"
        return Decision(Action.ALERT, "replica_receives", reason)
    if signals.in_maintenance is Answer.YES:
        late = age > policy.maintenance_patience
        reason = f"RDS reports work on the writer, which does not answer for {age.total_seconds():.0f} s"
        return Decision(Action.ALERT if late else Action.HOLD, "maintenance", reason)
    return None


def _second_signal_missing(signals: Signals) -> Decision | None:
    if second_signals(signals):
        return None
    reason = "only this site's probes call the writer dead; nothing independent confirms it"
    return Decision(Action.ALERT, "one_signal_only", reason)


def _held_back(situation: Situation, policy: Policy) -> Decision | None:
    if policy.mode is Mode.PAUSED:
        return Decision(Action.ALERT, "paused", "the writer is dead and failovers are paused")
    if situation.last_closed_at is None:
        return None
    ends = situation.last_closed_at + timedelta(seconds=policy.cool_down_seconds)
    if situation.at >= ends:
        return None
    return Decision(Action.ALERT, "cool_down", f"the last failover cools down until {ends.isoformat()}")


def _loss_not_acceptable(signals: Signals, policy: Policy) -> Decision | None:
    lag = signals.lag_before_seconds
    if lag is None:
        return Decision(Action.ALERT, "lag_unknown", "the replication lag before the trouble is not known")
    if lag > policy.max_data_loss_seconds:
        reason = f"the replication lag before the trouble, {lag:g} s, is above {policy.max_data_loss_seconds:g} s"
        return Decision(Action.ALERT, "lag_above_bound", reason)
    return None


def _standby_not_ready(signals: Signals) -> Decision | None:
    if signals.standby_ready is Answer.YES:
        return None
    reason = f"whether the standby is an available replica: {signals.standby_ready}"
    return Decision(Action.ALERT, "standby_not_ready", reason)


def _people_decide(policy: Policy) -> Decision | None:
    if policy.mode is Mode.AUTOMATIC:
        return None
    return Decision(Action.ALERT, "manual", "the writer is dead and people decide (mode manual)")
