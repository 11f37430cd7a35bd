"""Everything that is known after a story; its checks and its report are derived from this alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from drills.clients.dns import Answer
from drills.clients.history import ClientHistory
from drills.evidence import Evidence, ReadBack
from drills.instants import Instant
from drills.records.cloudwatch import LagSample
from drills.records.roles import Roles
from drills.records.state_table import ControllerState, RecordedFence
from drills.stage import Action
from drills.stories.story import Chapter, Story
from function_runtime.handover import Handover
from operations.reprotect.record import Record
from shared.sites import Site


@dataclass(frozen=True)
class ServerAtEnd:
    """What a chapter found of the database that took writes when it began.

    Attributes:
        rows: its rows, and whether it takes writes, at the end.
        was_started: when its server was started, as it said when the chapter began; None where it did not answer.
        is_started: the same at the end.
    """

    rows: ReadBack
    was_started: str | None
    is_started: str | None


@dataclass(frozen=True)
class ChapterRecord:
    """What was noted while a chapter was told.

    Attributes:
        chapter: which.
        began_at: its start.
        ended_at: its end.
        writer: the site whose database took writes when it began.
        actions: everything that was done.
        fault: what its times count from.
        controller_before: the acting controller's state when it began.
        controller_after: the same at its end.
        guard_fence: what the fence-guard of the writer's site had recorded at its end.
        final_address: where the writer's name pointed at its end; empty where it pointed nowhere.
        final_takes_writes: whether that database took writes then.
        old_writer: what was found of the database that was the writer when it began.
        roles_before: who had which role when it began.
        reprotection: what ``nox -s reprotect`` has recorded, at its end, of a standby for that writer.
        why_not: why it could not be told to its end; empty where it was.
    """

    chapter: Chapter
    began_at: Instant
    ended_at: Instant
    writer: Site
    actions: tuple[Action, ...]
    fault: Action
    controller_before: ControllerState | None
    controller_after: ControllerState | None
    guard_fence: RecordedFence | None
    final_address: str
    final_takes_writes: bool | None
    old_writer: ServerAtEnd
    roles_before: Roles
    reprotection: Record | None = None
    why_not: str = ""


@dataclass(frozen=True)
class StoryEvidence:
    """The records of one story.

    Attributes:
        story: what was told.
        whole: the records of all chapters together; times count from its start.
        records: what was noted in each chapter, as far as the story came.
        roles_after: who had which role at the end; None where that could not be read.
        handovers: the handovers in the history of both state tables that there were not before.
        lag: each site's replica lag, for as long as its database was a replica.
    """

    story: Story
    whole: Evidence
    records: tuple[ChapterRecord, ...]
    roles_after: Roles | None
    handovers: tuple[Handover, ...]
    lag: Mapping[Site, tuple[LagSample, ...]]

    @property
    def told(self) -> tuple[tuple[ChapterRecord, Evidence], ...]:
        """Each chapter with its own part of the evidence."""
        return tuple((record, evidence_of(self.whole, record)) for record in self.records)


def evidence_of(whole: Evidence, record: ChapterRecord) -> Evidence:
    """What is known of one chapter, as of a drill of its own.

    Its rows are looked for in the database that is the writer at the end of the story: what a later chapter loses of
    them is lost, too.
    """

    def inside(wall: float) -> bool:
        return record.began_at.wall <= wall < record.ended_at.wall

    by_name, by_uri, *others = (_part(client, record) for client in whole.clients)
    numbers = {attempt.n for client in (by_name, by_uri, *others) for attempt in client.attempts}
    rows = whole.final_writer.rows
    return replace(
        whole,
        started_at=record.began_at,
        finished_at=record.ended_at,
        fault=record.fault,
        actions=record.actions,
        writer=record.writer,
        by_name=by_name,
        by_uri=by_uri,
        others=tuple(others),
        final_writer=ReadBack(
            record.final_address,
            None if rows is None else tuple(row for row in rows if row.n in numbers),
            record.final_takes_writes,
            whole.final_writer.why_not,
        ),
        old_writer=record.old_writer.rows,
        name_changes=_answers(whole.name_changes, record),
        controller_before=record.controller_before,
        controller_after=record.controller_after,
        incidents=tuple(each for each in whole.incidents if inside(each.opened_at.timestamp())),
        guard_fence=record.guard_fence,
        alarm_changes=tuple(each for each in whole.alarm_changes if inside(each.at)),
        messages=tuple(each for each in whole.messages if inside(each.sent_at)),
        lag_samples=(),
        unfinished=(record.why_not,) if record.why_not else (),
    )


def _part(client: ClientHistory, record: ChapterRecord) -> ClientHistory:
    began, ended = record.began_at.monotonic, record.ended_at.monotonic
    attempts = tuple(each for each in client.attempts if began <= each.finished_at.monotonic < ended)
    return replace(client, attempts=attempts)


def _answers(answers: tuple[Answer, ...], record: ChapterRecord) -> tuple[Answer, ...]:
    """The answer that was valid when the chapter began, and those that differed from then on."""
    before = [each for each in answers if each.at.monotonic < record.began_at.monotonic]
    inside = [each for each in answers if record.began_at.monotonic <= each.at.monotonic < record.ended_at.monotonic]
    return (*before[-1:], *inside)
