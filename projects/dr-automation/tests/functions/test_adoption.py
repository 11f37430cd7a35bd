"""A person's word which database is the writer, at the site with authority and at the other one; and lost tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aws_in_memory.aws import Aws, Call
from aws_in_memory.deployed import REGIONS, SETTINGS_OF, guard, run
from aws_in_memory.faults import before
from aws_in_memory.handovers import acting, hand_over, record_of, reprotected, running
from aws_in_memory.refusals import refusal
from aws_in_memory.running import instruct, subjects, writers
from failover.adoption import UNTOLD_EPOCHS
from failover.recorded import StateLostError
from function_runtime.control import Control, InstructionKind, Order, OrderKind
from function_runtime.sites import Site
from function_runtime.state import Controller

pytestmark = pytest.mark.usefixtures("silent_logs")

PRIMARY, RECOVERY = Site.PRIMARY, Site.RECOVERY
ADOPT = InstructionKind.ADOPT


def lose(aws: Aws, site: Site) -> None:
    """Everything that the functions and the program have written."""
    for key in [key for key in aws.items_of(site) if key != "control"]:
        del aws.items_of(site)[key]


@pytest.mark.parametrize("writer", list(Site))
def test_an_empty_table_at_the_writers_site_was_never_given_authority_and_is_not_lost(writer: Site) -> None:
    made = running(writer)
    assert set(made.aws.items_of(writer)) == {"birth"}
    assert made.controller(writer) == "no_authority"
    assert made.aws.messages == []
    assert [value for _, value in made.aws.words(writer)][-1] == (1 if writer is RECOVERY else 0)


@pytest.mark.parametrize("site", list(Site))
def test_a_table_without_even_its_birth_is_lost_and_says_nothing(site: Site) -> None:
    made = running()
    lose(made.aws, site)
    said = len(made.aws.words(site))
    with pytest.raises(StateLostError, match="no item controller and no item birth"):
        run(made.aws, settings=SETTINGS_OF[site])
    assert len(made.aws.words(site)) == said
    assert "STATE LOST" in subjects(made.aws)
    assert made.aws.name is PRIMARY


def test_a_word_at_the_site_without_authority_is_refused_while_the_other_one_answers_and_says_where_to_give_it() -> (
    None
):
    made = running()
    instruct(made.aws, ADOPT, PRIMARY, PRIMARY)
    made.tick(3)
    assert acting(made.aws) == [RECOVERY]
    assert subjects(made.aws).count("a word was not heeded") == 1
    assert "give the word there" in "".join(made.aws.texts)


def test_where_its_region_is_dark_a_word_takes_the_authority_and_the_region_follows_when_it_comes_back() -> None:
    made = running()
    aws = made.aws
    aws.dark = {REGIONS[RECOVERY]}
    instruct(aws, ADOPT, PRIMARY, PRIMARY)
    made.tick(2)
    record = record_of(aws, PRIMARY)
    assert (record.epoch, record.authority, record.owes_telling) == (1 + UNTOLD_EPOCHS, PRIMARY, True)
    aws.dark.clear()
    assert made.controller(PRIMARY) == "writer_is_here"
    assert acting(aws) == [PRIMARY]
    assert (record_of(aws, RECOVERY).epoch, record_of(aws, PRIMARY).owes_telling) == (1 + UNTOLD_EPOCHS, False)
    assert made.controller(RECOVERY) == "no_authority"
    made.tick(2)
    assert (aws.name, writers(aws)) == (PRIMARY, {PRIMARY})
    hand_over(made)
    assert acting(aws) == [RECOVERY]


def test_where_its_table_is_lost_a_word_takes_the_authority_and_makes_that_table_whole() -> None:
    made = running()
    lose(made.aws, RECOVERY)
    instruct(made.aws, ADOPT, PRIMARY, PRIMARY)
    made.tick(2)
    assert acting(made.aws) == [PRIMARY]
    assert record_of(made.aws, RECOVERY).authority is PRIMARY
    assert not made.lost


def test_a_lost_table_at_the_site_with_authority_is_adopted_there_newer_than_what_the_other_one_has() -> None:
    made = reprotected()
    aws = made.aws
    hand_over(made)
    lose(aws, PRIMARY)
    instruct(aws, ADOPT, RECOVERY, PRIMARY)
    made.tick(2)
    record = record_of(aws, PRIMARY)
    assert (record.epoch, record.writer_site, record.authority) == (2, RECOVERY, PRIMARY)
    assert record_of(aws, RECOVERY).epoch == 2
    assert acting(aws) == [PRIMARY]


def test_a_lost_table_at_the_other_site_is_not_adopted_there_but_by_a_word_where_the_authority_is() -> None:
    made = running()
    aws = made.aws
    lose(aws, PRIMARY)
    instruct(aws, ADOPT, PRIMARY, PRIMARY)
    made.tick(1)
    made.tick(2)
    assert "controller" not in aws.items_of(PRIMARY)
    assert "".join(aws.texts).count("give the word there") == 1
    aws.instances[PRIMARY].groups = {"sg-quarantine-primary": "active"}  # given up, or a word would not be heeded
    instruct(aws, ADOPT, PRIMARY, RECOVERY)
    made.tick(8)
    told = record_of(aws, PRIMARY)
    assert (told.epoch, told.authority, told.writer_site) == (1, RECOVERY, PRIMARY)
    assert run(aws, settings=SETTINGS_OF[PRIMARY])["code"] == "no_authority"


def test_records_that_are_equally_new_and_differ_are_told_of_once_and_left_to_people() -> None:
    made = running()
    aws = made.aws
    mine = Controller(version=9, epoch=5, writer_site=PRIMARY, authority=PRIMARY, adopted_by="a", owes_telling=True)
    aws.put(mine.as_item(), PRIMARY)
    aws.put(replace(mine, authority=RECOVERY, owes_telling=False).as_item(), RECOVERY)
    made.tick(3)
    assert subjects(aws).count("TWO RECORDS") == 1
    assert not record_of(aws, PRIMARY).owes_telling
    assert record_of(aws, RECOVERY).authority is RECOVERY


def test_an_adoption_that_the_other_table_refuses_is_told_to_it_by_a_later_run() -> None:
    made = running()
    aws = made.aws
    aws.instances[PRIMARY].dies(aws.now)
    aws.instances[PRIMARY].groups = {"sg-quarantine-primary": "active"}

    def refuse(call: Call) -> None:
        if call.operation == "dynamodb.put_item" and call.region == REGIONS[PRIMARY]:
            raise refusal("AccessDeniedException")

    aws.fault = before(refuse)
    instruct(aws, ADOPT, PRIMARY, RECOVERY)
    run(aws)
    assert record_of(aws, RECOVERY).owes_telling
    aws.fault = before(lambda call: None)
    run(aws)
    assert not record_of(aws, RECOVERY).owes_telling
    assert record_of(aws, PRIMARY).epoch == record_of(aws, RECOVERY).epoch == 1


def test_the_guards_believe_a_word_before_the_other_table_has_heard_of_it() -> None:
    """After a failover to recovery its region is lost; a person makes primary the writer; then recovery comes back."""
    made = reprotected()
    aws = made.aws
    aws.instances[PRIMARY].source = None  # promoted by hand
    aws.dark = {REGIONS[RECOVERY]}
    instruct(aws, ADOPT, PRIMARY, PRIMARY)
    made.controller(PRIMARY)
    assert record_of(aws, PRIMARY).writer_site is PRIMARY
    aws.dark.clear()
    assert guard(aws, PRIMARY).code == "writer"
    assert guard(aws, RECOVERY).code == "fenced"
    made.controller(PRIMARY)
    assert (guard(aws, PRIMARY).code, guard(aws, RECOVERY).code) == ("writer", "already_fenced")
    aws.sleep(10)
    assert writers(aws) == {PRIMARY}


def test_an_order_that_waited_in_the_table_of_the_site_that_takes_authority_by_a_word_is_dropped() -> None:
    made = reprotected()
    aws = made.aws
    epoch = record_of(aws, PRIMARY).epoch + UNTOLD_EPOCHS + 2
    order = Order(OrderKind.FORCED, f"{epoch:06d}-ordered", epoch, "arn:bob", aws.now, aws.now + timedelta(hours=1))
    aws.put(Control(version=1, order=replace(order, accepts_unknown_loss=True)).as_item(), PRIMARY)
    aws.dark.add(aws.regions[RECOVERY])
    aws.sleep(1)
    instruct(aws, ADOPT, RECOVERY, PRIMARY)
    made.controller(PRIMARY)
    assert record_of(aws, PRIMARY).epoch == epoch - 1, "the order is for the epoch that comes next"
    made.controller(PRIMARY)
    assert not aws.incidents_of(PRIMARY)
    assert subjects(aws).count("the forced order is older than the authority") == 1
