"""Make a standby for the writer, as a person does with ``nox -s reprotect``, also by a command that is killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from drills.clients.writes_table import newest_row
from drills.instants import Instant
from drills.readiness import DATABASE_ERRORS, wait_for_replication
from drills.stage import DrillNotReadyError, Stage
from drills.stories.operator import operators_world
from operations.errors import RefusedError
from operations.reprotect import runner
from operations.reprotect.data_layer import DataLayer
from operations.reprotect.record import Record, StepName
from operations.reprotect.refusals import Words
from operations.reprotect.steps import Step
from operations.reprotect.world import World

BEGINS = "a person runs nox -s reprotect"
ARRIVE_DEADLINE_SECONDS = 30.0


class KilledError(Exception):
    """The command's process is gone, in the middle of what it did."""


@dataclass
class Killer:
    """Kills the command once at the beginning of each step, and once in the middle of it.

    The middle is when a first resource is changed by a deploy, when AWS was asked for something or is waited for, and
    at the latest when the step is done, and that is not on record yet.

    Attributes:
        stage: what the drill acts on.
        killed: where it was killed.
    """

    stage: Stage
    killed: list[str] = field(default_factory=list)
    _step: Step | None = None

    def enter(self, step: Step, record: Record) -> None:
        """The command tells of a step that it begins, or has done."""
        if record.has_finished(step.name):
            self._step = None
            return
        self._step = step
        self._strike(beginning_of(step.name))

    def middle(self) -> None:
        """Something was done that is not on record yet."""
        if self._step is not None:
            self._strike(middle_of(self._step.name))

    def _strike(self, where: str) -> None:
        if where in self.killed:
            return
        self.killed.append(where)
        self._step = None
        self.stage.do(f"the command is killed {where}", lambda: None)
        raise KilledError(where)


def beginning_of(step: StepName) -> str:
    """A place at which the command is killed: the step is on record as begun, and nothing of it is done."""
    return f"at the beginning of {step}"


def middle_of(step: StepName) -> str:
    """A place at which the command is killed: something of the step is done."""
    return f"in the middle of {step}"


class MortalLayer:
    """The data layer, as long as the command lives."""

    def __init__(self, layer: DataLayer, killer: Killer) -> None:
        self._layer = layer
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layer, name)

    def deploy(self, say: Callable[[str], None]) -> None:
        """Deploy; the command may be killed after the first resource, while the others are still as they were."""

        def told(line: str) -> None:
            say(line)
            self._killer.middle()

        self._layer.deploy(told)


class MortalWorld:
    """AWS, as long as the command lives."""

    EFFECTS = frozenset({"take_snapshot", "tell", "stop_replicating_backups_of", "sleep"})

    def __init__(self, world: World, killer: Killer) -> None:
        self._world = world
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._world, name)
        if name not in self.EFFECTS:
            return call

        def last_call(*arguments: Any) -> Any:
            answer = call(*arguments)
            self._killer.middle()
            return answer

        return last_call

    def save(self, record: Record) -> Record:
        """Write the record; what is done and not on record when the command is killed is done again."""
        if record.steps and record.steps[-1].finished_at is not None and record.finished_at is None:
            self._killer.middle()
        return self._world.save(record)


def reprotect(stage: Stage) -> None:
    """Run the command to its end, and see that rows arrive at the new standby.

    Raises:
        DrillNotReadyError: it refused, or there was nothing to do.
    """
    stage.break_it(BEGINS, lambda: None)
    _run(stage, _data_layer(stage), operators_world(stage.system), lambda step, record: None)
    _see_it_works(stage)


def reprotect_killed(stage: Stage, pause_in: StepName, meanwhile: Callable[[Stage], None]) -> None:
    """Run the command again and again, each time killed once more, until it comes to its end.

    Args:
        stage: what to act on.
        pause_in: a step.
        meanwhile: is called when the command was killed in the middle of that step, before it is started again.

    Raises:
        DrillNotReadyError: it refused, or a step was not met.
    """
    stage.break_it(BEGINS, lambda: None)
    killer = Killer(stage)
    world, layer = MortalWorld(operators_world(stage.system), killer), MortalLayer(_data_layer(stage), killer)
    while True:
        try:
            record = _run(stage, cast(DataLayer, layer), cast(World, world), killer.enter)
            break
        except KilledError as error:
            if error.args == (middle_of(pause_in),):
                meanwhile(stage)
    missing = [place for step in record.steps for place in (beginning_of(step.step), middle_of(step.step))]
    missing = [place for place in missing if place not in killer.killed]
    if missing:
        raise DrillNotReadyError(f"the command was not killed {', '.join(missing)}")
    _see_it_works(stage)


def _run(stage: Stage, layer: DataLayer, world: World, enter: Callable[[Step, Record], None]) -> Record:
    def tell(step: Step, record: Record) -> None:
        if record.has_finished(step.name):
            stage.do(f"reprotect has done this: {step.title}", lambda: None)
        enter(step, record)

    try:
        # A person has looked: the old writer took nothing that the present one has not.
        record = runner.reprotect(world, layer, Words(settled=True), lambda line: stage.say(f"  {line}"), tell)
    except RefusedError as error:
        raise DrillNotReadyError(f"nox -s reprotect refused: {error}") from error
    if record is None:
        raise DrillNotReadyError("nox -s reprotect found nothing to do")
    return record


def _data_layer(stage: Stage) -> DataLayer:
    # The sites are the same; the functions' code has an enumeration of its own.
    return cast(DataLayer, stage.system.data_layer)


def _see_it_works(stage: Stage) -> None:
    target, standby = stage.system.target, stage.replica_database
    began_at = Instant.now().wall
    newest = newest_row(target, stage.writer_database.address)

    def arrived() -> bool:
        try:
            return newest_row(target, standby.address) > newest
        except DATABASE_ERRORS:
            return False

    stage.require(f"new rows to reach {standby.identifier}", arrived, ARRIVE_DEADLINE_SECONDS)
    wait_for_replication(stage, began_at)
    stage.wait_for_writes()
