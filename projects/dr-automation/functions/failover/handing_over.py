"""Hand the authority over: look whether the awaited word is out, take the step that follows, record it.

Each step is one conditional write that can be repeated, and what was done is recorded after it: a run that is killed
anywhere is followed by one that goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from failover import latch
from failover.decision import Action, Decision
from failover.handover import awaited, handover_limitation, is_overdue, next_step
from failover.instructions import hand_over_asked_by, handover_taken_back_by
from failover.people import People
from failover.settings import Settings
from failover.telling import telling
from function_runtime.asking import asked
from function_runtime.clients import AwsError, Clients
from function_runtime.clock import Clock
from function_runtime.control import Control
from function_runtime.handover import Handover, HandoverStep
from function_runtime.sites import Site
from function_runtime.state import Controller, State

logger = Logger(child=True)


@dataclass(frozen=True)
class HandingOver:
    """What it works with.

    Attributes:
        clients: AWS.
        settings: the settings; the giver is here.
        clock: time.
        people: who is told.
        state: this site's table.
        other_state: the other site's.
    """

    clients: Clients
    settings: Settings
    clock: Clock
    people: People
    state: State
    other_state: State

    @property
    def _margin(self) -> timedelta:
        return timedelta(seconds=self.settings.handover_margin_seconds)

    def begun(self, controller: Controller, control: Control) -> Decision | None:
        """Begin the handover that a person has asked for, or go on with the one that is under way.

        Args:
            controller: this site's record, with the authority here and the writer, too.
            control: what people have told the controller.

        Returns:
            What was done, None where there is no handover and none was asked for.

        Raises:
            AnotherRunIsAtWorkError: another run has changed the record.
        """
        now = self.clock.now()
        if controller.handover is not None:
            return self.gone_on(controller, controller.handover, control)
        instruction = hand_over_asked_by(control, controller, self.settings.here, now)
        if instruction is None:
            return None
        why = self.limitation(controller)
        if why is not None:
            return self._refused(controller, why)
        here = self.settings.here
        handover = Handover(here, here.other, instruction.by, controller.epoch, begun_at=now)
        begun = self.state.save_controller(replace(controller, handover=handover, heeded_at=instruction.at))
        return self.gone_on(begun, handover, control)

    def limitation(self, controller: Controller) -> str | None:
        """Why the authority cannot be handed over now, None where it can."""
        here, databases = self.settings.here, self.settings.databases(self.clients)
        own, other = asked(databases[here].find), asked(databases[here.other].find)
        return handover_limitation(here, controller, own, other, self.settings.instance_ids[here])

    def _refused(self, controller: Controller, why: str) -> Decision:
        decision = Decision(Action.ALERT, "hand_over_refused", why)
        if controller.decision is None or controller.decision != decision.as_item():
            self.state.save_controller(replace(controller, decision=decision.as_item()))
        return decision

    def gone_on(self, controller: Controller, handover: Handover, control: Control) -> Decision:
        """Look, and take the next step where what it waits for is out.

        Args:
            controller: this site's record.
            handover: the handover on it.
            control: what people have told the controller.

        Raises:
            AnotherRunIsAtWorkError: another run has changed the record.
        """
        now = self.clock.now()
        by = handover_taken_back_by(control, now)
        if by is not None and handover.given_up_at is None:
            self.state.save_controller(replace(controller, handover=None))
            self.people.tell_handover_taken_back(handover, by)
            return Decision(Action.HOLD, "handover_taken_back", f"{by} took the handover back")
        wanted = awaited(controller, handover)
        states = self._states(wanted.site)
        following = next_step(controller, handover, states, now, self._margin)
        why = f"waits until word {wanted.word} of the {wanted.site} site is out: its alarms are {_told(states)}"
        if following.step is not None:
            stuck = self._take(following.step, controller, following.handover, now)
            if stuck is None:
                return self._said(handover, f"{following.step} is done")
            why = stuck
        controller = self._kept(controller, following.handover)
        self._tell_if_overdue(controller, following.handover, now, why)
        return self._said(handover, why)

    def _states(self, site: Site) -> Sequence[str] | None:
        cloudwatch = self.clients.of("cloudwatch", self.settings.regions[site])
        try:
            return latch.alarm_states(cloudwatch, self.settings.word_alarms[site])
        except AwsError as error:
            logger.warning("The word's alarms were not seen", site=site, error=str(error))
            return None

    def _take(self, step: HandoverStep, controller: Controller, handover: Handover, at: datetime) -> str | None:
        """Take it; returns why it cannot be taken now.

        Raises:
            ClientError, BotoCoreError: this site's table refuses or is silent.
            AnotherRunIsAtWorkError: another run has changed the record.
        """
        if step is HandoverStep.TAKE:
            return self._let_take(controller, handover, at)
        why = self.limitation(controller) if handover.given_up_at is None else None
        if why is not None:
            return why
        if step is HandoverStep.TELL:
            return self._tell(controller, handover, at)
        self._give_up(controller, handover, at)
        return None

    def _tell(self, controller: Controller, handover: Handover, at: datetime) -> str | None:
        why = self._write_there(controller, controller.authority)
        if why is None:
            self._kept(controller, replace(handover, told_at=at, seen_since=None))
        return why

    def _write_there(self, controller: Controller, authority: Site, since: datetime | None = None) -> str | None:
        """Make the other site's record as new as this one, unless it is; returns why it cannot be written now."""
        try:
            tell = telling(controller, self.other_state.written(), authority, since)
            if tell.record is not None:
                self.other_state.save_controller(tell.record)
        except AwsError as error:
            return f"the other site's table does not take it: {error}"
        return tell.refusal

    def _give_up(self, controller: Controller, handover: Handover, at: datetime) -> None:
        """First that it is being given up, from when on nobody can take it back; then the history; then the authority.

        A record that is lost in between never gives it back: the history outranks it.
        """
        if handover.given_up_at is None:
            handover = replace(handover, given_up_at=at, seen_since=None)
            controller = self._kept(controller, handover)
        self.state.save_handover(handover)
        controller = self.state.save_controller(replace(controller, authority=handover.receiver))
        try:
            # At once: what follows waits for it. Every run publishes it again.
            latch.publish(self.clients.of("cloudwatch", self.settings.region), self.settings, controller, at)
        except AwsError as error:
            logger.warning("The word was not published", error=str(error))

    def _let_take(self, controller: Controller, handover: Handover, at: datetime) -> str | None:
        why = self._write_there(controller, handover.receiver, at)
        if why is not None:
            return why
        over = replace(handover, taken_at=at, seen_since=None)
        self.state.save_handover(over)
        self.state.save_controller(replace(controller, handover=None))
        self.people.tell_handed_over(over)
        return None

    def _kept(self, controller: Controller, handover: Handover) -> Controller:
        if controller.handover == handover:
            return controller
        return self.state.save_controller(replace(controller, handover=handover))

    def _tell_if_overdue(self, controller: Controller, handover: Handover, at: datetime, why: str) -> None:
        if handover.people_told or not is_overdue(handover, at, self._margin):
            return
        self.people.tell_handover_lasts(handover, at, why)
        self._kept(controller, replace(handover, people_told=True))

    def _said(self, handover: Handover, what: str) -> Decision:
        code = "handing_over" if handover.given_up_at is None else "no_authority"
        return Decision(Action.HOLD, code, f"handover to the {handover.receiver} site: {what}")


def _told(states: Sequence[str] | None) -> str:
    return "not to be seen" if states is None else ", ".join(state or "not there" for state in states)
