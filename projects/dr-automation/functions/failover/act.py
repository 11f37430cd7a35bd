"""Carry an incident through its phases. Each step is recorded before and after, and can be taken again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from aws_lambda_powertools import Logger

from failover import latch, messages
from failover.clients import AwsError, Clients
from failover.databases import Databases
from failover.fence import fence
from failover.incident import Incident, Phase, Step
from failover.promote import ask_for_promotion, verify, wait_until_promoted
from failover.settings import Settings
from failover.state import AnotherRunIsAtWorkError, Controller, State
from failover.work import Clock, Outcome, Work

logger = Logger(child=True)

# Renewed well before it runs out: a slow call must fit between two renewals.
RENEWALS_PER_LEASE = 4


class Failover:
    """One run's work on one incident.

    Args:
        clients: AWS.
        settings: the settings.
        clock: time.
        state: the state table.
        run_id: names this run; it holds the incident's lease.
        controller: the recorded state, which points to the incident.
        incident: the incident.
    """

    def __init__(
        self,
        clients: Clients,
        settings: Settings,
        clock: Clock,
        state: State,
        run_id: str,
        controller: Controller,
        incident: Incident,
    ) -> None:
        self._clients = clients
        self._settings = settings
        self._clock = clock
        self._state = state
        self._run_id = run_id
        self._controller = controller
        self._incident = incident
        self._work = Work(
            clients=clients,
            databases=Databases(clients, settings),
            settings=settings,
            clock=clock,
            ends_at=clock.now() + timedelta(seconds=settings.run_budget_seconds),
            renew=self._renew,
        )

    def carry_through(self) -> Incident:
        """Take the steps that are left.

        Returns:
            The closed incident.

        Raises:
            AnotherRunIsAtWorkError: another run holds the incident, or took it over.
            BudgetSpentError: the run must end; the incident is as far as it is recorded.
        """
        self._take_over()
        try:
            while (phase := self._incident.phase.next) is not None:
                self._take(phase)
        except AnotherRunIsAtWorkError:
            raise
        except Exception:
            # Whatever ends this run must not make the next one wait for the lease.
            self._release()
            raise
        if self._controller.incident_id is not None:
            self._controller = self._state.save_controller(
                replace(self._controller, incident_id=None, trouble=None, last_closed_at=self._incident.closed_at)
            )
        return self._incident

    def _take_over(self) -> None:
        held = self._incident.lease_until > self._clock.now()
        if held and self._incident.owner != self._run_id:
            raise AnotherRunIsAtWorkError(
                f"run {self._incident.owner} holds incident {self._incident.incident_id} "
                f"until {self._incident.lease_until.isoformat()}"
            )
        self._save(self._incident)

    def _take(self, phase: Phase) -> None:
        begun = self._incident.step(phase)
        step = Step(phase, started_at=self._clock.now()) if begun is None else begun
        self._save(self._incident.with_step(step))
        outcome = self._steps[phase](step)
        finished_at = self._clock.now()
        done = replace(step, finished_at=finished_at, outcome=outcome.outcome, detail=outcome.detail)
        incident = replace(self._incident.with_step(done), phase=phase)
        if phase is Phase.SWITCHED:
            incident = replace(incident, rto_seconds=(finished_at - incident.trouble_since).total_seconds())
        if phase is Phase.CLOSED:
            incident = replace(incident, closed_at=finished_at)
        self._save(incident)
        logger.info("Step done", phase=phase, outcome=outcome.outcome, detail=outcome.detail, epoch=incident.epoch)

    @property
    def _steps(self) -> dict[Phase, Callable[[Step], Outcome]]:
        return {
            Phase.FENCED: lambda step: fence(self._work, self._settings.here.other, step.started_at),
            Phase.PROMOTING: lambda step: ask_for_promotion(self._work),
            Phase.PROMOTED: lambda step: wait_until_promoted(self._work),
            Phase.VERIFIED: lambda step: verify(self._work, step.started_at),
            Phase.SWITCHED: lambda step: self._switch(),
            Phase.CLOSED: lambda step: self._tell(),
        }

    def _switch(self) -> Outcome:
        here = self._settings.here
        if self._controller.epoch != self._incident.epoch:
            raise AnotherRunIsAtWorkError(f"epoch {self._controller.epoch} has begun: {self._incident.epoch} is over")
        if self._controller.writer_site is not here:
            self._controller = self._state.save_controller(replace(self._controller, writer_site=here))
        # At once: the name's switch waits for this metric.
        cloudwatch = self._clients.of("cloudwatch", self._settings.regions[here])
        latch.publish(cloudwatch, self._settings, here, self._clock.now())
        return Outcome("switched", f"the writer is {here}, epoch {self._incident.epoch}")

    def _tell(self) -> Outcome:
        sns = self._clients.of("sns", self._settings.regions[self._settings.here])
        messages.tell_recovered(sns, self._settings, self._incident)
        return Outcome("told", f"people were told through {self._settings.recovery_topic_arn}")

    def _renew(self) -> None:
        left = (self._incident.lease_until - self._clock.now()).total_seconds()
        if left < self._settings.lease_seconds * (1 - 1 / RENEWALS_PER_LEASE):
            self._save(self._incident)

    def _save(self, incident: Incident) -> None:
        lease_until = self._clock.now() + timedelta(seconds=self._settings.lease_seconds)
        self._incident = self._state.save_incident(replace(incident, owner=self._run_id, lease_until=lease_until))

    def _release(self) -> None:
        try:
            self._incident = self._state.save_incident(replace(self._incident, lease_until=self._clock.now()))
        except (AnotherRunIsAtWorkError, *AwsError) as error:
            # The lease runs out by itself; what ended the run is the error to raise.
            logger.warning("The lease was not released", error=str(error))
