"""Why reprotection does not begin, or does not go on. Pure: from one look to the reason and the remedy."""

from __future__ import annotations

from dataclasses import dataclass

from deployment.state_tables import Answer
from function_runtime import rds_status
from operations.errors import RefusedError
from operations.reprotect.data_layer import ADOPTED, NO_INSTANCE, RETIRING, birth_key
from operations.reprotect.record import Reason, StepName
from operations.reprotect.seen import Seen
from operations.reprotect.world import InstanceSeen

STATUS = "nox -s status"
WITHOUT_SNAPSHOT = "--without-final-snapshot"
SETTLED = "--split-writes-settled"
STOPPED = frozenset({"stopped", "stopping"})


@dataclass(frozen=True)
class Words:
    """What a person has said explicitly.

    Attributes:
        without_snapshot: the old instance may go without a final snapshot; it counts only where RDS can make none.
        settled: what the old writer may have taken alone is looked through.
    """

    without_snapshot: bool = False
    settled: bool = False


def refuse(seen: Seen, words: Words) -> None:
    """Refuse what would not end well, whatever is left to do.

    Raises:
        RefusedError: nothing is done; the text says what to do first.
    """
    for table in seen.tables.values():
        if table.controller is not None and table.controller.incident_id is not None:
            incident = table.controller.incident_id
            raise RefusedError("incident", incident, f"it is under way: wait for its end, see {STATUS}")
    for table in seen.tables.values():
        if table.answer is not Answer.RECORD:
            raise RefusedError(f"state table of {table.site}", f"({table.answer})", f"{table.why}; see {STATUS}")
    seen.authority.required()
    ours = seen.begun is not None and seen.begun.step(StepName.HAND_OVER) is not None
    if not ours and any(table.handover is not None for table in seen.tables.values()):
        raise RefusedError("handover", "(under way)", f"wait for its end, see {STATUS}")
    _refuse_writer(seen)
    _refuse_configuration(seen)
    if seen.is_to_be_made:
        _refuse_source(seen)
    if seen.is_to_be_replaced:
        refuse_removal(seen, words)


def refuse_removal(seen: Seen, words: Words) -> None:
    """Refuse to remove an instance that is not certainly the one that is no longer needed.

    Raises:
        RefusedError: it takes writes, is another one than it should be, or holds what nobody has looked at.
    """
    other, standby, begun = seen.other, seen.standby, seen.begun
    ids = {"Pulumi's state": seen.state_ids[other]}
    if begun is not None:
        ids["the record of this reprotection"] = begun.old_instance_id
    if standby is None:
        _refuse_unknown_loss(seen)
        return
    if seen.reason is Reason.STANDBY_BROKEN and begun is None and seen.replicates and _is_busy(standby):
        raise RefusedError(
            f"instance of {other}",
            f"({standby.status})",
            f"RDS is at work on it, and it goes on replicating: it needs no successor; wait for the end, see {STATUS}",
        )
    for who, resource_id in ids.items():
        if resource_id != standby.resource_id:
            raise RefusedError(
                f"instance of {other}",
                standby.resource_id,
                f"{who} says {resource_id or 'none'}: it is another instance under the same name, and nothing is "
                "removed; look at both in RDS, then delete or rename the one that is not wanted, or bring the state "
                "in line (./dr refresh -- data, or pulumi import)",
            )
    shut = seen.why_not_shut
    dead = standby.is_dead
    if shut is not None and not (dead and words.without_snapshot):
        raise RefusedError(
            f"instance of {other}",
            f"(may take writes: {shut})",
            f"its guard shuts it within minutes; where somebody looks at it, first nox -s restore -- --close ID "
            f"--site {other}",
        )
    if seen.open_question is not None and not words.settled:
        raise RefusedError(
            "split writes",
            f"({seen.open_question})",
            "look what it has that the writer has not (nox -s restore -- --inspect), carry over what is needed, then "
            f"say {SETTLED}; its final snapshot is kept in any case",
        )
    if standby.status in STOPPED:
        raise RefusedError(
            f"instance of {other}",
            f"({standby.status})",
            "RDS changes nothing of it like this: start it, it stays shut, then call this again",
        )
    if standby.replica_of is None and dead and not words.without_snapshot:
        raise RefusedError(
            f"instance of {other}",
            f"({standby.status})",
            f"RDS makes no snapshot of it like this: repair it, or say {WITHOUT_SNAPSHOT} to let it go without one",
        )


def _refuse_writer(seen: Seen) -> None:
    writer, instance = seen.writer, seen.instances[seen.writer]
    if instance is None:
        raise RefusedError(f"instance of {writer}", "(not there)", f"the record names it the writer; see {STATUS}")
    if instance.replica_of is not None or instance.is_quarantined:
        what = "a replica" if instance.replica_of is not None else "in quarantine"
        raise RefusedError(f"instance of {writer}", f"({what})", f"the record names it the writer; see {STATUS}")


def _refuse_source(seen: Seen) -> None:
    """Refuse to begin where RDS could make no replica of the writer: what it would replace may be the last good copy.

    Raises:
        RefusedError: the writer does not work, or keeps no backups.
    """
    writer, instance = seen.writer, seen.instances[seen.writer]
    if instance is None:
        return
    if instance.is_dead or instance.status in rds_status.GOING:
        raise RefusedError(
            f"instance of {writer}",
            f"({instance.status})",
            f"it takes writes by the record, and no replica is made of it like this; what {seen.other} has is kept, "
            f"since it may be all there is: mend the writer first, or restore (nox -s restore), see {STATUS}",
        )
    if not instance.keeps_backups:
        raise RefusedError(
            f"instance of {writer}",
            "(its automated backups are off)",
            "RDS makes a replica only where they are on: set their retention in RDS as the data layer has it",
        )


def _refuse_unknown_loss(seen: Seen) -> None:
    """Refuse a deploy that would change an instance that RDS has no more: it fails.

    Raises:
        RefusedError: the state still has it, and it was not we who had it deleted.
    """
    resource_id, begun = seen.state_ids[seen.other], seen.begun
    if resource_id is not None and not (begun is not None and begun.has_finished(StepName.RELEASE)):
        raise RefusedError(
            f"instance of {seen.other}",
            f"{resource_id} (in Pulumi's state, and not in RDS)",
            "somebody has deleted it: take that into the state (./dr refresh -- data), then call this again",
        )


def _is_busy(instance: InstanceSeen) -> bool:
    return rds_status.is_maintenance(instance.status) and instance.status not in rds_status.GOING


def _refuse_configuration(seen: Seen) -> None:
    declared, writer = seen.declared, seen.writer
    if declared.retiring is writer:
        raise RefusedError(
            RETIRING, writer, "its database takes writes: take that line out of the data layer's stack file"
        )
    if declared.births[writer] == NO_INSTANCE:
        raise RefusedError(
            birth_key(writer),
            NO_INSTANCE,
            "its database takes writes, and the configuration says that there is none: put back what git has, and "
            "do not deploy the data layer before",
        )
    other, begun = seen.other, seen.begun
    deleting = begun is not None and begun.step(StepName.DELETE) is not None
    if seen.state_ids[other] is not None and declared.births[other] == NO_INSTANCE and not deleting:
        raise RefusedError(
            birth_key(other),
            NO_INSTANCE,
            "it is there, and any deploy would delete it before its final snapshot: put back what git has, then call "
            "this again",
        )
    if seen.state_ids[writer] is None:
        raise RefusedError(
            f"instance of {writer}",
            "(not in Pulumi's state)",
            "it takes writes, and ./dr deploy -- data imports it by its identifier; after a pulumi import it would "
            "replace it instead"
            if declared.births[writer] == ADOPTED
            else "it takes writes, and a deploy of the data layer would collide with it: import it first (pulumi "
            "import, by its resource id)",
        )
