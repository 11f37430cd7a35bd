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
from failover.decision import Action
from failover.look import Look
from failover.people import People
from failover.remember import remember
from failover.settings import Settings
from function_runtime import lease
from function_runtime.clients import AwsError
from function_runtime.clock import Clock
from function_runtime.control import Control
from function_runtime.items import AnotherRunIsAtWorkError
from function_runtime.state import Controller, Observing, State
from function_runtime.trouble import Kind

logger = Logger(child=True)


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
            seen = self.look(controller, control)
            if seen.decision.action is Action.FAIL_OVER:
                return controller, control, seen
            stays = self._may_stay(began, seen)
            if stays:
                self.lease.hold()
            # Until a region that has just gone dark is proven so, there is nothing to tell.
            told = None if stays and has_just_gone_dark(seen) else self.people
            controller = remember(self.state, self.settings, controller, seen, told)
            if not stays:
                return controller, control, seen
            self.clock.sleep(self.settings.poll_interval_seconds)
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
        """Whether to look again: for as long as an outage lasts, with half of the run's time left for acting."""
        poll, policy = self.settings.poll_interval_seconds, self.settings.policy
        if has_just_gone_dark(seen):
            longest = policy.darkness.total_seconds() + 2 * poll
        elif _may_soon_be_decided(seen):
            # It ends before the schedule's run that is to take its place.
            longest = policy.outage_seconds - 2 * poll
        else:
            return False
        ends_at = min(began + timedelta(seconds=longest), began + (self.ends_at - began) / 2)
        return self.clock.now() + timedelta(seconds=poll) <= ends_at


def has_just_gone_dark(seen: Look) -> bool:
    """Whether the writer's region does not answer, and has not been silent for long enough to count as dark."""
    trouble = seen.signals.trouble
    return trouble is not None and trouble.dark_since is not None and seen.signals.region_answers is Answer.UNKNOWN


def _may_soon_be_decided(seen: Look) -> bool:
    trouble = seen.signals.trouble
    return trouble is not None and trouble.kind is Kind.FAILING and seen.decision.action is Action.HOLD
