"""Which database a fence-guard leaves alone, and which it must shut: every state of the record, both sites."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_in_memory.recorded import OVER, PROMOTED, incident
from fence_guard.limitation import fence_limitation
from function_runtime.incident import Incident, Kind, Phase
from function_runtime.readings import Instance
from function_runtime.sites import Site
from function_runtime.state import Controller

WRITABLE = Instance("available", replica_of=None, security_groups={"sg-database": "active"})
REPLICA = Instance("available", replica_of="arn:other", security_groups={"sg-database": "active"})
sites = st.sampled_from(list(Site))
incidents = st.builds(
    lambda new_writer, count: incident(new_writer, *OVER[:count]), sites, st.integers(min_value=0, max_value=len(OVER))
)


def code(site: Site, instance: Instance, controller: Controller, under_way: Incident | None = None) -> str | None:
    limitation = fence_limitation(site, instance, controller, under_way)
    return None if limitation is None else limitation.code


@pytest.mark.parametrize("site", list(Site))
def test_before_any_failover_nobody_is_fenced(site: Site) -> None:
    assert code(site, WRITABLE, Controller()) == "no_failover_yet"


def test_the_writer_is_left_alone_and_the_old_one_is_not() -> None:
    controller = Controller(epoch=1, writer_site=Site.RECOVERY)
    assert code(Site.RECOVERY, WRITABLE, controller) == "writer"
    assert code(Site.PRIMARY, WRITABLE, controller) is None


def test_an_old_writer_is_fenced_from_the_moment_the_others_promotion_is_asked_for() -> None:
    controller = Controller(epoch=1, writer_site=Site.PRIMARY, incident_id="x")
    expected = {
        (): "promotion_not_begun",
        (Phase.FENCED,): "promotion_not_begun",
        (Phase.FENCED, Phase.PROMOTING): None,
        PROMOTED: None,
    }
    for phases, limitation in expected.items():
        assert code(Site.PRIMARY, WRITABLE, controller, incident(Site.RECOVERY, *phases)) == limitation


def test_a_planned_failover_that_is_taken_back_fences_nobody() -> None:
    taken_back = incident(Site.RECOVERY, Phase.FENCED, Phase.OPENED_AGAIN, kind=Kind.PLANNED)
    assert code(Site.PRIMARY, WRITABLE, Controller(epoch=1, incident_id="x"), taken_back) == "promotion_not_begun"


def test_a_fresh_writer_is_left_alone_before_the_record_names_it() -> None:
    controller = Controller(epoch=1, writer_site=Site.PRIMARY, incident_id="x")
    assert code(Site.RECOVERY, WRITABLE, controller, incident(Site.RECOVERY, *PROMOTED)) == "becomes_writer"


@given(site=sites, writer=sites, epoch=st.integers(min_value=0, max_value=9), under_way=st.none() | incidents)
def test_a_replica_is_never_fenced(site: Site, writer: Site, epoch: int, under_way: Incident | None) -> None:
    assert code(site, REPLICA, Controller(epoch=epoch, writer_site=writer), under_way) == "replica"


@given(writer=sites, epoch=st.integers(min_value=1, max_value=9), under_way=st.none() | incidents)
def test_never_are_both_databases_fenced_and_never_may_both_write_once_a_promotion_is_asked_for(
    writer: Site, epoch: int, under_way: Incident | None
) -> None:
    controller = Controller(epoch=epoch, writer_site=writer)
    fenced = {site for site in Site if code(site, WRITABLE, controller, under_way) is None}
    assert len(fenced) <= 1
    if under_way is None:
        assert fenced == {writer.other}
    elif under_way.step(Phase.PROMOTING) is not None:
        assert fenced == {under_way.new_writer.other}
    else:
        assert fenced == set()
