"""Lives that chance would need long to lead: each is told in its name, and must be as safe and end as protected."""

from __future__ import annotations

import random

import pytest

from function_runtime.control import OrderKind
from function_runtime.sites import Site
from shared.environment import Kind
from tests.lives.life import DONE, Life

pytestmark = pytest.mark.exhaustive

LONG_INTO_THE_HANDOVER = 900
"""So many calls after a reprotection has begun, it has waited for the handover for long."""


@pytest.mark.parametrize(
    ("site", "before"),
    [(Site.PRIMARY, True), (Site.RECOVERY, False)],
    ids=["primary's, before the failover", "recovery's, after it"],
)
def test_a_life_in_which_a_word_is_not_out_in_time(site: Site, *, before: bool) -> None:
    """The alarms of a site stand still while authority is on its way, in both directions."""
    life = Life(chance=random.Random(1))  # noqa: S311 - no secret
    waited = False
    for _ in Site:
        if before:
            life.alarms_stand_still_or_go_on(site)
        life.failover_is_ordered()
        life.tick(10)
        if not before:
            life.alarms_stand_still_or_go_on(site)
        with life.struck(LONG_INTO_THE_HANDOVER):
            life.reprotects()
        life.tick(10)
        waited |= any(life.always.record(each).handover is not None for each in Site)
        life.failover_is_ordered()
        life.tick(10)
        life.settle()
    assert waited


def test_a_life_in_which_a_fence_is_cut_off() -> None:
    """The old writer is in quarantine, its clients are still connected, and people are quicker than its guard."""
    life = Life()
    life.services_fall_silent_in_the_next_fence()
    life.failover_is_ordered(OrderKind.FORCED)
    life.tick(20)
    assert life.always.newest.writer_site is Site.RECOVERY
    life.all_is_well_again()
    assert life.aws.instances[Site.PRIMARY].old_connections
    life.reprotects()
    life.settle()


def test_a_life_in_which_the_old_writer_is_named_again() -> None:
    """It had its final snapshot, takes writes again, and is the old writer once more."""
    life = Life()
    life.failover_is_ordered()
    life.tick(10)
    with life.struck("delete_db_instance"):
        life.reprotects()
    assert life.aws.rds[Site.PRIMARY].snapshots
    life.region_goes_dark_or_returns(Site.RECOVERY)
    life.tick(2)
    life.writer_is_named()
    life.tick(10)
    assert life.always.newest.writer_site is Site.PRIMARY
    life.all_is_well_again()
    life.settle()
    life.failover_is_ordered()
    life.tick(10)
    life.settle()


def test_a_life_in_which_another_database_stands_under_the_old_writers_name() -> None:
    life = Life()
    life.failover_is_ordered()
    life.tick(10)
    life.another_database_comes_by_hand()
    assert life.reprotects() != DONE
    life.settle()


def test_a_life_in_which_a_standby_is_mended_while_it_is_replaced_and_the_writer_dies() -> None:
    life = Life()
    life.standby_fails_or_is_mended()

    def both() -> None:
        life.standby_fails_or_is_mended()
        life.writer_dies_or_comes_back()
        life.tick(10)

    with life.struck("delete_db_instance", both):
        life.reprotects()
    assert life.aws.events.count("deleted")
    life.settle()


def test_a_life_in_which_a_site_is_overruled_and_returns_when_the_writer_dies() -> None:
    life = Life()
    life.services_fall_silent_or_answer(Site.RECOVERY)
    life.tick(2)
    life.writer_is_named()
    life.tick(2)
    assert life.always.newest.authority is Site.PRIMARY
    life.writer_dies_or_comes_back()
    life.tick(10)
    life.services_fall_silent_or_answer(Site.RECOVERY)
    life.tick(10)
    life.settle()


@pytest.mark.parametrize("kind", [Kind.PRODUCTION, Kind.DEVELOPMENT])
def test_a_life_in_which_people_deploy_what_is_wrong(kind: Kind) -> None:
    life = Life(kind=kind)
    for _ in Site:
        life.edits("activeSite", life.always.newest.writer_site.other)
        life.edits("retiring", life.always.newest.writer_site)
        assert life.deploys("data") != DONE
        life.data_keys_are_made_anew()
        for site in (None, *Site):
            life.automation_is_edited(site)
            assert life.deploys("dr-automation") != DONE
        life.failover_is_ordered()
        life.tick(10)
        life.settle()
