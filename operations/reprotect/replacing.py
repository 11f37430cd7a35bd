"""The steps that let an instance go and make its successor under the same name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from function_runtime import rds_status
from function_runtime.control import Pause
from function_runtime.sites import Site
from operations.errors import RefusedError
from operations.reprotect.data_layer import (
    ACTIVE_SITE,
    NO_INSTANCE,
    REPLICA,
    RETIRING,
    birth_key,
    generation_key,
)
from operations.reprotect.record import StepName
from operations.reprotect.refusals import WITHOUT_SNAPSHOT, refuse_removal
from operations.reprotect.seen import MAKES_ONE, Seen, look
from operations.reprotect.steps import Work, step
from operations.reprotect.world import InstanceSeen

AVAILABLE = "available"
FAILED_SNAPSHOT = frozenset({"failed", "incompatible-restore"})
LONGEST_STOP = timedelta(minutes=30)
LONGEST_SNAPSHOT = timedelta(hours=24)
LONGEST_CHANGE = timedelta(hours=3)
LONGEST_START = timedelta(minutes=30)


def is_replaced(seen: Seen) -> bool:
    """Whether an instance has to go."""
    return seen.is_to_be_replaced


def is_made(seen: Seen) -> bool:
    """Whether an instance has to come."""
    return seen.reason in MAKES_ONE


def is_followed(seen: Seen) -> bool:
    """Whether the data layer has to be deployed as it is before anything goes."""
    return is_made(seen) or seen.declared.active_site is not seen.writer


@step(StepName.FOLLOW, "the data layer follows the writer: activeSite, its deploy", 5, is_followed)
def follow(work: Work, seen: Seen) -> str:
    """Make `activeSite` the writer on record, and deploy."""
    writer = seen.writer
    # The program is about to declare what the snapshot copier has started at run time after the failover.
    if not work.layer.replicates_backups_of(writer) and work.world.replicates_backups_of(writer):
        work.say(f"ending the replication of {writer}'s backups that Pulumi does not know; the deploy starts its own")
        work.world.stop_replicating_backups_of(writer)
        work.wait(lambda: not work.world.replicates_backups_of(writer), "that replication's end", LONGEST_STOP)
    # One deploy less where nobody wants to look at the old one first.
    releases = seen.is_to_be_replaced and not work.keep_looking
    _deploy(work, seen, {RETIRING: seen.other} if releases else {})
    return f"{ACTIVE_SITE} is {writer}" + (f", {RETIRING} is {seen.other}" if releases else "")


@follow.undone_by
def stay(work: Work) -> str:
    """Protect the old instance again, if this deploy has released it; `activeSite` stays the writer on record."""
    return "see release" if work.record.step(StepName.RELEASE) is not None else keep(work)


def keep(work: Work) -> str:
    """Protect it again."""
    _deploy(work, look(work.world, work.layer), {RETIRING: None})
    return f"{RETIRING} is taken out, and the instance is protected as before"


def _deploy(work: Work, seen: Seen, values: Mapping[str, str | None]) -> None:
    """Change the configuration and deploy, without making anew what somebody has deleted."""
    work.change({**values, RETIRING: seen.other, birth_key(seen.other): NO_INSTANCE} if seen.is_gone else values)
    work.layer.deploy(work.say)


@step(StepName.PAUSE, "failovers are paused while an instance is being removed", 0, is_replaced)
def pause(work: Work, seen: Seen) -> str:
    """Put a pause on record unless there is one: no failover may choose the instance that is about to go."""
    site = seen.authority.required()
    control = work.world.control(site)
    if control.pause is not None:
        return f"they are: {control.pause.reason}"
    work.world.tell(site, control.with_pause(Pause(work.world.by, work.world.now(), work.pause_reason)))
    return f"on record in the {site} site's table"


@pause.undone_by
def lift_pause(work: Work) -> str:
    """Lift the pause if it is ours, in whichever table it was put."""
    lifted = []
    for site in Site:
        control = work.world.control(site)
        if control.pause is not None and control.pause.reason == work.pause_reason:
            work.world.tell(site, control.with_pause(None))
            lifted.append(site)
    return f"resumed in the {lifted[0]} site's table" if lifted else "no pause of ours is on record"


@step(StepName.RELEASE, "the old instance loses its protection from deletion", 5, is_replaced)
def release(work: Work, seen: Seen) -> str:
    """Set `retiring`, and deploy."""
    followed = work.record.step(StepName.FOLLOW)
    if seen.declared.retiring is seen.other and followed is not None and RETIRING in followed.detail:
        return "with the deploy before"
    _deploy(work, seen, {RETIRING: seen.other})
    return f"{RETIRING} is {seen.other}"


release.undone_by(keep)


@step(StepName.SNAPSHOT, "its final snapshot is taken and available", 10, is_replaced)
def snapshot(work: Work, seen: Seen) -> str:
    """Take the final snapshot, and wait for it. A replica has nothing of its own."""
    standby, other = seen.standby, seen.other
    why_none = _why_no_snapshot(work, standby)
    if standby is None or why_none is not None:
        return why_none or ""
    name = work.world.snapshot_name(other, standby.resource_id, work.record.epoch)

    def is_available() -> bool:
        found = work.world.snapshot(other, name)
        if found is None:
            # RDS takes one of an instance at rest only.
            if (now := work.look().standby) is not None and now.status in rds_status.OPERATIONAL:
                work.world.take_snapshot(other, name)
            return False
        if found.resource_id != standby.resource_id or found.status in FAILED_SNAPSHOT:
            raise RefusedError(
                "final snapshot",
                f"{name} ({found.status}, of {found.resource_id})",
                "nothing is removed; delete that snapshot, then call this again",
            )
        return found.status == AVAILABLE

    work.wait(is_available, f"snapshot {name}", LONGEST_SNAPSHOT)
    return name


@step(StepName.DELETE, "the old instance is deleted; its automated backups are kept", 10, is_replaced)
def delete(work: Work, seen: Seen) -> str:
    """Delete it by a deploy without it, after one more look at what it is.

    Nothing leads back from here. The look comes right before the deploy, and again a pause is on record and the final
    snapshot there: whatever a person has undone in between, the instance is compared by name and resource id with RDS,
    the state and the record.
    """
    refuse_removal(seen, work.words)
    pause.do(work, seen)
    snapshot.do(work, seen)
    # RDS makes no replica of a writer that it is at work on, and until then this is the only other copy.
    work.wait(lambda: _writer_is_at_rest(work), f"the writer in {seen.writer} to be available", LONGEST_CHANGE)
    if seen.standby is not None and seen.declared.births[seen.other] == NO_INSTANCE and work.record.old_birth:
        # A deploy of another checkout may have protected it again since it was released.
        _deploy(work, seen, {RETIRING: seen.other, birth_key(seen.other): work.record.old_birth})
    work.change({birth_key(seen.other): NO_INSTANCE, RETIRING: seen.other})
    seen = work.look()
    _refuse_without_snapshot(work, seen)
    work.layer.deploy(work.say)
    left = work.world.instance(seen.other)
    if left is not None and left.resource_id == work.record.old_instance_id:
        raise RefusedError(
            f"instance of {seen.other}", f"({left.status})", "the deploy has left it there; look at it, then go on"
        )
    return "there was none" if work.record.old_instance_id is None else work.record.old_instance_id


def _refuse_without_snapshot(work: Work, seen: Seen) -> None:
    """Refuse to go on without the final snapshot, whatever has become of it since it was taken.

    Raises:
        RefusedError: it is not there, or not available.
    """
    standby = seen.standby
    if standby is None or _why_no_snapshot(work, standby) is not None:
        return
    name = work.world.snapshot_name(seen.other, standby.resource_id, work.record.epoch)
    found = work.world.snapshot(seen.other, name)
    if found is None or found.status != AVAILABLE or found.resource_id != standby.resource_id:
        status = "gone" if found is None else found.status
        raise RefusedError("final snapshot", f"{name} ({status})", "nothing is removed without it; call this again")


def _why_no_snapshot(work: Work, standby: InstanceSeen | None) -> str | None:
    """Why no final snapshot is taken; None where one is. A word counts only where RDS can make none."""
    if standby is None:
        return "there is no instance"
    if standby.replica_of is not None:
        return "not needed: it is a replica"
    return f"none, by {WITHOUT_SNAPSHOT}" if work.words.without_snapshot and standby.is_dead else None


def _writer_is_at_rest(work: Work) -> bool:
    seen = work.look()
    writer = seen.instances[seen.writer]
    return writer is not None and writer.status in rds_status.WORKING


@step(StepName.CREATE, "its successor is made: a replica of the writer", 25, is_made)
def create(work: Work, seen: Seen) -> str:
    """Declare the next generation, and deploy."""
    other, record = seen.other, work.record
    if seen.standby is not None and seen.standby.resource_id == record.old_instance_id:
        raise RefusedError(f"instance of {other}", seen.standby.resource_id, "it is there again; call this again")
    if seen.standby is None and seen.state_ids[other] is not None:
        raise RefusedError(
            f"instance of {other}",
            f"{seen.state_ids[other]} (in Pulumi's state, and not in RDS)",
            "somebody has deleted the successor: take that into the state (./dr refresh -- data), then call this again",
        )
    work.change({generation_key(other): str(record.generation), birth_key(other): REPLICA, RETIRING: None})
    work.layer.deploy(work.say)
    work.wait(lambda: work.look().is_successor, f"the replica in {other}", LONGEST_START)
    return f"generation {record.generation}, {work.layer.instance_id(other)}"


@step(StepName.RESUME, "failovers are resumed, if the pause was ours", 0, is_made)
def resume(work: Work, seen: Seen) -> str:
    """Lift our pause before authority moves: a pause is on record in one site's table, and would be forgotten there."""
    del seen
    return lift_pause(work)
