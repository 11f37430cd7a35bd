"""What a story consists of: several drills, one after the other, in one lab whose clients never stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from drills.scenario import DrillOutcome, Scenario
from shared.sites import Site


@dataclass(frozen=True)
class Chapter:
    """One part of a story.

    Attributes:
        scenario: what happens, and what the system must do.
        loses_nothing: whether no acknowledged row may be lost, whatever the system reports.
        reprotects: whether it makes a standby for the writer.
        spares_writer: whether the writer must not be touched; who makes a standby never may.
    """

    scenario: Scenario
    loses_nothing: bool = False
    reprotects: bool = False
    spares_writer: bool = False

    @property
    def is_untouched(self) -> bool:
        """Whether the writer must be the same server as before, and have refused nothing."""
        return self.reprotects or self.spares_writer

    @property
    def moves_writer(self) -> bool:
        """Whether the other site's database is the writer after it."""
        return self.scenario.expected is DrillOutcome.FAILED_OVER


@dataclass(frozen=True)
class Course:
    """What a story must have come to.

    Attributes:
        writer: the site whose database takes writes at the end.
        authority: the site whose controller has the say then.
        failovers: how many there were.
        handovers: who gave authority away, in order.
        reborn: how often the database of each site was born again.
    """

    writer: Site
    authority: Site
    failovers: int = 0
    handovers: tuple[Site, ...] = ()
    reborn: Mapping[Site, int] = field(default_factory=lambda: MappingProxyType(dict.fromkeys(Site, 0)))


@dataclass(frozen=True)
class Story:
    """One story.

    Attributes:
        name: its name on the command line and in reports.
        summary: what happens, in one sentence.
        chapters: its parts, in order.
        configuration: stack settings of the lab it runs in, by key; settings from the command line win.
        is_prepared: whether the database of that lab is prepared for probes that log in.
        has_small_disks: whether its servers have disks that can be filled.
    """

    name: str
    summary: str
    chapters: tuple[Chapter, ...]
    configuration: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_prepared: bool = True
    has_small_disks: bool = False

    def course(self, writer: Site) -> Course:
        """What it must come to.

        Args:
            writer: the site whose database takes writes at the start; authority is with the other one.
        """
        authority, failovers, handovers, reborn = writer.other, 0, list[Site](), dict.fromkeys(Site, 0)
        for chapter in self.chapters:
            if chapter.moves_writer:
                writer, failovers = writer.other, failovers + 1
            if chapter.reprotects:
                reborn[writer.other] += 1
                if authority is writer:
                    handovers.append(authority)
                    authority = authority.other
        return Course(writer, authority, failovers, tuple(handovers), MappingProxyType(reborn))
