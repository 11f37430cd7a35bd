"""Authority under attack: sequences that once left two controllers acting, none, or the right writer shut."""

from __future__ import annotations

import itertools

import pytest

from aws_in_memory.aws import Aws, Call, no_fault
from aws_in_memory.clock import Clock
from aws_in_memory.deployed import REGIONS, SETTINGS_OF, guard, healthy, run
from aws_in_memory.faults import At, before, killed_after
from aws_in_memory.handovers import (
    acting,
    ask_for_handover,
    fail_over,
    failed_over,
    hand_over,
    is_handed_over,
    record_of,
    reprotect,
    reprotected,
    running,
    settle,
    writer_of,
)
from aws_in_memory.running import Running, instruct, subjects, takes_writes, writers
from failover.recorded import StateLostError
from failover.report import report
from fence_guard.on_record import OnRecord, newest
from function_runtime.control import ABOUT_HANDOVER, InstructionKind
from function_runtime.sites import Site
from function_runtime.state import Controller

pytestmark = pytest.mark.usefixtures("silent_logs")

PRIMARY, RECOVERY = Site.PRIMARY, Site.RECOVERY
ADOPT = InstructionKind.ADOPT


def lose_region(aws: Aws, site: Site) -> None:
    aws.dark = {REGIONS[site]}
    aws.instances[site].dies(aws.now)


def region_returns(aws: Aws, site: Site) -> None:
    aws.dark.clear()
    aws.instances[site].comes_back(aws.now)


def make_table_anew(aws: Aws, site: Site, writer: Site) -> None:
    """A table that was lost and deployed again, with nothing but its birth."""
    aws.items_of(site).clear()
    aws.put({"id": "birth", "version": 1, "writer_site": writer.value, "authority": writer.other.value}, site)


def failed_over_to(made: Running, site: Site) -> bool:
    record = record_of(made.aws, site)
    return record.writer_site is site and record.incident_id is None


# A handover whose giver dies right after the other one has taken the authority


def test_a_handover_ends_although_its_receiver_has_failed_over_before_the_giver_could_note_it() -> None:
    made = failed_over()
    aws = made.aws
    ask_for_handover(aws)
    settle(made, lambda: "handover#000001" in aws.items_of(RECOVERY), 20)
    taken = At(lambda call: call.operation == "dynamodb.put_item" and call.region == REGIONS[PRIMARY], killed_after)
    aws.fault = taken
    settle(made, lambda: bool(taken.struck), 20)
    aws.fault = no_fault
    assert acting(aws) == [PRIMARY]
    assert record_of(aws, RECOVERY).handover is not None
    lose_region(aws, RECOVERY)
    aws.sleep(70)
    settle(made, lambda: failed_over_to(made, PRIMARY), 30)
    region_returns(aws, RECOVERY)
    made.tick(20, seconds=3)
    assert record_of(aws, RECOVERY).handover is None
    assert "NO FAILOVER" not in subjects(aws)
    assert writers(aws) == {PRIMARY} == {aws.name}


def test_a_handover_is_taken_back_by_a_person_whose_clock_is_slow() -> None:
    made = failed_over()
    aws = made.aws
    ask_for_handover(aws)
    made.tick(3, seconds=1)
    assert record_of(aws, RECOVERY).handover is not None
    aws.sleep(-180)
    instruct(aws, InstructionKind.ABANDON, ABOUT_HANDOVER, RECOVERY)
    aws.sleep(180)
    assert made.controller(RECOVERY) == "handover_taken_back"
    assert acting(aws) == [RECOVERY]


# A region that was dark with an incident under way, while a person gave the authority to the other site's controller


def dark_in_the_middle_of_an_incident() -> Running:
    """Its controller was about to fence the writer, which has come back since."""
    made = running()
    aws = made.aws
    aws.instances[PRIMARY].dies(aws.now)
    aws.sleep(4)

    def fall_silent(call: Call) -> None:
        if call.operation == "rds.modify_db_instance":
            aws.dark = {REGIONS[RECOVERY]}

    aws.fault = before(fall_silent)
    for _ in range(5):
        if not aws.dark:
            made.controller(RECOVERY)
            aws.sleep(1)
    assert record_of(aws, RECOVERY).incident_id is not None
    aws.fault = no_fault
    aws.instances[PRIMARY].comes_back(aws.now)
    aws.sleep(30)
    instruct(aws, ADOPT, PRIMARY, PRIMARY)
    for _ in range(4):
        made.controller(PRIMARY)
        aws.sleep(20)
    assert acting(aws) == list(Site), "the dark one has not been told"
    assert takes_writes(aws, PRIMARY)
    return made


@pytest.mark.parametrize("first", list(Site))
def test_its_incident_goes_no_further_whoever_runs_first_when_it_returns(first: Site) -> None:
    made = dark_in_the_middle_of_an_incident()
    aws = made.aws
    before_it = len(aws.events)
    aws.dark.clear()
    made.controller(first)
    made.tick(6)
    assert "promoted" not in aws.events
    assert "quarantined" not in aws.events[before_it:]
    assert (writers(aws), acting(aws), aws.name) == ({PRIMARY}, [PRIMARY], PRIMARY)


@pytest.mark.parametrize("fraction", [pytest.param(1, marks=pytest.mark.exhaustive), 5])
def test_its_incident_is_taken_back_where_it_is_told_in_the_middle_of_a_run(fraction: int) -> None:
    """The other table does not answer it, so it hears of the word only when its own table is written."""
    is_over, number = False, 1
    while not is_over:
        made = dark_in_the_middle_of_an_incident()
        aws = made.aws
        aws.dark = {REGIONS[PRIMARY]}
        first = len(aws.called)
        phases: list[str] = []

        def tell(
            call: Call,
            made: Running = made,
            last: int = first + number,
            phases: list[str] = phases,
        ) -> None:
            if call.number == last:
                phases.append(made.aws.incidents[-1]["phase"])
                made.aws.dark.clear()
                made.controller(PRIMARY)

        aws.fault = before(tell)
        made.controller(RECOVERY)
        is_over = not phases
        aws.fault = no_fault
        aws.dark.clear()
        made.tick(6)
        assert (writers(aws), acting(aws), aws.name) == ({PRIMARY}, [PRIMARY], PRIMARY), (number, phases)
        assert "promoted" not in aws.events or phases != ["opened"], number
        number += fraction


def test_it_opens_no_new_incident_either_before_it_is_told() -> None:
    made = running()
    aws = made.aws
    aws.dark = {REGIONS[RECOVERY]}
    instruct(aws, ADOPT, PRIMARY, PRIMARY)
    made.controller(PRIMARY)
    aws.dark.clear()
    aws.instances[PRIMARY].dies(aws.now)
    for _ in range(10):
        aws.sleep(3)
        said = run(aws, settings=SETTINGS_OF[RECOVERY])
    assert said["code"] == "no_authority", said
    assert not aws.incidents


# A table that is not what it was


def test_a_table_made_anew_that_has_lost_epochs_is_lost_and_its_controller_does_nothing() -> None:
    made = running()
    aws = made.aws
    fail_over(made)
    reprotect(aws)
    hand_over(made)
    aws.sleep(70)
    make_table_anew(aws, PRIMARY, RECOVERY)
    assert made.controller(PRIMARY) == "lost"
    with pytest.raises(StateLostError):  # or the operators' command would say that there is nothing to settle
        report(aws, SETTINGS_OF[PRIMARY], Clock(aws), {"order": None})
    lose_region(aws, RECOVERY)
    made.tick(10, seconds=3)
    assert not aws.incidents_of(PRIMARY), "found lost once it is not begun anew when nobody can deny it"
    region_returns(aws, RECOVERY)
    instruct(aws, ADOPT, RECOVERY, PRIMARY)
    made.tick(4)
    assert record_of(aws, PRIMARY).epoch == 2
    assert acting(aws) == [PRIMARY]
    assert writers(aws) == {RECOVERY} == {aws.name}


def test_no_guard_shuts_a_writer_whose_failover_began_from_a_table_made_anew() -> None:
    """The epochs began anew, so the other site's record looks newer, and it names the old writer."""
    made = running()
    aws = made.aws
    fail_over(made)
    reprotect(aws)
    hand_over(made)
    aws.sleep(70)
    lose_region(aws, RECOVERY)
    make_table_anew(aws, PRIMARY, RECOVERY)
    settle(made, lambda: failed_over_to(made, PRIMARY), 30)
    assert record_of(aws, PRIMARY).epoch == record_of(aws, RECOVERY).epoch
    # One failover more than were lost, or one fewer.
    aws.put({**aws.plain("controller", RECOVERY), "epoch": 2}, RECOVERY)
    region_returns(aws, RECOVERY)
    found = guard(aws, PRIMARY)
    assert (found.code, found.two_writers) == ("two_writers", True)
    assert takes_writes(aws, PRIMARY)


@pytest.mark.parametrize("holder", list(Site))
def test_a_record_that_knows_more_than_the_table_that_must_have_made_it_decides_nothing(holder: Site) -> None:
    known = OnRecord(Controller(epoch=2, writer_site=holder.other, authority=holder), site=holder.other)
    for epoch, differs in ((1, True), (2, False), (3, False)):
        own = OnRecord(Controller(epoch=epoch, writer_site=holder.other, authority=holder), site=holder)
        assert newest(known, own).differs is newest(own, known).differs is differs
        assert newest(newest(known, own), own).differs is differs, "nor when it is remembered"


def test_the_new_writers_table_made_anew_neither_moves_the_name_nor_shuts_it() -> None:
    made = running()
    aws = made.aws
    aws.put(Controller(version=4, epoch=0, writer_site=PRIMARY, authority=RECOVERY).as_item(), PRIMARY)
    lose_region(aws, PRIMARY)
    settle(made, lambda: failed_over_to(made, RECOVERY), 10)
    make_table_anew(aws, RECOVERY, RECOVERY)
    region_returns(aws, PRIMARY)
    made.tick(5, seconds=3)
    assert takes_writes(aws, RECOVERY)
    assert aws.name is RECOVERY
    assert "STATE LOST" in subjects(aws)
    aws.instances[PRIMARY].groups = {"sg-quarantine-primary": "active"}
    instruct(aws, ADOPT, RECOVERY, RECOVERY)
    made.tick(5)
    assert (acting(aws), writers(aws), aws.name) == ([RECOVERY], {RECOVERY}, RECOVERY)


def test_people_are_told_where_nobody_has_authority_because_the_receivers_record_is_older_than_it_was() -> None:
    made = running()
    aws = made.aws
    fail_over(made)
    reprotect(aws)
    ask_for_handover(aws)
    settle(made, lambda: record_of(aws, PRIMARY).epoch == 1, 20)
    kept = dict(aws.items_of(PRIMARY))
    settle(made, lambda: is_handed_over(aws), 30)
    aws.items_of(PRIMARY).clear()
    aws.items_of(PRIMARY).update(kept)
    made.tick(5)
    assert acting(aws) == []
    assert "STATE LOST" in subjects(aws)
    instruct(aws, ADOPT, RECOVERY, PRIMARY)
    made.tick(3)
    assert acting(aws) == [PRIMARY]


def test_a_table_born_where_the_other_sites_controller_has_the_authority_already_does_not_act() -> None:
    """An environment that had failed over before it got a second table, with `activeSite` set to what it is."""
    made = running(RECOVERY)
    aws = made.aws
    old = Controller(version=30, epoch=5, writer_site=RECOVERY).as_item()
    del old["authority"]
    make_table_anew(aws, PRIMARY, RECOVERY)
    aws.put(old, RECOVERY)
    assert made.controller(PRIMARY) == "no_authority"
    aws.instances[RECOVERY].dies(aws.now)
    made.tick(10, seconds=3)
    assert aws.events == []
    assert aws.name is RECOVERY
    aws.instances[RECOVERY].comes_back(aws.now)
    made.tick(2)
    hand_over(made)
    assert (record_of(aws, PRIMARY).epoch, writer_of(aws)) == (5, RECOVERY)


# A record that is lost alone


@pytest.mark.parametrize("dark", [False, True])
def test_a_receiver_that_loses_its_record_alone_is_not_taken_for_one_that_was_never_given_authority(dark: bool) -> None:
    made = reprotected()
    aws = made.aws
    hand_over(made)
    made.tick(2)
    if dark:
        lose_region(aws, RECOVERY)
    del aws.items_of(PRIMARY)["controller"]
    made.tick(1, seconds=3)
    record = record_of(aws, PRIMARY)
    assert (record.authority, record.writer_site, record.epoch) == (PRIMARY, RECOVERY, 1)
    if dark:
        settle(made, lambda: failed_over_to(made, PRIMARY), 30)


def test_who_has_given_the_authority_away_again_does_not_get_it_back_by_losing_its_record() -> None:
    made = reprotected()
    aws = made.aws
    hand_over(made)
    fail_over(made)
    reprotect(aws)
    made.tick(2)
    hand_over(made)
    made.tick(2)
    assert acting(aws) == [RECOVERY]
    del aws.items_of(PRIMARY)["controller"]
    made.tick(2)
    assert acting(aws) == [RECOVERY]
    assert record_of(aws, PRIMARY).authority is RECOVERY


def test_authority_by_a_word_at_the_writers_own_site_is_handed_over_in_the_same_epoch_and_stays_away() -> None:
    made = running()
    aws = made.aws
    lose_region(aws, RECOVERY)
    instruct(aws, ADOPT, PRIMARY, PRIMARY)
    made.tick(3)
    assert acting(aws) == [PRIMARY, RECOVERY]
    region_returns(aws, RECOVERY)
    aws.instances[RECOVERY].comes_back(aws.now)
    made.tick(4)
    hand_over(made)
    made.tick(2)
    assert acting(aws) == [RECOVERY]
    del aws.items_of(PRIMARY)["controller"]
    made.tick(2)
    assert acting(aws) == [RECOVERY]


@pytest.mark.parametrize("epochs", list(itertools.product([None, 0, 1, 2], repeat=2)), ids=str)
def test_people_hear_at_once_and_every_hour_of_two_records_of_which_each_names_the_other_site(
    epochs: tuple[int | None, int | None],
) -> None:
    """Whatever their epochs; where there is no record (None), it is what the table was born with."""
    aws = healthy()
    aws.validates = False
    for site, epoch in zip(Site, epochs, strict=True):
        aws.put({"id": "birth", "version": 1, "writer_site": "primary", "authority": site.other.value}, site)
        if epoch is not None:
            aws.put(Controller(version=1, epoch=epoch, authority=site.other).as_item(), site)
    made = Running(aws)
    made.tick(3)
    assert acting(aws) == []
    first = subjects(aws).count("STATE LOST")
    assert first in (1, 2), "by one of them or by each, and once"
    aws.sleep(3600)
    made.tick(1)
    assert subjects(aws).count("STATE LOST") == 2 * first
    instruct(aws, ADOPT, PRIMARY, RECOVERY)
    made.tick(3)
    assert acting(aws) == [RECOVERY]
