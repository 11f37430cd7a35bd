"""RDS is asked again for a promotion only after another look; a guard lets go of what was given up meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from aws_in_memory.aws import Aws, Call, TakeEffect
from aws_in_memory.deployed import SETTINGS, guard, healthy, writer_dead
from aws_in_memory.recorded import incident, remember
from aws_in_memory.refusals import refusal
from aws_in_memory.running import Running, assert_one_writer, instruct
from function_runtime.control import InstructionKind
from function_runtime.incident import Phase
from function_runtime.sites import Site
from function_runtime.state import Controller

pytestmark = pytest.mark.usefixtures("silent_logs")


def unfenced(**changes: Any) -> Aws:
    aws = writer_dead(**changes)
    aws.validates = False
    return aws


def test_a_request_of_which_nobody_knows_what_became_is_not_repeated_beside_a_writer_that_commits() -> None:
    aws = unfenced(dark={Site.PRIMARY})
    asked: list[Call] = []

    def fault(call: Call, take_effect: TakeEffect) -> Any:
        if call.operation == "rds.promote_read_replica":
            asked.append(call)
            if len(asked) == 1:
                aws.standby.status = "backing-up"
                raise refusal("InternalFailure", 500)
        return take_effect()

    aws.fault = fault
    running = Running(aws)
    running.tick(3)
    assert len(asked) == 1
    aws.dark.clear()
    aws.writer.comes_back(aws.now)
    running.tick(3, seconds=60)
    aws.standby.status = "available"
    running.tick(5)
    assert len(asked) == 1
    assert_one_writer(aws, Site.PRIMARY)


def test_a_dropped_promotion_is_not_asked_for_again_beside_a_writer_that_commits() -> None:
    aws = unfenced()
    aws.writer.refuses_changes = True
    aws.standby.drops_promotions = [timedelta()]

    def fault(call: Call, take_effect: TakeEffect) -> Any:
        answer = take_effect()
        if call.operation == "rds.promote_read_replica" and aws.writer.outages[-1].ends is None:
            aws.writer.comes_back(aws.now + timedelta(seconds=3))
        return answer

    aws.fault = fault
    Running(aws).tick(20, seconds=5)
    assert aws.events.count("promoted") == 1
    assert_one_writer(aws, Site.PRIMARY)


def test_a_guard_that_rds_has_refused_does_not_shut_a_writer_that_was_given_its_clients_back_meanwhile() -> None:
    aws = unfenced()
    aws.writer.refuses_changes = True
    aws.standby.drops_promotions = [timedelta()] * 9
    running = Running(aws)
    running.settings[Site.RECOVERY] = replace(SETTINGS, run_budget_seconds=3)
    while not aws.incidents or shown_for(aws) < timedelta(seconds=48):
        running.controller()
        aws.sleep(2)
    aws.writer.comes_back(aws.now)
    given_up: list[Call] = []

    def fault(call: Call, take_effect: TakeEffect) -> Any:
        try:
            return take_effect()
        finally:
            if call.operation == "rds.modify_db_instance" and not given_up:
                given_up.append(call)
                instruct(aws, InstructionKind.ABANDON, aws.incidents[0]["incident_id"])
                running.settings[Site.RECOVERY] = SETTINGS
                running.controller()
                aws.writer.refuses_changes = False

    aws.fault = fault
    assert guard(aws).code == "refused"
    assert given_up
    assert_one_writer(aws, Site.PRIMARY)


def shown_for(aws: Aws) -> timedelta:
    since = aws.incidents[0]["steps"][-1]["shows_since"]
    return timedelta() if since is None else aws.now - datetime.fromisoformat(since)


@pytest.mark.parametrize(("ago", "opened"), [(timedelta(seconds=30), True), (timedelta(minutes=10), False)])
def test_a_writer_that_a_guard_has_shut_just_after_its_clients_were_let_in_is_opened(
    ago: timedelta, opened: bool
) -> None:
    aws = healthy()
    taken_back = incident(Site.RECOVERY, Phase.FENCED, Phase.OPENED_AGAIN, Phase.CLOSED)
    remember(aws, Controller(epoch=1, last_incident_id=taken_back.incident_id, let_in_at=aws.now - ago), taken_back)
    aws.writer.groups = {aws.writer.quarantine_group: "active"}
    running = Running(aws, guards=False)
    running.tick(3)
    aws.writer.settle(aws.now)
    assert (aws.writer.groups == {aws.writer.database_group: "active"}) is opened


def test_a_promoted_database_that_fails_later_stays_the_writer_when_a_person_abandons_the_incident() -> None:
    aws = unfenced()
    full: list[datetime] = []

    def fault(call: Call, take_effect: TakeEffect) -> Any:
        answer = take_effect()
        if call.operation == "rds.promote_read_replica":
            aws.broken_probes.add(Site.RECOVERY)
        if call.operation == "rds.describe_db_instances" and aws.standby.source is None and not full:
            full.append(aws.now)
            aws.standby.status = "storage-full"
        return answer

    aws.fault = fault
    running = Running(aws)
    running.tick(2)
    assert full
    instruct(aws, InstructionKind.ABANDON, aws.incidents[0]["incident_id"])
    running.tick(2)
    assert aws.controller["writer_site"] == Site.RECOVERY.value, "it may have taken writes that no other one has"
    assert aws.name is Site.RECOVERY
