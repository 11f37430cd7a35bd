"""The evidence of a story as a lab would have produced it: to the other site and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from drills.clients.dns import Answer
from drills.clients.history import Attempt, ClientHistory, Outcome
from drills.clients.routes import ByName, ByUri
from drills.clients.writes_table import StoredRow
from drills.evidence import Evidence, ReadBack
from drills.records.cloudwatch import LagSample
from drills.records.messages import Message
from drills.records.roles import Roles, Said, Shown
from drills.records.state_table import ControllerState, RecordedFence
from drills.stage import Action
from drills.stories.evidence import ChapterRecord, ServerAtEnd, StoryEvidence
from drills.stories.there_and_back import STORY
from function_runtime.handover import Handover
from function_runtime.incident import Incident, Kind
from function_runtime.sites import Site as FunctionSite
from operations.reprotect.record import Done, Reason, Record, StepName
from shared.sites import Site
from tests.drills.stories import FAULT_WALL, LOST, NEW, OLD, incident, moment, recovered, time

PRIMARY, RECOVERY = Site.PRIMARY, Site.RECOVERY
BEGINS = -6.0
CHAPTERS = ((-6.0, 0.0, 35.0), (35.0, 40.0, 70.0), (70.0, 75.0, 100.0), (100.0, 105.0, 130.0))
"""When each begins, when something is done, and when it ends."""
OUTAGES = ((0.0, 18.4), (77.0, 83.0))
PLANNED_AT = 75.0
INTERVAL = 0.1


def server_at(at_seconds: float) -> str:
    """Which database takes writes."""
    return NEW if 10.0 < at_seconds < 80.0 else OLD


def client(name: str, first: int, *, shift: float) -> ClientHistory:
    """A client that writes ten times a second, and is refused while a failover is under way."""
    attempts = []
    for i in range(int((CHAPTERS[-1][-1] - BEGINS) / INTERVAL)):
        at = BEGINS + i * INTERVAL + shift
        refused = any(begins <= at < ends for begins, ends in OUTAGES)
        outcome = Outcome.FAILED if refused else Outcome.ACKNOWLEDGED
        attempts.append(Attempt(first + i, moment(at - 0.01), moment(at), outcome, server_at(at), fresh=i % 10 == 9))
    return ClientHistory(name, tuple(attempts))


def failovers() -> tuple[Incident, Incident]:
    """The crash and the way back."""
    first = incident()
    later = timedelta(seconds=PLANNED_AT)
    steps = tuple(
        replace(
            step,
            started_at=step.started_at + later,
            finished_at=None if step.finished_at is None else step.finished_at + later,
            outcome="fenced" if step.phase == "fenced" else step.outcome,
        )
        for step in first.steps
    )
    back = replace(
        first,
        incident_id="20251009-0857-2",
        kind=Kind.PLANNED,
        new_writer=FunctionSite.PRIMARY,
        epoch=2,
        opened_at=first.opened_at + later - timedelta(seconds=4),
        trouble_since=time(PLANNED_AT),
        steps=steps,
        data_loss_seconds=0.0,
        closed_at=time(PLANNED_AT + 19.5),
    )
    return first, back


def roles(epoch: int, writer: Site, authority: Site, generations: tuple[int, int], *, standby: bool = True) -> Roles:
    """The roles at one moment; both tables say the same."""
    said = Said(writer, authority, epoch)
    shown = {
        site: Shown(f"db-{site}-{born}", "available", is_replica=standby and site is not writer)
        for site, born in zip(Site, generations, strict=True)
    }
    return Roles(dict.fromkeys(Site, said), shown, dict(zip(Site, generations, strict=True)))


ROLES = (
    roles(0, PRIMARY, RECOVERY, (1, 1)),
    roles(1, RECOVERY, RECOVERY, (1, 1), standby=False),
    roles(1, RECOVERY, PRIMARY, (2, 1)),
    roles(2, PRIMARY, PRIMARY, (2, 1), standby=False),
    roles(2, PRIMARY, RECOVERY, (2, 2)),
)


def handover(giver: Site, epoch: int, at_seconds: float) -> Handover:
    """One that is done, eight seconds after it began."""
    begun, told, given_up, taken = (time(at_seconds + after) for after in (0.0, 2.0, 5.0, 8.0))
    receiver = FunctionSite(giver.other.value)
    return Handover(FunctionSite(giver.value), receiver, "a person", epoch, begun, told, given_up, taken)


def reprotection(writer: Site, at_seconds: float) -> Record:
    """One that went through all steps, two seconds each."""
    steps = tuple(
        Done(step, time(at_seconds + 2.0 * number), time(at_seconds + 2.0 * number + 2.0), "done")
        for number, step in enumerate(StepName)
    )
    return Record(
        version=19,
        site=FunctionSite(writer.other.value),
        writer_site=FunctionSite(writer.value),
        epoch=1,
        reason=Reason.FAILED_OVER,
        by="a person",
        began_at=time(at_seconds),
        replaces=True,
        old_instance_id="db-1",
        generation=2,
        steps=steps,
        finished_at=steps[-1].finished_at,
        outcome="finished",
    )


def chapter_records() -> tuple[ChapterRecord, ...]:
    """What was noted in each chapter."""
    records = []
    for index, (chapter, (begins, acts, ends)) in enumerate(zip(STORY.chapters, CHAPTERS, strict=True)):
        before, after = ROLES[index].said[PRIMARY], ROLES[index + 1].said[PRIMARY]
        address = {PRIMARY: OLD, RECOVERY: NEW}
        fault = Action(moment(acts), f"{chapter.scenario.name} is done")
        answers = before.writer is after.writer
        read = ReadBack(address[before.writer], () if answers else None, answers or None, "" if answers else "fenced")
        records.append(
            ChapterRecord(
                chapter=chapter,
                began_at=moment(begins),
                ended_at=moment(ends),
                writer=before.writer,
                actions=(fault,),
                fault=fault,
                controller_before=ControllerState(before.epoch),
                controller_after=ControllerState(after.epoch),
                guard_fence=RecordedFence(after.epoch, "fenced", "its host came back"),
                final_address=address[after.writer],
                final_takes_writes=True,
                old_writer=ServerAtEnd(read, "2025-10-09 08:00", "2025-10-09 08:00" if answers else None),
                roles_before=ROLES[index],
                reprotection=reprotection(before.writer, acts) if answers else None,
            )
        )
    return tuple(records)


def whole() -> Evidence:
    """All chapters together: two rows of the crash are lost."""
    by_name, by_uri = client(ByName.name, 1, shift=0.02), client(ByUri.name, 10_001, shift=0.05)
    lost = lost_rows(by_name)
    rows = tuple(
        StoredRow(attempt.n, attempt.finished_at.wall)
        for each in (by_name, by_uri)
        for attempt in each.acknowledged
        if attempt.n not in lost
    )
    start = Action(moment(BEGINS), "the story begins")
    told = recovered().messages
    return replace(
        recovered(),
        started_at=moment(BEGINS - 3.0),
        finished_at=moment(CHAPTERS[-1][-1] + 1.0),
        fault=start,
        actions=(start,),
        by_name=by_name,
        by_uri=by_uri,
        final_writer=ReadBack(OLD, rows, takes_writes=True),
        old_writer=ReadBack(OLD, rows, takes_writes=True),
        name_changes=(
            Answer(moment(BEGINS - 1.0), OLD, 1),
            Answer(moment(17.9), NEW, 1),
            Answer(moment(PLANNED_AT + 8.0), OLD, 1),
        ),
        controller_after=ControllerState(2),
        incidents=failovers(),
        messages=(
            *told,
            *(replace(each, sent_at=each.sent_at + PLANNED_AT) for each in told),
            Message(FAULT_WALL + 60.0, told[0].topic, "Authority was handed over", "To the primary site."),
        ),
        times_asked=1360,
        longest_unwatched_seconds=0.31,
    )


def lost_rows(history: ClientHistory) -> set[int]:
    """The last rows that were acknowledged before the crash."""
    before = [attempt.n for attempt in history.acknowledged if attempt.finished_at.wall < FAULT_WALL]
    return set(before[-len(LOST) :])


def lag(begins: int, ends: int) -> tuple[LagSample, ...]:
    """A sample a second."""
    return tuple(LagSample(FAULT_WALL + at, 0.2 + 0.1 * (at % 3)) for at in range(begins, ends))


def there_and_back() -> StoryEvidence:
    """The story as it should go."""
    return StoryEvidence(
        story=STORY,
        whole=whole(),
        records=chapter_records(),
        roles_after=ROLES[-1],
        handovers=(handover(RECOVERY, 1, 55.0), handover(PRIMARY, 2, 115.0)),
        lag={PRIMARY: lag(50, 77), RECOVERY: (*lag(-6, 0), *lag(110, 130))},
    )
