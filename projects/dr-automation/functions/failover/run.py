"""One run of the controller: publish the latch, go on with the incident, or observe and decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger

from failover import latch, messages
from failover.act import Failover
from failover.clients import AwsError, Clients
from failover.decide import Action, Decision, Situation, decide
from failover.incident import Incident, Phase, Step
from failover.observe import observe
from failover.policy import Mode
from failover.settings import Settings
from failover.signals import Signals, interpret
from failover.state import AnotherRunIsAtWorkError, Controller, State
from failover.trouble import Trouble
from failover.work import BudgetSpentError, Clock

logger = Logger(child=True)

# A pause stops an incident here. Later it would leave clients without a writer: a promotion cannot be taken back.
BEFORE_PROMOTION = frozenset({Phase.OPENED, Phase.FENCED})


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        clients: AWS.
        settings: the settings.
        clock: time.
        run_id: unique to this run.
    """

    clients: Clients
    settings: Settings
    clock: Clock
    run_id: str

    def once(self) -> dict[str, str]:
        """Do what is to be done now.

        Returns:
            What was done: action, code and reason. A run that finds another at work holds.

        Raises:
            Exception: whatever a needed service refuses; the next run begins from the recorded state.
        """
        state = State(self._client("dynamodb"), self.settings.state_table)
        # The time before the reading: a run that is held up between the two must not publish old news as new.
        read_at = self.clock.now()
        controller = state.controller()
        latch.publish(self._client("cloudwatch"), self.settings, controller.writer_site, read_at)
        try:
            done = self._go_on(state, controller)
        except AnotherRunIsAtWorkError as error:
            done = Decision(Action.HOLD, "another_run_is_at_work", str(error))
        except BudgetSpentError as error:
            done = Decision(Action.FAIL_OVER, "to_be_continued", str(error))
        logger.info("Run done", decision=done.as_item(), writer_site=controller.writer_site, epoch=controller.epoch)
        return done.as_item()

    def _go_on(self, state: State, controller: Controller) -> Decision:
        if controller.incident_id is not None:
            return self._carry_through(state, controller, state.incident(controller.incident_id))
        here = self.settings.here
        if controller.writer_site is here:
            return Decision(Action.HOLD, "writer_is_here", f"the {here} site is the writer")
        readings = observe(self.clients, self.settings, controller.writer_site, self.clock.now())
        signals = interpret(readings, self.settings.policy, controller.trouble)
        situation = Situation(readings.at, here, controller.writer_site, controller.last_closed_at)
        decision = decide(signals, situation, self.settings.policy)
        logger.info("Decided", decision=decision.as_item(), signals=signals.as_item())
        if decision.action is Action.FAIL_OVER and signals.trouble is not None:
            return self._open(state, controller, decision, signals, signals.trouble)
        self._remember(state, controller, decision, signals)
        return decision

    def _remember(self, state: State, controller: Controller, decision: Decision, signals: Signals) -> None:
        """Keep the decision and the trouble, and tell people of each reason once in it."""
        trouble = signals.trouble
        tell = decision.action is Action.ALERT and trouble is not None and decision.code not in trouble.told
        if trouble is not None:
            trouble = replace(trouble, lag_before_seconds=signals.lag_before_seconds)
            if tell:
                trouble = trouble.tell(decision.code)
        if tell:
            # Before it is recorded as told: twice is better than never.
            messages.tell_alert(self._client("sns"), self.settings, decision, signals)
        # Not for every run: the reason counts seconds.
        decided_anew = controller.decision is None or controller.decision["code"] != decision.code
        if trouble != controller.trouble or decided_anew:
            state.save_controller(replace(controller, trouble=trouble, decision=decision.as_item()))

    def _open(
        self, state: State, controller: Controller, decision: Decision, signals: Signals, trouble: Trouble
    ) -> Decision:
        now = self.clock.now()
        lag, loss = signals.lag_before_seconds, signals.loss_bound_seconds
        if lag is None or loss is None:
            raise ValueError(f"lag_before_seconds = {lag}: a failover is never decided without it")
        epoch = controller.epoch + 1
        incident = Incident(
            incident_id=f"{epoch:06d}",
            epoch=epoch,
            phase=Phase.OPENED,
            opened_at=now,
            trouble_since=trouble.since,
            decision=decision.as_item(),
            signals=signals.as_item(),
            lag_before_seconds=lag,
            data_loss_seconds=loss,
            owner=self.run_id,
            lease_until=now + timedelta(seconds=self.settings.lease_seconds),
            steps=(Step(Phase.OPENED, now, now, "opened", decision.reason),),
        )
        # First the incident, then the pointer to it: what the controller points to is always there.
        incident = state.create_incident(incident)
        claimed = replace(
            controller,
            epoch=epoch,
            incident_id=incident.incident_id,
            trouble=trouble,
            decision=decision.as_item(),
        )
        controller = state.save_controller(claimed)
        self._tell_opened(incident)
        return self._carry_through(state, controller, incident)

    def _tell_opened(self, incident: Incident) -> None:
        try:
            messages.tell_opened(self._client("sns"), self.settings, incident)
        except AwsError as error:
            # Nobody waits for a message; the one at the end is insisted on.
            logger.warning("People were not told of the beginning", error=str(error))

    def _carry_through(self, state: State, controller: Controller, incident: Incident) -> Decision:
        if self.settings.policy.mode is Mode.PAUSED and incident.phase in BEFORE_PROMOTION:
            reason = f"incident {incident.incident_id} is {incident.phase}, and the mode is paused: resume to go on"
            return Decision(Action.HOLD, "paused", reason)
        work = Failover(self.clients, self.settings, self.clock, state, self.run_id, controller, incident)
        closed = work.carry_through()
        return Decision(Action.FAIL_OVER, "closed", f"incident {closed.incident_id} is closed")

    def _client(self, service: str) -> Any:
        return self.clients.of(service, self.settings.regions[self.settings.here])
