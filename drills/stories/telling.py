"""A story told on a running system: its chapters one after the other, and what each found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from drills.clients.dns import NameNotResolvedError, ask
from drills.clients.others import Wanted
from drills.clients.writes_table import read_rows, server_started_at, takes_writes
from drills.clients.writing_client import Pace
from drills.evidence import ReadBack
from drills.instants import Instant
from drills.readiness import DATABASE_ERRORS
from drills.records.cloudwatch import LagSample, lag_samples
from drills.records.roles import Roles, handovers, reprotection, roles
from drills.records.state_table import controller_state, recorded_fence, recorded_writer
from drills.rehearsal import ENDS_A_DRILL, STEADY_SECONDS, Rehearsal
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Action, DrillNotReadyError, Progress, Stage
from drills.stories.evidence import ChapterRecord, ServerAtEnd, StoryEvidence
from drills.stories.story import Chapter, Story
from drills.system import LabSystem
from function_runtime.handover import Handover
from lab.target import DeployedDatabase
from shared.sites import Site

BEGINS = "the story begins"

Found = TypeVar("Found")


class Telling:
    """One story under way. It keeps what it has seen, so that a story that stops half-way is reported too."""

    def __init__(self, system: LabSystem, story: Story, progress: Progress, others: Sequence[Wanted] = ()) -> None:
        self._system = system
        self._others = others
        self._story = story
        self._progress = progress
        self._records: list[ChapterRecord] = []
        self._handovers_before: frozenset[tuple[str, int]] = frozenset()

    def tell(self, pace: Pace) -> StoryEvidence:
        """Tell the story and gather the evidence; what could not be done or read is in `Evidence.unfinished`."""
        story = self._story
        whole = Rehearsal(self._system, self._progress, pace, self._others).play(
            Scenario(story.name, story.summary, DrillOutcome.FAILED_OVER, self._play)
        )
        began, ended = whole.started_at.wall, whole.finished_at.wall
        databases = self._system.target.databases
        given: tuple[Handover, ...] = self._found(lambda: handovers(self._system), ())
        return StoryEvidence(
            story=story,
            whole=whole,
            records=tuple(self._records),
            roles_after=self._found(lambda: roles(self._system), None),
            handovers=tuple(each for each in given if _key(each) not in self._handovers_before),
            lag={site: self._lag(databases[site], began, ended) for site in Site},
        )

    def _play(self, stage: Stage) -> None:
        self._handovers_before = frozenset(_key(each) for each in handovers(self._system))
        stage.break_it(BEGINS, lambda: None)
        for number, chapter in enumerate(self._story.chapters, start=1):
            self._progress(f"\nchapter {number} of {len(self._story.chapters)}: {chapter.scenario.summary}")
            self._tell(chapter, stage)

    def _tell(self, chapter: Chapter, of_story: Stage) -> None:
        system = self._system
        writer = recorded_writer(system)
        if writer is None:
            raise DrillNotReadyError("the story cannot go on: no state table says who the writer is")
        address = system.target.databases[writer].address
        began_at, before, was_started = Instant.now(), controller_state(system), self._started(address)
        roles_before: Roles = roles(system)
        stage = Stage(system, of_story.clients, writer, began_at, self._progress)
        why_not = ""
        try:
            stage.keep_writing(STEADY_SECONDS)
            chapter.scenario.run(stage)
        except ENDS_A_DRILL as error:
            why_not = f"{chapter.scenario.name} ended early: {type(error).__name__}: {' '.join(str(error).split())}"
            raise
        finally:
            final = self._final_address()
            self._records.append(
                ChapterRecord(
                    chapter=chapter,
                    began_at=began_at,
                    writer=writer,
                    actions=stage.actions,
                    fault=Action(began_at, "nothing was done") if stage.fault is None else stage.fault,
                    controller_before=before,
                    controller_after=self._found(lambda: controller_state(system), None),
                    guard_fence=self._found(lambda: recorded_fence(system, writer), None),
                    final_address=final,
                    final_takes_writes=self._found(lambda: takes_writes(system.target, final), None) if final else None,
                    old_writer=ServerAtEnd(self._read_back(address), was_started, self._started(address)),
                    roles_before=roles_before,
                    reprotection=self._found(lambda: reprotection(system, writer), None),
                    why_not=why_not,
                    ended_at=Instant.now(),
                )
            )

    def _lag(self, database: DeployedDatabase, began: float, ended: float) -> tuple[LagSample, ...]:
        return self._found(lambda: lag_samples(self._system, database, began, ended), ())

    def _final_address(self) -> str:
        target = self._system.target
        try:
            return ask(target.writer_name, self._system.dns_server).address
        except NameNotResolvedError:
            return ""

    def _started(self, address: str) -> str | None:
        return self._found(lambda: server_started_at(self._system.target, address), None)

    def _read_back(self, address: str) -> ReadBack:
        target = self._system.target
        try:
            return ReadBack(address, read_rows(target, address), takes_writes(target, address))
        except DATABASE_ERRORS as error:
            return ReadBack(address, None, None, f"{address} does not answer: {error}")

    def _found(self, look: Callable[[], Found], otherwise: Found) -> Found:
        try:
            return look()
        except ENDS_A_DRILL as error:
            self._progress(f"could not be read: {type(error).__name__}: {error}")
            return otherwise


def _key(handover: Handover) -> tuple[str, int]:
    return handover.giver.value, handover.epoch
