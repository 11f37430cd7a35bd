"""Hold, alert, ask or fail over: a pure function of the signals, total, and always with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from failover.policy import Mode, Policy, WhenDark
from failover.signals import Answer, Signals
from function_runtime.control import Order, OrderKind
from function_runtime.sites import Site
from function_runtime.trouble import Kind, Trouble


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


def decide(signals: Signals, situation: Situation, policy: Policy) -> Decision:
    """Decide. Fails closed: what is not known never leads to a failover.

    Args:
        signals: the answers.
        situation: the recorded state.
        policy: the operator's bounds; its mode is the one in force now.
    """
    decision = _decided(signals, situation, policy)
    if decision.action is Action.ASK and policy.mode is Mode.PAUSED:
        # An approval would not be acted on.
        return Decision(Action.ALERT, "paused", f"{decision.reason}; and failovers are paused")
    return decision


def _decided(signals: Signals, situation: Situation, policy: Policy) -> Decision:
    if situation.writer is situation.here:
        return Decision(Action.HOLD, "writer_is_here", f"the {situation.here} site is the writer")
    kind = None if situation.order is None else situation.order.kind
    if kind is OrderKind.FORCED:
        return _forced(signals, situation, policy)
    if kind is OrderKind.PLANNED:
        return _planned(signals, policy)
    trouble = signals.trouble
    if trouble is None or signals.answers_here is Answer.YES:
        if trouble is not None and trouble.kind is Kind.FLAPPING:
            reason = f"the writer answers now, but went away again and again since {trouble.since:%H:%M:%S} UTC"
            return Decision(Action.ALERT, "flapping", reason)
        return Decision(Action.HOLD, "healthy", "the writer answers this site's probes")
    age = situation.at - trouble.since
    if signals.answers_here is not Answer.NO:
        return _not_proven(trouble, age, policy)
    return (
        _probe_not_trusted(signals)
        or _proof_of_life(signals)
        or _in_maintenance(signals, age, situation, policy)
        or _second_signal_missing(signals, situation, policy)
        or _paused(policy)
        or _standby_not_ready(signals)
        or _cooling_down(situation, policy)
        or _loss_not_acceptable(signals, situation.order, policy)
        or _people_decide(situation, policy)
        or _dead(signals, age, situation)
    )


def second_signals(signals: Signals) -> list[str]:
    """What confirms, independently of this site's probes, that the writer is dead."""
    found = []
    if signals.answers_there is Answer.NO:
        found.append("its own site's probes fail too")
    if signals.rds_healthy is Answer.NO:
        found.append("RDS reports it as failed")
    if signals.witness_sees is Answer.NO:
        found.append("the witness does not see it either")
    if signals.region_answers is Answer.NO:
        found.append("its region is dark while another region answers")
    return found


def _dead(signals: Signals, age: timedelta, situation: Situation) -> Decision:
    lag = signals.lag_before_seconds
    # Nothing else confirms it only where a person approved it in spite of work on the writer.
    confirmed = second_signals(signals) or ["RDS reports work on it, for too long"]
    reason = (
        f"no probe from the standby site reached the writer for {age.total_seconds():.0f} s, "
        f"{' and '.join(confirmed)}; replication lag before that " + ("unknown" if lag is None else f"{lag:.3g} s")
    )
    if situation.order is None:
        return Decision(Action.FAIL_OVER, "writer_dead", reason)
    return Decision(Action.FAIL_OVER, "approved", f"{reason}; approved by {situation.order.by}")


def _not_proven(trouble: Trouble, age: timedelta, policy: Policy) -> Decision:
    late = age > policy.maintenance_patience
    # A probe may also fall silent after its first failures: that must not be waited out in silence.
    if trouble.kind is Kind.SILENT or late:
        reason = f"this site's probes have proven nothing for {age.total_seconds():.0f} s: the writer is not watched"
        return Decision(Action.ALERT if late else Action.HOLD, "not_watched", reason)
    reason = f"probes have failed for {age.total_seconds():.0f} s, too few or not yet {policy.outage_seconds:g} s"
    return Decision(Action.HOLD, "outage_too_short", reason)


def _probe_not_trusted(signals: Signals) -> Decision | None:
    if signals.probe_works is Answer.YES:
        return None
    told = "does not reach" if signals.probe_works is Answer.NO else "is not known to reach"
    reason = f"this site's probe {told} this site's own database either: its word on the writer does not count"
    return Decision(Action.ALERT, "probe_not_trusted", reason)


def _proof_of_life(signals: Signals) -> Decision | None:
    if signals.answers_there is Answer.YES:
        return Decision(Action.ALERT, "answers_its_own_site", "the writer answers its own site: the link is broken")
    if signals.witness_sees is Answer.YES:
        reason = "the witness sees the writer answer in its own site: the link to this site is broken"
        return Decision(Action.ALERT, "witness_sees_it", reason)
    if signals.replica_receives is Answer.YES and signals.lets_clients_in is Answer.NO:
        reason = "the writer lives and is shut, by the group without rules, and no failover is under way"
        return Decision(Action.ALERT, "writer_is_shut", reason)
    if signals.replica_receives is Answer.YES:
        reason = "the replica has received changes since the trouble began: the writer lives"
        return Decision(Action.ALERT, "replica_receives", reason)
    return None


def _in_maintenance(signals: Signals, age: timedelta, situation: Situation, policy: Policy) -> Decision | None:
    if signals.in_maintenance is not Answer.YES:
        return None
    reason = f"RDS reports work on the writer, which does not answer for {age.total_seconds():.0f} s"
    if age <= policy.maintenance_patience:
        return Decision(Action.HOLD, "maintenance", reason)
    return None if situation.order is not None else Decision(Action.ASK, "maintenance_overdue", reason)


def _second_signal_missing(signals: Signals, situation: Situation, policy: Policy) -> Decision | None:
    found = second_signals(signals)
    if not found and signals.in_maintenance is not Answer.YES:
        reason = "only this site's probes call the writer dead; nothing independent confirms it"
        return Decision(Action.ALERT, "one_signal_only", reason)
    only_dark = signals.region_answers is Answer.NO and len(found) == 1
    if only_dark and policy.dark_without_witness is WhenDark.ASK and situation.order is None:
        reason = "the writer's region is dark, and no witness tells whether for everybody or for this site alone"
        return Decision(Action.ASK, "dark_without_witness", reason)
    return None


def _paused(policy: Policy) -> Decision | None:
    if policy.mode is not Mode.PAUSED:
        return None
    return Decision(Action.ALERT, "paused", "the writer is dead and failovers are paused")


def _standby_not_ready(signals: Signals) -> Decision | None:
    if signals.standby_ready is Answer.YES:
        return None
    reason = f"whether the standby is an available replica: {signals.standby_ready}"
    return Decision(Action.ALERT, "standby_not_ready", reason)


def _cooling_down(situation: Situation, policy: Policy) -> Decision | None:
    if situation.last_closed_at is None or situation.order is not None:
        return None
    ends = situation.last_closed_at + timedelta(seconds=policy.cool_down_seconds)
    if situation.at >= ends:
        return None
    return Decision(Action.ASK, "cool_down", f"the last failover cools down until {ends.isoformat()}")


def _loss_not_acceptable(signals: Signals, order: Order | None, policy: Policy) -> Decision | None:
    lag, bound = signals.lag_before_seconds, signals.loss_bound_seconds
    if lag is None or bound is None:
        if order is not None and order.accepts_unknown_loss:
            return None
        return Decision(Action.ASK, "lag_unknown", "the replication lag before the trouble is not known")
    if lag <= policy.max_data_loss_seconds:
        return None
    accepted = None if order is None else order.accepted_loss_seconds
    if accepted is not None and bound <= accepted:
        return None
    reason = f"the replication lag before the trouble, {lag:.3g} s, is above {policy.max_data_loss_seconds:g} s"
    if accepted is not None:
        reason += f"; the loss may be {bound:.3g} s, and {accepted:g} s were accepted"
    return Decision(Action.ASK, "lag_above_bound", reason)


def _people_decide(situation: Situation, policy: Policy) -> Decision | None:
    if policy.mode is not Mode.MANUAL or situation.order is not None:
        return None
    return Decision(Action.ASK, "manual", "the writer is dead and people decide (mode manual)")


def _planned(signals: Signals, policy: Policy) -> Decision:
    """A healthy writer is moved: whatever is not certain stops it, for nothing is urgent."""
    needed = {
        "the writer answers this site's probes": signals.answers_here,
        "this site's probe reaches its own database": signals.probe_works,
        "RDS calls the writer operational": signals.rds_healthy,
        "this site's database is an available replica": signals.standby_ready,
        f"the replica catches up within {policy.drain_seconds:g} s": signals.catches_up,
    }
    missing = [what for what, answer in needed.items() if answer is not Answer.YES]
    if missing or signals.trouble is not None:
        reason = (
            f"a planned failover needs a healthy pair: {', '.join(missing) if missing else 'the writer is unstable'}"
        )
        return Decision(
            Action.ALERT, "planned_not_healthy", reason if not missing else f"{reason}: not known or not so"
        )
    return _paused_for_people(policy) or Decision(
        Action.FAIL_OVER, "planned", "a person ordered a planned failover, and both databases are healthy"
    )


def _forced(signals: Signals, situation: Situation, policy: Policy) -> Decision:
    """A person has seen what the signals do not: only a pause and what cannot work are in the way."""
    by = "somebody" if situation.order is None else situation.order.by
    return (
        _paused_for_people(policy)
        or _standby_not_ready(signals)
        or _forced_loss(signals, situation.order)
        or Decision(Action.FAIL_OVER, "forced", f"{by} forced a failover, whatever the signals say")
    )


def _forced_loss(signals: Signals, order: Order | None) -> Decision | None:
    if order is None or order.accepts_unknown_loss:
        return None
    lag, bound = signals.lag_before_seconds, signals.loss_bound_seconds
    # Without a trouble there is no beginning to count a loss from: what the replica lacks now is what is lost.
    at_stake = lag if bound is None else bound
    if at_stake is None:
        reason = "the replication lag is not known, and an unknown loss was not accepted"
        return Decision(Action.ALERT, "loss_not_accepted", reason)
    if order.accepted_loss_seconds is None or at_stake > order.accepted_loss_seconds:
        reason = f"the loss may be {at_stake:.3g} s, which was not accepted"
        return Decision(Action.ALERT, "loss_not_accepted", reason)
    return None


def _paused_for_people(policy: Policy) -> Decision | None:
    if policy.mode is not Mode.PAUSED:
        return None
    return Decision(Action.ALERT, "paused", "a failover is ordered and failovers are paused: resume first")
