"""Look again and again while the writer is in trouble: what is decided must not wait for the schedule's next minute.

One run stays and looks every few seconds. The schedule still starts one each minute: that one publishes its word, finds
that another looks, and ends. The lease of a run that was killed runs out by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from failover.answer import Answer
from failover.decision import Action, Decision
from failover.look import Look
from failover.people import People
from failover.policy import Policy
from failover.readiness import OTHER_PROBE_SILENT
from failover.remember import remember
from failover.settings import Settings
from failover.signals import Signals
from function_runtime import lease
from function_runtime.clients import AwsError
from function_runtime.clock import Clock
from function_runtime.control import Control
from function_runtime.items import AnotherRunIsAtWorkError
from function_runtime.state import Controller, Observing, State
from function_runtime.trouble import Kind

logger = Logger(child=True)

# The code of a decision to which another signal may be added in a moment.
ONE_SIGNAL_ONLY = "one_signal_only"


@dataclass
class ObservingLease:
    """The right to look, of one run at a time while the writer is in trouble.

    Attributes:
        state: where it is on record.
        clock: time.
        run_id: names this run.
        seconds: a run that has not renewed it for so long is taken for dead.
    """

    state: State
    clock: Clock
    run_id: str
    seconds: float
    _held: Observing | None = field(default=None, init=False)

    def hold(self) -> None:
        """Take it, or renew it where it is soon over.

        Raises:
            AnotherRunIsAtWorkError: another run has it.
        """
        now = self.clock.now()
        if self._held is None:
            found = self.state.observing()
            if found.owner != self.run_id and lease.lasts(found.until, now, self.seconds):
                raise AnotherRunIsAtWorkError(f"run {found.owner} looks at the writer until {found.until:%H:%M:%S} UTC")
        elif not lease.is_to_be_renewed(self._held.until, now, self.seconds):
            return
        else:
            found = self._held
        until = now + timedelta(seconds=self.seconds)
        self._held = self.state.save_observing(Observing(found.version, self.run_id, until))

    def release(self) -> None:
        """Give it back, if this run has it: the next one need not wait until it runs out."""
        if self._held is None:
            return
        try:
            self.state.save_observing(replace(self._held, until=self.clock.now()))
        except (AnotherRunIsAtWorkError, *AwsError) as error:
            logger.warning("The lease on observing was not released", error=str(error))
        self._held = None


@dataclass(frozen=True)
class Watch:
    """How one run looks.

    Attributes:
        state: the state table.
        settings: the settings.
        clock: time.
        lease: the right to look.
        people: who is told.
        ends_at: the run must end by then.
        look: looks, with the record and people's words as they are.
        control: reads people's words.
        publish: publishes the word of a record that was read at a moment; None where it is not to be published.
    """

    state: State
    settings: Settings
    clock: Clock
    lease: ObservingLease
    people: People
    ends_at: datetime
    look: Callable[[Controller, Control], Look]
    control: Callable[[], Control]
    publish: Callable[[Controller, datetime], object] | None

    def until_settled(self, controller: Controller, control: Control) -> tuple[Controller, Control, Look]:
        """Look until a failover is decided, or there is nothing to wait for, or no time.

        Returns:
            The record, people's words, and the last look. What it decided is on record, but for a failover.

        Raises:
            AnotherRunIsAtWorkError: another run looks, or has changed the record.
        """
        began = published_at = self.clock.now()
        if controller.trouble is not None:
            self.lease.hold()
        while True:
            looked_at = self.clock.now()
            seen = self.look(controller, control)
            took = self.clock.now() - looked_at
            if seen.decision.action is Action.FAIL_OVER:
                return controller, control, seen
            poll_seconds = self.settings.poll_interval_seconds
            stays = self._may_stay(began, seen)
            if stays:
                self.lease.hold()
            told = None if stays and is_told_later(seen.signals, seen.decision) else self.people
            controller = remember(self.state, self.settings, controller, seen, told)
            if not stays:
                return controller, control, seen
            self.clock.sleep(pause_seconds(seen.signals, self.clock.now(), took, self.settings.policy, poll_seconds))
            read_at = self.clock.now()
            self._refuse_an_old_record(controller)
            control = self.control()
            if self.publish is not None and read_at - published_at >= self._period:
                self.publish(controller, read_at)
                published_at = read_at

    @property
    def _period(self) -> timedelta:
        return timedelta(seconds=self.settings.policy.metric_period_seconds)

    def _refuse_an_old_record(self, controller: Controller) -> None:
        """What another run has written meanwhile, such as a person's adoption, is not to be contradicted."""
        written = self.state.written()
        if written is None or written.version != controller.version:
            raise AnotherRunIsAtWorkError("the record was changed by another run while this one was looking")

    def _may_stay(self, began: datetime, seen: Look) -> bool:
        poll, left = self.settings.poll_interval_seconds, (self.ends_at - began).total_seconds()
        longest = longest_stay_seconds(seen.signals, seen.decision, self.settings.policy, poll, left)
        return self.clock.now() + timedelta(seconds=poll) <= began + timedelta(seconds=longest)


def longest_stay_seconds(
    signals: Signals, decision: Decision, policy: Policy, poll_seconds: float, run_seconds: float
) -> float:
    """How long after its beginning a run still looks again; 0 where it ends. Pure.

    Args:
        signals: what it has seen.
        decision: what it has decided.
        policy: the rules of evidence.
        poll_seconds: from one look to the next.
        run_seconds: how long the run may take; a good part of it is left for acting.
    """
    # It ends before the schedule's run that is to take its place.
    longest = policy.outage_seen_seconds - 2 * poll_seconds
    if (has_just_gone_dark(signals) and not _is_used_to_it(signals, policy)) or _may_soon_be_decided(signals, decision):
        if signals.region_answers is Answer.YES:
            return min(longest, run_seconds / 2)
        # Darkness shows before the first probes that fail do, and there is nothing to fence in it.
        return min(longest + policy.metric_period_seconds, run_seconds * 2 / 3)
    return 0.0


def pause_seconds(signals: Signals, now: datetime, took: timedelta, policy: Policy, poll_seconds: float) -> float:
    """How long to wait before the next look: it ends when the outage, or the darkness, is long enough. Pure.

    Args:
        signals: what was seen.
        now: the time.
        took: how long the last look took.
        policy: the rules of evidence.
        poll_seconds: the longest pause.
    """
    due = [max(0.0, (at - took - now).total_seconds()) for at in _due(signals, policy) if at > now]
    return min([poll_seconds, *due])


def _due(signals: Signals, policy: Policy) -> list[datetime]:
    """When the outage, and the darkness, are long enough."""
    trouble = signals.trouble
    if trouble is None:
        return []
    due = [trouble.since + timedelta(seconds=policy.outage_seen_seconds)]
    return due if trouble.dark_since is None else [*due, trouble.dark_since + policy.darkness]


def is_told_later(signals: Signals, decision: Decision) -> bool:
    """Whether people are told nothing as long as the run stays: what is missing may come in a moment. Pure.

    That a trouble is over is told by the run that sees it: the next one does not know any more that there was one.
    """
    return signals.trouble is not None and (
        signals.region_answers is Answer.UNKNOWN or decision.code == ONE_SIGNAL_ONLY
    )


def has_just_gone_dark(signals: Signals) -> bool:
    """Whether the writer's region does not answer, and has not been silent for long enough to count as dark. Pure.

    In a trouble in which this site's own network is silent too, it is not on its way to count.
    """
    return signals.region_answers is Answer.UNKNOWN and (
        signals.trouble is None or signals.trouble.dark_since is not None
    )


def _is_used_to_it(signals: Signals, policy: Policy) -> bool:
    """Whether the writer has been well beside a silent region for longer than its own probe may be late."""
    unready = signals.unready
    if signals.trouble is not None or unready is None or OTHER_PROBE_SILENT not in unready.since:
        return False
    return unready.seen_at[OTHER_PROBE_SILENT] - unready.since[OTHER_PROBE_SILENT] >= policy.silence


def _may_soon_be_decided(signals: Signals, decision: Decision) -> bool:
    trouble = signals.trouble
    if trouble is None or trouble.kind is not Kind.FAILING:
        return False
    # Once people know that the second signal is missing, the schedule's runs are often enough to look for it.
    return decision.action is Action.HOLD or (decision.code == ONE_SIGNAL_ONLY and decision.code not in trouble.told)
