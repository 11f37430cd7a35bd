"""The steps that make an instance a standby to rely on: a backup of it, and a controller there that has authority.

Authority stays where it is while a broken standby is replaced. It lies with a site, and neither its controller nor its
table nor its alarms are touched when that site's database is made anew. Moved to the writer's site, it would lie in the
very region whose loss it is for, and come back by a second handover; until then nobody could act any sooner, since
there is nothing to promote.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from function_runtime.control import Instruction, InstructionKind
from operations.errors import RefusedError
from operations.instruction_command import HANDOVER
from operations.orders import GOOD_FOR
from operations.reprotect.record import StepName
from operations.reprotect.seen import Seen
from operations.reprotect.steps import Work, step

# A backup window comes once a day.
LONGEST_BACKUP = timedelta(hours=26)
LONGEST_HANDOVER = timedelta(minutes=30)


def always(seen: Seen) -> bool:
    """Whatever there is to do ends with these."""
    del seen
    return True


@step(StepName.BACK_UP, "a backup of the new standby is complete: RDS promotes none while it backs up", 10, always)
def back_up(work: Work, seen: Seen) -> str:
    """Wait for the first backup, which RDS begins by itself."""
    del seen

    def is_complete() -> bool:
        standby = work.look().standby
        if standby is None:
            raise RefusedError(f"instance of {work.other}", "(gone)", "see in RDS what became of it; call this again")
        return standby.is_backed_up

    work.wait(is_complete, "the first backup", LONGEST_BACKUP)
    return "complete"


@step(StepName.HAND_OVER, "the controller of the standby's site takes over authority", 5, always)
def hand_over(work: Work, seen: Seen) -> str:
    """Instruct the controller that has authority, and wait until both tables say that it has moved."""
    if seen.has_authority_there:
        return "it was there"
    work.wait(lambda: _has_moved(work), "the handover of authority", LONGEST_HANDOVER)
    return f"authority is with {work.other}"


@hand_over.undone_by
def leave_authority(work: Work) -> str:
    """Take it back, which the controller does as long as it has not given authority up."""
    if not any(table.handover is not None for table in work.world.tables().values()):
        return "no handover is under way"
    _instruct(work, InstructionKind.ABANDON, HANDOVER, work.look())
    under_way = "the end of the handover"
    work.wait(
        lambda: all(table.handover is None for table in work.world.tables().values()), under_way, LONGEST_HANDOVER
    )
    return f"authority is with {work.look().authority.site}"


def _has_moved(work: Work) -> bool:
    seen = work.look()
    if seen.has_authority_there:
        return True
    if not any(table.handover is not None for table in seen.tables.values()):
        _carry_pause_over(work, seen)
        _instruct(work, InstructionKind.HAND_OVER, work.other, seen)
    return False


def _instruct(work: Work, kind: InstructionKind, about: str, seen: Seen) -> None:
    """Give an instruction, unless it is on record and still good."""
    site = seen.authority.required()
    control, now = work.world.control(site), work.world.now()
    given = control.instruction
    if given is not None and given.says(kind, about, now):
        return
    if given is not None and _is_anothers(given, work, now):
        raise RefusedError("instruction on record", f"{given.kind} {given.about} by {given.by}", "talk to them first")
    work.world.tell(site, control.with_instruction(Instruction(kind, about, work.world.by, now, now + GOOD_FOR)))


def _is_anothers(given: Instruction, work: Work, now: datetime) -> bool:
    return given.by != work.world.by and now < given.expires_at


def _carry_pause_over(work: Work, seen: Seen) -> None:
    """A person's pause lies in one site's table: without it in the other's, a handover would end it."""
    held = work.world.control(seen.authority.required()).pause
    there = work.world.control(work.other)
    if held is not None and there.pause is None:
        work.world.tell(work.other, there.with_pause(held))
        work.say(f"failovers stay paused, by {held.by}: {held.reason}")
