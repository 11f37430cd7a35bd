"""A fence-guard reads two tables, of which one is older: it never shuts the right writer, and always the wrong one.

Every pair of tables that failovers, taken back or not, handovers and people's words can leave behind is enumerated,
with every step in between that a run may be killed at: a promotion that is asked for and not shown, a record that does
not know how its incident ended, an authority that is told, given up and not taken, a word that the other site has not
heard of. What is true is kept beside them: who takes writes by what RDS has promoted, or by the person's word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pytest

from aws_in_memory import recorded
from aws_in_memory.clock import START
from aws_in_memory.recorded import incident
from failover.adoption import UNTOLD_EPOCHS
from fence_guard.limitation import Other, Reason, fence_limitation
from fence_guard.on_record import OnRecord, newest
from function_runtime.handover import Handover
from function_runtime.history import History
from function_runtime.incident import Incident, Phase, Step
from function_runtime.readings import Instance
from function_runtime.sites import Site
from function_runtime.state import Controller
from function_runtime.up_to_date import brought_up_to_date

MOST_FAILOVERS = 4
OPENED, FENCED, CALLED, ACCEPTED, NAMED, ON_RECORD, CLOSED, BACK = range(8)
OVER = (CLOSED, BACK)
WRITES = Instance("available", None, {})


class Failover(NamedTuple):
    """An incident, and how far it has come."""

    epoch: int
    to: Site
    progress: int


class Table(NamedTuple):
    """A site's table.

    Attributes:
        epoch: of its record.
        writer: by its record.
        authority: by its record.
        by_word: whether a person has said so.
        owes: whether the other one is to be told of it.
        failovers: its incidents.
        given: the epochs in which its controller gave the authority away.
    """

    epoch: int
    writer: Site
    authority: Site
    by_word: bool = False
    owes: bool = False
    failovers: tuple[Failover, ...] = ()
    given: tuple[int, ...] = ()

    @property
    def under_way(self) -> Failover | None:
        last = self.failovers[-1] if self.failovers else None
        return last if last is not None and last.progress not in OVER and last.epoch == self.epoch else None

    def advanced(self, progress: int) -> Table:
        return self._replace(failovers=(*self.failovers[:-1], self.failovers[-1]._replace(progress=progress)))


class World(NamedTuple):
    """Everything.

    Attributes:
        tables: primary's first.
        replicas: the sites whose databases are.
        truth: who takes writes.
        is_lost: the site that is dark for good, or until the other one tells it of a person's word.
        had_a_word: whether a person has given one; one is enough.
    """

    tables: tuple[Table, Table]
    replicas: frozenset[Site]
    truth: Site
    is_lost: frozenset[Site] = frozenset()
    had_a_word: bool = False

    def table(self, site: Site) -> Table:
        return self.tables[int(site is Site.RECOVERY)]

    def put(self, site: Site, table: Table) -> World:
        own, other = table, self.table(site.other)
        return self._replace(tables=(own, other) if site is Site.PRIMARY else (other, own))


def following(world: World) -> Iterator[World]:
    for site in Site:
        table = world.table(site)
        if table.authority is not site or site in world.is_lost:
            yield from _goes_on_handing_over(world, site, table)
            continue
        if table.owes and table.under_way is None and world.table(site.other).epoch < table.epoch:
            other = world.table(site.other)
            told = other._replace(epoch=table.epoch, writer=table.writer, authority=site, by_word=True, owes=False)
            yield world.put(site.other, told).put(site, table._replace(owes=False))._replace(is_lost=frozenset())
        if table.under_way is not None:
            yield from _carried_through(world, site, table, table.under_way)
        else:
            yield from _begins_something(world, site, table)


def _carried_through(world: World, site: Site, table: Table, failover: Failover) -> Iterator[World]:
    is_promoted = site not in world.replicas
    steps = {OPENED: FENCED, FENCED: CALLED, ACCEPTED: NAMED, NAMED: ON_RECORD, ON_RECORD: CLOSED}
    if failover.progress in steps:
        after = table.advanced(steps[failover.progress])
        if after.failovers[-1].progress == ON_RECORD:
            after = after._replace(writer=site)
        # The name moves when RDS shows the promotion, the record when the new writer takes writes.
        if failover.progress != NAMED or is_promoted:
            yield world.put(site, after)
    if failover.progress == CALLED:
        yield world.put(site, table.advanced(ACCEPTED))
    if failover.progress in (CALLED, ACCEPTED, NAMED) and not is_promoted:
        yield world._replace(replicas=world.replicas - {site}, truth=site)
    # A promotion that RDS has accepted and dropped is given up by a person.
    if failover.progress in (OPENED, FENCED, CALLED, ACCEPTED, NAMED) and not is_promoted:
        yield world.put(site, table.advanced(BACK))


def _begins_something(world: World, site: Site, table: Table) -> Iterator[World]:
    made = sum(len(each.failovers) for each in world.tables)
    if table.writer is not site and site in world.replicas and made < MOST_FAILOVERS:
        opened = Failover(table.epoch + 1, site, OPENED)
        yield world.put(site, table._replace(epoch=opened.epoch, by_word=False, failovers=(*table.failovers, opened)))
    if table.writer is site and site.other not in world.replicas:
        yield world._replace(replicas=world.replicas | {site.other})
    if table.writer is site and site.other in world.replicas:
        other = world.table(site.other)
        if (other.epoch, other.writer, other.authority) == (table.epoch, site, site):
            # Given up: first the history, then the record.
            if table.epoch not in table.given:
                yield world.put(site, table._replace(given=(*table.given, table.epoch)))
            else:
                yield world.put(site, table._replace(authority=site.other))
        elif other.epoch <= table.epoch:
            told = other._replace(epoch=table.epoch, writer=site, authority=site, by_word=table.by_word)
            yield world.put(site.other, told)
    if not world.had_a_word:
        # At the site with authority; and at the other one, while this one is dark and does nothing until it is told.
        for named in set(Site) - world.replicas:
            epoch = max(each.epoch for each in world.tables) + 1
            word = table._replace(epoch=epoch, writer=named, by_word=True, owes=True)
            yield world.put(site, word)._replace(truth=named, had_a_word=True)
            there = world.table(site.other)
            word = there._replace(
                epoch=there.epoch + 1 + UNTOLD_EPOCHS, writer=named, authority=site.other, by_word=True, owes=True
            )
            yield world.put(site.other, word)._replace(truth=named, is_lost=frozenset({site}), had_a_word=True)


def _goes_on_handing_over(world: World, site: Site, table: Table) -> Iterator[World]:
    other = world.table(site.other)
    if table.epoch in table.given and (other.epoch, other.authority) == (table.epoch, site):
        yield world.put(site.other, other._replace(authority=site.other))


@cache
def found() -> dict[World, World | None]:
    """Every world, with one it came from."""
    first = {writer: World((Table(0, writer, writer.other),) * 2, frozenset({writer.other}), writer) for writer in Site}
    came_from: dict[World, World | None] = dict.fromkeys(first.values())
    ahead = list(came_from)
    while ahead:
        world = ahead.pop()
        for each in following(world):
            if each not in came_from:
                came_from[each] = world
                ahead.append(each)
    return came_from


# What a guard makes of them


@cache
def incident_of(failover: Failover) -> Incident:
    done = {OPENED: 0, FENCED: 1, CALLED: 1, ACCEPTED: 2, NAMED: 3, ON_RECORD: 4, CLOSED: 6, BACK: 1}
    made = incident(failover.to, *recorded.OVER[: done[failover.progress]])
    made = replace(made, epoch=failover.epoch, incident_id=f"{failover.epoch:06d}-{failover.to}", version=2)
    if failover.progress == CALLED:
        made = made.with_step(Step(Phase.PROMOTING, START, called_at=START))
    if failover.progress == BACK:
        refused = Step(Phase.PROMOTING, START, START, "not_accepted", "refused")
        opened = Step(Phase.OPENED_AGAIN, START, START, "opened_again", "open")
        made = replace(made.with_step(refused).with_step(opened), phase=Phase.CLOSED)
    return made


@cache
def on_record(site: Site, table: Table, is_lost: bool = False) -> OnRecord:
    """As the guard reads a table (`fence_guard.guard`), with its record or from its birth and its history alone."""
    history = History(
        [incident_of(each) for each in table.failovers],
        [Handover(site, site.other, "arn:person", epoch, START, START, START) for epoch in table.given],
    )
    if is_lost:
        controller = Controller(writer_site=Site.PRIMARY, authority=Site.RECOVERY)
    else:
        under_way = table.under_way
        controller = Controller(
            version=1,
            epoch=table.epoch,
            writer_site=table.writer,
            authority=table.authority,
            adopted_by="arn:person" if table.by_word else None,
            incident_id=None if under_way is None else incident_of(under_way).incident_id,
        )
    controller, open_incident = brought_up_to_date(controller, history)
    promotions = [each for each in history.incidents if each.may_be_promoted]
    return OnRecord(controller, open_incident, promotions[-1] if promotions else None)


def others(world: World, site: Site) -> tuple[Other, ...]:
    """What RDS may say of the other site's database."""
    if site.other in world.replicas:
        return Other.REPLICA, Other.UNKNOWN
    return Other.WRITES, Other.SHUT, Other.UNKNOWN


def limitation(world: World, site: Site, other: Other, *lost: Site) -> Reason | None:
    own, there = (on_record(each, world.table(each), each in lost) for each in (site, site.other))
    return fence_limitation(site, WRITES, newest(own, there), other)


def may_be_shut(world: World, site: Site) -> bool:
    """Whether it is an old writer: another one takes writes, or was asked for and nobody knows what came of it."""
    called = any(
        each.progress in (CALLED, ACCEPTED, NAMED) and each.to is not site
        for table in world.tables
        for each in table.failovers
    )
    return world.truth is not site or called


def story(world: World) -> str:
    path: list[World] = []
    at: World | None = world
    while at is not None:
        path.append(at)
        at = found()[at]
    return "\n".join(map(str, reversed(path)))


def writable() -> Iterator[tuple[World, Site]]:
    return ((world, site) for world in found() for site in Site if site not in world.replicas)


def test_there_is_enough_to_look_at() -> None:
    assert len(found()) > 1000
    assert {world.truth for world in found()} == set(Site)
    assert any(all(table.given for table in world.tables) for world in found()), "there and back"


def test_the_right_writer_is_never_shut() -> None:
    for world, site in writable():
        for other in others(world, site):
            if limitation(world, site, other) is None:
                assert may_be_shut(world, site), story(world)


def test_of_two_that_take_writes_the_wrong_one_is_shut_once_its_promotion_or_a_word_is_on_record() -> None:
    for world, site in writable():
        if world.truth is site or site.other in world.replicas:
            continue
        assert limitation(world, site, Other.WRITES) is None, story(world)


@pytest.mark.parametrize("lost", list(Site))
def test_a_record_that_is_lost_shuts_no_right_writer(lost: Site) -> None:
    """Its incidents and handovers are there; a person's word is in the record alone."""
    for world, site in writable():
        if any(table.by_word for table in world.tables):
            continue
        for other in others(world, site):
            if limitation(world, site, other, lost) is None:
                assert may_be_shut(world, site), story(world)


def test_what_an_old_process_remembers_shuts_no_writer_that_its_own_table_has_made_since() -> None:
    """Without the other table: any record that was read before, and what the own table says now."""
    for world, site in writable():
        if any(table.by_word for table in world.tables):
            continue
        own, before = on_record(site, world.table(site)), found()[world]
        while before is not None:
            memory = newest(*(on_record(each, before.table(each)) for each in (site, site.other)))
            if fence_limitation(site, WRITES, newest(own, memory), Other.WRITES) is None:
                assert may_be_shut(world, site), story(world)
            before = found()[before]


def test_the_newest_promotion_counts_in_whichever_table_it_is() -> None:
    old, new = (
        OnRecord(Controller(epoch=epoch), None, incident_of(Failover(epoch, Site.RECOVERY, CLOSED)))
        for epoch in (9, 10)
    )
    for known in ((old, new), (new, old)):
        assert newest(*known).last_promotion == new.last_promotion


def test_records_that_are_equally_new_and_differ_shut_nobody() -> None:
    one = OnRecord(Controller(epoch=2, writer_site=Site.PRIMARY, adopted_by="arn:person"))
    other = OnRecord(Controller(epoch=2, writer_site=Site.RECOVERY, adopted_by="arn:person"))
    for site in Site:
        found_by = fence_limitation(site, WRITES, newest(one, other), Other.WRITES)
        assert found_by is not None
        assert (found_by.code, found_by.two_writers) == ("two_writers", True)
