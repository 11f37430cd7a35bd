"""Why a database is left alone. Pure: from what is recorded and what RDS says to the reason, or None: fence it.

A database may take writes while the record says that it is the writer. It must not from the moment another one may be
the writer, which is when RDS has accepted that one's promotion, and not only when the record names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fence_guard.on_record import OnRecord
from function_runtime.incident import Incident
from function_runtime.readings import Instance
from function_runtime.sites import Site


class Other(StrEnum):
    """What RDS says of the other site's database. Axis of danger: whether it takes writes, too."""

    REPLICA = "replica"
    """It replicates, or would."""
    SHUT = "shut"
    """It is no replica, and nobody reaches it."""
    WRITES = "writes"
    """It is no replica, and takes writes."""
    UNKNOWN = "unknown"
    """RDS does not say."""


@dataclass(frozen=True)
class Reason:
    """Why nothing is to be done.

    Attributes:
        code: one word.
        text: the same for people.
        two_writers: whether both databases take writes and nothing on record says which is the writer.
    """

    code: str
    text: str
    two_writers: bool = False


def fence_limitation(site: Site, instance: Instance, known: OnRecord, other: Other) -> Reason | None:
    """Why the site's database is not to be fenced; None: it must be.

    The instance must have been looked at before the record was read. Then a database that is seen promoted has its
    incident in the record, and is not taken for an old writer.

    Args:
        site: whose database.
        instance: what RDS says of it.
        known: what is recorded, the newest of both tables.
        other: what RDS says of the other site's database.
    """
    if instance.replica_of is not None:
        return Reason("replica", f"the {site} site's database is a replica and takes no writes")
    reason: Reason | None
    if known.differs:
        reason, is_known = (
            Reason("records_differ", "the two tables' records differ, and neither is known to be the newer one"),
            False,
        )
    elif known.under_way is not None:
        reason = _under_way(site, known.under_way, other)
        is_known = reason is None or known.under_way.may_be_promoted
    else:
        reason = _settled(site, known, other)
        is_known = reason is None or reason.code == "writer"
    if reason is None or is_known or other is not Other.WRITES:
        return reason
    text = f"both databases take writes, and no promotion on record says which is the writer; {reason.text}"
    return Reason("two_writers", text, two_writers=True)


def _under_way(site: Site, incident: Incident, other: Other) -> Reason | None:
    name = f"incident {incident.incident_id}"
    if incident.new_writer is site:
        return Reason("becomes_writer", f"{name} makes it the writer")
    if incident.is_taken_back:
        return Reason("taken_back", f"{name} is taken back: it stays the writer")
    if not incident.may_be_promoted:
        return Reason("promotion_not_asked", f"{name} has not asked for the other site's promotion yet")
    if not incident.is_promotion_accepted and other is Other.REPLICA:
        return Reason("promotion_in_doubt", f"{name} asked for the other site's promotion, and RDS shows none")
    return None


def _settled(site: Site, known: OnRecord, other: Other) -> Reason | None:
    """Of two databases, the one whose promotion is on record stays, or the one that a person has named since."""
    controller, last = known.controller, known.last_promotion
    if controller.adopted_by is not None:
        writer, why = controller.writer_site, f"adopted by {controller.adopted_by}"
    elif last is not None and controller.epoch > last.epoch:
        writer, why = controller.writer_site, f"on record since the promotion of epoch {last.epoch}"
    elif last is not None:
        writer, why = last.new_writer, f"promoted by incident {last.incident_id}"
    else:
        return Reason("no_failover_yet", "no failover is recorded: the writer is the first one")
    if writer is site:
        return Reason("writer", f"the {site} site's database is the writer, epoch {controller.epoch}, {why}")
    if other in (Other.REPLICA, Other.SHUT):
        # Never the only database that takes writes.
        return Reason("record_is_older", f"the record's writer ({writer}, {why}) takes no writes: {other}")
    return None
