"""Handing the authority over: what is waited for, and the step that follows. Pure.

The giver's controller takes every step: it tells the other site's table, gives its own authority up, and lets the other
one take it. Before each of them a word must be out, or the writer's name goes wrong where a region falls silent in
between: before telling its own one, before giving up the other site's, before the other takes its own one as that of a
controller without authority. Out is what its alarms have shown without a break for a margin, because the health checks
that copy the alarms' metric cannot be asked. In between nobody acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from failover.latch import shows, word
from function_runtime import rds_status
from function_runtime.handover import Handover, HandoverStep
from function_runtime.readings import Instance, Unanswered
from function_runtime.sites import Site
from function_runtime.state import Controller

# One step takes a run, an evaluation, a margin and a run: 5 minutes on AWS, where the margin is 2.
PATIENCE_MARGINS = 5


@dataclass(frozen=True)
class Awaited:
    """The word that must be out before the next step."""

    site: Site
    word: int


@dataclass(frozen=True)
class Next:
    """What follows.

    Attributes:
        step: the step to take now, None: wait.
        handover: the handover, with what was seen.
    """

    step: HandoverStep | None
    handover: Handover


def awaited(controller: Controller, handover: Handover) -> Awaited:
    """What the next step waits for.

    Args:
        controller: the giver's record. After the telling the other one says the same of writer and authority.
        handover: the handover.
    """
    site = handover.receiver if handover.next_step is HandoverStep.GIVE_UP else handover.giver
    return Awaited(site, word(site, controller))


def next_step(
    controller: Controller, handover: Handover, states: Sequence[str] | None, at: datetime, margin: timedelta
) -> Next:
    """What to do.

    Args:
        controller: the giver's record.
        handover: the handover.
        states: of the alarms of what is `awaited`, in the order of their thresholds; None where nobody answers.
        at: now.
        margin: how long they must have been so.
    """
    if handover.given_up_at is not None and controller.authority is handover.giver:
        return Next(HandoverStep.GIVE_UP, handover)  # A run was killed in the middle of it.
    if states is None or not shows(states, awaited(controller, handover).word):
        return Next(None, replace(handover, seen_since=None))
    since = at if handover.seen_since is None else handover.seen_since
    seen = replace(handover, seen_since=since)
    return Next(handover.next_step if at - since >= margin else None, seen)


def is_overdue(handover: Handover, at: datetime, margin: timedelta) -> bool:
    """Whether people are to hear that a step takes longer than it should."""
    return at - handover.since >= PATIENCE_MARGINS * margin


def handover_limitation(
    here: Site,
    controller: Controller,
    own: Instance | Unanswered | None,
    other: Instance | Unanswered | None,
    name: str,
) -> str | None:
    """Why the authority cannot be handed over now, None where it can.

    Args:
        here: the giver's site.
        controller: its record.
        own: its database; None where there is none.
        other: the other site's.
        name: the identifier of its own database.
    """
    if controller.authority is not here:
        return f"the {here} site's controller has no authority to give"
    if controller.writer_site is not here:
        return f"the writer is in the {controller.writer_site} site: its standby's controller has the authority already"
    if controller.incident_id is not None:
        return f"incident {controller.incident_id} is under way"
    if controller.owes_opening is not None:
        return "the writer is still shut"
    if not isinstance(own, Instance) or own.replica_of is not None or own.status not in rds_status.WORKING:
        return f"the writer is not well: {_told(own)}"
    if not isinstance(other, Instance) or not other.could_take_over:
        return f"the {here.other} site's database is no standby that works: {_told(other)}"
    if not replicates(other, name):
        return f"the {here.other} site's database replicates {other.replica_of}, not {name}"
    return None


def replicates(replica: Instance, name: str) -> bool:
    """Whether it is a replica of an instance; RDS names a source in another region by its ARN."""
    return replica.replica_of is not None and replica.replica_of.rpartition(":")[2] == name


def _told(instance: Instance | Unanswered | None) -> str:
    if instance is None:
        return "there is none"
    if isinstance(instance, Unanswered):
        return f"RDS does not say how it is ({instance.why})"
    kind = "no replica" if instance.replica_of is None else f"a replica of {instance.replica_of}"
    ended = ", its replication has ended" if instance.replication_ended else ""
    return f"{instance.status}, {kind}{ended}"
