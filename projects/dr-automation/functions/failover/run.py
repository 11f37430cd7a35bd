"""One run of the controller: publish the latch, go on with the incident, or observe and decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger

from failover import latch
from failover.act import Failover
from failover.decide import Action, Decision
from failover.look import Look, look, order_on_record, policy_in_force
from failover.people import People
from failover.policy import Mode
from failover.recorded import recorded_controller
from failover.settings import LONGEST_RUN_SECONDS, Settings
from failover.work import BudgetSpentError, PausedError, StepBlockedError
from function_runtime.clients import AwsError, Clients
from function_runtime.clock import Clock
from function_runtime.control import Control, OrderKind, Pause
from function_runtime.incident import Incident, Kind, Phase, Step
from function_runtime.items import AnotherRunIsAtWorkError
from function_runtime.sites import Site
from function_runtime.state import Controller, ControlUnreadableError, Proposal, State
from function_runtime.trouble import Kind as TroubleKind

logger = Logger(child=True)

# A pause stops an incident here. Later it would leave clients without a writer: a promotion cannot be taken back.
BEFORE_PROMOTION = frozenset({Phase.OPENED, Phase.FENCED, Phase.DRAINED})
KINDS = {OrderKind.APPROVE: Kind.APPROVED, OrderKind.PLANNED: Kind.PLANNED, OrderKind.FORCED: Kind.FORCED}


@dataclass(frozen=True)
class Run:
    """One run.

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
            StateLostError: nobody knows who the writer is: nothing is published and nothing done.
            Exception: whatever a needed service refuses; the next run begins from the recorded state.
        """
        ends_at = self.clock.now() + timedelta(seconds=min(self.seconds_left, self.settings.run_budget_seconds))
        state = State(self._client("dynamodb"), self.settings.state_table)
        # The time before the reading: a run that is held up between the two must not publish old news as new.
        read_at = self.clock.now()
        controller = recorded_controller(self.clients, self.settings, state)
        control, unreadable = self._control(state, read_at)
        unpublished = self._publish(controller.writer_site, read_at)
        try:
            done = self._go_on(state, controller, control, ends_at)
        except AnotherRunIsAtWorkError as error:
            done = Decision(Action.HOLD, "another_run_is_at_work", str(error))
        except BudgetSpentError as error:
            done = Decision(Action.FAIL_OVER, "to_be_continued", str(error))
        except PausedError as error:
            done = Decision(Action.HOLD, "paused", str(error))
        except StepBlockedError as error:
            done = Decision(Action.ALERT, "blocked", str(error))
        logger.info("Run done", decision=done.as_item(), writer_site=controller.writer_site, epoch=controller.epoch)
        # Only now: neither may keep an incident from being carried on, and both must show as a failed run.
        if unpublished is not None:
            raise unpublished
        if unreadable is not None:
            raise unreadable
        return done.as_item()

    def _control(self, state: State, at: datetime) -> tuple[Control, ControlUnreadableError | None]:
        try:
            return state.control(), None
        except ControlUnreadableError as error:
            # It may have been a pause: what is not known never leads to a failover.
            return Control(pause=Pause("nobody known", at, str(error))), error

    def _publish(self, writer_site: Site, at: datetime) -> Exception | None:
        try:
            latch.publish(self._client("cloudwatch"), self.settings, writer_site, at)
        except AwsError as error:
            logger.warning("The latch's metric was not published", error=str(error))
            return error
        return None

    def _go_on(self, state: State, controller: Controller, control: Control, ends_at: datetime) -> Decision:
        people = People(self.clients, self.settings)
        if controller.incident_id is not None:
            incident = state.incident(controller.incident_id)
            return self._carry_through(state, controller, control, incident, people, ends_at)
        here = self.settings.here
        if controller.writer_site is here:
            return Decision(Action.HOLD, "writer_is_here", f"the {here} site is the writer")
        now = self.clock.now()
        seen = look(self.clients, self.settings, controller, control, now, order_on_record(control))
        logger.info("Decided", decision=seen.decision.as_item(), signals=seen.signals.as_item())
        if seen.decision.action is Action.FAIL_OVER:
            claimed, incident = self._open(state, controller, seen)
            people.tell_opened(incident)
            return self._carry_through(state, claimed, control, incident, people, ends_at)
        self._remember(state, controller, seen, people)
        return seen.decision

    def _remember(self, state: State, controller: Controller, seen: Look, people: People) -> None:
        """Keep the decision and the trouble, and tell people of each reason once in it."""
        decision, signals, trouble = seen.decision, seen.signals, seen.signals.trouble
        proposal = _proposal(controller, seen)
        # People are told before it is recorded as told: twice is better than never.
        if trouble is not None:
            if trouble.kind is TroubleKind.FAILING:
                trouble = replace(trouble, lag_before_seconds=signals.lag_before_seconds)
            if decision.code not in trouble.told:
                if decision.action is Action.ALERT:
                    people.tell_alert(decision, signals, trouble)
                    trouble = trouble.tell(decision.code)
                elif proposal is not None:
                    people.tell_asked(decision, signals, proposal)
                    trouble = trouble.tell(decision.code)
        elif controller.trouble is not None and controller.trouble.told:
            people.tell_answers_again(controller.trouble, decision)
        after = replace(
            controller,
            trouble=trouble,
            proposal=proposal,
            replicated_until=self._replicated_until(controller, seen),
            # Not for every run: the reason counts seconds.
            decision=controller.decision
            if controller.decision is not None and controller.decision["code"] == decision.code
            else decision.as_item(),
        )
        if after != controller:
            state.save_controller(after)

    def _replicated_until(self, controller: Controller, seen: Look) -> datetime | None:
        """Kept now and then, while it can be read: a region that goes dark takes the writer's metrics with it."""
        until, kept = seen.signals.replicated_until, controller.replicated_until
        if until is None or seen.signals.trouble is not None:
            return kept
        often_enough = timedelta(seconds=self.settings.policy.max_data_loss_seconds / 2)
        return until if kept is None or until - kept >= often_enough else kept

    def _open(self, state: State, controller: Controller, seen: Look) -> tuple[Controller, Incident]:
        now, signals, order = self.clock.now(), seen.signals, seen.order
        trouble = signals.trouble
        loss = signals.lag_before_seconds if trouble is None else signals.loss_bound_seconds
        kind = Kind.AUTOMATIC if order is None else KINDS[order.kind]
        incident = Incident(
            incident_id=seen.incident_id,
            kind=kind,
            new_writer=self.settings.here,
            epoch=seen.epoch,
            phase=Phase.OPENED,
            opened_at=now,
            trouble_since=now if trouble is None else trouble.since,
            decision=seen.decision.as_item(),
            signals=signals.as_item(),
            lag_before_seconds=signals.lag_before_seconds,
            # A planned one loses nothing, or is taken back.
            data_loss_seconds=0.0 if kind is Kind.PLANNED else loss,
            owner=self.run_id,
            lease_until=now + timedelta(seconds=self.settings.lease_seconds),
            ordered_by=None if order is None else order.by,
            steps=(Step(Phase.OPENED, now, now, "opened", seen.decision.reason),),
        )
        # First the incident, then the pointer to it: what the controller points to is always there.
        incident = state.create_incident(incident)
        claimed = replace(
            controller,
            epoch=seen.epoch,
            incident_id=incident.incident_id,
            trouble=trouble,
            decision=seen.decision.as_item(),
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
    ) -> Decision:
        paused = policy_in_force(self.settings, control).mode is Mode.PAUSED
        if paused and incident.phase in BEFORE_PROMOTION and not incident.is_taken_back and not _is_promoting(incident):
            return self._hold_paused(state, controller, incident, people)
        work = Failover(
            self.clients, self.settings, self.clock, people, state, self.run_id, ends_at, controller, incident
        )
        closed = work.carry_through()
        return Decision(Action.FAIL_OVER, "closed", f"incident {closed.incident_id} is closed")

    def _hold_paused(self, state: State, controller: Controller, incident: Incident, people: People) -> Decision:
        """Tell people once: after the fence the clients have no writer until somebody resumes."""
        reason = f"incident {incident.incident_id} is {incident.phase}, and the mode is paused: resume to go on"
        decision = Decision(Action.HOLD, "paused", reason)
        if controller.decision is None or controller.decision["code"] != decision.code:
            people.tell_held(incident, reason)
            state.save_controller(replace(controller, decision=decision.as_item()))
        return decision

    def _client(self, service: str) -> Any:
        return self.clients.of(service, self.settings.regions[self.settings.here])


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


def _is_promoting(incident: Incident) -> bool:
    """Whether the promotion may have been asked for: the step's end may be missing where its beginning is on record."""
    return incident.step(Phase.PROMOTING) is not None
