"""One run of a fence-guard: look at the own database, read who the writer is, and shut what must not take writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from aws_lambda_powertools import Logger

from fence_guard.limitation import fence_limitation
from fence_guard.messages import message_about
from fence_guard.record import FenceRecord, FenceRecords
from fence_guard.settings import GuardSettings
from function_runtime import fence
from function_runtime.clients import AwsError, Clients, may_pass
from function_runtime.clock import Clock
from function_runtime.database import Database
from function_runtime.fence import Outcome
from function_runtime.incident import Incident
from function_runtime.items import AnotherRunIsAtWorkError
from function_runtime.readings import Instance
from function_runtime.state import Controller, State

logger = Logger(child=True)

Answer = TypeVar("Answer")

# A run that has replaced the groups so late is given this long to end the old connections too; groups take seconds.
FINISHING_SECONDS = 10.0


@dataclass(frozen=True)
class Finding:
    """What a run found and did.

    Attributes:
        code: one word: why nothing was done, or the fence's outcome.
        text: the same for people.
        newly_fenced: whether this run fenced the database.
        unfenced: whether the database could still take writes, and must not.
    """

    code: str
    text: str
    newly_fenced: bool = False
    unfenced: bool = False


class Guard:
    """One run.

    Args:
        clients: AWS.
        settings: the guard's settings.
        clock: time.
    """

    def __init__(self, clients: Clients, settings: GuardSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._ends_at = clock.now() + timedelta(seconds=settings.fence_seconds)
        self._database = Database(
            clients.of("rds", settings.region), settings.instance_id, settings.quarantine_group_id
        )
        dynamodb = clients.of("dynamodb", settings.state_region)
        self._state = State(dynamodb, settings.state_table)
        self._records = FenceRecords(dynamodb, settings.state_table)
        self._clients = clients

    def once(self) -> Finding:
        """Look, and fence where it must be.

        Raises:
            ClientError, BotoCoreError: RDS, the state table or SNS refuses or is silent. Where the state is not known,
                nothing is done.
            LookupError: the recorded state points to an incident that is not there.
        """
        # First the database, then the record: a database that is seen promoted has its incident in the record then.
        instance = self._database.find()
        controller, under_way = self._answered(self._recorded)
        if instance is None:
            return Finding("no_database", f"there is no instance {self._settings.instance_id}")
        limitation = fence_limitation(self._settings.site, instance, controller, under_way)
        if limitation is not None:
            return Finding(limitation.code, limitation.text)
        before = self._answered(lambda: self._records.read(self._settings.site))
        known = before if before is not None and before.epoch == controller.epoch else None
        if known is not None and self._is_under_way(known):
            return Finding("another_run", f"a run has been at it since {known.at.isoformat()}", unfenced=True)
        record = self._new_record(controller, before) if known is None else known
        was_fenced = known is not None and known.outcome is Outcome.FENCED
        if was_fenced and self._is_inspected(instance):
            return Finding("inspected", f"it was fenced at {record.at.isoformat()} and is open to operators only")
        if self._database.is_quarantined(instance):
            if was_fenced:
                return self._left(record, instance, controller)
            if known is None and self._answered(lambda: self._failover_fenced(controller, under_way)):
                return self._taken_over(record)
        return self._fence(record, instance, controller)

    def _recorded(self) -> tuple[Controller, Incident | None]:
        controller = self._state.controller()
        if controller.incident_id is None:
            return controller, None
        return controller, self._state.incident(controller.incident_id)

    def _is_inspected(self, instance: Instance) -> bool:
        """Whether the operators' command opened it to their network, and to nobody else."""
        inspection = self._settings.inspection_group_id
        return inspection is not None and set(instance.security_groups) == {inspection}

    def _is_under_way(self, record: FenceRecord) -> bool:
        """Whether another run can still be at it: on AWS never, where a run is shorter than the schedule."""
        age = self._clock.now() - record.at
        return record.outcome is Outcome.BEGUN and age < timedelta(
            seconds=self._settings.fence_seconds + FINISHING_SECONDS
        )

    def _failover_fenced(self, controller: Controller, under_way: Incident | None) -> bool:
        """Whether the failover that took the writer away has itself fenced it: rebooted, too."""
        incident = under_way
        if incident is None and controller.last_incident_id is not None:
            incident = self._state.incident(controller.last_incident_id)
        if incident is None or incident.epoch != controller.epoch or incident.new_writer is self._settings.site:
            return False
        return incident.is_fenced

    def _new_record(self, controller: Controller, before: FenceRecord | None) -> FenceRecord:
        return FenceRecord(
            site=self._settings.site,
            epoch=controller.epoch,
            outcome=Outcome.BEGUN,
            detail="the fence has begun",
            at=self._clock.now(),
            version=0 if before is None else before.version,
        )

    def _left(self, record: FenceRecord, seen: Instance, controller: Controller) -> Finding:
        """Nothing is left to do, but to tell people where an earlier run could not."""
        if record.outcome not in record.told:
            self._conclude(record, seen, controller)
        return Finding("already_fenced", f"it has been fenced since {record.at.isoformat()}, epoch {record.epoch}")

    def _taken_over(self, record: FenceRecord) -> Finding:
        """The failover fenced it and told people so: only the record is missing."""
        fenced = replace(record, outcome=Outcome.FENCED, detail="fenced by the failover itself", told=(Outcome.FENCED,))
        self._save(fenced)
        return Finding("fenced_by_failover", f"the failover of epoch {record.epoch} fenced it itself")

    def _fence(self, record: FenceRecord, seen: Instance, controller: Controller) -> Finding:
        begun = replace(record, outcome=Outcome.BEGUN, detail="the fence has begun", at=self._clock.now())
        try:
            begun = self._records.save(begun)
        except AnotherRunIsAtWorkError as error:
            return Finding("another_run", str(error), unfenced=True)
        except AwsError as error:
            # To be shut matters more than to be recorded.
            logger.warning("The beginning of a fence was not recorded", error=str(error))
        logger.warning("Fencing the old writer", epoch=begun.epoch, status=seen.status, site=begun.site)
        outcome, detail = self._attempt(seen)
        self._conclude(replace(begun, outcome=outcome, detail=detail, at=self._clock.now()), seen, controller)
        fenced = outcome is Outcome.FENCED
        return Finding(outcome.value, detail, newly_fenced=fenced, unfenced=not fenced)

    def _attempt(self, seen: Instance) -> tuple[Outcome, str]:
        """Fence until it is done, cannot be done, or the run's time is over."""
        poll_interval_seconds = self._settings.poll_interval_seconds
        ends_at = self._ends_at
        for attempt in fence.attempts(self._database, seen):
            if attempt.is_final:
                return attempt.outcome, attempt.detail
            now = self._clock.now()
            if attempt.goes_on:
                ends_at = max(ends_at, now + timedelta(seconds=FINISHING_SECONDS))
                continue
            if now + timedelta(seconds=poll_interval_seconds) > ends_at:
                return attempt.outcome, f"in the time of one run: {attempt.detail}"
            self._clock.sleep(poll_interval_seconds)
        raise AssertionError("attempts end with a final one")

    def _conclude(self, record: FenceRecord, seen: Instance, controller: Controller) -> None:
        """Tell people what they have not been told in this epoch, and record it; the record does not wait for SNS."""
        unheard: Exception | None = None
        if record.outcome not in record.told:
            message = message_about(record, seen, controller, self._settings)
            try:
                self._clients.of("sns", self._settings.state_region).publish(
                    TopicArn=self._settings.failures_topic_arn, Subject=message.subject, Message=message.text
                )
                record = replace(record, told=(*record.told, record.outcome))
            except AwsError as error:
                unheard = error
        self._save(record)
        if unheard is not None:
            # The run counts as failed, and the next one tells them.
            raise unheard

    def _save(self, record: FenceRecord) -> None:
        try:
            self._records.save(record)
        except AnotherRunIsAtWorkError as error:
            logger.warning("Another run has recorded this fence", error=str(error))

    def _answered(self, read: Callable[[], Answer]) -> Answer:
        """Read from the state's region, and again while there is time: a region that comes back answers haltingly."""
        while True:
            try:
                return read()
            except AwsError as error:
                wait = timedelta(seconds=self._settings.poll_interval_seconds)
                if not may_pass(error) or self._clock.now() + wait >= self._ends_at:
                    raise
                logger.warning("The state was not read", error=str(error))
            self._clock.sleep(self._settings.poll_interval_seconds)
