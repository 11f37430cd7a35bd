"""The result of one story, from which the page, the JSON and the exit code are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from drills.judge.check import Check
from drills.judge.story_checks import chapter_checks, story_checks
from drills.report.report import DrillReport, report_of
from drills.scenario import DrillOutcome
from drills.stories.evidence import StoryEvidence
from drills.stories.story import Story


@dataclass(frozen=True)
class StoryReport:
    """One story, judged.

    Attributes:
        evidence: what was recorded.
        chapters: each chapter, judged as a drill of its own.
        checks: the conditions on the whole that must all hold.
    """

    evidence: StoryEvidence
    chapters: tuple[DrillReport, ...]
    checks: tuple[Check, ...]

    @property
    def scenario(self) -> Story:
        """What was rehearsed."""
        return self.evidence.story

    @property
    def passed(self) -> bool:
        """Whether every check holds, those of the chapters included."""
        return not self._failed

    @property
    def page_name(self) -> str:
        """The file name of the report's page."""
        return f"drill-{self.scenario.name}.html"

    @property
    def lost(self) -> int:
        """How many acknowledged rows are lost."""
        return sum(chapter.writes.lost for chapter in self.chapters)

    @property
    def acknowledged(self) -> int:
        """How many rows were acknowledged."""
        return sum(len(client.acknowledged) for client in self.evidence.whole.judged.clients)

    @property
    def failovers(self) -> tuple[DrillReport, ...]:
        """The chapters in which the other database became the writer."""
        return tuple(chapter for chapter in self.chapters if chapter.outcome is DrillOutcome.FAILED_OVER)

    @property
    def figures(self) -> tuple[str, str, str, str]:
        """Outcome, RTO, acknowledged rows lost and reported data loss, in words, for the index."""
        told = f"{len(self.chapters)} of {len(self.scenario.chapters)} chapters"
        times = [each.rto_seconds for each in self.failovers]
        reported = [each.rpo_seconds for each in self.failovers if each.rpo_seconds is not None]
        return (
            told,
            ", ".join("-" if seconds is None else f"{seconds:.1f} s" for seconds in times) or "-",
            str(self.lost),
            f"at most {sum(reported):.3g} s" if reported else "-",
        )

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        if self._failed:
            where, check = self._failed[0]
            more = "" if len(self._failed) == 1 else f" {len(self._failed) - 1} more checks failed."
            return f"This check failed, {where}: \u201c{check.name}\u201d ({check.evidence}).{more}"
        course = self.scenario.course(self.evidence.records[0].writer)
        lost = "no acknowledged row was lost"
        if self.lost:
            rows = f"{self.lost} acknowledged row{'s' if self.lost > 1 else ''} of {self.acknowledged}"
            lost = f"{rows} were lost, within what the system reported"
        failovers = f"{course.failovers} failover{'' if course.failovers == 1 else 's'}"
        standbys = sum(course.reborn.values())
        made = f"{standbys} new standby{'' if standbys == 1 else 's'}"
        return (
            f"After {failovers} and {made} the writer is {course.writer}, protected by "
            f"{course.writer.other}; {lost}, and the name never pointed to the wrong database."
        )

    @property
    def _failed(self) -> list[tuple[str, Check]]:
        return [(where, check) for where, check in self._all_checks() if not check.passed]

    def _all_checks(self) -> Iterator[tuple[str, Check]]:
        """The chapters' first: what failed in one explains what is wrong with the whole."""
        for number, chapter in enumerate(self.chapters, start=1):
            for check in chapter.checks:
                yield f"in chapter {number}", check
        for check in self.checks:
            yield "on the whole", check


def story_report_of(evidence: StoryEvidence) -> StoryReport:
    """Judge a story."""
    chapters = []
    judged = replace(evidence, whole=evidence.whole.judged)
    after = [*(record.roles_before for record in evidence.records[1:]), evidence.roles_after]
    for (record, part), roles_after in zip(evidence.told, after, strict=False):
        report = report_of(record.chapter.scenario, part)
        checks = chapter_checks(record, part.judged, report.judgement, roles_after)
        chapters.append(replace(report, checks=checks))
    return StoryReport(evidence, tuple(chapters), story_checks(judged))
