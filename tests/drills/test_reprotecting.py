"""A command is killed once at the beginning and once in the middle of each step, and no oftener."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from drills.stage import Stage
from drills.stories.reprotecting import KilledError, Killer, MortalLayer, MortalWorld, beginning_of, middle_of
from function_runtime.sites import Site
from operations.reprotect.data_layer import DataLayer
from operations.reprotect.plan import STEPS
from operations.reprotect.record import Reason, Record, StepName
from operations.reprotect.world import World
from tests.drills.recording_system import staged

AT = datetime(2026, 11, 28, tzinfo=UTC)
FOLLOW, SNAPSHOT = (next(step for step in STEPS if step.name is name) for name in (StepName.FOLLOW, StepName.SNAPSHOT))
BEGUN = Record(
    version=1,
    site=Site.PRIMARY,
    writer_site=Site.RECOVERY,
    epoch=1,
    reason=Reason.FAILED_OVER,
    by="a person",
    began_at=AT,
    replaces=True,
    old_instance_id="db-1",
    generation=2,
)


@dataclass
class Aws:
    """Does what it is told, and remembers it."""

    done: list[str] = field(default_factory=list)

    def save(self, record: Record) -> Record:
        self.done.append(f"save {len(record.steps)}")
        return record

    def take_snapshot(self, site: Site, name: str) -> None:
        self.done.append(f"snapshot {name}")

    def instance(self, site: Site) -> None:
        self.done.append(f"look at {site}")

    def deploy(self, say: Callable[[str], None]) -> None:
        for resource in ("first", "second"):
            say(resource)
            self.done.append(resource)


class Command:
    """As much of the command as is needed to be killed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stage, _ = staged(monkeypatch)
        self.stage: Stage = stage
        self.killer = Killer(stage)
        self.aws = Aws()
        self.world: Any = MortalWorld(cast(World, self.aws), self.killer)
        self.layer: Any = MortalLayer(cast(DataLayer, self.aws), self.killer)

    def step(self, step: Any, work: Callable[[], object]) -> None:
        record = BEGUN.begun(step.name, AT)
        self.killer.enter(step, record)
        work()
        done = self.world.save(record.finished(step.name, AT, ""))
        self.killer.enter(step, done)

    def killed(self, step: Any, work: Callable[[], object]) -> str:
        with pytest.raises(KilledError) as killed:
            self.step(step, work)
        return str(killed.value)


def test_a_deploy_is_killed_at_its_first_resource_while_the_others_are_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = Command(monkeypatch)
    deploy = lambda: command.layer.deploy(lambda line: None)  # noqa: E731
    assert command.killed(FOLLOW, deploy) == beginning_of(StepName.FOLLOW)
    assert command.aws.done == []
    assert command.killed(FOLLOW, deploy) == middle_of(StepName.FOLLOW)
    assert command.aws.done == []
    command.step(FOLLOW, deploy)
    assert command.aws.done == ["first", "second", "save 1"]


def test_what_was_asked_of_aws_is_done_when_the_command_is_killed_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    command = Command(monkeypatch)
    snapshot = lambda: command.world.take_snapshot(Site.PRIMARY, "final")  # noqa: E731
    command.killed(SNAPSHOT, snapshot)
    assert command.killed(SNAPSHOT, snapshot) == middle_of(StepName.SNAPSHOT)
    assert command.aws.done == ["snapshot final"]


def test_a_step_that_does_nothing_but_look_is_killed_before_its_end_is_on_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = Command(monkeypatch)
    look = lambda: command.world.instance(Site.PRIMARY)  # noqa: E731
    command.killed(SNAPSHOT, look)
    assert command.killed(SNAPSHOT, look) == middle_of(StepName.SNAPSHOT)
    assert command.aws.done == ["look at primary"]


def test_no_step_is_killed_twice_at_the_same_place_and_what_is_not_of_a_step_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = Command(monkeypatch)
    command.world.save(BEGUN)
    command.world.take_snapshot(Site.PRIMARY, "before any step")
    for step in (FOLLOW, SNAPSHOT):
        for _ in range(2):
            command.killed(step, lambda: None)
        command.step(step, lambda: None)
        command.step(step, lambda: None)
    assert len(command.killer.killed) == 4
    command.world.save(replace(BEGUN, finished_at=AT))


def test_the_drill_notes_where_the_command_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    command = Command(monkeypatch)
    command.killed(FOLLOW, lambda: None)
    assert [action.what for action in command.stage.actions] == ["the command is killed at the beginning of follow"]
