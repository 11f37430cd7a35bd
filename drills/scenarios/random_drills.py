"""A random composition of faults, run as a scenario."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import NamedTuple

from drills import faults
from drills.faults import FLAP_ANSWERS_SECONDS, FLAP_FROZEN_SECONDS, FLAPS, PROBES_WHILE_FLAPPING, Act
from drills.scenario import Scenario
from drills.scenarios.maintenance_reboot import REBOOT_SECONDS
from drills.scenarios.random_composition import DEADLY, Composition, Fault, Part, compose
from drills.stage import Stage

NAME = re.compile(r"random-(\d+)-(\d+)")
WRITES_DEADLINE_SECONDS = 60.0
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


class Move(NamedTuple):
    """One action of a drill at its time.

    Attributes:
        at_seconds: when, from the start of the drill.
        act: the action.
        breaks: whether times may count from it, if it is the first such one.
    """

    at_seconds: float
    act: Callable[[Stage], Act]
    breaks: bool


def random_drill(seed: int, index: int) -> Scenario:
    """The random drill of that seed and number, as a scenario."""
    composition = compose(seed, index)
    return Scenario(
        name=f"random-{seed}-{index}",
        summary=f"Drill {index} of the random drills with seed {seed}: {composition}.",
        expected=composition.expected,
        run=lambda stage: play(stage, composition),
        rto_limit_seconds=composition.rto_limit_seconds,
        outcomes=composition.outcomes,
        # A frozen writer may wake up again, and RDS can reach it.
        demands_fence=Fault.FREEZE in composition.faults,
        configuration=PROBES_WHILE_FLAPPING if Fault.FLAPPING in composition.faults else {},
    )


def random_drill_named(name: str) -> Scenario | None:
    """The random drill of that name; None where it is not the name of one."""
    match = NAME.fullmatch(name)
    return None if match is None else random_drill(int(match[1]), int(match[2]))


def play(stage: Stage, composition: Composition) -> None:
    """Make every move at its time, then wait for the failover, or for writes."""
    began = time.monotonic()
    for move in moves_of(composition):
        time.sleep(max(0.0, began + move.at_seconds - time.monotonic()))
        (stage.break_it if move.breaks else stage.do)(*move.act(stage))
    if not composition.is_deadly:
        stage.wait_for_writes(WRITES_DEADLINE_SECONDS)
        return
    deadline_seconds = composition.rto_limit_seconds + DEADLINE_BEYOND_LIMIT_SECONDS
    phases = [part.phase for part in composition.parts if part.phase is not None]
    faults.kill_failover_function(stage, phases, deadline_seconds)
    stage.wait_for_failover(deadline_seconds)


def moves_of(composition: Composition) -> tuple[Move, ...]:
    """Everything that is done at a fixed time, in order; when the controller is killed depends on its phase."""
    moves = [move for part in composition.parts for move in _moves_of(part, composition)]
    return tuple(sorted(moves, key=lambda move: move.at_seconds))


def _moves_of(part: Part, composition: Composition) -> list[Move]:
    # An outage counts from the writer's death: what came before only prepared it.
    breaks = not composition.is_deadly or part.fault in DEADLY
    if part.fault is Fault.KILLED_CONTROLLER:
        return []
    if part.fault is Fault.FLAPPING:
        flap_seconds = FLAP_FROZEN_SECONDS + FLAP_ANSWERS_SECONDS
        moves = []
        for start in (part.at_seconds + number * flap_seconds for number in range(FLAPS)):
            moves += [Move(start, faults.freeze, breaks), Move(start + FLAP_FROZEN_SECONDS, faults.thaw, breaks=False)]
        return moves
    moves = [Move(part.at_seconds, _BEGIN[part.fault], breaks)]
    if part.lasts_seconds:
        moves.append(Move(part.at_seconds + part.lasts_seconds, _END[part.fault], breaks=False))
    return moves
