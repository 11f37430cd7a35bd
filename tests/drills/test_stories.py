"""What a story must come to, which stories pass and which fail, and that the report tells the whole of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from drills.catalogue import DRILLS, swapped
from drills.clients.dns import Answer
from drills.clients.history import ClientHistory, Outcome
from drills.evidence import Evidence
from drills.report.story_report import StoryReport, story_report_of
from drills.report.story_timeline import story_timeline_of
from drills.runner import write_report
from drills.stories import STORIES
from drills.stories.evidence import StoryEvidence
from drills.stories.story import Story
from shared.sites import Site
from tests.drills.stories import NEW, OLD, moment
from tests.drills.there_and_back import PLANNED_AT, PRIMARY, RECOVERY, ROLES, chapter_records, roles, there_and_back

Change = Callable[[StoryEvidence], StoryEvidence]


def failed(evidence: StoryEvidence) -> set[str]:
    """The names of the checks that fail, with the chapter's number before those of a chapter."""
    report = story_report_of(evidence)
    of_chapters = {
        f"{number}: {check.name}"
        for number, chapter in enumerate(report.chapters, start=1)
        for check in chapter.checks
        if not check.passed
    }
    return of_chapters | {check.name for check in report.checks if not check.passed}


def with_whole(evidence: StoryEvidence, **changes: object) -> StoryEvidence:
    return replace(evidence, whole=replace(evidence.whole, **changes))  # type: ignore[arg-type]


def without_row(evidence: Evidence, at_seconds: float) -> Evidence:
    """The same where the row that was acknowledged then is not in the database at the end."""
    after = [each for each in evidence.by_name.acknowledged if each.finished_at.wall > moment(at_seconds).wall]
    rows = evidence.final_writer.rows
    assert rows is not None
    kept = tuple(row for row in rows if row.n != after[0].n)
    return replace(evidence, final_writer=replace(evidence.final_writer, rows=kept))


def changed_attempt(history: ClientHistory, at_seconds: float, **changes: object) -> ClientHistory:
    """The same with one attempt changed: the first after a moment."""
    index = next(i for i, each in enumerate(history.attempts) if each.finished_at.wall > moment(at_seconds).wall)
    changed = replace(history.attempts[index], **changes)  # type: ignore[arg-type]
    return replace(history, attempts=(*history.attempts[:index], changed, *history.attempts[index + 1 :]))


def test_a_story_that_goes_as_it_should_passes_every_check() -> None:
    assert failed(there_and_back()) == set()


def test_there_and_back_ends_as_it_began_with_each_database_born_twice() -> None:
    course = STORIES["there-and-back"].course(PRIMARY)
    assert (course.writer, course.authority, course.failovers) == (PRIMARY, RECOVERY, 2)
    assert course.handovers == (RECOVERY, PRIMARY)
    assert course.reborn == {PRIMARY: 1, RECOVERY: 1}


def test_a_standby_that_was_lost_is_made_anew_without_any_handover() -> None:
    course = STORIES["standby-lost"].course(PRIMARY)
    assert (course.writer, course.authority, course.failovers, course.handovers) == (PRIMARY, RECOVERY, 0, ())
    assert course.reborn == {PRIMARY: 0, RECOVERY: 1}


@pytest.mark.parametrize("story", STORIES.values(), ids=lambda each: each.name)
def test_every_story_comes_to_the_mirror_image_where_the_roles_are_swapped(story: Story) -> None:
    plain, mirrored = story.course(PRIMARY), swapped(story).course(RECOVERY)
    assert mirrored.writer is plain.writer.other
    assert mirrored.authority is plain.authority.other
    assert mirrored.handovers == tuple(giver.other for giver in plain.handovers)
    assert mirrored.reborn == {site.other: times for site, times in plain.reborn.items()}


def test_every_drill_says_in_its_name_and_its_summary_that_it_is_swapped() -> None:
    for drill in DRILLS.values():
        assert swapped(drill).name == f"{drill.name}-swapped"
        assert swapped(drill).summary.startswith("Roles swapped")


def lost_in(at_seconds: float) -> Change:
    return lambda story: replace(story, whole=without_row(story.whole, at_seconds))


def name_back_for_a_moment(story: StoryEvidence) -> StoryEvidence:
    first, there, back = story.whole.name_changes
    flicker = (Answer(moment(60.0), OLD, 1), Answer(moment(60.1), NEW, 1))
    return with_whole(story, name_changes=(first, there, *flicker, back))


def name_late(story: StoryEvidence) -> StoryEvidence:
    first, there, _ = story.whole.name_changes
    return with_whole(story, name_changes=(first, there, Answer(moment(PLANNED_AT + 45.0), OLD, 1)))


def name_early(story: StoryEvidence) -> StoryEvidence:
    first, _, back = story.whole.name_changes
    return with_whole(story, name_changes=(first, Answer(moment(5.0), NEW, 1), back))


def two_writers(story: StoryEvidence) -> StoryEvidence:
    return with_whole(story, by_uri=changed_attempt(story.whole.by_uri, 50.0, server_address=OLD))


def refused_while_reprotected(story: StoryEvidence) -> StoryEvidence:
    return with_whole(story, by_name=changed_attempt(story.whole.by_name, 50.0, outcome=Outcome.INDETERMINATE))


def another_epoch(story: StoryEvidence) -> StoryEvidence:
    first, second = story.whole.incidents
    return with_whole(story, incidents=(first, replace(second, epoch=3)))


def handover_not_taken(story: StoryEvidence) -> StoryEvidence:
    first, second = story.handovers
    return replace(story, handovers=(first, replace(second, taken_at=None)))


def restarted_writer(story: StoryEvidence) -> StoryEvidence:
    crash, reprotect, *rest = chapter_records()
    server = replace(reprotect.old_writer, is_started="later")
    return replace(story, records=(crash, replace(reprotect, old_writer=server), *rest))


def unfinished_reprotection(story: StoryEvidence) -> StoryEvidence:
    crash, reprotect, *rest = chapter_records()
    assert reprotect.reprotection is not None
    left = replace(reprotect.reprotection, finished_at=None, outcome="")
    return replace(story, records=(crash, replace(reprotect, reprotection=left), *rest))


NAME = "The writer's name pointed to the recorded writer all the time, and moved once in each failover"
UNTOUCHED = "The writer was not touched: no write was refused, its server ran on, it is the same instance"
HISTORY = "Every handover of authority is in the history, complete and in order"
WRITERS = "At no time two databases took writes"
EPOCHS = "The epoch grew by exactly one in each failover, and both tables know the last one"
TABLES = "At the end both tables say: the writer is primary, authority is with recovery"
PAIR = "At the end the database of primary is no replica and that of recovery is one, available"
BIRTHS = "Each database was born again as often as it had to be"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lost_in(85.0), "3: No acknowledged row is lost at all"),
        (lost_in(50.0), "2: No acknowledged row is lost"),
        (lost_in(-5.0), "1: No acknowledged row is lost beyond the data loss that the system reported"),
        (name_back_for_a_moment, NAME),
        (name_late, NAME),
        (name_early, NAME),
        (lambda story: with_whole(story, longest_unwatched_seconds=5.0), NAME),
        (two_writers, WRITERS),
        (refused_while_reprotected, f"2: {UNTOUCHED}"),
        (restarted_writer, f"2: {UNTOUCHED}"),
        (unfinished_reprotection, "2: The reprotection is on record as finished, with every step that it began"),
        (another_epoch, EPOCHS),
        (lambda story: replace(story, handovers=story.handovers[:1]), HISTORY),
        (handover_not_taken, HISTORY),
        (lambda story: replace(story, roles_after=roles(2, PRIMARY, PRIMARY, (2, 2))), TABLES),
        (lambda story: replace(story, roles_after=roles(2, PRIMARY, RECOVERY, (2, 2), standby=False)), PAIR),
        (lambda story: replace(story, roles_after=ROLES[3]), BIRTHS),
        (lambda story: replace(story, roles_after=None), BIRTHS),
        (
            lambda story: replace(story, records=story.records[:3]),
            "The story was told to its end and all records were read",
        ),
    ],
)
def test_what_goes_wrong_fails_the_check_that_names_it(change: Change, named: str) -> None:
    assert named in failed(change(there_and_back()))


def test_a_client_that_got_no_answer_for_the_name_was_not_refused_by_the_writer() -> None:
    unanswered = {"outcome": Outcome.FAILED, "server_address": None, "detail": "Timeout from the DNS server"}
    story = there_and_back()
    named = with_whole(story, by_name=changed_attempt(story.whole.by_name, 50.0, **unanswered))
    assert f"2: {UNTOUCHED}" not in failed(named)
    refused = with_whole(story, by_uri=changed_attempt(story.whole.by_uri, 50.0, **unanswered))
    assert f"2: {UNTOUCHED}" in failed(refused)


def test_a_row_that_the_crash_loses_is_the_crashs_and_no_other_chapters() -> None:
    report = story_report_of(there_and_back())
    assert [chapter.writes.lost for chapter in report.chapters] == [2, 0, 0, 0]
    assert report.lost == 2


def test_the_timeline_has_one_start_and_counts_from_it() -> None:
    events = story_timeline_of(there_and_back())
    assert [event.at_seconds for event in events] == sorted(event.at_seconds for event in events)
    assert [event.event for event in events].count("chapter begins") == 4
    assert sum(event.event.startswith("client starts writing") for event in events) == 2
    taken = [event.at_seconds for event in events if event.event == "authority is taken"]
    assert taken == pytest.approx([69.0, 129.0])


@pytest.mark.parametrize(("change", "word"), [(lambda story: story, "Passed."), (name_late, "Failed.")])
def test_the_page_says_how_it_ended_and_loads_nothing_from_elsewhere(tmp_path: Path, change: Change, word: str) -> None:
    page = write_report(story_report_of(change(there_and_back())), tmp_path).read_text(encoding="utf-8")
    assert f"<b>{word}</b>" in page
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(|\ssrc=|\shref=", page)
    for name in ("crash", "reprotect", "failback"):
        assert name in page


def test_a_story_that_never_began_has_a_report_too(tmp_path: Path) -> None:
    story = there_and_back()
    empty = dict.fromkeys(Site, ())
    nothing = with_whole(
        replace(story, records=(), roles_after=None, handovers=(), lag=empty), unfinished=("the system is not ready",)
    )
    report = story_report_of(nothing)
    assert not report.passed
    assert "the system is not ready" in report.verdict
    assert write_report(report, tmp_path).is_file()


def test_the_json_says_of_every_chapter_what_was_lost_and_how_long_it_took(tmp_path: Path) -> None:
    report: StoryReport = story_report_of(there_and_back())
    write_report(report, tmp_path)
    content = json.loads((tmp_path / "drill-there-and-back.json").read_text(encoding="utf-8"))
    assert [chapter["lost"] for chapter in content["chapters"]] == [2, 0, 0, 0]
    assert [chapter["writer"] for chapter in content["chapters"]] == ["primary", "recovery", "recovery", "primary"]
    assert content["chapters"][0]["rto_seconds"] == pytest.approx(18.42, abs=0.1)
    assert content["passed"]
