"""Carry an incident through its phases. Each step is recorded before and after, and can be taken again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from failover import latch
from failover.decision import Action, Decision
from failover.heed import has_a_way_back, heed, look_before_fence, look_once_more
from failover.last_look import ANSWERS_AFTER_ALL, LastLook
from failover.new_writer import Watch, wait_until_promoted, wait_until_shown, wait_until_writes
from failover.old_writer import PromotedAfterAllError, fence_old_writer, let_in_again
from failover.people import People
from failover.promote import ask_for_promotion, wait_until_drained
from failover.settings import Settings
from failover.work import BudgetSpentError, Outcome, PeopleAskedError, StepBlockedError, WithdrawnError, Work
from function_runtime import lease
from function_runtime.clients import AwsError, Clients
from function_runtime.clock import Clock
from function_runtime.fence_record import FenceRecord, FenceRecords
from function_runtime.incident import NOT_AWAITED, Incident, Kind, Phase, Promotion, Step
from function_runtime.items import AnotherRunIsAtWorkError
from function_runtime.metric_names import WRITER_WORD
from function_runtime.sites import Site
from function_runtime.state import Controller, Proposal, State
from function_runtime.up_to_date import after

logger = Logger(child=True)

OVERDUE = "overdue"
NOT_ABANDONED = "not abandoned yet"
NOT_GIVEN_UP = "not given up yet"
# While a step waits, what people say is looked at so often.
HEED_SECONDS = 5.0


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
        overruled: why this site's controller has no say any more, None where it has.
        looked_at: when this run has looked at the writer last, directly; None where it has not.
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
        overruled: str | None = None,
        looked_at: datetime | None = None,
    ) -> None:
        self._clients = clients
        self._settings = settings
        self._clock = clock
        self._people = people
        self._state = state
        self._run_id = run_id
        self._controller = controller
        self._incident = incident
        self._overruled = overruled
        self._looked_at = looked_at
        self._work = Work(
            clients=clients,
            databases=settings.databases(clients),
            settings=settings,
            clock=clock,
            ends_at=ends_at,
            renew=self._renew,
        )
        self._heeded_at = clock.now()

    def carry_through(self) -> Incident:
        """Take the steps that are left.

        Returns:
            The closed incident.

        Raises:
            AnotherRunIsAtWorkError: another run holds the incident, or took it over.
            BudgetSpentError: the run must end; the incident is as far as it is recorded.
            PausedError: people have paused failovers since the run began, in time.
            PeopleAskedError: the fenced writer answers; people have been told that the incident waits for them.
            StepBlockedError: a step cannot succeed as things are; people have been told, the next run tries again.
        """
        self._take_over()
        try:
            while (phase := self._incident.next_phase) is not None:
                self._take(phase)
        except AnotherRunIsAtWorkError:
            # Where only the record was replaced, the next run need not wait for the lease; else this changes nothing.
            self._release()
            self._undo_late_fence()
            raise
        except StepBlockedError as error:
            why = str(error)
            try:
                self._tell_of_step(why, lambda step: self._people.tell_blocked(self._incident, step, why))
            finally:
                self._release()
            raise
        except PeopleAskedError as error:
            try:
                self._ask(str(error))
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
        self._let_go()
        return self._incident

    def _ask(self, why: str) -> None:
        """Keep what an approval must name, and tell people once."""
        incident = self._incident
        proposal = Proposal(incident.incident_id, incident.epoch, ANSWERS_AFTER_ALL, incident.data_loss_seconds)
        if self._controller.proposal != proposal:
            decision = Decision(Action.ASK, ANSWERS_AFTER_ALL, why).as_item()
            asking = replace(self._controller, proposal=proposal, decision=decision)
            self._controller = self._state.save_controller(asking)
        self._tell_of_step(ANSWERS_AFTER_ALL, lambda step: self._people.tell_waits(incident, step, why))

    def _ask_no_more(self) -> None:
        """A person has approved: should the approval run out before RDS accepts, people are asked, and told, anew."""
        step = self._incident.step(Phase.PROMOTING)
        if not self._was_asked or step is None:
            return
        self._save(self._incident.with_step(replace(step, told=tuple(t for t in step.told if t != ANSWERS_AFTER_ALL))))
        self._controller = self._state.save_controller(replace(self._controller, proposal=None))

    @property
    def _was_asked(self) -> bool:
        """Whether people were asked about this incident, after its fence, and have not answered."""
        return self._controller.proposal is not None

    def _let_go(self) -> None:
        """Write that no incident is under way any more."""
        if self._controller.incident_id is not None:
            self._controller = self._state.save_controller(after(self._controller, self._incident))

    def _take_over(self) -> None:
        held = lease.lasts(self._incident.lease_until, self._clock.now(), self._settings.lease_seconds)
        if held and self._incident.owner != self._run_id:
            raise AnotherRunIsAtWorkError(
                f"run {self._incident.owner} holds incident {self._incident.incident_id} "
                f"until {self._incident.lease_until.isoformat()}"
            )
        self._save(self._incident)

    def _heed(self, phase: Phase) -> None:
        self._heeded_at = self._clock.now()
        not_yet = heed(self._state, self._work, self._incident, phase, self._overruled)
        if not_yet is not None:
            self._tell_not_given_up(NOT_ABANDONED, not_yet)

    def _heed_while_waiting(self, phase: Phase) -> None:
        if self._clock.now() - self._heeded_at >= timedelta(seconds=HEED_SECONDS):
            self._heed(phase)

    def _take(self, phase: Phase) -> None:
        begun = self._incident.step(phase)
        step = Step(phase, started_at=self._clock.now()) if begun is None else begun
        try:
            self._heed(phase)
            # With what people have just been told.
            step = self._incident.step(phase) or step
            self._save(self._incident.with_step(step))
            self._work = replace(self._work, heed=lambda: self._heed_while_waiting(phase))
            outcome = self._steps[phase](step)
        except PromotedAfterAllError as error:
            self._go_on_promoted(str(error))
            return
        except WithdrawnError as error:
            if error.outcome == NOT_AWAITED:
                self._record_unawaited(phase)
            outcome = Outcome(error.outcome, str(error))
        except StepBlockedError as error:
            if phase is not Phase.PROMOTING or not has_a_way_back(self._work, self._incident):
                raise
            outcome = Outcome(Promotion.NOT_ACCEPTED, f"{error}; and the old writer is there")
        begun = self._incident.step(phase)
        self._finish(phase, step if begun is None else begun, outcome)

    def _finish(self, phase: Phase, step: Step, outcome: Outcome) -> None:
        finished_at = self._clock.now()
        done = replace(step, finished_at=finished_at, outcome=outcome.outcome, detail=outcome.detail)
        incident = replace(self._incident.with_step(done), phase=phase)
        if phase is Phase.FENCED:
            old_writer = self._work.databases[incident.new_writer.other]
            incident = replace(incident, old_writer_resource_id=old_writer.resource_id)
        if phase is Phase.DRAINED and outcome.outcome == "drained":
            incident = replace(incident, data_loss_seconds=0.0)
        if phase is Phase.WRITES and incident.has_new_writer:
            writes_at = finished_at if outcome.at is None else outcome.at
            incident = replace(incident, rto_seconds=(writes_at - incident.trouble_since).total_seconds())
        if phase is Phase.CLOSED:
            incident = replace(incident, closed_at=finished_at)
        self._save(incident)
        logger.info("Step done", phase=phase, outcome=outcome.outcome, detail=outcome.detail, epoch=incident.epoch)
        if phase is not Phase.CLOSED:
            self._people.tell_step(self._incident, done)

    def _note_call(self, at: datetime | None) -> None:
        """Record that the promotion is about to be asked for; None: that RDS has not taken it."""
        step = self._incident.begun(Phase.PROMOTING)
        self._save(self._incident.with_step(replace(step, called_at=at)))

    def _promote(self, step: Step) -> Outcome:
        planned = self._incident.kind is Kind.PLANNED
        seconds = self._settings.planned_promotion_timeout_seconds if planned else None
        give_up_at = None if seconds is None else step.started_at + timedelta(seconds=seconds)
        looked: LastLook | None = None

        def call(at: datetime | None) -> None:
            nonlocal looked
            if at is not None:
                # The last moment at which the old writer itself, or people, can stop it.
                fenced_at = self._finished_at(Phase.FENCED)
                looked = look_once_more(self._state, self._work, self._incident, fenced_at, was_asked=self._was_asked)
                self._ask_no_more()
                self._heed(Phase.PROMOTING)
                # The look takes its time, and RDS's answer is waited for from when it is asked.
                at = self._clock.now()
            self._note_call(at)

        outcome = ask_for_promotion(self._work, step.called_at, call, give_up_at)
        return _seen(looked, outcome)

    def _fence(self, step: Step) -> Outcome:
        incident, bound = self._incident, self._fence_bound()
        looked = look_before_fence(self._state, self._work, incident, self._looked_at, timedelta(seconds=bound))
        fenced = fence_old_writer(
            self._work,
            self._settings.here.other,
            step.started_at,
            bound,
            region_answered=incident.signals["region_answers"] == "yes",
            # Unless the stream has ended too, somebody may be connected: a shut door keeps those who are in.
            answers=incident.signals["answers_there"] != "no" or incident.signals.get("stream_ended") != "yes",
        )
        return _seen(looked, fenced)

    def _open_again(self, step: Step) -> Outcome:
        """Give the writer its name and its clients back, unless RDS shows that the new one has been made after all.

        Raises:
            PromotedAfterAllError: the record is older than the truth.
        """
        ends_at = step.started_at + timedelta(seconds=self._settings.let_in_timeout_seconds)
        if self._controller.switching_to is not None:
            self._record(self._controller.writer_site, None)
            with suppress(StepBlockedError):
                # The next run says it, too; the writer must not wait for it.
                self._publish()
        return let_in_again(self._work, self._settings.here.other, ends_at)

    def _go_on_promoted(self, why: str) -> None:
        """What was taken back on record has made a new writer: the record was older than the truth."""
        self._save(self._incident.promoted_after_all(self._clock.now(), why))
        promoting = self._incident.step(Phase.PROMOTING)
        if promoting is not None:
            self._people.tell_step(self._incident, promoting)

    @property
    def _steps(self) -> dict[Phase, Callable[[Step], Outcome]]:
        old_writer = self._settings.here.other
        return {
            Phase.FENCED: self._fence,
            Phase.DRAINED: lambda step: wait_until_drained(
                self._work,
                old_writer,
                self._incident.begun(Phase.FENCED).started_at,
                self._finished_at(Phase.FENCED),
                step.started_at,
            ),
            Phase.PROMOTING: self._promote,
            Phase.SHOWN: lambda step: self._move_name(),
            Phase.WRITES: lambda step: self._make_writer(),
            Phase.PROMOTED: lambda step: wait_until_promoted(
                self._work,
                self._finished_at(Phase.WRITES) + timedelta(seconds=self._settings.step_patience_seconds),
            ),
            Phase.OPENED_AGAIN: self._open_again,
            Phase.CLOSED: lambda step: self._tell(),
        }

    def _fence_bound(self) -> float:
        """Nobody waits long for a dead writer; one that answers must be seen to reboot, which takes minutes."""
        settings, incident = self._settings, self._incident
        must_be_seen = incident.must_be_fenced or incident.kind is Kind.PLANNED
        return settings.planned_fence_timeout_seconds if must_be_seen else settings.fence_timeout_seconds

    def _finished_at(self, phase: Phase) -> datetime:
        step = self._incident.step(phase)
        if step is None or step.finished_at is None:
            raise ValueError(f"incident {self._incident.incident_id}: step {phase} is not finished")
        return step.finished_at

    def _watch(self, phase: Phase) -> Watch:
        return Watch(
            work=self._work,
            phase=phase,
            incident=lambda: self._incident,
            save=self._save,
            heed=lambda: self._heed(phase),
            look_at_old_writer=self._look_before_asking_again,
            tell_dropped=lambda what: self._tell_of_step(
                what, lambda step: self._people.tell_dropped(self._incident, step)
            ),
            tell_not_given_up=lambda why: self._tell_not_given_up(NOT_GIVEN_UP, why),
        )

    def _look_before_asking_again(self) -> None:
        fenced_at = self._finished_at(Phase.FENCED)
        look_once_more(self._state, self._work, self._incident, fenced_at, was_asked=self._was_asked, dropped=True)
        self._ask_no_more()

    def _move_name(self) -> Outcome:
        """Wait until RDS shows the promotion, then have the writer's name move, which takes its time beside it."""
        outcome = wait_until_shown(self._watch(Phase.SHOWN))
        self._record(self._controller.writer_site, self._settings.here)
        self._publish()
        return outcome

    def _make_writer(self) -> Outcome:
        """Wait until the new writer takes writes, and record it as the writer."""
        outcome = wait_until_writes(self._watch(Phase.WRITES))
        self._record(self._settings.here, None)
        return outcome

    def _record_unawaited(self, phase: Phase) -> None:
        """What a step would have recorded, which a person has ended because the new writer is there."""
        if phase is Phase.SHOWN:
            self._record(self._controller.writer_site, self._settings.here)
            with suppress(StepBlockedError):
                self._publish()  # Every run does, and this one is to wait for nothing.
        elif phase is Phase.WRITES:
            self._record(self._settings.here, None)

    def _record(self, writer_site: Site, switching_to: Site | None) -> None:
        if self._controller.epoch != self._incident.epoch:
            raise AnotherRunIsAtWorkError(f"epoch {self._controller.epoch} has begun: {self._incident.epoch} is over")
        named = replace(
            self._controller,
            writer_site=writer_site,
            switching_to=None if switching_to is writer_site else switching_to,
        )
        if named != self._controller:
            self._controller = self._state.save_controller(named)

    def _publish(self) -> None:
        """At once: the name's move waits for this metric. Every run publishes it again."""
        cloudwatch = self._clients.of("cloudwatch", self._settings.region)
        try:
            latch.publish(cloudwatch, self._settings, self._controller, self._clock.now())
        except AwsError as error:
            raise StepBlockedError(f"CloudWatch does not take the latch's metric {WRITER_WORD}: {error}") from error

    def _tell(self) -> Outcome:
        self._people.tell_closed(self._incident, self._guarded())
        heard = f"people were told through {self._settings.recoveries_topic_arn}"
        return Outcome("told", heard if self._people.unheard is None else "people are told as soon as a topic takes it")

    def _guarded(self) -> FenceRecord | None:
        """What the old writer's guard has recorded of this epoch; for what people are told, nothing more."""
        records = FenceRecords(self._clients.of("dynamodb", self._settings.region), self._settings.state_table)
        try:
            record = records.read(self._incident.new_writer.other)
        except AwsError as error:
            logger.warning("The guard's record was not read", error=str(error))
            return None
        return record if record is not None and record.epoch == self._incident.epoch else None

    def _tell_if_overdue(self) -> None:
        phase = self._incident.next_phase
        step = None if phase is None else self._incident.step(phase)
        if step is None:
            return
        taken = self._clock.now() - step.started_at
        if taken >= timedelta(seconds=self._settings.step_patience_seconds):
            self._tell_of_step(OVERDUE, lambda late: self._people.tell_overdue(self._incident, late, taken))

    def _tell_not_given_up(self, what: str, why: str) -> None:
        if not any(what in step.told for step in self._incident.steps):
            self._tell_of_step(what, lambda step: self._people.tell_not_given_up(self._incident, step, why))

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
        if self._incident.next_phase is not Phase.FENCED:
            return
        recorded = self._state.incident(self._incident.incident_id)
        if recorded.is_taken_back and recorded.phase in (Phase.OPENED_AGAIN, Phase.CLOSED):
            # The incident is over: there is no hold on it to renew.
            alone = replace(self._work, renew=lambda: None, heed=lambda: None)
            ends_at = self._clock.now() + timedelta(seconds=self._settings.let_in_timeout_seconds)
            outcome = let_in_again(alone, self._settings.here.other, ends_at)
            logger.warning("A late fence was undone", outcome=outcome.outcome, incident=recorded.incident_id)

    def _renew(self) -> None:
        if lease.is_to_be_renewed(self._incident.lease_until, self._clock.now(), self._settings.lease_seconds):
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


def _seen(looked: LastLook | None, outcome: Outcome) -> Outcome:
    """What came out of a step, with what a look before it has found."""
    return outcome if looked is None else replace(outcome, detail=f"{outcome.detail}; before that {looked.in_words}")
