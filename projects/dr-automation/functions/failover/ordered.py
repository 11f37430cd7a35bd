"""What a person orders although the writer is well, or whatever the signals say. Pure."""

from __future__ import annotations

from failover.answer import Answer
from failover.decision import Action, Decision, Situation
from failover.policy import Mode, Policy
from failover.signals import Signals
from function_runtime.control import Order


def standby_not_ready(signals: Signals) -> Decision | None:
    """An alert where this site's database could not take over."""
    if signals.standby_ready is Answer.YES:
        return None
    reason = f"whether the standby is an available replica: {signals.standby_ready}"
    return Decision(Action.ALERT, "standby_not_ready", reason)


def planned(signals: Signals, policy: Policy) -> Decision:
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


def forced(signals: Signals, situation: Situation, policy: Policy) -> Decision:
    """A person has seen what the signals do not: only a pause and what cannot work are in the way."""
    by = "somebody" if situation.order is None else situation.order.by
    return (
        _paused_for_people(policy)
        or standby_not_ready(signals)
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
