"""One run of a controller: publish its word, go on with what is under way, or observe and decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger

from failover import latch
from failover.act import Failover
from failover.adopting import Adopting
from failover.answer import Answer
from failover.decision import Action, Decision
from failover.handing_over import HandingOver
from failover.instructions import abandoned_by, order_to_drop, paused_by
from failover.last_look import ANSWERS_AFTER_ALL, LastLook, before_opening, last_look
from failover.look import Look, look, order_on_record
from failover.old_writer import let_in
from failover.opened import opened
from failover.overtaken import compared
from failover.people import People
from failover.recorded import Recorded, StateLostError, recorded
from failover.remember import remember
from failover.settings import LONGEST_RUN_SECONDS, Settings
from failover.watching import ObservingLease, Watch
from failover.work import BudgetSpentError, PausedError, PeopleAskedError, StepBlockedError
from function_runtime.clients import AwsError, Clients
from function_runtime.clock import Clock
from function_runtime.control import Control, OrderKind, Pause
from function_runtime.database import NotInThisStateError
from function_runtime.incident import Incident, Kind
from function_runtime.items import AnotherRunIsAtWorkError
from function_runtime.state import Controller, ControlUnreadableError, State

logger = Logger(child=True)

# A guard's run is over after a minute, and another run of its that had begun a minute later.
LATE_FENCE = timedelta(minutes=3)


@dataclass(frozen=True)
class Run:
    """One run. Without authority (`function_runtime.state.Controller.authority`) it only publishes its word.

    Attributes:
        clients: AWS.
        settings: the settings.
        clock: time.
        run_id: unique to this run.
        seconds_left: what Lambda leaves it.
    """

    clients: Clients
    settings: Settings
    clock: Clock
    run_id: str
    seconds_left: float = LONGEST_RUN_SECONDS

    def once(self) -> dict[str, str]:
        """Do what is to be done now.

        Returns:
            What was done: action, code and reason. A run that finds another at work holds.

        Raises:
            StateLostError: nobody knows who the writer is: nothing is published and nothing done, and people were told.
            Exception: whatever a needed service refuses; the next run begins from the recorded state.
        """
        ends_at = self.clock.now() + timedelta(seconds=min(self.seconds_left, self.settings.run_budget_seconds))
        here = self.settings.here
        state, other_state = (self.settings.state(self.clients, site) for site in (here, here.other))
        people = People(self.clients, self.settings, state)
        with_other = (self.clients, self.settings, self.clock, people, state, other_state)
        adopting, handing_over = Adopting(*with_other), HandingOver(*with_other)
        # The time before the reading: a run that is held up between the two must not publish old news as new.
        read_at = self.clock.now()
        control, unreadable = self._control(state, read_at)
        try:
            known = recorded(self.clients, self.settings, state, read_at)
            known = compared(self.settings.here, known, state, other_state)
        except StateLostError as error:
            known = adopting.settled(control, error)
        if known.incident is None and known.doubt is None:
            known = adopting.given_a_word(control, known)
        unpublished = self._publish(known.controller, read_at) if known.agrees else None
        try:
            if known.controller.authority is self.settings.here:
                done = self._go_on(state, known, control, people, ends_at, adopting, handing_over)
            else:
                done = self._stand_by(state, known, control, handing_over)
        except AnotherRunIsAtWorkError as error:
            done = Decision(Action.HOLD, "another_run_is_at_work", str(error))
        except BudgetSpentError as error:
            done = Decision(Action.FAIL_OVER, "to_be_continued", str(error))
        except PausedError as error:
            done = Decision(Action.HOLD, "paused", str(error))
        except PeopleAskedError as error:
            done = Decision(Action.ASK, ANSWERS_AFTER_ALL, str(error))
        except StepBlockedError as error:
            done = Decision(Action.ALERT, "blocked", str(error))
        people.repeat()
        logger.info(
            "Run done",
            decision=done.as_item(),
            writer_site=known.controller.writer_site,
            epoch=known.controller.epoch,
        )
        # Only now: none of them may keep an incident from being carried on, and each must show as a failed run.
        for trouble in (known.doubt, unpublished, unreadable, people.unheard):
            if trouble is not None:
                raise trouble
        return done.as_item()

    def _control(self, state: State, at: datetime) -> tuple[Control, ControlUnreadableError | None]:
        try:
            return state.control(), None
        except ControlUnreadableError as error:
            # It may have been a pause: what is not known never leads to a failover.
            return Control(pause=Pause("nobody known", at, str(error))), error

    def _publish(self, controller: Controller, at: datetime) -> Exception | None:
        try:
            latch.publish(self._client("cloudwatch"), self.settings, controller, at)
        except AwsError as error:
            logger.warning("The latch's metric was not published", error=str(error))
            return error
        return None

    def _stand_by(self, state: State, known: Recorded, control: Control, handing_over: HandingOver) -> Decision:
        """A run without authority: it decides nothing, and finishes what it owes as the one who gave it away."""
        controller = self._written_down(state, known)
        if controller.handover is not None:
            return handing_over.gone_on(controller, controller.handover, control)
        reason = f"the {controller.authority} site's controller has the authority, as far as this site knows"
        return Decision(Action.HOLD, "no_authority", reason)

    def _written_down(self, state: State, known: Recorded) -> Controller:
        """What the history says is written down before anything follows from it."""
        if not known.found:
            return known.controller
        logger.warning("The record was older than its history", incident_id=known.controller.incident_id)
        return state.save_controller(known.controller)

    def _go_on(
        self,
        state: State,
        known: Recorded,
        control: Control,
        people: People,
        ends_at: datetime,
        adopting: Adopting,
        handing_over: HandingOver,
    ) -> Decision:
        controller = self._written_down(state, known)
        if known.to_keep is not None:
            state.save_taken(known.to_keep)
        if controller.owes_telling and known.incident is None:
            controller = adopting.tell_the_other_site(controller)
        if known.incident is not None:
            # Its region may have been dark meanwhile.
            overruled = None if known.incident.may_be_promoted else adopting.overruled_by(controller)
            return self._carry_through(state, controller, control, known.incident, people, ends_at, overruled)
        here = self.settings.here
        if known.doubt is None and self._was_shut_late(controller):
            controller = replace(controller, owes_opening=controller.last_incident_id)
        if controller.owes_opening is not None and known.doubt is None:
            controller = self._open_again(state, controller, people)
        if controller.writer_site is here:
            handed = None if known.doubt is not None else handing_over.begun(controller, control)
            return handed or Decision(Action.HOLD, "writer_is_here", f"the {here} site is the writer")
        controller = self._without_old_order(state, controller, control, people)
        lease = ObservingLease(state, self.clock, self.run_id, self.settings.lease_seconds)
        try:
            begun = self._watched(state, known, controller, control, people, ends_at, adopting, lease)
        finally:
            lease.release()
        if isinstance(begun, Decision):
            return begun
        people.tell_opened(begun.incident)
        return self._carry_through(
            state, begun.controller, begun.control, begun.incident, people, ends_at, looked_at=begun.looked_at
        )

    def _watched(
        self,
        state: State,
        known: Recorded,
        controller: Controller,
        control: Control,
        people: People,
        ends_at: datetime,
        adopting: Adopting,
        lease: ObservingLease,
    ) -> Decision | _Opened:
        """Look until something is decided: the incident that was opened, or what was decided instead."""
        watch = Watch(
            state=state,
            settings=self.settings,
            clock=self.clock,
            lease=lease,
            people=people,
            ends_at=ends_at,
            look=self._look,
            control=lambda: self._control(state, self.clock.now())[0],
            publish=self._publish if known.agrees else None,
        )
        controller, control, seen = watch.until_settled(controller, control)
        if seen.decision.action is not Action.FAIL_OVER:
            return seen.decision
        # Of a dark region the answer would take its time, and would not come.
        if seen.signals.region_answers is Answer.YES and (why := adopting.overruled_by(controller)) is not None:
            return Decision(Action.HOLD, "no_authority", why)
        looked = self._looked_directly(controller, seen)
        if (
            looked is not None
            and (instead := before_opening(looked, seen.signals, seen.order, self.settings.policy)) is not None
        ):
            remember(state, self.settings, controller, replace(seen, decision=instead), people, looked)
            return instead
        claimed, incident = self._open(state, controller, seen, looked)
        return _Opened(claimed, control, incident, None if looked is None else looked.at)

    def _looked_directly(self, controller: Controller, seen: Look) -> LastLook | None:
        """A last look, unless a person has decided without, or moves a writer that is well."""
        if seen.order is not None and seen.order.kind is not OrderKind.APPROVE:
            return None
        looked = last_look(self.clients, self.settings, controller.writer_site, self.clock.now)
        logger.info("Looked directly", life=looked.life, found=looked.found)
        return looked

    def _without_old_order(self, state: State, controller: Controller, control: Control, people: People) -> Controller:
        order = order_to_drop(control, controller, self.clock.now())
        if order is None:
            return controller
        # Twice is better than never: that it was told is kept last.
        people.tell_order_dropped(order)
        return state.save_controller(replace(controller, order_dropped=order.at))

    def _look(self, controller: Controller, control: Control) -> Look:
        seen = look(
            self.clients, self.settings, controller, control, self.clock.now, order_on_record(control, controller)
        )
        logger.info("Decided", decision=seen.decision.as_item(), signals=seen.signals.as_item())
        return seen

    def _was_shut_late(self, controller: Controller) -> bool:
        """Whether a guard has shut the writer by a record from before its clients were let in."""
        let_in_at = controller.let_in_at
        if let_in_at is None or controller.owes_opening is not None or self.clock.now() - let_in_at > LATE_FENCE:
            return False
        database = self.settings.databases(self.clients)[controller.writer_site]
        try:
            return database.is_quarantined(database.describe())
        except AwsError:
            return False

    def _open_again(self, state: State, controller: Controller, people: People) -> Controller:
        """Open the writer that could not be opened when its failover was taken back, as soon as RDS lets it."""
        writer, incident_id = controller.writer_site, controller.owes_opening
        database = self.settings.databases(self.clients)[writer]
        try:
            is_open = let_in(database, self.settings.database_group_ids[writer])
        except (NotInThisStateError, *AwsError) as error:
            logger.warning("The writer was not opened", error=str(error))
            return controller
        if not is_open or incident_id is None:
            return controller
        controller = state.save_controller(replace(controller, owes_opening=None, let_in_at=self.clock.now()))
        people.tell_opened_again(incident_id)
        return controller

    def _open(
        self, state: State, controller: Controller, seen: Look, looked: LastLook | None
    ) -> tuple[Controller, Incident]:
        incident = opened(self.settings, seen, looked, self.run_id, self.clock.now())
        # First the incident, then the pointer to it: what the controller points to is always there.
        incident = state.create_incident(incident)
        claimed = replace(
            controller,
            epoch=seen.epoch,
            incident_id=incident.incident_id,
            trouble=seen.signals.trouble,
            decision=seen.decision.as_item(),
            owes_opening=None,
            adopted_by=None,
            proposal=None,
            last_look=None,
        )
        return state.save_controller(claimed), incident

    def _carry_through(
        self,
        state: State,
        controller: Controller,
        control: Control,
        incident: Incident,
        people: People,
        ends_at: datetime,
        overruled: str | None = None,
        looked_at: datetime | None = None,
    ) -> Decision:
        held = self._held(control, incident) if overruled is None else None
        if held is not None:
            return self._hold_paused(state, controller, incident, people, held)
        work = Failover(
            self.clients,
            self.settings,
            self.clock,
            people,
            state,
            self.run_id,
            ends_at,
            controller,
            incident,
            overruled,
            looked_at,
        )
        closed = work.carry_through()
        return Decision(Action.FAIL_OVER, "closed", f"incident {closed.incident_id} is closed")

    def _held(self, control: Control, incident: Incident) -> str | None:
        """Why an emergency's failover waits where it is; later than this a pause would leave clients without a writer.

        A planned one is taken back instead, which is work to be done.
        """
        if incident.kind is Kind.PLANNED or incident.is_taken_back or incident.may_be_promoted:
            return None
        if abandoned_by(control, incident, self.clock.now()) is not None:
            return None
        return paused_by(control, self.settings)

    def _hold_paused(
        self, state: State, controller: Controller, incident: Incident, people: People, why: str
    ) -> Decision:
        """Tell people once: after the fence the clients have no writer until somebody resumes."""
        if incident.lease_until > self.clock.now() and incident.owner != self.run_id:
            # It does not hold yet: that run stops before the promotion.
            raise AnotherRunIsAtWorkError(f"run {incident.owner} is at work on {incident.incident_id}")
        reason = f"incident {incident.incident_id} stays {incident.phase} until somebody resumes: {why}"
        decision = Decision(Action.HOLD, "paused", reason)
        if controller.decision is None or controller.decision["reason"] != decision.reason:
            state.save_controller(replace(controller, decision=decision.as_item()))
            people.tell_held(incident, reason)
        return decision

    def _client(self, service: str) -> Any:
        return self.clients.of(service, self.settings.region)


@dataclass(frozen=True)
class _Opened:
    """An incident that this run has opened.

    Attributes:
        controller: the record, which points to it.
        control: people's words when it was opened.
        incident: the incident.
        looked_at: when the writer was looked at last; None where a person decided without.
    """

    controller: Controller
    control: Control
    incident: Incident
    looked_at: datetime | None
