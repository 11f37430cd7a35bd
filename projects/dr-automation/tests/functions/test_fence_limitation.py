"""Which database a fence-guard leaves alone, and which it must shut: every state of the record, both sites."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_in_memory.clock import START
from aws_in_memory.recorded import OVER, SHOWN, incident
from fence_guard.limitation import Other, fence_limitation
from fence_guard.on_record import OnRecord, newest
from function_runtime.incident import Incident, Kind, Phase, Step
from function_runtime.readings import Instance
from function_runtime.sites import Site
from function_runtime.state import Controller

WRITABLE = Instance("available", replica_of=None, security_groups={"sg-database": "active"})
REPLICA = Instance("available", replica_of="arn:other", security_groups={"sg-database": "active"})
sites = st.sampled_from(list(Site))
others = st.sampled_from(list(Other))
incidents = st.builds(
    lambda new_writer, count: incident(new_writer, *OVER[:count]), sites, st.integers(min_value=0, max_value=len(OVER))
)
PROMOTION_OF_RECOVERY = incident(Site.RECOVERY, *OVER)


def code(
    site: Site,
    instance: Instance,
    controller: Controller,
    under_way: Incident | None = None,
    last_promotion: Incident | None = None,
    other: Other = Other.WRITES,
) -> str | None:
    limitation = fence_limitation(site, instance, OnRecord(controller, under_way, last_promotion), other)
    return None if limitation is None else limitation.code


@pytest.mark.parametrize("site", list(Site))
@pytest.mark.parametrize("other", [Other.REPLICA, Other.SHUT, Other.UNKNOWN])
def test_before_any_failover_nobody_is_fenced(site: Site, other: Other) -> None:
    assert code(site, WRITABLE, Controller(), other=other) == "no_failover_yet"


@pytest.mark.parametrize("site", list(Site))
def test_two_writers_without_a_promotion_on_record_are_told_of_and_left_alone(site: Site) -> None:
    assert code(site, WRITABLE, Controller()) == "two_writers"
    assert code(site, WRITABLE, Controller(epoch=1, writer_site=site.other)) == "two_writers"


def test_the_writer_is_left_alone_and_the_old_one_is_not() -> None:
    controller, promoted = Controller(epoch=1, writer_site=Site.RECOVERY), PROMOTION_OF_RECOVERY
    assert code(Site.RECOVERY, WRITABLE, controller, last_promotion=promoted) == "writer"
    assert code(Site.PRIMARY, WRITABLE, controller, last_promotion=promoted) is None
    assert code(Site.PRIMARY, WRITABLE, controller, last_promotion=promoted, other=Other.UNKNOWN) is None


def test_a_record_that_names_a_replica_as_the_writer_is_too_old_to_shut_the_only_writer() -> None:
    controller = Controller(epoch=1, writer_site=Site.RECOVERY)
    assert code(Site.PRIMARY, WRITABLE, controller, None, PROMOTION_OF_RECOVERY, Other.REPLICA) == "record_is_older"


def test_whom_a_person_adopts_stays() -> None:
    adopted = Controller(epoch=2, writer_site=Site.PRIMARY, adopted_by="arn:person")
    assert code(Site.PRIMARY, WRITABLE, adopted, last_promotion=PROMOTION_OF_RECOVERY) == "writer"
    assert code(Site.RECOVERY, WRITABLE, adopted, last_promotion=PROMOTION_OF_RECOVERY) is None


@pytest.mark.parametrize(
    ("phases", "other", "limitation"),
    [
        ((), Other.REPLICA, "promotion_not_asked"),
        ((Phase.FENCED,), Other.REPLICA, "promotion_not_asked"),
        ((Phase.FENCED,), Other.WRITES, "two_writers"),
        ((Phase.FENCED, Phase.PROMOTING), Other.REPLICA, None),
        ((Phase.FENCED, Phase.PROMOTING), Other.UNKNOWN, None),
        (SHOWN, Other.WRITES, None),
    ],
)
def test_an_old_writer_is_fenced_from_the_moment_rds_accepts_the_others_promotion(
    phases: tuple[Phase, ...], other: Other, limitation: str | None
) -> None:
    controller = Controller(epoch=1, writer_site=Site.PRIMARY, incident_id="x")
    assert code(Site.PRIMARY, WRITABLE, controller, incident(Site.RECOVERY, *phases), None, other) == limitation


@pytest.mark.parametrize(
    ("called", "other", "limitation"),
    [
        (False, Other.REPLICA, "promotion_not_asked"),
        (False, Other.UNKNOWN, "promotion_not_asked"),
        (True, Other.REPLICA, "promotion_in_doubt"),
        (True, Other.UNKNOWN, None),
        (True, Other.WRITES, None),
    ],
)
def test_a_promotion_that_was_asked_for_without_an_answer_binds_unless_rds_shows_a_replica(
    called: bool, other: Other, limitation: str | None
) -> None:
    step = Step(Phase.PROMOTING, START, called_at=START if called else None)
    asked = incident(Site.RECOVERY, Phase.FENCED).with_step(step)
    assert code(Site.PRIMARY, WRITABLE, Controller(epoch=1, incident_id="x"), asked, None, other) == limitation


def test_a_failover_that_is_taken_back_fences_nobody() -> None:
    taken_back = incident(Site.RECOVERY, Phase.FENCED, Phase.OPENED_AGAIN, kind=Kind.PLANNED)
    controller = Controller(epoch=1, incident_id="x")
    assert code(Site.PRIMARY, WRITABLE, controller, taken_back, other=Other.REPLICA) == "taken_back"
    step = Step(Phase.PROMOTING, START, START, "not_accepted", "the replica has failed", called_at=START)
    refused = incident(Site.RECOVERY, Phase.FENCED).with_step(step)
    assert code(Site.PRIMARY, WRITABLE, controller, refused, other=Other.REPLICA) == "taken_back"


def test_a_fresh_writer_is_left_alone_before_the_record_names_it() -> None:
    controller = Controller(epoch=1, writer_site=Site.PRIMARY, incident_id="x")
    assert code(Site.RECOVERY, WRITABLE, controller, incident(Site.RECOVERY, *SHOWN)) == "becomes_writer"


@pytest.mark.parametrize("site", list(Site))
def test_records_that_differ_shut_nobody_and_two_writers_are_told_of(site: Site) -> None:
    known = OnRecord(Controller(epoch=1, writer_site=site.other), differs=True)
    alone, both = (fence_limitation(site, WRITABLE, known, other) for other in (Other.REPLICA, Other.WRITES))
    assert alone is not None
    assert (alone.code, alone.two_writers) == ("records_differ", False)
    assert both is not None
    assert (both.code, both.two_writers) == ("two_writers", True)


def promoted(site: Site, epoch: int) -> Incident:
    return replace(incident(site, *OVER), epoch=epoch)


def recorded(epoch: int, writer: Site, authority: Site = Site.RECOVERY, **known: Any) -> OnRecord:
    return OnRecord(Controller(epoch=epoch, writer_site=writer, authority=authority), **known)


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        (recorded(2, Site.PRIMARY), recorded(2, Site.PRIMARY), False),
        (recorded(2, Site.PRIMARY), recorded(2, Site.RECOVERY), True),
        (recorded(2, Site.PRIMARY), recorded(1, Site.RECOVERY), False),
        (recorded(2, Site.PRIMARY), recorded(2, Site.PRIMARY, differs=True), True),
        (recorded(2, Site.PRIMARY), recorded(1, Site.PRIMARY, differs=True), False),
        (recorded(2, Site.PRIMARY, site=Site.RECOVERY), recorded(1, Site.PRIMARY, site=Site.PRIMARY), False),
        (recorded(2, Site.PRIMARY, site=Site.PRIMARY), recorded(1, Site.PRIMARY, site=Site.RECOVERY), True),
        (
            recorded(2, Site.PRIMARY, last_promotion=promoted(Site.PRIMARY, 2)),
            recorded(2, Site.PRIMARY, last_promotion=promoted(Site.RECOVERY, 2)),
            True,
        ),
        (
            recorded(2, Site.PRIMARY, last_promotion=promoted(Site.PRIMARY, 2)),
            recorded(2, Site.PRIMARY, last_promotion=promoted(Site.RECOVERY, 1)),
            False,
        ),
    ],
    ids=[
        "same",
        "writers",
        "an older one",
        "differed before",
        "an older one differed",
        "the site without authority is behind",
        "the site with authority is behind",
        "promotions of one epoch",
        "promotions of two epochs",
    ],
)
def test_equally_new_records_that_say_different_things_differ(one: OnRecord, other: OnRecord, differs: bool) -> None:
    assert newest(one, other).differs is newest(other, one).differs is differs


def test_the_newest_promotion_of_any_record_counts() -> None:
    old, new = promoted(Site.RECOVERY, 1), promoted(Site.PRIMARY, 2)
    known = (recorded(3, Site.PRIMARY, last_promotion=old), recorded(2, Site.PRIMARY, last_promotion=new))
    assert newest(*known).last_promotion == newest(*known[::-1]).last_promotion == new
    assert newest(recorded(3, Site.PRIMARY)).last_promotion is None


@given(site=sites, writer=sites, epoch=st.integers(0, 9), under_way=st.none() | incidents, other=others)
def test_a_replica_is_never_fenced(
    site: Site, writer: Site, epoch: int, under_way: Incident | None, other: Other
) -> None:
    assert code(site, REPLICA, Controller(epoch=epoch, writer_site=writer), under_way, None, other) == "replica"


@given(
    writer=sites,
    adopted=st.booleans(),
    under_way=st.none() | incidents,
    last=st.none() | sites.map(lambda site: incident(site, *OVER)),
)
def test_of_two_databases_that_take_writes_the_one_whose_promotion_is_on_record_stays_and_never_none(
    writer: Site, adopted: bool, under_way: Incident | None, last: Incident | None
) -> None:
    controller = Controller(epoch=1, writer_site=writer, adopted_by="arn:person" if adopted else None)
    known = OnRecord(controller, under_way, last)
    limitations = {site: fence_limitation(site, WRITABLE, known, Other.WRITES) for site in Site}
    fenced = {site for site, limitation in limitations.items() if limitation is None}
    if under_way is not None:
        assert fenced == ({under_way.new_writer.other} if under_way.may_be_promoted else set())
    elif adopted:
        assert fenced == {writer.other}
    else:
        assert fenced == (set() if last is None else {last.new_writer.other})
    if not fenced:
        assert any(limitation is not None and limitation.two_writers for limitation in limitations.values())


def test_an_incident_of_an_older_version_is_read() -> None:
    item = incident(Site.RECOVERY, *SHOWN).as_item()
    for step in item["steps"]:
        del step["called_at"]
    assert Incident.from_item(item) == incident(Site.RECOVERY, *SHOWN)
