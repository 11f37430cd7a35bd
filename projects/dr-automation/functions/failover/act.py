"""Carry an incident through its phases. Each step is recorded before and after, and can be taken again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from failover import latch
from failover.old_writer import fence_old_writer, let_in_again
from failover.people import People
from failover.promote import ask_for_promotion, verify, wait_until_drained, wait_until_promoted
from failover.settings import Settings
from failover.work import BudgetSpentError, Outcome, PausedError, StepBlockedError, Work
from function_runtime.clients import AwsError, Clients
from function_runtime.clock import Clock
from function_runtime.incident import Incident, Kind, Phase, Step
from function_runtime.items import AnotherRunIsAtWorkError
from function_runtime.state import Controller, ControlUnreadableError, State

logger = Logger(child=True)

# Renewed well before it runs out: a slow call must fit between two renewals.
RENEWALS_PER_LEASE = 4
OVERDUE = "overdue"


class Failover:
    """One run's work on one incident.

    Args:
        clients: AWS.
        settings: the settings.
        clock: time.
        people: who is told.
        state: the state table.
        run_id: names this run; it holds the incident's lease.
        ends_at: the run must end by then.
        controller: the recorded state, which points to the incident.
        incident: the incident.
    """

    def __init__(
        self,
        clients: Clients,
        settings: Settings,
        clock: Clock,
        people: People,
        state: State,
        run_id: str,
        ends_at: datetime,
        controller: Controller,
        incident: Incident,
    ) -> None:
        self._clients = clients
        self._settings = settings
        self._clock = clock
        self._people = people
        self._state = state
        self._run_id = run_id
        self._controller = controller
        self._incident = incident
        self._work = Work(
            clients=clients,
            databases=settings.databases(clients),
            settings=settings,
            clock=clock,
            ends_at=ends_at,
            renew=self._renew,
        )

    def carry_through(self) -> Incident:
        """Take the steps that are left.

        Returns:
            The closed incident.

        Raises:
            AnotherRunIsAtWorkError: another run holds the incident, or took it over.
            BudgetSpentError: the run must end; the incident is as far as it is recorded.
            PausedError: people have paused failovers since the run began, in time.
            StepBlockedError: a step cannot succeed as things are; people have been told, the next run tries again.
        """
        self._take_over()
        try:
            while (phase := self._incident.next_phase) is not None:
                self._heed_a_pause(phase)
                self._take(phase)
        except AnotherRunIsAtWorkError:
            self._undo_late_fence()
            raise
        except StepBlockedError as error:
            why = str(error)
            try:
                self._tell_of_step(why, lambda step: self._people.tell_blocked(self._incident, step, why))
            finally:
                self._release()
            raise
        except BudgetSpentError:
            try:
                self._tell_if_overdue()
            finally:
                self._release()
            raise
        except Exception:
            # Whatever ends this run must not make the next one wait for the lease.
            self._release()
            raise
        if self._controller.incident_id is not None:
            closed_at = self._controller.last_closed_at if self._incident.is_taken_back else self._incident.closed_at
            self._controller = self._state.save_controller(
                replace(
                    self._controller,
                    incident_id=None,
                    trouble=None,
                    proposal=None,
                    replicated_until=None,
                    last_closed_at=closed_at,
                    last_incident_id=self._incident.incident_id,
                )
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

    def _heed_a_pause(self, phase: Phase) -> None:
        """The fence and the drain take their time, in which people may pause: the last look is before the promotion."""
        if phase is not Phase.PROMOTING or self._incident.step(phase) is not None:
            return
        try:
            pause = self._state.control().pause
        except ControlUnreadableError as error:
            raise PausedError(f"it may be paused, for nobody can say: {error}") from error
        if pause is not None:
            raise PausedError(f"{pause.by} paused failovers: {pause.reason}")

    def _take(self, phase: Phase) -> None:
        begun = self._incident.step(phase)
        step = Step(phase, started_at=self._clock.now()) if begun is None else begun
        self._save(self._incident.with_step(step))
        outcome = self._steps[phase](step)
        finished_at = self._clock.now()
        done = replace(step, finished_at=finished_at, outcome=outcome.outcome, detail=outcome.detail)
        incident = replace(self._incident.with_step(done), phase=phase)
        if phase is Phase.DRAINED and outcome.outcome == "drained":
            incident = replace(incident, data_loss_seconds=0.0)
        if phase is Phase.SWITCHED:
            incident = replace(incident, rto_seconds=(finished_at - incident.trouble_since).total_seconds())
        if phase is Phase.CLOSED:
            incident = replace(incident, closed_at=finished_at)
        self._save(incident)
        logger.info("Step done", phase=phase, outcome=outcome.outcome, detail=outcome.detail, epoch=incident.epoch)
        if phase is not Phase.CLOSED:
            self._people.tell_step(self._incident, done)

    @property
    def _steps(self) -> dict[Phase, Callable[[Step], Outcome]]:
        old_writer = self._settings.here.other
        return {
            Phase.FENCED: lambda step: fence_old_writer(
                self._work,
                old_writer,
                step.started_at,
                region_answered=self._incident.signals["region_answers"] == "yes",
            ),
            Phase.DRAINED: lambda step: wait_until_drained(
                self._work, old_writer, self._finished_at(Phase.FENCED), step.started_at
            ),
            Phase.PROMOTING: lambda step: ask_for_promotion(self._work),
            Phase.PROMOTED: lambda step: wait_until_promoted(self._work),
            Phase.VERIFIED: lambda step: verify(self._work, step.started_at),
            Phase.SWITCHED: lambda step: self._switch(),
            Phase.OPENED_AGAIN: lambda step: let_in_again(self._work, old_writer),
            Phase.CLOSED: lambda step: self._tell(),
        }

    def _finished_at(self, phase: Phase) -> datetime:
        step = self._incident.step(phase)
        if step is None or step.finished_at is None:
            raise ValueError(f"incident {self._incident.incident_id}: step {phase} is not finished")
        return step.finished_at

    def _switch(self) -> Outcome:
        here = self._settings.here
        if self._controller.epoch != self._incident.epoch:
            raise AnotherRunIsAtWorkError(f"epoch {self._controller.epoch} has begun: {self._incident.epoch} is over")
        if self._controller.writer_site is not here:
            self._controller = self._state.save_controller(replace(self._controller, writer_site=here))
        # At once: the name's switch waits for this metric. Every run publishes it again.
        try:
            cloudwatch = self._clients.of("cloudwatch", self._settings.regions[here])
            latch.publish(cloudwatch, self._settings, here, self._clock.now())
        except AwsError as error:
            raise StepBlockedError(f"CloudWatch does not take the latch's metric WriterSite: {error}") from error
        return Outcome("switched", f"the writer is {here}, epoch {self._incident.epoch}")

    def _tell(self) -> Outcome:
        self._people.tell_closed(self._incident)
        return Outcome("told", f"people were told through {self._settings.recovery_topic_arn}")

    def _tell_if_overdue(self) -> None:
        phase = self._incident.next_phase
        step = None if phase is None else self._incident.step(phase)
        if step is None:
            return
        taken = self._clock.now() - step.started_at
        if taken >= timedelta(seconds=self._settings.step_patience_seconds):
            self._tell_of_step(OVERDUE, lambda late: self._people.tell_overdue(self._incident, late, taken))

    def _tell_of_step(self, what: str, tell: Callable[[Step], None]) -> None:
        """Tell people once of what is wrong with the step under way, and keep it with the step."""
        phase = self._incident.next_phase
        step = None if phase is None else self._incident.step(phase)
        if step is None or what in step.told:
            return
        tell(step)
        try:
            self._save(self._incident.with_step(replace(step, told=(*step.told, what))))
        except (AnotherRunIsAtWorkError, *AwsError) as error:
            # Then people hear it twice, which is better than never.
            logger.warning("What people were told was not recorded", error=str(error))

    def _undo_late_fence(self) -> None:
        """A run that was held up beyond its lease may have fenced the writer after others took the failover back.

        RDS knows no conditional calls, so what came too late is undone: its own site is still the writer.
        """
        if self._incident.kind is not Kind.PLANNED or self._incident.next_phase is not Phase.FENCED:
            return
        recorded = self._state.incident(self._incident.incident_id)
        if recorded.is_taken_back and recorded.phase in (Phase.OPENED_AGAIN, Phase.CLOSED):
            # The incident is over: there is no hold on it to renew.
            outcome = let_in_again(replace(self._work, renew=lambda: None), self._settings.here.other)
            logger.warning("A late fence was undone", outcome=outcome.outcome, incident=recorded.incident_id)

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
