"""Carries a plan out: each step is recorded before it is begun and after it is done."""

from __future__ import annotations

from collections.abc import Callable

from operations.errors import RefusedError
from operations.reprotect.data_layer import DataLayer
from operations.reprotect.plan import STEPS, plan
from operations.reprotect.record import Reason, Record, StepName
from operations.reprotect.refusals import Words, refuse
from operations.reprotect.seen import Seen, look
from operations.reprotect.steps import Step, Work
from operations.reprotect.world import World

FINISHED, UNDONE = "finished", "undone"
Say = Callable[[str], None]
Tell = Callable[[Step, Record], None]


def reprotect(
    world: World, layer: DataLayer, words: Words, say: Say, tell: Tell, *, keep_looking: bool = False
) -> Record | None:
    """Do what is left.

    Args:
        world: AWS.
        layer: the data layer.
        words: what the person has said explicitly.
        say: prints a line of progress.
        tell: is told of each step when it begins and when it is done.
        keep_looking: stop before the old instance is let go.

    Returns:
        What is on record: without `finished_at` where it stopped for somebody to look; None where nothing was to do.

    Raises:
        RefusedError: it cannot go on; what was done stays, and it goes on from there when it is called again.
    """
    seen = look(world, layer)
    if seen.reason is None:
        return None
    refuse(seen, words)
    record = seen.begun
    if record is None:
        record = world.save(_new(seen, seen.reason, world))
    work = Work(world, layer, record, words, keep_looking, say)
    while left := plan(seen := work.look()).steps:
        step = left[0]
        if keep_looking and seen.is_to_be_replaced and step.name is not StepName.FOLLOW:
            return work.record
        work.record = world.save(work.record.begun(step.name, world.now()))
        tell(step, work.record)
        detail = step.do(work, seen)
        work.record = world.save(work.record.finished(step.name, world.now(), detail))
        tell(step, work.record)
    return world.save(work.record.ended(world.now(), FINISHED))


def _new(seen: Seen, reason: Reason, world: World) -> Record:
    replaces = seen.is_to_be_replaced
    return Record(
        version=0 if seen.record is None else seen.record.version,
        site=seen.other,
        writer_site=seen.writer,
        epoch=seen.known.epoch,
        reason=reason,
        by=world.by,
        began_at=world.now(),
        replaces=replaces,
        old_instance_id=seen.standby.resource_id if replaces and seen.standby is not None else None,
        generation=seen.next_generation,
        old_birth=seen.declared.births[seen.other] if replaces else None,
        earlier=() if seen.record is None else seen.record.history(world.now()),
    )


def undo(world: World, layer: DataLayer, say: Say) -> Record:
    """Take back what was begun, last first, as far as anything leads back.

    Returns:
        What is on record.

    Raises:
        RefusedError: nothing is under way, or the old instance is gone: then it only goes forward.
    """
    seen = look(world, layer)
    record = seen.begun
    if record is None:
        raise RefusedError(
            "--undo", "(nothing is under way)", "see nox -s reprotect -- --dry-run for what there is to do"
        )
    if record.step(StepName.DELETE) is not None:
        raise RefusedError(
            "--undo",
            "(the old instance was removed, or is being)",
            "go on: nox -s reprotect; what it held is restored from its final snapshot (nox -s restore)",
        )
    work = Work(world, layer, record, Words(), keep_looking=False, say=say)
    for step in reversed(STEPS):
        if step.undo is not None and record.step(step.name) is not None:
            say(f"{step.name}: {step.undo(work)}")
    return world.save(record.ended(world.now(), UNDONE))
