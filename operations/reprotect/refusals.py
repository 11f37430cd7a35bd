"""Why reprotection does not begin, or does not go on. Pure: from one look to the reason and the remedy."""

from __future__ import annotations

from dataclasses import dataclass

from deployment.state_tables import Answer
from function_runtime import rds_status
from operations.errors import RefusedError
from operations.reprotect.data_layer import NO_INSTANCE, RETIRING, birth_key
from operations.reprotect.record import StepName
from operations.reprotect.seen import Seen

STATUS = "nox -s status"
WITHOUT_SNAPSHOT = "--without-final-snapshot"
SETTLED = "--split-writes-settled"


@dataclass(frozen=True)
class Words:
    """What a person has said explicitly.

    Attributes:
        without_snapshot: the old instance may go without a final snapshot where RDS can make none.
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
        return
    for who, resource_id in ids.items():
        if resource_id != standby.resource_id:
            raise RefusedError(
                f"instance of {other}",
                standby.resource_id,
                f"{who} says {resource_id or 'none'}: it is another instance under the same name, and nothing is "
                f"removed; look at both in RDS, then bring the state in line (pulumi refresh, or pulumi import)",
            )
    shut = seen.why_not_shut
    dead = standby.status not in rds_status.WORKING
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
    if seen.state_ids[writer] is None:
        raise RefusedError(
            f"instance of {writer}",
            "(not in Pulumi's state)",
            "it takes writes, and a deploy of the data layer would collide with it: import it first (pulumi import, by "
            "its resource id)",
        )
