"""Authority is handed over: by three writes and three waits, from any call on, at most one controller acts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from aws_in_memory.aws import Aws, Call, Fault, TakeEffect, no_fault
from aws_in_memory.clock import START, Clock
from aws_in_memory.deployed import REGIONS, SETTINGS_OF, healthy, run
from aws_in_memory.faults import FAULTS, At, Kind, after, before, killed_after, nothing
from aws_in_memory.handovers import (
    acting,
    ask_for_handover,
    fail_over,
    failed_over,
    hand_over,
    is_handed_over,
    order_failover,
    record_of,
    reprotect,
    reprotected,
    settle,
    watched,
    writer_of,
)
from aws_in_memory.refusals import refusal
from aws_in_memory.running import Running, assert_one_writer, instruct, subjects
from failover.adoption import UNTOLD_EPOCHS
from failover.report import report
from function_runtime.control import ABOUT_HANDOVER, Control, InstructionKind, Pause
from function_runtime.handover import Handover
from function_runtime.incident import Phase
from function_runtime.sites import Site

pytestmark = pytest.mark.usefixtures("silent_logs")

PRIMARY, RECOVERY = Site.PRIMARY, Site.RECOVERY
BEGUN = Handover(RECOVERY, PRIMARY, "arn:person", 1, START)
TOLD = replace(BEGUN, told_at=START)


@pytest.mark.parametrize("writer", list(Site))
def test_the_authority_goes_to_the_standbys_site_and_the_name_stays(writer: Site) -> None:
    running = failed_over(writer)
    aws, giver, receiver = running.aws, writer.other, writer
    assert (acting(aws), writer_of(aws), aws.name) == ([giver], giver, giver)
    assert record_of(aws, receiver).epoch == 0, "it has not been told"
    aws.fault = watched(aws)
    hand_over(running)
    told = record_of(aws, receiver)
    assert (told.epoch, told.writer_site, told.authority) == (1, giver, receiver)
    history = aws.plain("handover#000001", giver)
    assert (history["from"], history["to"], history["by"], history["epoch"]) == (giver, receiver, "arn:person", 1)
    assert history["told_at"] < history["given_up_at"] < history["taken_at"]
    assert f"the {receiver} site's controller has the authority" in subjects(aws)
    assert aws.name is giver


@pytest.mark.parametrize("writer", list(Site))
@pytest.mark.parametrize("before_epoch", [0, 8, 98])
def test_there_and_back_and_there_again(writer: Site, before_epoch: int) -> None:
    """Epochs are numbers: 10 is more than 9, and 100 than 99."""
    running = failed_over(writer)
    aws = running.aws
    if before_epoch:
        giver = writer.other
        aws.put({**aws.plain("controller", giver), "epoch": before_epoch}, giver)
        for key in [key for key in aws.items_of(giver) if key.startswith("incident#")]:
            del aws.items_of(giver)[key]
    aws.fault = watched(aws)
    sites = []
    for _ in range(3):
        hand_over(running)
        fail_over(running)
        assert_one_writer(aws, writer_of(aws), acting(aws)[0])
        reprotect(aws)
        running.tick(5, seconds=3)
        sites.append(writer_of(aws))
    assert sites == [writer, writer.other, writer]
    assert max(record_of(aws, site).epoch for site in Site) == (before_epoch or 1) + 3
    kept = {key for site in Site for key in aws.items_of(site) if key.startswith(("incident#", "handover#"))}
    assert len(kept) == 2 * 3 + (0 if before_epoch else 1), "no history is lost"
    assert "TWO" not in subjects(aws)
    assert "NOT FENCED" not in subjects(aws)


@pytest.mark.parametrize("writer", list(Site))
def test_after_it_the_receiver_replaces_a_writer_that_dies(writer: Site) -> None:
    running = failed_over(writer)
    aws = running.aws
    hand_over(running)
    aws.sleep(SETTINGS_OF[writer].policy.cool_down_seconds)
    running.tick(2)
    aws.instances[writer.other].dies(aws.now)
    running.tick(6, seconds=3)
    assert (writer_of(aws), acting(aws), aws.name) == (writer, [writer], writer)


def test_before_it_nobody_acts_without_authority() -> None:
    running = failed_over()
    aws = running.aws
    aws.instances[RECOVERY].dies(aws.now)
    before_it = len(aws.events)
    running.tick(10)
    assert aws.events[before_it:] == []
    assert run(aws, settings=SETTINGS_OF[PRIMARY])["code"] == "no_authority"


def test_a_handover_that_cannot_be_is_refused_with_the_reason_and_begins_when_that_is_gone() -> None:
    running = failed_over()
    aws = running.aws
    aws.instances[PRIMARY].status = "creating"
    ask_for_handover(aws)
    assert running.controller(RECOVERY) == "hand_over_refused"
    assert "creating" in aws.controller["decision"]["reason"]
    assert seen(aws, RECOVERY)["decision"] == aws.controller["decision"]
    aws.instances[PRIMARY].status = "available"
    settle(running, lambda: is_handed_over(aws), 30)


def test_a_standby_that_breaks_in_the_middle_gets_no_authority() -> None:
    running = failed_over()
    aws = running.aws
    ask_for_handover(aws)
    settle(running, lambda: record_of(aws, PRIMARY).epoch == 1, 10)
    aws.instances[PRIMARY].replication_ended = True
    running.tick(20)
    assert acting(aws) == [RECOVERY]
    assert "does not end" in subjects(aws)
    assert subjects(aws).count("does not end") == 1


def test_it_can_be_taken_back_until_it_is_given_up_and_asked_for_again() -> None:
    running = failed_over()
    aws = running.aws
    ask_for_handover(aws)
    settle(running, lambda: record_of(aws, PRIMARY).epoch == 1, 10)
    instruct(aws, InstructionKind.ABANDON, ABOUT_HANDOVER, RECOVERY)
    assert running.controller(RECOVERY) == "handover_taken_back"
    running.tick(10)
    assert acting(aws) == [RECOVERY]
    assert not [key for key in aws.items if key.startswith("handover#")]
    aws.sleep(1)
    hand_over(running)


def test_once_given_up_it_only_goes_forward() -> None:
    running = failed_over()
    aws = running.aws
    ask_for_handover(aws)
    settle(running, lambda: "handover#000001" in aws.items, 20)
    instruct(aws, InstructionKind.ABANDON, ABOUT_HANDOVER, RECOVERY)
    settle(running, lambda: is_handed_over(aws), 20)


def test_who_gave_the_authority_up_never_wakes_up_with_it() -> None:
    running = failed_over()
    aws = running.aws
    kept = dict(aws.items)
    hand_over(running)
    del aws.items["controller"]
    running.tick(3)
    assert acting(aws) == [PRIMARY]
    assert run(aws)["code"] == "no_authority"
    aws.items["controller"] = kept["controller"]
    running.tick(3)
    assert acting(aws) == [PRIMARY]


def test_a_receiver_that_falls_silent_in_between_is_waited_for_and_people_are_told_once() -> None:
    running = failed_over()
    aws = running.aws
    ask_for_handover(aws)
    settle(running, lambda: "handover#000001" in aws.items, 20)
    aws.dark = {REGIONS[PRIMARY]}
    running.tick(20)
    assert acting(aws) == []
    assert subjects(aws).count("handover to primary does not end: NO FAILOVER") == 1
    aws.dark.clear()
    settle(running, lambda: is_handed_over(aws), 10)


def test_a_receiver_that_is_lost_in_between_is_left_by_a_persons_word_at_the_giver() -> None:
    running = failed_over()
    aws = running.aws
    ask_for_handover(aws)
    settle(running, lambda: "handover#000001" in aws.items, 20)
    aws.dark = {REGIONS[PRIMARY]}
    running.tick(2)
    instruct(aws, InstructionKind.ADOPT, RECOVERY, RECOVERY)
    running.tick(2)
    assert (record_of(aws, RECOVERY).authority, record_of(aws, RECOVERY).epoch) == (RECOVERY, 2 + UNTOLD_EPOCHS)
    aws.dark.clear()
    running.tick(3)
    told = record_of(aws, PRIMARY)
    assert (told.epoch, told.authority, told.writer_site) == (2 + UNTOLD_EPOCHS, RECOVERY, RECOVERY)
    assert acting(aws) == [RECOVERY]
    assert not record_of(aws, RECOVERY).owes_telling


# Whatever goes wrong


def play(writer: Site, fault: Fault) -> Aws:
    """A handover from its beginning to its end, with a fault in it, and some runs more."""
    running = reprotected(writer)
    aws = running.aws
    aws.counted.clear()
    ask_for_handover(aws)
    aws.fault = watched(aws, fault)
    settle(running, lambda: is_handed_over(aws), 30)
    aws.fault = no_fault
    running.tick(3)
    assert is_handed_over(aws)
    assert aws.name is writer.other
    return aws


@cache
def calls(writer: Site) -> tuple[Call, ...]:
    """Every call of both controllers in a handover in which nothing fails."""
    made: list[Call] = []
    play(writer, before(made.append))
    return tuple(made)


class OneRun:
    """A fault at one call: a run that is killed by it is over, and those after it live."""

    def __init__(self, where: Call, kind: Kind, meet: Callable[[], None] | None = None) -> None:
        self._where = where
        self.at = At(where.__eq__, kind, meet)

    def __call__(self, call: Call, take_effect: TakeEffect) -> Any:
        if self.at.struck and call != self._where:
            self.at.killed = False
        return self.at(call, take_effect)


FEW = (killed_after,)
# The words, and what follows from them, differ by direction; what a fault does to a call does not.
each = pytest.mark.parametrize(
    ("writer", "fault"),
    [
        pytest.param(writer, fault, marks=[] if fault in FEW and writer is PRIMARY else [pytest.mark.exhaustive])
        for writer in (PRIMARY, RECOVERY)
        for fault in (FAULTS if writer is PRIMARY else FEW)
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)


@each
def test_a_fault_at_any_call_ends_in_the_same_place(writer: Site, fault: Kind) -> None:
    for where in calls(writer):
        one = OneRun(where, fault)
        play(writer, one)
        assert one.at.struck == [where]


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", [nothing, killed_after], ids=lambda fault: fault.__name__)
def test_runs_that_meet_at_any_call_hand_over_once(fault: Kind) -> None:
    writer = PRIMARY
    for where in calls(writer):
        running = reprotected(writer)
        aws = running.aws
        aws.counted.clear()
        ask_for_handover(aws)

        def meet(running: Running = running) -> None:
            running.controller(Site.RECOVERY)
            running.controller(Site.PRIMARY)

        aws.fault = watched(aws, OneRun(where, fault, meet))
        settle(running, lambda aws=aws: is_handed_over(aws), 30)  # type: ignore[misc]
        assert aws.name is writer.other
        assert subjects(aws).count("has the authority") <= 2, "twice is better than never"


@pytest.mark.parametrize("dark", list(Site))
@pytest.mark.parametrize("fraction", [pytest.param(1, marks=pytest.mark.exhaustive), 7])
def test_a_region_that_falls_silent_at_any_call_and_returns_ends_in_the_same_place(dark: Site, fraction: int) -> None:
    for where in calls(PRIMARY)[::fraction]:
        running = reprotected()
        aws = running.aws
        aws.counted.clear()
        ask_for_handover(aws)

        def fall_silent(call: Call, aws: Aws = aws, where: Call = where) -> None:
            if call == where:
                aws.dark = {REGIONS[dark]}

        aws.fault = watched(aws, after(fall_silent))
        running.tick(12, seconds=3)
        aws.dark.clear()
        aws.fault = watched(aws)
        settle(running, lambda aws=aws: is_handed_over(aws), 30)  # type: ignore[misc]
        assert aws.name is RECOVERY


def test_a_table_that_refuses_is_waited_for() -> None:
    running = failed_over()
    aws = running.aws
    ask_for_handover(aws)

    def refuse(call: Call) -> None:
        if call.operation == "dynamodb.put_item" and call.region == REGIONS[PRIMARY]:
            raise refusal("AccessDeniedException")

    aws.fault = before(refuse)
    running.tick(20)
    assert acting(aws) == [RECOVERY]
    assert "does not end" in subjects(aws)
    aws.fault = no_fault
    settle(running, lambda: is_handed_over(aws), 20)


# What people see


def seen(aws: Aws, site: Site) -> dict[str, Any]:
    said = report(aws, SETTINGS_OF[site], Clock(aws), {"order": None})
    assert {"authority", "handover", "standby", "protection"} <= said.keys()
    return said


def test_the_report_says_whether_the_writer_is_protected_and_why_not() -> None:
    running = failed_over()
    aws, codes = running.aws, []

    def code(site: Site) -> object:
        protection = seen(aws, site)["protection"]
        assert protection["protected"] is {"protected": True, "unknown": None}.get(protection["code"], False)
        return protection["code"]

    codes.append(code(RECOVERY))
    for change in ({"source": None}, {"exists": False}, {"source": "arn:database-recovery", "exists": True}):
        for name, value in change.items():
            setattr(aws.instances[PRIMARY], name, value)
        codes.append(code(RECOVERY))
    aws.instances[PRIMARY].replication_ended = True
    codes.append(code(RECOVERY))
    aws.instances[PRIMARY].replication_ended = False
    aws.dark = {REGIONS[PRIMARY]}
    codes.append(code(RECOVERY))
    aws.dark.clear()
    assert codes == [
        "authority_elsewhere",
        "no_standby",
        "no_standby",
        "authority_elsewhere",
        "standby_broken",
        "unknown",
    ]
    ask_for_handover(aws)
    running.controller(RECOVERY)
    handover = seen(aws, RECOVERY)["handover"]
    assert (handover["from"], handover["to"]) == ("recovery", "primary")
    settle(running, lambda: is_handed_over(aws), 30)
    assert (code(PRIMARY), code(RECOVERY)) == ("protected", "unknown")
    assert seen(aws, PRIMARY)["authority"] == seen(aws, RECOVERY)["authority"] == "primary"
    assert seen(aws, RECOVERY)["decision"]["code"] == "no_authority"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("available", "protected"),
        ("backing-up", "protected"),
        ("modifying", "standby_busy"),
        ("rebooting", "standby_busy"),
        ("configuring-something-new", "standby_busy"),
        ("failed", "standby_broken"),
        ("storage-full", "standby_broken"),
        ("stopped", "standby_broken"),
        ("deleting", "standby_broken"),
    ],
)
def test_a_standby_that_rds_is_at_work_on_is_busy_and_not_broken(status: str, code: str) -> None:
    aws = healthy()
    aws.standby.status = status
    assert seen(aws, RECOVERY)["protection"]["code"] == code


def test_a_writer_that_is_dead_or_paused_is_not_protected() -> None:
    aws = healthy(START)
    assert seen(aws, RECOVERY)["protection"]["code"] == "protected"
    aws.put(Control(version=1, pause=Pause("arn:alice", START, "a rebuild")).as_item())
    assert seen(aws, RECOVERY)["protection"] == {
        "protected": False,
        "code": "paused",
        "reason": "a failure would not be answered: arn:alice paused failovers: a rebuild",
    }
    aws.writer.dies(START + timedelta(seconds=1))
    aws.sleep(8)
    both = seen(aws, RECOVERY)["protection"]
    assert both["code"] == "paused"
    assert both["reason"].startswith("the writer has been failing since 12:00 UTC, and arn:alice paused")
    del aws.items["control"]
    alone = seen(aws, RECOVERY)["protection"]
    assert (alone["protected"], alone["code"]) == (False, "writer_in_trouble")
    aws.standby.replication_ended = True
    assert seen(aws, RECOVERY)["protection"]["code"] == "standby_broken", "then there is no failover to wait for"


def test_the_message_at_the_end_of_a_failover_says_first_that_nothing_is_protected() -> None:
    aws = failed_over().aws
    text = next(text for (_, subject), text in zip(aws.messages, aws.texts, strict=True) if "Failover done" in subject)
    assert text.startswith("NOT PROTECTED:\n")
    assert "nox -s reprotect" in text.split("\n\n")[0]


def test_what_was_fenced_is_known_by_its_resource_id() -> None:
    running = failed_over()
    (incident,) = running.aws.incidents
    assert incident["old_writer_resource_id"] == "db-database-primary-1"
    assert incident["steps"][1]["phase"] == Phase.FENCED
    assert running.aws.instances[PRIMARY].describe()["DbiResourceId"] == "db-database-primary-2"


# Orders from before


def test_an_order_that_is_older_than_the_authority_is_dropped_and_people_hear_of_it_once() -> None:
    running = reprotected()
    aws = running.aws
    order_failover(aws, PRIMARY)
    hand_over(running)
    running.tick(4)
    assert writer_of(aws) is RECOVERY
    assert running.controller(PRIMARY) == "healthy"
    assert subjects(aws).count("the planned order is older than the authority") == 1
    told = report(aws, SETTINGS_OF[PRIMARY], Clock(aws), {"order": None})
    assert (told["order"], told["decision"]["code"]) == (None, "healthy")


def test_an_order_that_is_given_after_the_authority_has_come_is_carried_out() -> None:
    running = reprotected()
    hand_over(running)
    fail_over(running)
    assert writer_of(running.aws) is PRIMARY
    assert "older than the authority" not in subjects(running.aws)


def test_a_word_to_hand_the_authority_over_that_is_older_than_it_is_not_heeded() -> None:
    running = reprotected()
    aws = running.aws
    instruct(aws, InstructionKind.HAND_OVER, RECOVERY, PRIMARY)
    hand_over(running)
    fail_over(running)
    reprotect(aws)
    running.tick(4)
    assert acting(aws) == [PRIMARY]
    assert record_of(aws, PRIMARY).handover is None
