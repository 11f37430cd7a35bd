"""One look at everything that reprotection decides by, and what follows from it. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deployment.state_tables import Answer, Tables, newest
from function_runtime.fence import Outcome
from function_runtime.sites import Site
from function_runtime.state import Controller
from operations.authority import Authority, authority_by
from operations.errors import RefusedError
from operations.reprotect.data_layer import NO_INSTANCE, REPLICA, DataLayer, Declared
from operations.reprotect.record import Reason, Record, StepName
from operations.reprotect.world import Fence, InstanceSeen, World

MAKES_ONE = frozenset({Reason.FAILED_OVER, Reason.STANDBY_BROKEN, Reason.NO_INSTANCE})
"""The reasons for which an instance is made."""
# Of a replication that does not come back:
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstanceStatusInfo.html
ENDED = frozenset({"error", "stopped", "terminated", "replication stop point set"})


@dataclass(frozen=True)
class Seen:
    """One look.

    Attributes:
        tables: what both state tables say.
        authority: whose controller acts, by both.
        known: the newest record.
        declared: the data layer's configuration.
        state_ids: ``DbiResourceId`` of each site's instance in Pulumi's state.
        instances: each site's instance, as RDS has it.
        fence: what is on record of shutting the other site's database.
        calls_broken: whether the controller with authority calls its standby broken; None where it does not say.
        writer_arn: the ARN of the writer's instance.
        record: what this command has on record in the table of the writer's site; None for nothing.
    """

    tables: Tables
    authority: Authority
    known: Controller
    declared: Declared
    state_ids: Mapping[Site, str | None]
    instances: Mapping[Site, InstanceSeen | None]
    fence: Fence
    calls_broken: bool | None
    writer_arn: str
    record: Record | None

    @property
    def writer(self) -> Site:
        """The writer on record."""
        return self.known.writer_site

    @property
    def other(self) -> Site:
        """Where a standby belongs."""
        return self.writer.other

    @property
    def standby(self) -> InstanceSeen | None:
        """What is there under the identifier of the other site."""
        return self.instances[self.other]

    @property
    def begun(self) -> Record | None:
        """What was begun for this writer and is not finished; the loss of the standby that it rests on ends it."""
        record = self.record
        if record is None or record.finished_at is not None:
            return None
        has_standby = record.has_finished(StepName.CREATE) or record.reason not in MAKES_ONE
        if (record.site, record.writer_site) != (self.other, self.writer) or (has_standby and not self.replicates):
            return None
        # Its generation was counted from a file that was wrong, and has been put right since.
        if record.reason in MAKES_ONE and not record.has_finished(StepName.CREATE) and not self._leads_to(record):
            return None
        # The same site may have been the writer in between, and have taken what no snapshot of before has.
        old_one_is_there = record.replaces and not record.has_finished(StepName.DELETE)
        return None if old_one_is_there and record.epoch != self.known.epoch else record

    def _leads_to(self, record: Record) -> bool:
        """Whether the generation that is to come is declared, or is the next one."""
        declared = self.declared
        ahead = record.generation - declared.generations[self.other]
        old_one_is_there = record.replaces and record.step(StepName.DELETE) is None
        is_declared = ahead == 0 and declared.births[self.other] != NO_INSTANCE
        return ahead == 1 or (is_declared and not old_one_is_there)

    @property
    def has_authority_there(self) -> bool:
        """Whether authority lies where it belongs, and no handover is under way."""
        under_way = any(table.handover is not None for table in self.tables.values())
        return self.authority.site is self.other and not under_way and not self.tables[self.writer].has_authority

    @property
    def replicates(self) -> bool:
        """Whether the other site's database is a replica of the writer that goes on, by RDS."""
        standby = self.standby
        return (
            standby is not None
            and standby.replica_of == self.writer_arn
            and standby.replication not in ENDED
            and not standby.is_dead
        )

    @property
    def is_healthy(self) -> bool:
        """Whether it replicates, and the controller with authority says nothing else."""
        return self.replicates and not self.calls_broken

    @property
    def is_successor(self) -> bool:
        """Whether what is there is the instance that was to come: by its birth, its generation and the state."""
        begun, standby = self.begun, self.standby
        if begun is None or standby is None or standby.resource_id == begun.old_instance_id:
            return False
        declared = self.declared
        return (
            declared.generations[self.other] == begun.generation
            and declared.births[self.other] == REPLICA
            and self.state_ids[self.other] == standby.resource_id
            and standby.replica_of == self.writer_arn
        )

    @property
    def reason(self) -> Reason | None:
        """Why there is something to do; None where there is nothing."""
        if self.begun is not None:
            return self.begun.reason
        standby = self.standby
        if standby is None:
            return Reason.NO_INSTANCE
        if standby.replica_of is None:
            return Reason.FAILED_OVER
        if not self.is_healthy:
            return Reason.STANDBY_BROKEN
        if not self.has_authority_there:
            return Reason.AUTHORITY_ELSEWHERE
        return None if self.declared.active_site is self.writer else Reason.NOT_FOLLOWED

    @property
    def next_generation(self) -> int:
        """The generation of the instance that is to come: one that was declared and never made is not counted twice."""
        if self.begun is not None:
            return self.begun.generation
        generation = self.declared.generations[self.other]
        never_made = self.state_ids[self.other] is None and self.declared.births[self.other] == REPLICA
        return generation if never_made and self.standby is None else generation + 1

    @property
    def is_to_be_replaced(self) -> bool:
        """Whether there is an instance, or one in the state, that has to go before its successor is made."""
        begun = self.begun
        if begun is not None:
            return begun.replaces and not begun.has_finished(StepName.DELETE)
        if self.reason not in MAKES_ONE:
            return False
        return self.standby is not None or self.state_ids[self.other] is not None

    @property
    def is_to_be_made(self) -> bool:
        """Whether an instance has yet to come."""
        return self.reason in MAKES_ONE and not (self.begun and self.begun.has_finished(StepName.CREATE))

    @property
    def is_gone(self) -> bool:
        """Whether the state and RDS have no instance there, and the next deploy would make one that is not wanted.

        That is another empty database under the name of one that somebody has deleted.
        """
        site, declared = self.other, self.declared
        if self.standby is not None or self.state_ids[site] is not None or declared.births[site] == NO_INSTANCE:
            return False
        return declared.births[site] != REPLICA or declared.generations[site] != self.next_generation

    @property
    def open_question(self) -> str | None:
        """What the old writer may have taken that the present one has not, as far as nobody has settled it."""
        incident, guard, standby = self.fence.incident, self.fence.guard, self.standby
        if standby is None or standby.replica_of is not None:
            return None
        if incident is not None and incident.is_fenced:
            return None
        since = (
            "the moment a person named the writer"
            if incident is None
            else f"{incident.trouble_since:%Y-%m-%d %H:%M:%S} UTC"
        )
        until = "now"
        if guard is not None and guard.outcome is Outcome.FENCED:
            until = f"{guard.at:%Y-%m-%d %H:%M:%S} UTC, when its guard shut it"
        return f"the failover could not shut the old writer, which may have taken writes between {since} and {until}"

    @property
    def why_not_shut(self) -> str | None:
        """Why the other site's database may still take writes; None where it takes none."""
        standby, guard, incident = self.standby, self.fence.guard, self.fence.incident
        if standby is None or standby.replica_of is not None:
            return None
        if not standby.is_quarantined:
            return f"it is in the security groups {sorted(standby.security_groups)}, and not in quarantine alone"
        if incident is not None and incident.is_fenced:
            return None
        if guard is not None and guard.outcome is Outcome.FENCED and guard.epoch >= self._since_epoch:
            return None
        return "it is in quarantine, but no failover and no guard has recorded that its connections ended"

    @property
    def _since_epoch(self) -> int:
        """The epoch since which the other site's database is no writer."""
        return self.known.epoch if self.fence.incident is None else self.fence.incident.epoch


def look(world: World, layer: DataLayer) -> Seen:
    """Look at everything once.

    Raises:
        RefusedError: something cannot be read, or says what nobody could have written.
    """
    tables = world.tables()
    authority = authority_by(tables)
    record = newest(tables)
    if record is None or record.controller is None:
        raise authority.refusal()
    writer = record.controller.writer_site
    if tables[writer.other].answer is Answer.SILENT:
        raise RefusedError(
            f"the {writer.other} region",
            "(does not answer)",
            f"wait until it does, then call this again; until then nothing protects from a failure of {writer} but its "
            "backups",
        )
    item = tables[writer].reprotect
    try:
        begun = None if item is None else Record.from_item(item)
    except (LookupError, TypeError, ValueError) as error:
        raise RefusedError(
            "item reprotect", f"(damaged: {error!r})", f"delete it from the {writer} site's table, then try again"
        ) from error
    return Seen(
        tables=tables,
        authority=authority,
        known=record.controller,
        declared=Declared.of(layer.configuration()),
        state_ids={site: layer.instance_id(site) for site in Site},
        instances={site: world.instance(site) for site in Site},
        fence=world.fence(tables, writer.other),
        calls_broken=world.standby_is_broken(),
        writer_arn=world.instance_arn(writer),
        record=begun,
    )
