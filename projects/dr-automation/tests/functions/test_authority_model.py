"""Authority and latch, enumerated in full: every state that two controllers, their words and Route 53 can get into.

The real functions say what a controller's word is, what a handover waits for, which step follows, and what the other
site's record becomes. Everything else is the world at its worst. A run publishes, or is killed before it; an alarm
evaluates its metric at any later time, and Route 53 copies an alarm at any time after that, each of recovery's two for
itself; a region falls silent at any moment, for ever or not; the controller with authority fails over at any moment
that the record lets it: its name moves first, then the record, or back where the promotion never comes; a handover is
begun, and taken back, at any moment. A run may be killed between any two writes.

What is assumed: what an alarm has shown for the margin, Route 53 has copied; and an alarm that is seen is one whose
region Route 53 sees too.

What is claimed of every state: never do two controllers act; the name leads to the writer, but for the time in which a
failover switches it, until Route 53 has copied the new word of the one that has failed over; every handover can end.
Without any one of the three waits, or without the margin, the same search finds a state in which that is not so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeVar

import pytest

from failover.handover import awaited, next_step
from failover.latch import ALARM, OK, word
from failover.telling import telling
from function_runtime.handover import Handover, HandoverStep
from function_runtime.sites import Site
from function_runtime.state import Controller

AT = datetime(2026, 1, 1, tzinfo=UTC)
MARGIN = timedelta(minutes=2)
LATER = AT + MARGIN
THRESHOLDS = {Site.PRIMARY: (1,), Site.RECOVERY: (1, 2)}
Each = TypeVar("Each")
NO_MARGIN = "margin"
GIVEN_UP = "given up"
"""The last incident of a record whose name goes back, until it has."""
Flags = tuple[tuple[bool, ...], tuple[bool, ...]]


@dataclass(frozen=True)
class World:
    """One state. What is of a site comes as a pair, primary's first.

    Attributes:
        records: each table's record; of epochs only the order is kept.
        said: the word that each controller published last.
        evaluated: the word that its alarms have evaluated.
        copied: what Route 53 has copied: whether the word was at the threshold 1 (and 2) or above.
        dark: whether its region is silent.
    """

    records: tuple[Controller, Controller]
    said: tuple[int, int]
    evaluated: tuple[int, int]
    copied: Flags
    dark: tuple[bool, bool] = (False, False)

    def record(self, site: Site) -> Controller:
        return self.records[index(site)]

    def is_dark(self, site: Site) -> bool:
        return self.dark[index(site)]

    def with_record(self, site: Site, record: Controller) -> World:
        return replace(self, records=ranked(put(self.records, site, record)))

    @property
    def name(self) -> Site:
        """Where the writer's name leads: to primary's database where two of three are healthy."""
        healthy = sum(not flag for flags in self.copied for flag in flags)
        return Site.PRIMARY if healthy >= 2 else Site.RECOVERY

    @property
    def acting(self) -> list[Site]:
        return [site for site in Site if self.record(site).authority is site]

    @property
    def writer(self) -> Site:
        newest = max(record.epoch for record in self.records)
        (writer,) = {record.writer_site for record in self.records if record.epoch == newest}
        return writer

    @property
    def is_switching(self) -> bool:
        """Whether a controller is failing over, or has and Route 53 has not copied that yet; or its name goes back."""
        return any(
            record.switching_to is site
            or record.last_incident_id == GIVEN_UP
            or (record.writer_site is site and self.copied[index(site)] != flags(site, word(site, record)))
            for site in self.acting
            for record in (self.record(site),)
        )

    def settled(self, site: Site) -> World:
        """The same, where a name that goes back has gone back: nothing of the other word is under way any more."""
        at, record = index(site), self.record(site)
        said = word(site, record)
        is_out = (self.said[at], self.evaluated[at], self.copied[at]) == (said, said, flags(site, said))
        return self.with_record(site, replace(record, last_incident_id=None)) if is_out else self


def index(site: Site) -> int:
    return int(site is Site.RECOVERY)


def put(pair: tuple[Each, Each], site: Site, value: Each) -> tuple[Each, Each]:
    return (pair[0], value) if site is Site.RECOVERY else (value, pair[1])


def flags(site: Site, said: int) -> tuple[bool, ...]:
    return tuple(said >= threshold for threshold in THRESHOLDS[site])


def ranked(records: tuple[Controller, Controller]) -> tuple[Controller, Controller]:
    """The same with epochs 0 and 1: nothing depends on more than which is higher."""
    lowest = min(record.epoch for record in records)
    first, second = (replace(record, epoch=int(record.epoch > lowest), version=1) for record in records)
    return first, second


def beginning(writer: Site) -> World:
    record = Controller(version=1, writer_site=writer, authority=writer.other)
    said = word(Site.PRIMARY, record), word(Site.RECOVERY, record)
    return World((record, record), said, said, (flags(Site.PRIMARY, said[0]), flags(Site.RECOVERY, said[1])))


# What can happen


def following(world: World, without: str | None) -> Iterator[World]:
    for site in Site:
        at, record = index(site), world.record(site)
        yield replace(world, said=put(world.said, site, word(site, record))).settled(site)
        yield replace(world, evaluated=put(world.evaluated, site, world.said[at])).settled(site)
        yield replace(world, dark=put(world.dark, site, not world.is_dark(site)))
        if not world.is_dark(site):
            for number, flag in enumerate(flags(site, world.evaluated[at])):
                copied = (*world.copied[at][:number], flag, *world.copied[at][number + 1 :])
                yield replace(world, copied=put(world.copied, site, copied)).settled(site)
        if record.authority is site and record.switching_to is site:
            # It takes writes, which nobody looks for before its word is said; or a person gives up a promotion that RDS
            # has dropped, and the name goes back.
            if world.said[at] == word(site, record):
                yield world.with_record(site, replace(record, writer_site=site, switching_to=None))
            yield world.with_record(site, replace(record, switching_to=None, last_incident_id=GIVEN_UP))
        elif record.authority is site and record.writer_site is site.other:
            yield world.with_record(
                site, replace(record, epoch=record.epoch + 1, switching_to=site, last_incident_id=None)
            )
            yield world.with_record(site, replace(record, epoch=record.epoch + 1))  # one that is taken back
        handover = record.handover
        if handover is not None:
            yield from handing_over(world, site, record, handover, without)
        elif record.authority is site and record.writer_site is site:
            begun = Handover(site, site.other, "arn:person", 0, AT)
            yield world.with_record(site, replace(record, handover=begun))


def handing_over(
    world: World, giver: Site, record: Controller, handover: Handover, without: str | None
) -> Iterator[World]:
    if handover.given_up_at is None:
        yield world.with_record(giver, replace(record, handover=None))
    wanted = awaited(record, handover)
    seen, copied = flags(wanted.site, world.evaluated[index(wanted.site)]), world.copied[index(wanted.site)]
    if handover.next_step == without:
        handover, seen, copied = replace(handover, seen_since=AT), *[flags(wanted.site, wanted.word)] * 2
    elif world.is_dark(wanted.site):
        seen = ()
    states = tuple(ALARM if flag else OK for flag in seen) if seen else None
    yield world.with_record(giver, replace(record, handover=next_step(record, handover, states, AT, MARGIN).handover))
    if seen != copied and without != NO_MARGIN:
        return  # The margin is not over: Route 53 would have copied it.
    following = next_step(record, handover, states, LATER, MARGIN)
    handover = replace(following.handover, seen_since=None)
    if following.step is HandoverStep.GIVE_UP:
        if handover.given_up_at is None:
            yield world.with_record(giver, replace(record, handover=replace(handover, given_up_at=AT)))
        else:
            yield world.with_record(giver, replace(record, authority=handover.receiver))
    elif following.step is not None and not any(world.dark):
        # The other site's table is written, or, where it was before a run was killed, this one's.
        authority = handover.receiver if following.step is HandoverStep.TAKE else giver
        tell = telling(record, world.record(giver.other), authority)
        if tell.record is not None:
            yield world.with_record(giver.other, tell.record)
        elif tell.refusal is None:
            over = following.step is HandoverStep.TAKE
            yield world.with_record(giver, replace(record, handover=None if over else replace(handover, told_at=AT)))


@cache
def found(without: str | None = None) -> dict[World, World | None]:
    """Every state that can be reached, each with one from which it can be."""
    came_from: dict[World, World | None] = {beginning(writer): None for writer in Site}
    ahead = list(came_from)
    while ahead:
        world = ahead.pop()
        for each in following(world, without):
            if each not in came_from:
                came_from[each] = world
                ahead.append(each)
    return came_from


def is_wrong(world: World) -> bool:
    return world.name is not world.writer and not world.is_switching


# What is claimed


def test_never_do_two_controllers_act() -> None:
    assert all(len(world.acting) <= 1 for world in found())


def test_the_name_leads_to_the_writer_but_while_a_failover_switches_it() -> None:
    assert not any(is_wrong(world) for world in found())


def test_no_handover_that_has_told_the_other_site_moves_the_name() -> None:
    told = [
        world
        for world in found()
        for each in world.records
        if each.handover and each.handover.told_at and each.handover.receiver not in world.acting
    ]
    assert told
    assert all(world.name is world.writer for world in told)


def test_the_search_goes_there_and_back() -> None:
    for writer in Site:
        assert beginning(writer) in found()
        for acting in ([], [writer], [writer.other]):
            assert any((world.writer, world.acting) == (writer, acting) for world in found()), (writer, acting)


def test_every_handover_can_end() -> None:
    """From every state a handover-free one is reached; dark regions may have to come back for it."""
    leads_to: dict[World, list[World]] = {world: [] for world in found()}
    for world in found():
        for each in following(world, None):
            leads_to[each].append(world)
    ends = [world for world in found() if len(world.acting) == 1 and not any(each.handover for each in world.records)]
    reached, ahead = set(ends), ends
    while ahead:
        for before in leads_to[ahead.pop()]:
            if before not in reached:
                reached.add(before)
                ahead.append(before)
    assert reached == set(found())


@pytest.mark.parametrize("step", [*HandoverStep, NO_MARGIN])
def test_without_any_one_of_the_waits_or_the_margin_the_name_goes_wrong(step: str) -> None:
    assert any(is_wrong(world) for world in found(step)), "the search would not see it, or the wait is not needed"


@pytest.mark.parametrize("step", [*HandoverStep, NO_MARGIN])
def test_without_them_still_no_two_controllers_act(step: str) -> None:
    assert all(len(world.acting) <= 1 for world in found(step))
