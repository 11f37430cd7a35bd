"""One run of a fence-guard: look at the own database, read who the writer is, and shut what must not take writes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from aws_lambda_powertools import Logger

from fence_guard.finding import Finding, Memory
from fence_guard.limitation import Other, Reason, fence_limitation
from fence_guard.messages import message_about, two_writers
from fence_guard.on_record import OnRecord, newest
from fence_guard.settings import GuardSettings
from function_runtime import fence
from function_runtime.clients import AwsError, Clients, may_pass
from function_runtime.clock import Clock
from function_runtime.database import Database
from function_runtime.fence import Outcome
from function_runtime.fence_record import FenceRecord, FenceRecords
from function_runtime.incident import Phase
from function_runtime.items import AnotherRunIsAtWorkError
from function_runtime.message import Message
from function_runtime.readings import Instance
from function_runtime.sites import Site
from function_runtime.state import Controller, State
from function_runtime.up_to_date import brought_up_to_date

logger = Logger(child=True)

Answer = TypeVar("Answer")

# A run that has replaced the groups so late is given this long to end the old connections too; groups take seconds.
FINISHING_SECONDS = 10.0
# An old writer that returns is shut by its own site's guard; where that does not come about, this one tells.
RUNS_FOR_THE_OTHER_GUARD = 4


class Guard:
    """One run.

    Args:
        clients: AWS.
        settings: the guard's settings.
        clock: time.
        memory: what earlier runs of the process have seen.
    """

    def __init__(self, clients: Clients, settings: GuardSettings, clock: Clock, memory: Memory) -> None:
        self._settings = settings
        self._memory = memory
        self._clock = clock
        self._ends_at = clock.now() + timedelta(seconds=settings.fence_seconds)
        # What is left is for a fence without it.
        self._record_by = clock.now() + timedelta(seconds=settings.fence_seconds / 4)
        self._database = Database(
            clients.of("rds", settings.region), settings.instance_id, settings.quarantine_group_id
        )
        self._other_database = Database(
            clients.of("rds", settings.regions[settings.site.other]),
            settings.other_instance_id,
            settings.other_quarantine_group_id,
        )
        self._states = {
            site: State(clients.of("dynamodb", settings.regions[site]), settings.state_tables[site]) for site in Site
        }
        # Where the new writer is made, its controller reads what became of the old one.
        there = settings.site.other
        self._records = FenceRecords(clients.of("dynamodb", settings.regions[there]), settings.state_tables[there])
        self._clients = clients

    def once(self) -> Finding:
        """Look, and fence where it must be.

        Raises:
            ClientError, BotoCoreError: RDS, a state table or SNS refuses or is silent.
            LookupError: a table is lost, or its record points to an incident that is not there.
        """
        # First the database, then the records: a database that is seen promoted has its incident in its own then.
        instance = self._database.find()
        if instance is None:
            return Finding("no_database", f"there is no instance {self._settings.instance_id}")
        if instance.replica_of is not None:
            return Finding("replica", f"the {self._settings.site} site's database is a replica and takes no writes")
        site, own = self._settings.site, None
        try:
            own = self._answered(lambda: self._recorded(site), self._record_by)
            known = newest(own, self._answered(lambda: self._recorded(site.other), self._record_by))
        except (LookupError, *AwsError) as error:
            return self._without_record(instance, own, error)
        self._memory.known = known
        other = self._other()
        limitation = fence_limitation(site, instance, known, other)
        self._memory.rival_seen = self._memory.rival_seen + 1 if other is Other.WRITES else 0
        if limitation is not None:
            return self._left_alone(limitation, known.controller)
        return self._shut(instance, known)

    def _shut(self, instance: Instance, known: OnRecord) -> Finding:
        controller = known.controller
        before = self._answered(lambda: self._records.read(self._settings.site), self._ends_at)
        of_epoch = before if before is not None and before.epoch == controller.epoch else None
        if of_epoch is not None and self._is_under_way(of_epoch):
            return Finding("another_run", f"a run has been at it since {of_epoch.at.isoformat()}", unfenced=True)
        record = self._new_record(instance, controller, before) if of_epoch is None else of_epoch
        was_fenced = of_epoch is not None and of_epoch.outcome is Outcome.FENCED
        if was_fenced and self._is_inspected(instance):
            return Finding("inspected", f"it was fenced at {record.at.isoformat()} and is open to operators only")
        if self._database.is_quarantined(instance):
            if was_fenced:
                return self._left(record, instance, controller)
            if of_epoch is None and self._failover_fenced(known):
                return self._taken_over(record)
        return self._fence(record, instance, controller)

    def _recorded(self, site: Site) -> OnRecord:
        """What a site's table has; the incidents outrank a record that is lost or older than they are."""
        state = self._states[site]
        controller = state.controller()
        if controller.incident_id is not None:
            incident = state.incident(controller.incident_id)
            if incident.phase is not Phase.CLOSED:
                return OnRecord(controller, incident, site=site)
        history = state.history()
        controller, under_way = brought_up_to_date(controller, history)
        promotions = [incident for incident in history.incidents if incident.may_be_promoted]
        return OnRecord(controller, under_way, promotions[-1] if promotions else None, site=site)

    def _other(self) -> Other:
        """What RDS says of the other site's database."""
        try:
            other = self._answered(self._other_database.find, self._record_by)
        except AwsError as error:
            logger.info("The other site's database was not looked at", error=str(error))
            return Other.UNKNOWN
        if other is None:
            return Other.UNKNOWN
        if other.replica_of is not None:
            return Other.REPLICA
        return Other.SHUT if self._other_database.is_quarantined(other) else Other.WRITES

    def _without_record(self, instance: Instance, own: OnRecord | None, error: Exception) -> Finding:
        """A table cannot be read: shut only what the last records that were seen rule out, and tell of two writers.

        What the own table says now outranks a memory that is older: it may have made this database the writer since.
        """
        if self._other() is not Other.WRITES:
            raise error
        memory, site = self._memory.known, self._settings.site
        known = None if own is None or memory is None else newest(own, memory)
        text = f"both databases take writes, and the record cannot be read: {error}"
        if known is None or fence_limitation(site, instance, known, Other.WRITES) is not None:
            # A message that no topic takes is repeated by the next run; the metric's alarm tells as well.
            unheard = self._tell_two_writers(text, "unread")
            return Finding("two_writers", text, two_writers=True, error=error if unheard is None else unheard)
        if self._memory.fenced == known.controller.epoch and self._database.is_quarantined(instance):
            raise error
        logger.warning("Fencing the old writer by the last record that was seen", epoch=known.controller.epoch)
        outcome, detail = self._attempt(instance, rebooting=False)
        fenced = outcome is Outcome.FENCED
        self._memory.fenced = known.controller.epoch if fenced else None
        what = f"{known.controller.epoch} {outcome}"
        if what not in self._memory.told_of:
            record = replace(self._new_record(instance, known.controller, None), outcome=outcome, detail=detail)
            with suppress(*AwsError):
                self._tell(message_about(record, instance, known.controller, self._settings))
                self._memory.told_of.add(what)
        return Finding(
            outcome.value, detail, newly_fenced=fenced, unfenced=not fenced, two_writers=not fenced, error=error
        )

    def _left_alone(self, limitation: Reason, controller: Controller) -> Finding:
        if limitation.code == "writer" and self._memory.rival_seen > RUNS_FOR_THE_OTHER_GUARD:
            text = f"{limitation.text}; the other site's database takes writes, and its guard does not shut it"
            unheard = self._tell_two_writers(text, f"rival {controller.epoch}")
            return Finding("rival", text, two_writers=True, error=unheard)
        if not limitation.two_writers:
            return Finding(limitation.code, limitation.text)
        unheard = self._tell_two_writers(limitation.text, f"epoch {controller.epoch}")
        return Finding(limitation.code, limitation.text, two_writers=True, error=unheard)

    def _tell_two_writers(self, text: str, what: str) -> Exception | None:
        """Tell people once in the life of the process; returns why it could not be done."""
        if what in self._memory.told_of:
            return None
        try:
            self._tell(two_writers(text, self._settings))
        except AwsError as error:
            return error
        self._memory.told_of.add(what)
        return None

    def _tell(self, message: Message) -> None:
        """Through the own region's topic, and where that refuses or is silent through the other one's."""
        settings = self._settings
        try:
            self._publish(settings.region, settings.failures_topic_arn, message)
        except AwsError:
            self._publish(settings.regions[settings.site.other], settings.other_failures_topic_arn, message)

    def _publish(self, region: str, topic_arn: str, message: Message) -> None:
        sns = self._clients.of("sns", region)
        sns.publish(TopicArn=topic_arn, Subject=message.subject, Message=message.text)

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

    def _failover_fenced(self, known: OnRecord) -> bool:
        """Whether the failover that took the writer away has itself fenced it: rebooted, too."""
        controller = known.controller
        incident = known.last_promotion if known.under_way is None else known.under_way
        if incident is None or incident.epoch != controller.epoch or incident.new_writer is self._settings.site:
            return False
        return incident.is_fenced

    def _new_record(self, seen: Instance, controller: Controller, before: FenceRecord | None) -> FenceRecord:
        return FenceRecord(
            site=self._settings.site,
            epoch=controller.epoch,
            outcome=Outcome.BEGUN,
            detail="the fence has begun",
            at=self._clock.now(),
            version=0 if before is None else before.version,
            resource_id=seen.resource_id,
        )

    def _left(self, record: FenceRecord, seen: Instance, controller: Controller) -> Finding:
        """Nothing is left to do, but to tell people where an earlier run could not."""
        if record.outcome not in record.told:
            error = self._conclude(record, seen, controller)
            if error is not None:
                raise error
        return Finding("already_fenced", f"it has been fenced since {record.at.isoformat()}, epoch {record.epoch}")

    def _taken_over(self, record: FenceRecord) -> Finding:
        """The failover fenced it and told people so: only the record is missing."""
        fenced = replace(
            record, outcome=Outcome.FENCED, detail="fenced by the failover itself", told=(Outcome.FENCED.value,)
        )
        self._save(fenced)
        return Finding("fenced_by_failover", f"the failover of epoch {record.epoch} fenced it itself")

    def _fence(self, record: FenceRecord, seen: Instance, controller: Controller) -> Finding:
        begun = replace(
            record,
            outcome=Outcome.BEGUN,
            detail="the fence has begun",
            at=self._clock.now(),
            resource_id=seen.resource_id,
        )
        try:
            begun = self._records.save(begun)
        except AnotherRunIsAtWorkError as error:
            return Finding("another_run", str(error), unfenced=True)
        except AwsError as error:
            # To be shut matters more than to be recorded.
            logger.warning("The beginning of a fence was not recorded", error=str(error))
        logger.warning("Fencing the old writer", epoch=begun.epoch, status=seen.status, site=begun.site)
        rebooting = record.outcome is Outcome.REBOOTING
        outcome, detail = self._attempt(seen, rebooting=rebooting)
        concluded = replace(begun, outcome=outcome, detail=detail, at=self._clock.now())
        if outcome is Outcome.REBOOTING and not rebooting:
            # RDS is at it: nobody needs to hear of a reboot that takes longer than this run.
            self._save(concluded)
            return Finding(outcome.value, detail)
        unrecorded = self._conclude(concluded, seen, controller)
        fenced = outcome is Outcome.FENCED
        return Finding(outcome.value, detail, newly_fenced=fenced, unfenced=not fenced, error=unrecorded)

    def _attempt(self, seen: Instance, *, rebooting: bool) -> tuple[Outcome, str]:
        """Fence until it is done, cannot be done, or the run's time is over."""
        poll_interval_seconds = self._settings.poll_interval_seconds
        ends_at = self._ends_at
        for attempt in fence.attempts(self._database, self._clock, seen, rebooting=rebooting):
            if attempt.is_final:
                return attempt.outcome, attempt.detail
            now = self._clock.now()
            if attempt.goes_on:
                ends_at = max(ends_at, now + timedelta(seconds=FINISHING_SECONDS))
                continue
            if now + timedelta(seconds=poll_interval_seconds) > ends_at:
                return attempt.outcome, f"in the time of one run: {attempt.detail}"
            self._clock.sleep(poll_interval_seconds)
            if attempt.outcome is Outcome.REFUSED and not self._is_wanted(seen):
                return attempt.outcome, f"not wanted any more: {attempt.detail}"
        raise AssertionError("attempts end with a final one")

    def _is_wanted(self, seen: Instance) -> bool:
        """Whether the record still has it fenced: while RDS refused, a person may have given the promotion up."""
        if self._memory.known is None:
            return True
        try:
            known = newest(*(self._recorded(site) for site in Site))
        except (LookupError, *AwsError):
            return True
        return fence_limitation(self._settings.site, seen, known, self._other()) is None

    def _conclude(self, record: FenceRecord, seen: Instance, controller: Controller) -> Exception | None:
        """Tell people what they have not been told in this epoch, and record it; neither waits for the other.

        Returns:
            What makes the run a failed one, so that the next one tells them, or records it.
        """
        unheard: Exception | None = None
        if record.outcome not in record.told:
            try:
                self._tell(message_about(record, seen, controller, self._settings))
                record = replace(record, told=(*record.told, record.outcome.value))
            except AwsError as error:
                unheard = error
        try:
            self._save(record)
        except AwsError as error:
            return error if unheard is None else unheard
        return unheard

    def _save(self, record: FenceRecord) -> None:
        try:
            self._records.save(record)
        except AnotherRunIsAtWorkError as error:
            logger.warning("Another run has recorded this fence", error=str(error))

    def _answered(self, read: Callable[[], Answer], by: datetime) -> Answer:
        """Read, and again while there is time: a region that comes back answers haltingly."""
        while True:
            try:
                return read()
            except AwsError as error:
                wait = timedelta(seconds=self._settings.poll_interval_seconds)
                if not may_pass(error) or self._clock.now() + wait >= by:
                    raise
                logger.warning("The state was not read", error=str(error))
            self._clock.sleep(self._settings.poll_interval_seconds)
