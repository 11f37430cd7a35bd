"""Hold, alert, ask or fail over: a pure function of the signals, total, and always with a reason."""

from __future__ import annotations

from datetime import timedelta

from failover.answer import Answer
from failover.decision import Action, Decision, Situation
from failover.ordered import forced, planned, standby_not_ready
from failover.policy import Mode, Policy, WhenUnsure
from failover.readiness import is_due
from failover.signals import Signals
from function_runtime.control import Order, OrderKind
from function_runtime.session_outcome import SessionOutcome
from function_runtime.trouble import Kind, Trouble

HEALTHY = Decision(Action.HOLD, "healthy", "the writer answers this site's probes")


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
        return forced(signals, situation, policy)
    if kind is OrderKind.PLANNED:
        return planned(signals, policy)
    trouble = signals.trouble
    if trouble is None:
        return _not_ready(signals, situation, policy) or HEALTHY
    age = situation.at - trouble.since
    if trouble.is_hung:
        return _hung(signals, age, situation, policy)
    if signals.answers_here is Answer.YES:
        if trouble.kind is Kind.FLAPPING:
            reason = f"the writer answers now, but went away again and again since {trouble.since:%H:%M:%S} UTC"
            return Decision(Action.ALERT, "flapping", reason)
        return HEALTHY
    if signals.answers_here is not Answer.NO:
        return _not_ready(signals, situation, policy) or _not_proven(trouble, age, policy)
    return (
        _probe_not_trusted(signals)
        or _answers_elsewhere(signals)
        or _proof_of_life(signals)
        or _in_maintenance(signals, age, situation, policy)
        or _stream_not_ended(signals, situation)
        or _second_signal_missing(signals, situation, policy)
        or _what_is_in_the_way(signals, situation, policy)
        or _dead(signals, age, situation)
    )


def _what_is_in_the_way(signals: Signals, situation: Situation, policy: Policy) -> Decision | None:
    """What keeps a writer that is lost from being replaced."""
    return (
        _paused(policy)
        or standby_not_ready(signals)
        or _cooling_down(situation, policy)
        or _loss_not_acceptable(signals, situation.order, policy)
        or _people_decide(situation, policy)
    )


def weak_signals(signals: Signals) -> list[str]:
    """What confirms that the writer is dead, and has other reasons too.

    A group, a rule or a name that was changed keeps out all who ask at its endpoint alike; RDS metrics can be late in a
    whole region.
    """
    found = []
    if signals.answers_there is Answer.NO:
        found.append("its own site's probes fail too")
    if signals.witness_sees is Answer.NO:
        found.append("the witness does not see it either")
    if signals.host_reports is Answer.NO:
        found.append("RDS measures its host no longer")
    return found


def strong_signals(signals: Signals) -> list[str]:
    """What confirms it without that: the word of RDS, or of the region's silence."""
    found = []
    if signals.rds_healthy is Answer.NO:
        found.append("RDS reports it as failed")
    if signals.region_answers is Answer.NO:
        found.append("its region is dark while another region answers")
    return found


def second_signals(signals: Signals) -> list[str]:
    """What confirms, independently of this site's probes, that the writer is dead."""
    return [*weak_signals(signals), *strong_signals(signals)]


def _dead(signals: Signals, age: timedelta, situation: Situation) -> Decision:
    # Nothing else confirms it only where work on the writer has been too long for a person, or for the setting.
    confirmed = second_signals(signals) or ["RDS reports work on it, for too long"]
    reason = (
        f"no probe from the standby site reached the writer for {age.total_seconds():.0f} s, "
        f"{' and '.join(confirmed)}; {_at_stake(signals)}"
    )
    return _over("writer_dead", reason, situation)


def _over(code: str, reason: str, situation: Situation) -> Decision:
    if situation.order is None:
        return Decision(Action.FAIL_OVER, code, reason)
    return Decision(Action.FAIL_OVER, "approved", f"{reason}; approved by {situation.order.by}")


def _at_stake(signals: Signals) -> str:
    bound = signals.loss_bound_seconds
    return "what it would lose is unknown" if bound is None else f"the loss is at most {bound:.3g} s"


def _not_ready(signals: Signals, situation: Situation, policy: Policy) -> Decision | None:
    """The writer is well, and something has been wrong for long enough to tell people of it."""
    unready = signals.unready
    if unready is None:
        return None
    due = [each for each in signals.concerns if is_due(unready.since[each.code], situation.at, policy)]
    if not due:
        return None
    # What they have not heard of comes first.
    concern = next((each for each in due if each.code not in unready.told), due[0])
    lasting = "; ".join(f"since {unready.since[each.code]:%H:%M:%S} UTC {each.reason}" for each in due)
    return Decision(Action.ALERT, concern.code, f"the writer is not known to be down, but {lasting}")


def _hung(signals: Signals, age: timedelta, situation: Situation, policy: Policy) -> Decision:
    seen = f"the writer answers, and no probe has committed in it for {age.total_seconds():.0f} s"
    if signals.session is SessionOutcome.FULL:
        return Decision(Action.ALERT, "storage_full", f"{seen}: its storage is full")
    if signals.session is SessionOutcome.READ_ONLY:
        return Decision(Action.ALERT, "read_only", f"{seen}: it is read-only")
    if signals.commits is Answer.YES:
        return Decision(
            Action.HOLD, "commits_again", f"the writer commits again; its commits hung {age.total_seconds():.0f} s ago"
        )
    if signals.committed is Answer.YES:
        return Decision(Action.ALERT, "writer_commits", f"{seen}, but the replica shows that others have")
    if signals.commits is not Answer.NO:
        return Decision(
            Action.ALERT, "hung_unseen", f"{seen}; its commits hung, and no session shows any more how it is"
        )
    return (
        _probe_not_trusted(signals)
        or _in_maintenance(signals, age, situation, policy)
        or _hung_for_people(signals, seen, situation, policy)
        or _what_is_in_the_way(signals, situation, policy)
        or _over("writer_hung", f"{seen}: its commits hang; {_at_stake(signals)}", situation)
    )


def _hung_for_people(signals: Signals, seen: str, situation: Situation, policy: Policy) -> Decision | None:
    if situation.order is not None:
        return None
    if policy.writer_hung is WhenUnsure.FAILOVER and signals.committed is Answer.NO:
        return None
    return Decision(Action.ASK, "writer_hung", f"{seen}: its commits hang")


def _not_proven(trouble: Trouble, age: timedelta, policy: Policy) -> Decision:
    # A probe may also fall silent after its first failures: that must not be waited out in silence.
    late = age > (policy.readiness_patience if trouble.kind is Kind.SILENT else policy.maintenance_patience)
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


def _answers_elsewhere(signals: Signals) -> Decision | None:
    if signals.answers_there is Answer.YES:
        return Decision(Action.ALERT, "answers_its_own_site", "the writer answers its own site: the link is broken")
    if signals.witness_sees is Answer.YES:
        reason = "the witness sees the writer answer in its own site: the link to this site is broken"
        return Decision(Action.ALERT, "witness_sees_it", reason)
    return None


def _proof_of_life(signals: Signals) -> Decision | None:
    if Answer.YES not in (signals.committed, signals.process_lives):
        return None
    if signals.lets_clients_in is Answer.NO:
        reason = "the writer lives and is shut, by the group without rules, and no failover is under way"
        return Decision(Action.ALERT, "writer_is_shut", reason)
    if signals.committed is Answer.YES:
        reason = "the replica shows commits of the writer since the trouble began: its door is shut, and it lives"
        return Decision(Action.ALERT, "writer_commits", reason)
    reason = "the replication stream shows that the writer's process lives, although nobody gets in"
    return Decision(Action.ALERT, "process_lives", reason)


def _in_maintenance(signals: Signals, age: timedelta, situation: Situation, policy: Policy) -> Decision | None:
    if signals.in_maintenance is not Answer.YES:
        return None
    reason = f"RDS reports work on the writer, which does not answer for {age.total_seconds():.0f} s"
    if age <= policy.maintenance_patience:
        return Decision(Action.HOLD, "maintenance", reason)
    if situation.order is not None or policy.maintenance_overdue is WhenUnsure.FAILOVER:
        return None
    return Decision(Action.ASK, "maintenance_overdue", reason)


def _stream_not_ended(signals: Signals, situation: Situation) -> Decision | None:
    """Readings come late: what the stream shows of the time since the trouble began may be on its way."""
    if signals.stream_ended is not Answer.NO or situation.order is not None:
        return None
    reason = "the replication stream was there when the trouble began, and has not been silent for long enough to end"
    return Decision(Action.HOLD, "stream_not_ended", reason)


def _second_signal_missing(signals: Signals, situation: Situation, policy: Policy) -> Decision | None:
    found = second_signals(signals)
    # A person may stand for it where RDS reports work that does not end.
    if not found and (situation.order is None or signals.in_maintenance is not Answer.YES):
        reason = "only this site's probes call the writer dead; nothing independent confirms it"
        return Decision(Action.ALERT, "one_signal_only", reason)
    if situation.order is not None:
        return None
    only_dark = signals.region_answers is Answer.NO and len(found) == 1
    if only_dark and signals.witness_awaited:
        # Only it can tell a region that is lost from one that lives on beyond a lost link.
        reason = "the writer's region is dark for this site, and the witness has not spoken since it fell silent"
        return Decision(Action.HOLD, "witness_awaited", reason)
    if only_dark and policy.dark_without_witness is WhenUnsure.ASK:
        reason = "the writer's region is dark, and no witness tells whether for everybody or for this site alone"
        return Decision(Action.ASK, "dark_without_witness", reason)
    return _through_one_door(signals)


def _through_one_door(signals: Signals) -> Decision | None:
    """A group or a rule that was changed keeps everybody out of a writer that lives: only its stream tells."""
    if strong_signals(signals):
        return None
    trouble = signals.trouble
    if trouble is not None and trouble.has_shown_life:
        reason = (
            "the writer lived on behind a door that nobody got through, and whether it has died since is not proven"
        )
        return Decision(Action.ASK, "one_door", reason)
    if signals.stream_ended is Answer.YES:
        return None
    reason = "nobody gets into the writer, as where a group or a rule was changed; whether it replicates is not known"
    return Decision(Action.ASK, "one_door", reason)


def _paused(policy: Policy) -> Decision | None:
    if policy.mode is not Mode.PAUSED:
        return None
    return Decision(Action.ALERT, "paused", "the writer is dead and failovers are paused")


def _cooling_down(situation: Situation, policy: Policy) -> Decision | None:
    if situation.last_closed_at is None or situation.order is not None:
        return None
    ends = situation.last_closed_at + timedelta(seconds=policy.cool_down_seconds)
    if situation.at >= ends:
        return None
    return Decision(Action.ASK, "cool_down", f"the last failover cools down until {ends.isoformat()}")


def _loss_not_acceptable(signals: Signals, order: Order | None, policy: Policy) -> Decision | None:
    bound = signals.loss_bound_seconds
    if bound is None:
        if order is not None and order.accepts_unknown_loss:
            return None
        return Decision(Action.ASK, "loss_unknown", "what the replica lacks of the writer is not known")
    if bound <= policy.max_data_loss_seconds:
        return None
    accepted = None if order is None else order.accepted_loss_seconds
    if accepted is not None and bound <= accepted:
        return None
    reason = f"the loss may be {bound:.3g} s, above {policy.max_data_loss_seconds:g} s"
    if accepted is not None:
        reason += f", and {accepted:g} s were accepted"
    return Decision(Action.ASK, "loss_above_limit", reason)


def _people_decide(situation: Situation, policy: Policy) -> Decision | None:
    if policy.mode is not Mode.MANUAL or situation.order is not None:
        return None
    return Decision(Action.ASK, "manual", "the writer is dead and people decide (mode manual)")
