"""What a run keeps of what it has seen, and what it tells people of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from failover.answer import Answer
from failover.decision import Action
from failover.look import Look
from failover.people import People
from failover.settings import Settings
from function_runtime.state import Controller, Proposal, State
from function_runtime.trouble import Kind as TroubleKind


def remember(state: State, settings: Settings, controller: Controller, seen: Look, people: People | None) -> Controller:
    """Keep the decision and the trouble, and tell people of each reason once in it.

    Args:
        state: the state table.
        settings: the settings.
        controller: the record as it was read.
        seen: what was seen and decided.
        people: who is told; None where nobody is to be told yet.

    Returns:
        The record as it is now.
    """
    decision, signals, trouble, unready = seen.decision, seen.signals, seen.signals.trouble, seen.signals.unready
    proposal = _proposal(controller, seen)
    if trouble is not None and trouble.kind in (TroubleKind.FAILING, TroubleKind.HUNG):
        trouble = replace(trouble, lag_before_seconds=signals.lag_before_seconds)
    after = replace(
        controller,
        trouble=trouble,
        unready=unready,
        proposal=proposal,
        replicated_until=_replicated_until(settings, controller, seen),
        # Not for every run: the reason counts seconds.
        decision=controller.decision
        if controller.decision is not None and controller.decision["code"] == decision.code
        else decision.as_item(),
        # The other database is a replica again.
        adopted_by=None if signals.standby_ready is Answer.YES else controller.adopted_by,
    )
    tell = None if people is None else _telling(controller, seen, proposal, people)
    # What was seen is kept before people are told: telling may fail. A run that has been overtaken tells nobody.
    if after != controller or tell is not None:
        after = state.save_controller(after)
    if tell is None:
        return after
    tell()
    # Twice is better than never: that it was told is kept last.
    if trouble is not None:
        return state.save_controller(replace(after, trouble=trouble.tell(decision.code)))
    if unready is not None and decision.action is Action.ALERT:
        return state.save_controller(replace(after, unready=unready.tell(decision.code)))
    return after


def _telling(
    controller: Controller, seen: Look, proposal: Proposal | None, people: People
) -> Callable[[], None] | None:
    """What people are to be told now, None where they know, or where there is nothing."""
    decision, signals, trouble = seen.decision, seen.signals, seen.signals.trouble
    before = controller.trouble
    if trouble is None:
        if before is not None and before.told:
            return lambda: people.tell_answers_again(before, decision)
        return _telling_of_readiness(controller, seen, people)
    if decision.code in trouble.told:
        return None
    if decision.action is Action.ALERT:
        return lambda: people.tell_alert(decision, signals, trouble)
    if proposal is not None:
        return lambda: people.tell_asked(decision, signals, proposal)
    return None


def _telling_of_readiness(controller: Controller, seen: Look, people: People) -> Callable[[], None] | None:
    decision, unready, before = seen.decision, seen.signals.unready, controller.unready
    if before is not None and before.told and (unready is None or not unready.told):
        return lambda: people.tell_ready_again(before, decision)
    if unready is None:
        return None
    if decision.action is not Action.ALERT or decision.code in unready.told:
        return None
    return lambda: people.tell_not_ready(decision, seen.signals, unready)


def _replicated_until(settings: Settings, controller: Controller, seen: Look) -> datetime | None:
    """Kept now and then, while it can be read: a region that goes dark takes the writer's metrics with it."""
    until, kept = seen.signals.replicated_until, controller.replicated_until
    if until is None or seen.signals.trouble is not None:
        return kept
    often_enough = timedelta(seconds=settings.policy.max_data_loss_seconds / 2)
    return until if kept is None or until - kept >= often_enough else kept


def _proposal(controller: Controller, seen: Look) -> Proposal | None:
    if seen.decision.action is not Action.ASK:
        return None
    loss, kept = seen.signals.loss_bound_seconds, controller.proposal
    proposal = Proposal(seen.incident_id, seen.epoch, seen.decision.code, loss)
    # The bound moves by fractions from run to run; people are told one figure.
    if (
        kept is not None
        and replace(kept, loss_bound_seconds=loss) == proposal
        and _about(kept.loss_bound_seconds, loss)
    ):
        return kept
    return proposal


def _about(told: float | None, now: float | None) -> bool:
    if told is None or now is None:
        return told is now
    return now <= told + 1
