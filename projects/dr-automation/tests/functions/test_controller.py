"""A failover ends in the same place, once, whatever happens to the runs that carry it (C2, D4)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError, ConnectTimeoutError

from aws_in_memory.aws import Aws, Call, TakeEffect, no_fault
from aws_in_memory.clock import START, Clock
from aws_in_memory.deployed import ENVIRONMENT, REGIONS, SETTINGS, healthy, run, unprepared, writer_dead
from aws_in_memory.faults import At, Killed, after, before, lost_answer_retried, refused
from aws_in_memory.instance import Outage
from aws_in_memory.recorded import remember
from aws_in_memory.refusals import refusal
from aws_in_memory.stories import give
from failover import handler
from failover.policy import Mode
from failover.recorded import StateLostError
from failover.report import report
from function_runtime.control import Control, Order, OrderKind, Pause
from function_runtime.sites import Site
from function_runtime.state import Controller, ControlUnreadableError


def is_promotion(call: Call) -> bool:
    return call.operation == "rds.promote_read_replica"


def broken_sdk(take_effect: TakeEffect) -> None:
    raise ZeroDivisionError


def assert_failed_over_once(aws: Aws) -> None:
    assert aws.events.count("promoted") == 1
    assert aws.controller["epoch"] == 1
    assert aws.controller["writer_site"] == "recovery"
    assert "incident_id" not in aws.controller
    (incident,) = aws.incidents
    assert incident["phase"] == "closed"
    assert aws.latch == sorted(aws.latch), "the latch never falls back"
    assert aws.latch[-1] == 2


def test_a_dead_writer_is_fenced_then_replaced() -> None:
    aws = writer_dead()
    assert run(aws)["code"] == "closed"
    assert_failed_over_once(aws)
    assert aws.events == ["quarantined", "rebooted", "promoted"]
    assert aws.writer.groups == {"sg-quarantine-primary": "active"}
    (incident,) = aws.incidents
    phases = ["opened", "fenced", "promoting", "shown", "writes", "promoted", "closed"]
    assert [step["phase"] for step in incident["steps"]] == phases
    assert all(step["started_at"] <= step["finished_at"] for step in incident["steps"])
    assert incident["lag_before_seconds"] <= incident["data_loss_seconds"] <= 3
    assert 10 <= incident["rto_seconds"] <= 20
    topics = [topic for topic, _ in aws.messages]
    assert topics == ["arn:failures", *["arn:recoveries"] * 6]
    assert all(incident["incident_id"] in text for text in aws.texts)


def test_after_it_the_latch_is_published_and_nothing_else_is_done() -> None:
    aws = writer_dead()
    run(aws)
    items, events = dict(aws.items), list(aws.events)
    assert run(aws)["code"] == "writer_is_here"
    assert (aws.items, aws.events, aws.latch[-1]) == (items, events, 2)


def test_a_living_writer_is_left_alone_and_the_latch_published() -> None:
    aws = writer_dead(START - timedelta(seconds=5))
    assert [run(aws)["code"] for _ in range(2)] == ["healthy", "healthy"]
    assert (aws.latch, aws.events, aws.incidents) == ([0, 0], [], [])
    assert (aws.controller["writer_site"], aws.controller["decision"]["code"]) == ("primary", "healthy")
    assert aws.controller["version"] == 1, "what has not changed is not written"


def test_people_are_told_once_of_a_trouble_that_is_left_to_them() -> None:
    aws = writer_dead()
    aws.writer.status = "rebooting"
    codes = []
    for _ in range(5):
        aws.sleep(3)  # and a second in which a run that waits for an end stays
        codes.append(run(aws)["code"])
    assert codes == ["maintenance", *["maintenance_overdue"] * 4]
    assert [topic for topic, _ in aws.messages] == ["arn:failures"]
    assert aws.events == []


def test_a_dark_region_is_replaced_though_it_cannot_be_fenced() -> None:
    aws = writer_dead(dark={Site.PRIMARY})
    assert run(aws)["code"] == "closed", "one run looks twice"
    assert_failed_over_once(aws)
    outcomes = {step["phase"]: step["outcome"] for step in aws.incidents[0]["steps"]}
    assert outcomes["fenced"] == "unreachable"


def test_a_fence_that_is_refused_is_given_up_in_time() -> None:
    aws = writer_dead()
    aws.writer.refuses_changes = True
    run(aws)
    assert_failed_over_once(aws)
    fenced = next(step for step in aws.incidents[0]["steps"] if step["phase"] == "fenced")
    assert fenced["outcome"] == "refused"
    took = datetime.fromisoformat(fenced["finished_at"]) - datetime.fromisoformat(fenced["started_at"])
    assert took <= timedelta(seconds=SETTINGS.fence_timeout_seconds + SETTINGS.poll_interval_seconds)


def test_a_run_whose_time_is_over_leaves_the_rest_to_the_next_at_once() -> None:
    aws = writer_dead()
    short = replace(SETTINGS, run_budget_seconds=3)
    assert run(aws, "short", short)["code"] == "to_be_continued"
    assert run(aws, "next")["code"] == "closed"
    assert_failed_over_once(aws)


def test_a_pause_stops_an_open_incident_before_the_promotion() -> None:
    aws = writer_dead()
    paused = replace(SETTINGS, policy=replace(SETTINGS.policy, mode=Mode.PAUSED))

    def kill_after_the_fence(call: Call) -> None:
        if "rebooted" in aws.events:
            raise Killed

    aws.fault = after(kill_after_the_fence)
    with pytest.raises(Killed):
        run(aws, "killed")
    aws.fault = no_fault
    aws.sleep(SETTINGS.lease_seconds)
    assert [run(aws, "paused", paused)["code"] for _ in range(3)] == ["paused"] * 3
    assert "promoted" not in aws.events
    assert [subject for _, subject in aws.messages if "HELD" in subject] == [
        "[test] Failover to recovery is HELD by a pause"
    ]
    assert run(aws, "resumed")["code"] == "closed"
    assert_failed_over_once(aws)


def test_a_run_leaves_an_incident_alone_that_another_holds() -> None:
    aws = writer_dead()

    def kill(call: Call) -> None:
        if "promoted" in aws.events:
            raise Killed

    aws.fault = after(kill)
    with pytest.raises(Killed):
        run(aws, "killed")
    aws.fault = no_fault
    assert run(aws, "next")["code"] == "another_run_is_at_work"


def test_the_handler_returns_what_was_done_and_raises_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = writer_dead()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "_clients", lambda home: aws)
    monkeypatch.setattr(LambdaContext, "get_remaining_time_in_millis", lambda self: 300_000)
    context = LambdaContext()
    context._aws_request_id = "run"
    assert handler.handle({}, context)["code"] == "not_watched"  # its metrics are of another day
    no_objects: tuple[object, ...] = (None, [], "report", 7)
    for event in no_objects:
        assert handler.handle(event, context)["code"] == "not_watched"
    aws.dark = {REGIONS[Site.RECOVERY]}
    with pytest.raises(ConnectTimeoutError):
        handler.handle({}, context)


def test_in_manual_mode_it_asks_once_and_acts_on_the_approval_of_this_incident_and_epoch() -> None:
    manual = replace(SETTINGS, policy=replace(SETTINGS.policy, mode=Mode.MANUAL))
    aws = writer_dead()
    for _ in range(3):
        assert run(aws, settings=manual)["code"] == "manual"
        aws.sleep(2)
    assert len(aws.messages) == 1
    proposal = aws.controller["proposal"]
    assert f"--approve {proposal['incident_id']} --epoch 1" in aws.texts[0]
    wrong = Order(OrderKind.APPROVE, "000001-of-yesterday", 1, "arn:person", aws.now, aws.now + timedelta(minutes=15))
    aws.put(Control(version=1, order=wrong).as_item())
    assert run(aws, settings=manual)["code"] == "manual"
    late = replace(wrong, incident_id=proposal["incident_id"], expires_at=aws.now)
    aws.put(Control(version=2, order=late).as_item())
    assert run(aws, settings=manual)["code"] == "manual"
    give(aws, OrderKind.APPROVE)
    assert run(aws, settings=manual)["code"] == "closed"
    assert_failed_over_once(aws)
    assert (aws.incidents[0]["kind"], aws.incidents[0]["ordered_by"]) == ("approved", "arn:person")
    assert run(aws, settings=manual)["code"] == "writer_is_here", "an order is carried out once"


def test_a_loss_above_the_bound_needs_an_approval_that_accepts_it() -> None:
    aws = writer_dead(lag_seconds=12)
    assert run(aws)["code"] == "loss_above_limit"
    loss = float(aws.controller["proposal"]["loss_bound_seconds"])
    assert 12 <= loss <= 15
    give(aws, OrderKind.APPROVE, accepted_loss_seconds=loss - 1)
    assert run(aws)["code"] == "loss_above_limit"
    give(aws, OrderKind.APPROVE, accepted_loss_seconds=loss + 1)
    assert run(aws)["code"] == "closed"
    assert_failed_over_once(aws)
    assert aws.incidents[0]["data_loss_seconds"] >= 12


def test_a_replica_that_has_everything_is_not_held_back_by_the_age_of_the_last_commit() -> None:
    aws = unprepared(writer_dead(lag_seconds=20, slot_lag_bytes=0.0))
    aws.writer.status = "failed"
    assert run(aws)["code"] == "closed", "an idle writer's lag is only the age of its last commit"


def test_what_an_idle_replica_had_is_remembered_when_the_region_goes_dark() -> None:
    aws = unprepared(writer_dead(START - timedelta(seconds=4), lag_seconds=20, slot_lag_bytes=0.0))
    run(aws)
    aws.dark, aws.now = {REGIONS[Site.PRIMARY]}, START + timedelta(seconds=4)
    assert run(aws)["code"] == "closed"
    assert aws.incidents[0]["lag_before_seconds"] <= 10


def test_a_pause_by_a_person_outranks_the_configured_mode() -> None:
    aws = writer_dead()
    aws.put(Control(version=1, pause=Pause("arn:person", START, "migration")).as_item())
    assert [run(aws)["code"] for _ in range(2)] == ["paused", "paused"]
    assert aws.events == []
    assert len(aws.messages) == 1
    aws.put(Control(version=2).as_item())
    assert run(aws)["code"] == "closed"


def test_words_of_people_that_cannot_be_read_count_as_a_pause_and_fail_the_run() -> None:
    aws = writer_dead()
    aws.put({"id": "control", "version": 1, "pause": "yes"})
    with pytest.raises(ControlUnreadableError, match="control"):
        run(aws)
    assert aws.latch == [0]
    assert aws.controller["decision"]["code"] == "paused"


def test_an_empty_table_after_a_failover_does_not_send_the_clients_back() -> None:
    aws = writer_dead()
    run(aws)
    aws.items.clear()
    aws.published.clear()
    with pytest.raises(StateLostError, match="restore the items"):
        run(aws)
    with pytest.raises(StateLostError):
        report(aws, SETTINGS, Clock(aws), {"order": None})
    assert (aws.latch, set(aws.items)) == ([], {"lost"})
    assert aws.messages[-1][1] == "[test] STATE LOST: nobody knows who the PostgreSQL writer is"


def test_an_incident_is_carried_on_where_the_latch_cannot_be_published_at_first() -> None:
    aws = writer_dead()

    def fail_first_publication(call: Call) -> None:
        if call.operation == "cloudwatch.put_metric_data" and not aws.events:
            raise refusal("InternalFailure")

    aws.fault = before(fail_first_publication)
    with pytest.raises(ClientError):
        run(aws)
    aws.fault = no_fault
    assert_failed_over_once(aws)


@pytest.mark.parametrize("status", ["failed", "incompatible-parameters"])
def test_a_promotion_that_cannot_succeed_is_told_once_and_held(status: str) -> None:
    aws = writer_dead()

    def break_it(call: Call) -> None:
        if "rebooted" in aws.events:
            aws.standby.status = status

    aws.fault = after(break_it)
    for _ in range(3):
        assert run(aws)["code"] == "blocked"
        aws.sleep(60)
    stuck = [subject for _, subject in aws.messages if "STUCK" in subject]
    assert len(stuck) == 1
    assert "promoted" not in aws.events
    aws.fault, aws.standby.status = no_fault, "available"
    assert run(aws)["code"] == "closed", "with the cause gone it goes on by itself"
    assert_failed_over_once(aws)


def test_people_hear_of_a_step_that_takes_too_long() -> None:
    impatient = replace(SETTINGS, step_patience_seconds=30, run_budget_seconds=20)
    aws = writer_dead()
    aws.standby.status = "backing-up"
    for _ in range(4):
        assert run(aws, settings=impatient)["code"] == "to_be_continued"
        aws.sleep(20)
        slow = [subject for _, subject in aws.messages if "slow" in subject]
        began = next(step for step in aws.incidents[0]["steps"] if step["phase"] == "promoting")["started_at"]
        is_over = aws.now - timedelta(seconds=20) - datetime.fromisoformat(began) >= timedelta(seconds=30)
        assert slow == (["[test] Failover to recovery is slow at promoting"] if is_over else [])
    assert is_over


@pytest.mark.parametrize(
    "spoil",
    [
        lambda aws: setattr(aws, "fault", At(is_promotion, broken_sdk)),
        lambda aws: setattr(aws, "fault", At(is_promotion, refused)),
        lambda aws: setattr(aws.standby, "status", "backing-up"),
    ],
    ids=["an error nobody expected", "a step that is blocked", "a step that waits"],
)
def test_whatever_ends_a_run_the_next_one_need_not_wait_for_its_lease(spoil: Callable[[Aws], None]) -> None:
    aws = writer_dead()
    spoil(aws)
    with suppress(ZeroDivisionError):
        run(aws, "first")
    assert datetime.fromisoformat(aws.incidents[0]["lease_until"]) <= aws.now


def test_a_fence_of_a_failed_instance_is_given_up_at_once() -> None:
    aws = writer_dead()
    aws.writer.status = "failed"
    run(aws)
    assert_failed_over_once(aws)
    fenced = next(step for step in aws.incidents[0]["steps"] if step["phase"] == "fenced")
    assert (fenced["outcome"], fenced["started_at"]) == ("refused", fenced["finished_at"])
    assert any("NOT known to be fenced" in text for text in aws.texts)


def test_people_are_told_when_the_trouble_they_heard_of_is_over() -> None:
    aws = writer_dead(lag_seconds=200)
    aws.writer.comes_back(START + timedelta(seconds=20))
    assert run(aws)["code"] == "loss_above_limit"
    aws.now = START + timedelta(seconds=23)
    assert [run(aws)["code"] for _ in range(2)] == ["healthy", "healthy"]
    assert [topic for topic, _ in aws.messages] == ["arn:failures", "arn:recoveries"]
    assert "answers again" in aws.messages[-1][1]


def test_a_writer_that_comes_and_goes_is_left_alone_and_reported_once() -> None:
    aws = healthy(START)
    for seconds in (0, 5, 10, 15):
        aws.writer.dies(START + timedelta(seconds=seconds))
        aws.writer.comes_back(START + timedelta(seconds=seconds + 2))
    codes = set()
    while aws.now < START + timedelta(seconds=25):
        codes.add(run(aws)["code"])
        aws.sleep(1)
    assert codes == {"healthy", "probes_lost", "flapping"}
    told = [subject for _, subject in aws.messages]
    assert [subject for subject in told if "flapping" in subject] == [
        "[test] PostgreSQL writer in trouble, no failover: flapping"
    ]
    assert len(told) == 2, "each reason once"


def test_what_is_wrong_when_a_trouble_ends_is_told_after_that_it_has() -> None:
    aws = healthy(START)
    aws.standby.status = "modifying"
    run(aws)
    aws.sleep(1)
    aws.writer.shut.append(Outage(aws.now))
    codes = []
    for second in range(14):
        if second == 10:
            aws.writer.shut[-1].ends = aws.now
        codes.append(run(aws)["code"])
        aws.sleep(1)
    subjects = [subject for _, subject in aws.messages]
    (again,) = [number for number, subject in enumerate(subjects) if "answers again" in subject]
    assert codes[-1] == "standby_not_ready"
    assert [subject for subject in subjects[again + 1 :] if "standby_not_ready" in subject], subjects


def test_both_probes_broken_at_once_prove_nothing() -> None:
    aws = writer_dead()
    aws.broken_probes = {Site.RECOVERY}
    assert run(aws)["code"] == "probe_not_trusted"
    assert aws.events == []


def test_a_planned_failover_loses_nothing() -> None:
    aws = healthy(slot_lag_bytes=0.0)
    assert run(aws)["code"] == "healthy"
    give(aws, OrderKind.PLANNED)
    assert run(aws)["code"] == "closed"
    assert_failed_over_once(aws)
    assert aws.incidents[0]["data_loss_seconds"] == 0
    assert [step["phase"] for step in aws.incidents[0]["steps"]][1:4] == ["fenced", "drained", "promoting"]


def test_a_planned_failover_that_would_lose_something_is_taken_back() -> None:
    aws = healthy(lag_seconds=29, slot_lag_bytes=100.0)
    run(aws)
    give(aws, OrderKind.PLANNED)
    assert run(aws, settings=replace(SETTINGS, drain_timeout_seconds=3))["code"] == "closed"
    assert "promoted" not in aws.events
    assert aws.writer.groups == {"sg-database-primary": "active"}
    assert (aws.controller["writer_site"], aws.controller["epoch"]) == ("primary", 1)
    assert set(aws.latch) == {0}
    assert "taken back" in aws.messages[-1][1]
    # Its probes have had no time yet to get in again, or they have.
    assert run(aws)["code"] in ("outage_too_short", "replica_behind")


def test_a_person_can_force_what_the_signals_do_not_support() -> None:
    aws = healthy()
    run(aws)
    give(aws, OrderKind.FORCED)
    assert run(aws)["code"] == "loss_not_accepted"
    give(aws, OrderKind.FORCED, accepted_loss_seconds=5.0)
    assert run(aws)["code"] == "closed"
    assert_failed_over_once(aws)


def test_a_fence_whose_answer_is_lost_is_asked_for_again_where_the_region_answers() -> None:
    aws = writer_dead()

    def lose_answer(call: Call) -> None:
        if call.operation == "rds.modify_db_instance" and aws.events == ["quarantined"]:
            raise ConnectTimeoutError(endpoint_url="rds")

    aws.fault = after(lose_answer)
    run(aws)
    assert_failed_over_once(aws)
    assert aws.events == ["quarantined", "rebooted", "promoted"]


def test_a_fence_that_comes_after_the_failover_was_taken_back_is_undone() -> None:
    aws = healthy(lag_seconds=29, slot_lag_bytes=100.0)
    run(aws)
    give(aws, OrderKind.PLANNED)
    impatient = replace(SETTINGS, drain_timeout_seconds=3)

    def hold_up(call: Call) -> None:
        if call.operation == "rds.modify_db_instance":
            aws.fault = no_fault
            aws.sleep(SETTINGS.lease_seconds)
            run(aws, "other", impatient)
            assert aws.writer.groups == {"sg-database-primary": "active"}

    aws.fault = before(hold_up)
    assert run(aws, "held up", impatient)["code"] == "another_run_is_at_work"
    assert aws.writer.groups == {"sg-database-primary": "active"}, (
        "the writer that stayed the writer takes connections again"
    )


def test_nobody_is_asked_to_approve_what_a_pause_would_stop() -> None:
    aws = writer_dead()
    aws.writer.status = "rebooting"
    run(aws)
    aws.put(Control(version=1, pause=Pause("arn:person", START, "migration")).as_item())
    aws.sleep(20)
    assert run(aws)["code"] == "paused"
    assert "proposal" not in aws.controller


def test_a_controller_of_the_other_site_brings_the_writer_back() -> None:
    aws = writer_dead(writer=Site.RECOVERY)
    remember(aws, Controller(epoch=1, writer_site=Site.RECOVERY, authority=Site.PRIMARY))
    assert run(aws)["code"] == "closed"
    assert (aws.controller["writer_site"], aws.controller["epoch"]) == ("primary", 2)
    aws.sleep(aws.writer.reboot_takes.total_seconds())
    assert aws.writer.is_shut(aws.now)
    assert aws.latch == [1, 0]


def test_a_second_try_of_the_sdk_that_meets_its_own_write_does_not_cost_the_run() -> None:
    aws = writer_dead()
    aws.fault = at = At(
        lambda call: call.operation == "dynamodb.put_item" and "rebooted" in aws.events, lost_answer_retried
    )
    assert run(aws)["code"] == "closed"
    assert at.struck
    assert_failed_over_once(aws)
