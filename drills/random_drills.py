"""A random composition of faults, played as a scenario."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from drills import faults
from drills.composition import FLAPS, REBOOT_SECONDS, Composition, Fault, Part, compose
from drills.controller_kills import kill_at_each
from drills.endings import failover_ends, writer_answers_again
from drills.faults import Act
from drills.scenario import Scenario
from drills.stage import Stage
from drills.timings import FLAP_ANSWERS_SECONDS, FLAP_FROZEN_SECONDS

NAME = re.compile(r"random-(\d+)-(\d+)")
WRITES_DEADLINE_SECONDS = 40.0
DEADLINE_BEYOND_LIMIT_SECONDS = 30.0

_BEGIN: dict[Fault, Callable[[Stage], Act]] = {
    Fault.CRASH: faults.crash,
    Fault.FREEZE: faults.freeze,
    Fault.DARK_REGION: faults.darken_writer_region,
    Fault.LOST_TRIGGER: faults.lose_trigger,
    Fault.LINK_CUT: faults.cut_link,
    Fault.BROKEN_PROBES: faults.break_probes,
    Fault.REBOOT: lambda stage: faults.reboot_slowly(stage, REBOOT_SECONDS),
}
_END: dict[Fault, Callable[[Stage], Act]] = {
    Fault.LINK_CUT: faults.heal_link,
    Fault.BROKEN_PROBES: faults.repair_probes,
}


@dataclass(frozen=True)
class Move:
    """One act of a drill at its time.

    Attributes:
        at_seconds: when, from the drill's first moment.
        act: what, once the stage is there.
        breaks: whether it is the fault that everything counts from, if it is the first such one.
    """

    at_seconds: float
    act: Callable[[Stage], Act]
    breaks: bool


def name_of(seed: int, index: int) -> str:
    """The name of a random drill, in reports and on the command line."""
    return f"random-{seed}-{index}"


def numbers_in(name: str) -> tuple[int, int] | None:
    """Seed and index in such a name; None where it is another name."""
    match = NAME.fullmatch(name)
    return None if match is None else (int(match[1]), int(match[2]))


def drawn_scenario(seed: int, index: int) -> Scenario:
    """The random drill of that seed and index, as a scenario."""
    composition = compose(seed, index)
    return Scenario(
        name=name_of(seed, index),
        summary=f"Drill {index} of the random drills with seed {seed}: {composition}.",
        expected=composition.expected,
        run=lambda stage: play(stage, composition),
        rto_limit_seconds=composition.rto_limit_seconds,
        outcomes=composition.outcomes,
        demands_fence=composition.demands_fence,
    )


def play(stage: Stage, composition: Composition) -> None:
    """Make every move at its time, then see the drill to its end."""
    began = time.monotonic()
    for move in moves_of(composition):
        time.sleep(max(0.0, began + move.at_seconds - time.monotonic()))
        (stage.break_it if move.breaks else stage.do)(*move.act(stage))
    if not composition.is_deadly:
        writer_answers_again(stage, WRITES_DEADLINE_SECONDS)
        return
    deadline_seconds = composition.rto_limit_seconds + DEADLINE_BEYOND_LIMIT_SECONDS
    kill_at_each(stage, [part.phase for part in composition.parts if part.phase], deadline_seconds)
    failover_ends(stage, deadline_seconds)


def moves_of(composition: Composition) -> tuple[Move, ...]:
    """Everything that is done, in the order of time; a killed controller is not among it, its phase decides when."""
    moves = [move for part in composition.parts for move in _moves_of(part, composition)]
    return tuple(sorted(moves, key=lambda move: move.at_seconds))


def _moves_of(part: Part, composition: Composition) -> list[Move]:
    # An outage is counted from the death: what came before it only prepared it.
    breaks = not composition.is_deadly or part.fault in (Fault.CRASH, Fault.FREEZE, Fault.DARK_REGION)
    if part.fault is Fault.KILLED_CONTROLLER:
        return []
    if part.fault is Fault.FLAPPING:
        flap_seconds = FLAP_FROZEN_SECONDS + FLAP_ANSWERS_SECONDS
        starts = [part.at_seconds + number * flap_seconds for number in range(FLAPS)]
        return [
            move
            for start in starts
            for move in (
                Move(start, faults.freeze, breaks),
                Move(start + FLAP_FROZEN_SECONDS, faults.thaw, breaks=False),
            )
        ]
    moves = [Move(part.at_seconds, _BEGIN[part.fault], breaks)]
    if part.lasts_seconds:
        moves.append(Move(part.at_seconds + part.lasts_seconds, _END[part.fault], breaks=False))
    return moves
