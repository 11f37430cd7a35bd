"""What is held up does not make a failover wait without need, go on against a proof of life, or happen unheard."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from aws_in_memory.aws import Aws, Call, TakeEffect
from aws_in_memory.clock import START
from aws_in_memory.deployed import REGIONS, SETTINGS, healthy, run, writer_dead
from aws_in_memory.faults import At, Killed, killed_before, lost_answer_retried
from aws_in_memory.refusals import refusal, silence
from aws_in_memory.running import Running, assert_one_writer, instruct, killed_once, subjects, writers
from aws_in_memory.stories import give
from function_runtime.control import InstructionKind, OrderKind
from function_runtime.probe_answer import ProbeAnswer
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from function_runtime.state import State

pytestmark = pytest.mark.usefixtures("silent_logs")

SLOW = replace(SETTINGS, policy=replace(SETTINGS.policy, outage_seconds=20.0))


def quick(aws: Aws) -> Aws:
    aws.validates = False
    return aws


def own_state(aws: Aws) -> State:
    return State(aws.of("dynamodb", REGIONS[Site.RECOVERY]), SETTINGS.state_tables[Site.RECOVERY])


def test_a_promotion_that_rds_does_not_show_is_not_asked_for_again_against_a_commit() -> None:
    aws = quick(writer_dead(dark={Site.PRIMARY}))
    killed_once(aws, lambda call: call.operation == "rds.promote_read_replica", killed_before)
    aws.dark.clear()
    aws.writer.comes_back(aws.now)
    Running(aws).tick(20)
    assert "promoted" not in aws.events
    assert_one_writer(aws, Site.PRIMARY)


def test_nor_where_rds_answers_it_with_errors_for_long() -> None:
    aws = quick(writer_dead(dark={Site.PRIMARY}))
    ends_at = aws.now + timedelta(minutes=20)

    def fault(call: Call, take_effect: TakeEffect) -> object:
        if call.operation == "rds.promote_read_replica" and aws.now < ends_at:
            raise refusal("InternalFailure", 500)
        return take_effect()

    aws.fault = fault
    running = Running(aws)
    running.tick(3)
    aws.dark.clear()
    aws.writer.comes_back(aws.now)
    while aws.now < ends_at + timedelta(minutes=2):
        running.tick(seconds=30)
    assert "promoted" not in aws.events
    assert_one_writer(aws, Site.PRIMARY)


@pytest.mark.parametrize("abandoned", [True, False])
def test_a_new_writer_whose_promotion_rds_has_not_shown_yet_is_no_lost_state(abandoned: bool) -> None:
    aws = quick(writer_dead())
    aws.standby.shows_writer_after = timedelta(minutes=5 if abandoned else 20)
    running = Running(aws)
    running.tick()
    if abandoned:
        instruct(aws, InstructionKind.ABANDON, aws.incidents[0]["incident_id"])
    for _ in range(30):
        said = len(aws.published)
        running.tick(seconds=60)
        assert len(aws.published) > said
    assert "STATE LOST" not in subjects(aws)
    assert_one_writer(aws, Site.RECOVERY)


def test_the_name_does_not_wait_for_rds_where_a_probe_has_committed_in_the_new_writer() -> None:
    aws = quick(writer_dead())

    def fault(call: Call, take_effect: TakeEffect) -> object:
        if call.operation == "rds.describe_db_instances" and aws.standby.promoted_at is not None:
            raise refusal("InternalFailure", 500)
        return take_effect()

    aws.fault = fault
    run(aws)
    assert aws.name is Site.RECOVERY
    assert aws.controller["writer_site"] == "recovery"


def test_people_hear_of_a_writer_that_only_a_direct_look_shows_alive() -> None:
    aws = quick(writer_dead())
    answer = ProbeAnswer(Site.PRIMARY, Site.PRIMARY, True, "", SessionOutcome.WORKS, True, "")

    def fault(call: Call, take_effect: TakeEffect) -> object:
        if call.region != REGIONS[Site.PRIMARY]:
            return take_effect()
        if call.operation == "lambda.invoke":
            return {"Payload": io.BytesIO(json.dumps(answer.as_item()).encode())}
        raise silence()

    aws.fault = fault
    for number in range(10):
        assert run(aws, f"run-{number}")["code"] == "commits_after_all"
        aws.sleep(7)
    assert subjects(aws).count("commits_after_all") == 1
    assert aws.incidents == []


def test_a_lease_of_a_run_whose_clock_was_ahead_is_none() -> None:
    aws = quick(healthy(START))
    run(aws, "before", SLOW)
    aws.writer.dies(aws.now)
    aws.sleep(3)
    run(aws, "first", replace(SLOW, run_budget_seconds=3))
    state = own_state(aws)
    state.save_observing(replace(state.observing(), owner="ahead", until=aws.now + timedelta(hours=1)))
    assert run(aws, "next", SLOW)["code"] == "closed"


def test_a_lease_whose_write_the_sdk_made_twice_is_this_runs() -> None:
    aws = quick(healthy(START))
    run(aws, "before", SLOW)
    aws.writer.dies(aws.now)
    aws.sleep(3)
    aws.fault = At(lambda call: call.operation == "dynamodb.put_item", lost_answer_retried)
    assert run(aws, "stays", SLOW)["code"] == "closed"


def test_a_run_that_is_killed_when_it_drops_an_order_has_told_of_it() -> None:
    aws = quick(healthy())
    run(aws)
    give(aws, OrderKind.FORCED, accepts_unknown_loss=True)
    state = own_state(aws)
    state.save_controller(replace(state.controller(), authority_since=aws.now + timedelta(seconds=1), epoch=1))
    aws.sleep(5)

    def fault(call: Call, take_effect: TakeEffect) -> object:
        answer = take_effect()
        if "order_dropped" in aws.controller:
            raise Killed
        return answer

    aws.fault = fault
    with pytest.raises(Killed):
        run(aws, "killed")
    assert "older than the authority" in subjects(aws)
    assert writers(aws) == {Site.PRIMARY}


def test_nor_is_the_hold_on_an_incident_of_such_a_run() -> None:
    aws = quick(writer_dead())
    killed_once(aws, lambda call: bool(aws.incidents) and aws.incidents[0]["phase"] == "fenced")
    (incident,) = aws.incidents
    aws.put({**incident, "lease_until": (aws.now + timedelta(hours=1)).isoformat()})
    assert run(aws, "next")["code"] == "closed"
