"""What a run keeps of what it has seen, and what it tells people of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from failover.answer import Answer
from failover.decision import Action
from failover.last_look import LastLook
from failover.look import Look
from failover.people import People
from failover.settings import Settings
from failover.signals import Signals
from function_runtime.state import Controller, Proposal, State
from function_runtime.trouble import Kind as TroubleKind
from function_runtime.trouble import Trouble, Unready


def remember(
    state: State,
    settings: Settings,
    controller: Controller,
    seen: Look,
    people: People | None,
    looked: LastLook | None = None,
) -> Controller:
    """Keep the decision and the trouble, and tell people of each reason once in it.

    Args:
        state: the state table.
        settings: the settings.
        controller: the record as it was read.
        seen: what was seen and decided.
        people: who is told; None where nobody is to be told yet.
        looked: the last look that has kept a failover from being opened, None where there was none.

    Returns:
        The record as it is now.
    """
    decision, signals = seen.decision, seen.signals
    proposal = _proposal(controller, seen)
    after = replace(
        controller,
        trouble=kept_trouble(signals),
        unready=signals.unready,
        proposal=proposal,
        replicated_until=_replicated_until(settings, controller, seen),
        # Not for every run: the reason counts seconds.
        decision=controller.decision
        if controller.decision is not None and controller.decision["code"] == decision.code
        else decision.as_item(),
        # The other database is a replica again.
        adopted_by=None if signals.standby_ready is Answer.YES else controller.adopted_by,
        last_look=controller.last_look if looked is None else looked.as_item(),
    )
    telling = None if people is None else _telling(controller, seen, proposal, people)
    # What was seen is kept before people are told: telling may fail. A run that has been overtaken tells nobody.
    if after != controller or telling is not None:
        after = state.save_controller(after)
    if telling is None:
        return after
    telling.tell()
    # Twice is better than never: that it was told is kept last.
    told = replace(after, trouble=telling.trouble, unready=telling.unready)
    return after if told == after else state.save_controller(told)


def kept_trouble(signals: Signals) -> Trouble | None:
    """The trouble as the next run is to know it: what the replica lacked when it began is soon not to be read."""
    trouble = signals.trouble
    if trouble is None or trouble.kind not in (TroubleKind.FAILING, TroubleKind.HUNG):
        return trouble
    return replace(trouble, lag_before_seconds=signals.lag_before_seconds)


@dataclass(frozen=True)
class _Telling:
    """What people are to be told now, and what is kept once they have been.

    Attributes:
        tell: tells them.
        trouble: the trouble, with what they were told of it.
        unready: what is wrong although the writer is well, with the same.
    """

    tell: Callable[[], None]
    trouble: Trouble | None
    unready: Unready | None


def _telling(controller: Controller, seen: Look, proposal: Proposal | None, people: People) -> _Telling | None:
    """What people are to be told now, None where they know, or where there is nothing."""
    decision, signals = seen.decision, seen.signals
    trouble, unready, before = kept_trouble(signals), signals.unready, controller.trouble
    if trouble is None and before is not None and before.told:
        # What else is over since is told by the next run.
        kept = controller.unready if _ready_again(controller.unready, unready) is not None else unready
        return _Telling(lambda: people.tell_answers_again(before, decision), trouble, kept)
    if trouble is None and (over := _ready_again(controller.unready, unready)) is not None:
        return _Telling(lambda: people.tell_ready_again(over, decision), trouble, unready)
    if unready is not None and decision.action is Action.ALERT and _is_concern(signals, decision.code):
        if decision.code in unready.told:
            return None
        return _Telling(lambda: people.tell_not_ready(decision, signals, unready), trouble, unready.tell(decision.code))
    if trouble is None or decision.code in trouble.told:
        return None
    told = trouble.tell(decision.code)
    if decision.action is Action.ALERT:
        return _Telling(lambda: people.tell_alert(decision, signals, trouble), told, unready)
    if proposal is not None:
        return _Telling(lambda: people.tell_asked(decision, signals, proposal), told, unready)
    return None


def _ready_again(before: Unready | None, now: Unready | None) -> Unready | None:
    """What people were told of and is over."""
    return before if before is not None and before.told and (now is None or not now.told) else None


def _is_concern(signals: Signals, code: str) -> bool:
    """Whether a decision is about a writer that is not known to be down."""
    return any(concern.code == code for concern in signals.concerns)


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
