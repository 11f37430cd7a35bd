"""Whatever happens in the middle of a failover: one writer, a way on, and somebody who knows.

Each of the first tests is an attack that once left two writers, none, or nobody who knew. Then a property: from every
state that can be reached, with AWS well again, a bounded number of runs leads to exactly one writer under the name, or
a person has been asked a question, and a command answers it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from aws_in_memory.aws import Aws, Call, no_fault
from aws_in_memory.clock import START
from aws_in_memory.deployed import REGIONS, SETTINGS, healthy, run, writer_dead
from aws_in_memory.faults import At, after, before, killed_after, killed_before, nothing
from aws_in_memory.refusals import refusal
from aws_in_memory.running import (
    OWN_GROUP,
    Running,
    assert_one_writer,
    instruct,
    killed_once,
    subjects,
    writers,
)
from aws_in_memory.stories import STORIES, begun, calls_of, give
from function_runtime.control import Control, InstructionKind, OrderKind, Pause
from function_runtime.sites import Site

AUTOMATIC, PLANNED = STORIES[0], STORIES[2]


pytestmark = pytest.mark.usefixtures("silent_logs")


# Row by row


@pytest.mark.parametrize("older", [False, True], ids=["lost", "older"])
@pytest.mark.parametrize("story", [AUTOMATIC, PLANNED], ids=lambda story: story.name)
def test_the_record_is_lost_or_older_at_any_call_and_the_old_host_returns(story: Any, older: bool) -> None:
    for where in calls_of(story):
        aws = begun(story)
        before_it = dict(aws.items.get("controller", {}))

        def lose(aws: Aws = aws, kept: dict[str, Any] = before_it) -> None:
            aws.items.pop("controller", None)
            if older and kept:
                aws.items["controller"] = kept

        aws.fault = at = At(where.__eq__, nothing, lose)
        running = Running(aws)
        running.tick(2)
        aws.fault = no_fault
        if aws.writer.outages and aws.writer.outages[-1].ends is None:
            aws.writer.comes_back(aws.now)
        running.tick(25)
        assert at.struck == [where]
        assert_one_writer(aws)
        assert aws.events.count("promoted") <= 1


@pytest.mark.parametrize("dark", [False, True], ids=["dies", "region dark"])
def test_a_planned_failover_whose_writer_dies_after_the_fence_ends_with_the_replica_as_the_writer(dark: bool) -> None:
    aws = begun(PLANNED)
    killed_once(aws, lambda call: "rebooted" in aws.events)
    aws.writer.dies(aws.now)
    running = Running(aws)
    if dark:
        aws.dark = {REGIONS[Site.PRIMARY]}
        running.tick(80)
        aws.dark.clear()
        running.tick(10)
    else:
        running.tick(60)
    assert_one_writer(aws, Site.RECOVERY)


@pytest.mark.parametrize("why", ["failed", "ended", "denied", "throttled"])
def test_a_planned_failover_that_cannot_promote_is_taken_back(why: str) -> None:
    aws = begun(PLANNED)

    def break_it(call: Call) -> None:
        if "rebooted" not in aws.events:
            return
        if why == "failed":
            aws.standby.status = "failed"
        elif why == "ended":
            aws.standby.replication_ended = True
        elif call.operation == "rds.promote_read_replica":
            raise refusal("AccessDenied", 403) if why == "denied" else refusal("Throttling")

    aws.fault = before(break_it)
    Running(aws).tick(40)
    assert_one_writer(aws, Site.PRIMARY)
    assert "promoted" not in aws.events
    assert "taken back" in subjects(aws)


def test_a_slow_reboot_is_waited_for_before_the_drain_counts() -> None:
    aws = begun(PLANNED)
    aws.writer.reboot_takes = timedelta(seconds=40)
    Running(aws).tick(3)
    (incident,) = aws.incidents
    fenced = next(step for step in incident["steps"] if step["phase"] == "fenced")
    assert aws.writer.rebooted_at is not None
    assert datetime.fromisoformat(fenced["finished_at"]) >= aws.writer.rebooted_at + timedelta(seconds=40)
    assert not aws.writer.old_connections
    assert_one_writer(aws, Site.RECOVERY)


def test_a_planned_failover_waits_for_a_reboot_of_minutes_as_long_as_its_setting_says() -> None:
    aws = begun(PLANNED)
    aws.writer.reboot_takes = timedelta(seconds=345)
    running = Running(aws)
    running.settings = {
        site: replace(settings, planned_fence_timeout_seconds=600.0) for site, settings in running.settings.items()
    }
    running.tick(15)
    assert_one_writer(aws, Site.RECOVERY)
    assert aws.incidents[0]["data_loss_seconds"] == 0


def test_a_reboot_that_never_ends_takes_a_planned_failover_back() -> None:
    aws = begun(PLANNED)
    aws.writer.reboot_takes = timedelta(seconds=600)
    running = Running(aws)
    running.tick(40)
    assert "promoted" not in aws.events
    running.tick(60)
    assert "open again" in subjects(aws)
    assert_one_writer(aws, Site.PRIMARY)


@pytest.mark.parametrize("fenced", [True, False], ids=["it is shut", "it was not reached"])
def test_the_replica_fails_before_rds_accepts_and_the_old_writer_returns_whole(fenced: bool) -> None:
    aws = writer_dead()
    if not fenced:
        aws.writer.refuses_changes = True
    killed_once(aws, lambda call: call.operation == "rds.promote_read_replica", killed_before)
    aws.standby.status = "failed"
    running = Running(aws)
    running.tick(3)
    aws.writer.refuses_changes = False
    aws.writer.comes_back(aws.now)
    running.tick(100)
    assert_one_writer(aws, Site.PRIMARY)
    assert "STUCK" in subjects(aws)
    assert "taken back" in subjects(aws)


def test_a_promotion_that_can_never_be_is_ended_by_a_persons_word() -> None:
    aws = writer_dead()
    killed_once(aws, lambda call: "rebooted" in aws.events)
    aws.standby.replication_ended = True
    running = Running(aws)
    running.tick(2)
    assert f"--abandon {aws.incidents[0]['incident_id']}" in "".join(aws.texts)
    instruct(aws, InstructionKind.ABANDON, aws.incidents[0]["incident_id"])
    aws.writer.comes_back(aws.now)
    running.tick(3)
    assert_one_writer(aws, Site.PRIMARY)
    assert "abandoned" in subjects(aws)


@pytest.mark.parametrize(
    "gone", [{"arn:failures"}, {"arn:failures", "arn:recoveries"}], ids=["one topic", "every topic"]
)
def test_people_who_cannot_be_told_hold_nothing_up_and_hear_it_later(gone: set[str]) -> None:
    aws = writer_dead(dark={Site.PRIMARY})
    aws.witness_sees = None
    aws.gone_topics = gone
    running = Running(aws)
    running.tick(4)
    assert aws.events.count("promoted") == 1
    aws.dark.clear()
    aws.gone_topics = set()
    running.tick(4)
    assert "Failover done" in subjects(aws)
    assert_one_writer(aws, Site.RECOVERY)


def test_what_the_old_writer_took_until_it_was_shut_is_counted() -> None:
    aws = writer_dead(dark={Site.PRIMARY})
    running = Running(aws)
    aws.standby.promotion_takes = timedelta(seconds=40)
    aws.fault = after(lambda call: aws.dark.clear() if "promoted" in aws.events else None)
    killed_once(aws, lambda call: "promoted" in aws.events)
    aws.dark.clear()
    aws.writer.comes_back(aws.now)
    running.guard(Site.PRIMARY)
    running.tick(3)
    closing = next(text for (_, subject), text in zip(aws.messages, aws.texts, strict=True) if "done" in subject)
    at = datetime.fromisoformat(aws.plain("fence#primary")["at"])
    assert f"plus whatever the old writer took until {at:%H:%M:%S} UTC" in closing
    assert_one_writer(aws, Site.RECOVERY)


def test_the_state_table_goes_away_after_the_promotion_was_asked_for_and_the_old_writer_returns() -> None:
    aws = writer_dead()
    aws.writer.refuses_changes = True
    running = Running(aws)
    running.controller()
    running.guard(Site.PRIMARY)  # it has seen the record

    def table_is_gone(call: Call) -> None:
        if call.operation.startswith("dynamodb.") and call.region == REGIONS[Site.RECOVERY]:
            raise refusal("ResourceNotFoundException")

    aws.fault = before(table_is_gone)
    aws.writer.refuses_changes = False
    aws.writer.comes_back(aws.now)
    running.tick(3)
    assert writers(aws) == {Site.RECOVERY}


@pytest.mark.parametrize("by", ["pause", "cancel"])
def test_people_take_a_planned_failover_back_at_any_call_before_its_promotion(by: str) -> None:
    for where in calls_of(PLANNED):
        aws = begun(PLANNED)
        asked: list[bool] = []

        def say(aws: Aws = aws, asked: list[bool] = asked) -> None:
            asked.append(any(step["called_at"] for item in aws.incidents for step in item["steps"]))
            control = Control.from_item(aws.plain("control"))
            pause = Pause("arn:person", aws.now, "a migration")
            said = control.with_pause(pause) if by == "pause" else control.with_order(None)
            aws.put(replace(said, version=control.version + 1).as_item())

        aws.fault = At(where.__eq__, nothing, say)
        running = Running(aws)
        running.tick(8)
        aws.fault = no_fault
        if asked == [False] and "promoted" not in aws.events:
            assert writers(aws) == {Site.PRIMARY}
            assert all(incident["phase"] == "closed" for incident in aws.incidents)
        control = Control.from_item(aws.plain("control"))
        aws.put(replace(control.with_pause(None), version=control.version + 1).as_item())
        running.tick(4)
        assert_one_writer(aws)


def test_a_region_that_is_dark_is_replaced_by_one_run_without_a_schedule() -> None:
    aws = writer_dead(dark={Site.PRIMARY})
    assert run(aws)["code"] == "closed"
    assert "no failover" not in subjects(aws), "nobody hears of what a second look decides"


def test_an_order_with_a_time_without_a_zone_counts_as_a_pause_that_names_it() -> None:
    aws = writer_dead()
    item = Control(version=1, pause=Pause("arn:person", START, "x")).as_item()
    item["pause"]["at"] = "2026-01-01T12:00:00"
    aws.put(item)
    with pytest.raises(Exception, match="no time zone"):
        run(aws)
    assert aws.events == []


def test_a_run_that_was_overtaken_tells_nobody_that_there_is_no_failover() -> None:
    aws = writer_dead(lag_seconds=0)
    met: list[str] = []

    def overtake(call: Call) -> None:
        if call.operation == "rds.describe_db_instances" and not met:
            met.append("")
            run(aws, "the other", replace(SETTINGS, run_budget_seconds=4))

    aws.fault = before(overtake)
    run(aws, "behind")
    assert "no failover" not in subjects(aws)


@pytest.mark.parametrize("site", list(Site))
def test_a_lost_state_is_told_of_and_settled_by_a_persons_word(site: Site) -> None:
    aws = writer_dead()
    running = Running(aws)
    running.tick(2)
    aws.writer.comes_back(aws.now)
    aws.writer.groups = dict(OWN_GROUP[Site.PRIMARY])
    for key in [key for key in aws.items if key != "control"]:
        del aws.items[key]
    aws.published.clear()
    running.tick(600, seconds=8)
    assert running.lost
    assert subjects(aws).count("STATE LOST") == 2, "every hour"
    assert aws.latch == []
    instruct(aws, InstructionKind.ADOPT, site)
    running.tick(6)
    assert_one_writer(aws, site)
    assert f"PostgreSQL writer is {site}, by a person's word" in subjects(aws)


# Whatever happens


class NoDeadEnds(RuleBasedStateMachine):
    """Failovers of every kind, and everything that the attacks above did to them, in any order."""

    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)

    @initialize(
        planned=st.booleans(),
        lag_seconds=st.sampled_from([0.0, 0.0, 20.0]),
        dead=st.booleans(),
        reboot=st.integers(1, 90),
    )
    def begin(self, planned: bool, lag_seconds: float, dead: bool, reboot: int) -> None:
        self.aws = healthy(lag_seconds=lag_seconds, slot_lag_bytes=0.0)
        self.aws.validates = False
        self.aws.writer.reboot_takes = timedelta(seconds=reboot)
        self.running = Running(self.aws)
        self.running.tick()
        self.kept = dict(self.aws.items)
        if dead:
            self.aws.writer.dies(self.aws.now)
        if planned and "controller" in self.aws.items:
            give(self.aws, OrderKind.PLANNED)

    @rule(seconds=st.sampled_from([1, 7, 25, 70]))
    def runs(self, seconds: int) -> None:
        self.running.tick(seconds=seconds)

    @rule(number=st.integers(1, 40))
    def a_run_is_killed(self, number: int) -> None:
        first = len(self.aws.called)
        self.aws.fault = At(lambda _: len(self.aws.called) - first >= number, killed_after)
        self.running.controller()
        self.aws.fault = no_fault

    @rule(operation=st.sampled_from(["rds.", "sns.", "dynamodb.put_item", "dynamodb.", "cloudwatch.put_metric_data"]))
    def a_service_refuses_for_a_while(self, operation: str) -> None:
        def refuse(call: Call) -> None:
            if call.operation.startswith(operation):
                raise refusal("InternalFailure", 500)

        self.aws.fault = before(refuse)
        self.running.tick(2)
        self.aws.fault = no_fault

    @rule()
    def the_writer_dies_or_comes_back(self) -> None:
        writer = self.aws.writer
        if writer.outage(self.aws.now) is None:
            writer.dies(self.aws.now)
        else:
            writer.comes_back(self.aws.now)

    @rule()
    def the_region_goes_dark_or_returns(self) -> None:
        self.aws.dark = set() if self.aws.dark else {REGIONS[Site.PRIMARY]}

    @rule(status=st.sampled_from(["failed", "available", "backing-up"]))
    @precondition(lambda self: self.aws.standby.status != "rebooting")
    def the_replica_fails_or_works(self, status: str) -> None:
        self.aws.standby.status = status

    @rule(seconds=st.sampled_from([0, 5]))
    def rds_drops_the_next_promotion_that_it_accepts(self, seconds: int) -> None:
        self.aws.standby.drops_promotions = [timedelta(seconds=seconds)]

    @rule()
    def the_record_is_lost(self) -> None:
        self.aws.items.pop("controller", None)

    @rule()
    def an_older_table_is_restored(self) -> None:
        for key in list(self.aws.items):
            if key != "control":
                del self.aws.items[key]
        self.aws.items.update({key: item for key, item in self.kept.items() if key != "control"})

    @rule(what=st.sampled_from(["pause", "resume", "cancel", "abandon"]))
    def people_say(self, what: str) -> None:
        control = Control.from_item(self.aws.plain("control")) if "control" in self.aws.items else Control()
        if what == "abandon":
            for incident in self.aws.incidents[-1:]:
                instruct(self.aws, InstructionKind.ABANDON, incident["incident_id"])
            return
        said = control.with_order(None)
        if what != "cancel":
            said = control.with_pause(Pause("arn:person", self.aws.now, "x") if what == "pause" else None)
        self.aws.put(replace(said, version=control.version + 1).as_item())

    def teardown(self) -> None:
        """AWS is well again: a bounded number of runs leads to one writer, or to a question that a command answers."""
        if hasattr(self, "aws"):
            self.settle()
        logging.disable(logging.NOTSET)

    def settle(self) -> None:
        aws, running = self.aws, self.running
        aws.fault = no_fault
        aws.dark.clear()
        if aws.standby.status in ("failed", "backing-up"):
            aws.standby.status = "available"
        if aws.writer.outage(aws.now) is not None:
            aws.writer.comes_back(aws.now)
        if "control" in aws.items:
            control = Control.from_item(aws.plain("control"))
            aws.put(replace(control.with_pause(None), version=control.version + 1).as_item())
        told = len(aws.messages)
        running.tick(40)
        if running.lost:
            assert "STATE LOST" in subjects(aws), aws.messages[told:]
            instruct(aws, InstructionKind.ADOPT, Site.RECOVERY if aws.standby.source is None else Site.PRIMARY)
            running.tick(10)
        elif aws.controller.get("decision", {}).get("code") == "writer_is_shut":
            assert "no failover: writer_is_shut" in subjects(aws)
            instruct(aws, InstructionKind.ADOPT, aws.controller["writer_site"])
            running.tick(10)
        elif "proposal" in aws.controller:
            assert "APPROVAL NEEDED" in subjects(aws)
            give(aws, OrderKind.APPROVE, accepted_loss_seconds=1e6, accepts_unknown_loss=True)
            running.tick(30)
        elif "incident_id" in aws.controller:
            assert "--abandon" in "".join(aws.texts[told:]), aws.messages[told:]
            instruct(aws, InstructionKind.ABANDON, aws.controller["incident_id"])
            running.tick(30)
        assert_one_writer(aws)


TestNoDeadEnds = pytest.mark.exhaustive(NoDeadEnds.TestCase)
TestNoDeadEnds.settings = settings(
    max_examples=20, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
