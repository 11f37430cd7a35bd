"""The checks of a story: those of each chapter, as of a drill of its own, and those of the whole."""

from __future__ import annotations

from drills.clients.history import Outcome
from drills.evidence import Evidence
from drills.judge.check import Check, by_client, numbers
from drills.judge.checks import checks_of
from drills.judge.lost_rows import Judgement
from drills.judge.reigns import name_faults, second_writers
from drills.records.roles import Roles, Said, shared_site
from drills.stories.evidence import ChapterRecord, StoryEvidence
from drills.stories.story import Course
from operations.reprotect.runner import FINISHED
from shared.sites import Site

# The watch asks ten times a second. A machine that is busy with an instance's creation answers later now and then.
LONGEST_UNWATCHED_SECONDS = 2.0


def chapter_checks(
    record: ChapterRecord, evidence: Evidence, judgement: Judgement, roles_after: Roles | None
) -> tuple[Check, ...]:
    """The checks of one chapter.

    Args:
        record: what was noted in it.
        evidence: its part of the evidence.
        judgement: of its rows.
        roles_after: who had which role after it; None where that could not be read.
    """
    chapter = record.chapter
    checks = list(checks_of(chapter.scenario, evidence, judgement))
    if chapter.loses_nothing:
        lost = judgement.lost
        checks.append(Check("No acknowledged row is lost at all", not lost, f"lost: {by_client(evidence, lost)}"))
    if chapter.is_untouched:
        checks.append(_untouched(record, evidence, roles_after))
    if chapter.reprotects:
        checks.append(_reprotected(record))
    return tuple(checks)


def story_checks(evidence: StoryEvidence) -> tuple[Check, ...]:
    """The checks of the whole story."""
    whole, story = evidence.whole, evidence.story
    told = len(evidence.records)
    unfinished = [*whole.unfinished]
    if told < len(story.chapters):
        unfinished.append(f"{told} of {len(story.chapters)} chapters were told")
    checks = [
        Check(
            "The story was told to its end and all records were read",
            not unfinished,
            "; ".join(unfinished) or "nothing is missing",
        ),
        _rows_are_the_clients(evidence),
        _name_is_right(evidence),
        _one_writer(evidence),
    ]
    if not evidence.records:
        return tuple(checks)
    course = story.course(evidence.records[0].writer)
    return (*checks, _epochs(evidence, course), _handovers(evidence, course), *_roles_at_end(evidence, course))


def _untouched(record: ChapterRecord, evidence: Evidence, roles_after: Roles | None) -> Check:
    server = record.old_writer
    # Without an answer for the name nobody has asked the writer; that is the watch's to judge.
    refused = [
        attempt.n
        for client in evidence.clients
        for attempt in client.attempts
        if attempt.outcome is not Outcome.ACKNOWLEDGED
        and not (client is evidence.by_name and attempt.server_address is None)
    ]
    before = record.roles_before.shown[record.writer]
    after = None if roles_after is None else roles_after.shown[record.writer]
    same_server = server.was_started is not None and server.was_started == server.is_started
    same_instance = before is not None and after is not None and before.resource_id == after.resource_id
    return Check(
        "The writer was not touched: no write was refused, its server ran on, it is the same instance",
        not refused and same_server and same_instance,
        f"{len(refused)} writes not acknowledged{numbers(refused)}; its server runs since {server.was_started} "
        f"(at the end: {server.is_started}); its instance was {before and before.resource_id}, and is "
        f"{after and after.resource_id}",
    )


def _reprotected(record: ChapterRecord) -> Check:
    found = record.reprotection
    words = "no reprotection is on record"
    if found is not None:
        steps = ", ".join(f"{each.step}{'' if each.finished_at else ' (not done)'}" for each in found.steps)
        words = f"for the {found.writer_site} site's writer, {found.outcome or 'not finished'}; steps: {steps}"
    return Check(
        "The reprotection is on record as finished, with every step that it began",
        found is not None and found.outcome == FINISHED and all(each.finished_at for each in found.steps),
        words,
    )


def _rows_are_the_clients(evidence: StoryEvidence) -> Check:
    """Chapters look for their own rows only: here it shows when there is another one."""
    final = evidence.whole.final_writer
    attempted = {attempt.n for attempt in evidence.whole.attempts}
    strange = [] if final.rows is None else [row.n for row in final.rows if row.n not in attempted]
    return Check(
        "The database at the end was read back, and holds no row that no client wrote",
        final.rows is not None and not strange,
        final.why_not if final.rows is None else f"{len(final.rows)} rows, {len(strange)} strange{numbers(strange)}",
    )


def _name_is_right(evidence: StoryEvidence) -> Check:
    whole = evidence.whole
    faults = name_faults(whole)
    unwatched = whole.longest_unwatched_seconds
    return Check(
        "The writer's name pointed to the recorded writer all the time, and moved once in each failover",
        not faults and bool(whole.name_changes) and unwatched <= LONGEST_UNWATCHED_SECONDS,
        f"{whole.times_asked} answers, one each 0.1 s, at most {unwatched:.2f} s between two; "
        + ("; ".join(faults) or f"{max(len(whole.name_changes) - 1, 0)} moves, each within its failover"),
    )


def _one_writer(evidence: StoryEvidence) -> Check:
    wrong = second_writers(evidence.whole)
    return Check(
        "At no time two databases took writes",
        not wrong,
        f"{len(wrong)} rows were acknowledged by another database than the writer{numbers(wrong)}",
    )


def _epochs(evidence: StoryEvidence, course: Course) -> Check:
    first = max(said.epoch for said in evidence.records[0].roles_before.said.values())
    recorded = [incident.epoch for incident in evidence.whole.incidents if not incident.is_taken_back]
    wanted = list(range(first + 1, first + course.failovers + 1))
    after = [] if evidence.roles_after is None else [said.epoch for said in evidence.roles_after.said.values()]
    return Check(
        "The epoch grew by exactly one in each failover, and both tables know the last one",
        recorded == wanted and set(after) == {first + course.failovers},
        f"from {first}; incidents: {', '.join(map(str, recorded)) or 'none'}; at the end: "
        f"{', '.join(map(str, after)) or 'not read'}",
    )


def _handovers(evidence: StoryEvidence, course: Course) -> Check:
    seen = evidence.handovers
    words = []
    complete = True
    for each in seen:
        moments = [each.told_at, each.given_up_at, each.taken_at]
        times = [moment for moment in moments if moment is not None]
        complete = complete and len(times) == len(moments) and times == sorted(times)
        spoken = ("never" if at is None else f"{evidence.whole.at(at):.1f} s" for at in moments)
        words.append(
            f"epoch {each.epoch}, {each.giver} to {each.receiver}: told, given up, taken at " + ", ".join(spoken)
        )
    return Check(
        "Every handover of authority is in the history, complete and in order",
        complete and tuple(shared_site(each.giver) for each in seen) == course.handovers,
        f"expected: {', '.join(f'from {giver}' for giver in course.handovers) or 'none'}; found: "
        + ("; ".join(words) or "none"),
    )


def _roles_at_end(evidence: StoryEvidence, course: Course) -> list[Check]:
    roles = evidence.roles_after
    writer, standby = course.writer, course.writer.other
    names = (
        f"At the end both tables say: the writer is {writer}, authority is with {course.authority}",
        f"At the end the database of {writer} is no replica and that of {standby} is one, available",
        "Each database was born again as often as it had to be",
    )
    if roles is None:
        return [Check(name, passed=False, evidence="the roles could not be read") for name in names]
    known = {Said(said.writer, said.authority, 0) for said in roles.said.values()}
    at_start = evidence.records[0].roles_before.generations
    return [
        Check(
            names[0],
            known == {Said(writer, course.authority, 0)},
            "; ".join(f"{site}: writer {said.writer}, authority {said.authority}" for site, said in roles.said.items()),
        ),
        Check(
            names[1],
            _is_pair(roles, writer),
            "; ".join(f"{site}: {_shown(roles, site)}" for site in Site),
        ),
        Check(
            names[2],
            all(roles.generations[site] == at_start[site] + course.reborn[site] for site in Site),
            "generations: " + ", ".join(f"{site} {at_start[site]} to {roles.generations[site]}" for site in Site),
        ),
    ]


def _is_pair(roles: Roles, writer: Site) -> bool:
    active, standby = roles.shown[writer], roles.shown[writer.other]
    return (
        active is not None
        and standby is not None
        and not active.is_replica
        and standby.is_replica
        and standby.status == "available"
    )


def _shown(roles: Roles, site: Site) -> str:
    shown = roles.shown[site]
    return "no instance" if shown is None else f"{shown.status}, {'a replica' if shown.is_replica else 'no replica'}"
