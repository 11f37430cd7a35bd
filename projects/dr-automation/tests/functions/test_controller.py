"""A failover ends in the same place, once, whatever happens to the runs that carry it (C2, D4)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError, ConnectTimeoutError

from failover import handler
from failover.policy import Mode
from failover.recorded import StateLostError
from failover.report import report
from function_runtime.control import Control, Order, OrderKind, Pause
from function_runtime.sites import Site
from function_runtime.state import ControlUnreadableError
from worlds.clock import Clock
from worlds.world import ENVIRONMENT, REGIONS, SETTINGS, START, Killed, World, refused, run


def assert_failed_over_once(world: World) -> None:
    assert world.events.count("promoted") == 1
    assert world.controller["epoch"] == 1
    assert world.controller["writer_site"] == "recovery"
    assert "incident_id" not in world.controller
    (incident,) = world.incidents
    assert incident["phase"] == "closed"
    assert world.latch == sorted(world.latch), "the latch never falls back"
    assert world.latch[-1] == 1


def test_a_dead_writer_is_fenced_then_replaced() -> None:
    world = World()
    assert run(world)["code"] == "closed"
    assert_failed_over_once(world)
    assert world.events == ["quarantined", "rebooted", "promoted"]
    assert world.groups == ["sg-quarantine-primary"]
    (incident,) = world.incidents
    phases = ["opened", "fenced", "promoting", "promoted", "verified", "switched", "closed"]
    assert [step["phase"] for step in incident["steps"]] == phases
    assert all(step["started_at"] <= step["finished_at"] for step in incident["steps"])
    assert incident["lag_before_seconds"] <= incident["data_loss_seconds"] <= 3
    assert 10 <= incident["rto_seconds"] <= 20
    topics = [topic for topic, _ in world.messages]
    assert topics == ["arn:failures", *["arn:recovery"] * 6]
    assert all(incident["incident_id"] in text for text in world.texts)


def test_after_it_the_latch_is_published_and_nothing_else_is_done() -> None:
    world = World()
    run(world)
    items, events = dict(world.items), list(world.events)
    assert run(world)["code"] == "writer_is_here"
    assert (world.items, world.events, world.latch[-1]) == (items, events, 1)


def test_a_living_writer_is_left_alone_and_the_latch_published() -> None:
    world = World(now=START - timedelta(seconds=5))
    assert [run(world)["code"] for _ in range(2)] == ["healthy", "healthy"]
    assert (world.latch, world.events, world.incidents) == ([0, 0], [], [])
    assert (world.controller["writer_site"], world.controller["decision"]["code"]) == ("primary", "healthy")
    assert world.controller["version"] == 1, "what has not changed is not written"


def test_people_are_told_once_of_a_trouble_that_is_left_to_them() -> None:
    world = World(primary_status="rebooting")
    codes = []
    for _ in range(5):
        world.sleep(4)
        codes.append(run(world)["code"])
    assert codes == ["maintenance", "maintenance", *["maintenance_overdue"] * 3]
    assert [topic for topic, _ in world.messages] == ["arn:failures"]
    assert world.events == []


def test_a_dark_region_is_replaced_though_it_cannot_be_fenced() -> None:
    world = World(dark={REGIONS[Site.PRIMARY]})
    assert run(world)["code"] == "one_signal_only", "one round of silent calls is no dark region yet"
    world.sleep(2)
    run(world)
    assert_failed_over_once(world)
    outcomes = {step["phase"]: step["outcome"] for step in world.incidents[0]["steps"]}
    assert outcomes["fenced"] == "unreachable"


def test_a_fence_that_is_refused_is_given_up_in_time() -> None:
    world = World(fence_refused=True)
    run(world)
    assert_failed_over_once(world)
    fenced = next(step for step in world.incidents[0]["steps"] if step["phase"] == "fenced")
    assert fenced["outcome"] == "refused"
    took = datetime.fromisoformat(fenced["finished_at"]) - datetime.fromisoformat(fenced["started_at"])
    assert took <= timedelta(seconds=SETTINGS.fence_timeout_seconds + SETTINGS.poll_interval_seconds)


def calls_of_a_whole_run() -> int:
    world = World()
    run(world)
    return world.calls


CALLS = range(1, calls_of_a_whole_run() + 1)


@pytest.mark.parametrize("last_call", CALLS)
def test_killed_anywhere_and_started_again_it_ends_in_the_same_place(last_call: int) -> None:
    world = World()

    def kill(call: int) -> None:
        if call == last_call:
            raise Killed

    world.interrupt = kill
    with pytest.raises(Killed):
        run(world, "killed")
    for number in range(4):
        run(world, f"next-{number}")
        world.sleep(SETTINGS.lease_seconds)
    assert_failed_over_once(world)


@pytest.mark.parametrize("meeting_call", CALLS)
def test_of_two_runs_that_meet_anywhere_one_promotes(meeting_call: int) -> None:
    world = World()

    def meet(call: int) -> None:
        if call == meeting_call:
            world.interrupt = lambda _: None
            run(world, "other")

    world.interrupt = meet
    run(world, "one")
    assert_failed_over_once(world)


@pytest.mark.parametrize("failing_call", CALLS)
def test_a_call_whose_answer_is_an_error_costs_a_run_at_most(failing_call: int) -> None:
    world = World()

    def fail(call: int) -> None:
        if call == failing_call:
            raise refused("InternalFailure")

    world.interrupt = fail
    with suppress(ClientError):
        run(world, "failing")
    for number in range(3):
        world.sleep(SETTINGS.lease_seconds)
        run(world, f"next-{number}")
    assert_failed_over_once(world)


def test_a_run_whose_time_is_over_leaves_the_rest_to_the_next_at_once() -> None:
    world = World()
    short = replace(SETTINGS, run_budget_seconds=3)
    assert run(world, "short", short)["code"] == "to_be_continued"
    assert run(world, "next")["code"] == "closed"
    assert_failed_over_once(world)


def test_a_pause_stops_an_open_incident_before_the_promotion() -> None:
    world = World()
    paused = replace(SETTINGS, policy=replace(SETTINGS.policy, mode=Mode.PAUSED))

    def kill_after_the_fence(call: int) -> None:
        if "rebooted" in world.events:
            raise Killed

    world.interrupt = kill_after_the_fence
    with pytest.raises(Killed):
        run(world, "killed")
    world.interrupt = lambda call: None
    world.sleep(SETTINGS.lease_seconds)
    assert [run(world, "paused", paused)["code"] for _ in range(3)] == ["paused"] * 3
    assert "promoted" not in world.events
    assert [subject for _, subject in world.messages if "HELD" in subject] == [
        "[test] Failover to recovery is HELD by a pause"
    ]
    assert run(world, "resumed")["code"] == "closed"
    assert_failed_over_once(world)


def test_a_run_leaves_an_incident_alone_that_another_holds() -> None:
    world = World()

    def kill(call: int) -> None:
        if "promoted" in world.events:
            raise Killed

    world.interrupt = kill
    with pytest.raises(Killed):
        run(world, "killed")
    world.interrupt = lambda _: None
    assert run(world, "next")["code"] == "another_run_is_at_work"


def test_the_handler_returns_what_was_done_and_raises_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "_clients", lambda home: world)
    monkeypatch.setattr(LambdaContext, "get_remaining_time_in_millis", lambda self: 300_000)
    context = LambdaContext()
    context._aws_request_id = "run"
    assert handler.handle({}, context)["code"] == "not_watched"  # the world's metrics are of another day
    world.dark = {REGIONS[Site.RECOVERY]}
    with pytest.raises(ConnectTimeoutError):
        handler.handle({}, context)


def ordered(world: World, kind: OrderKind, **accepted: object) -> None:
    """A person orders what the controller asks for, or what there is."""
    proposal = world.controller.get("proposal")
    incident_id, epoch = (
        ("000001-ordered", 1) if proposal is None else (proposal["incident_id"], int(proposal["epoch"]))
    )
    order = Order(kind, incident_id, epoch, "arn:person", world.now, world.now + timedelta(minutes=15), **accepted)  # type: ignore[arg-type]
    world.put(Control(version=1, order=order).as_item())


def test_in_manual_mode_it_asks_once_and_acts_on_the_approval_of_this_incident_and_epoch() -> None:
    manual = replace(SETTINGS, policy=replace(SETTINGS.policy, mode=Mode.MANUAL))
    world = World()
    for _ in range(3):
        assert run(world, settings=manual)["code"] == "manual"
        world.sleep(2)
    assert len(world.messages) == 1
    proposal = world.controller["proposal"]
    assert f"--approve {proposal['incident_id']} --epoch 1" in world.texts[0]
    wrong = Order(
        OrderKind.APPROVE, "000001-of-yesterday", 1, "arn:person", world.now, world.now + timedelta(minutes=15)
    )
    world.put(Control(version=1, order=wrong).as_item())
    assert run(world, settings=manual)["code"] == "manual"
    late = replace(wrong, incident_id=proposal["incident_id"], expires_at=world.now)
    world.put(Control(version=2, order=late).as_item())
    assert run(world, settings=manual)["code"] == "manual"
    ordered(world, OrderKind.APPROVE)
    assert run(world, settings=manual)["code"] == "closed"
    assert_failed_over_once(world)
    assert (world.incidents[0]["kind"], world.incidents[0]["ordered_by"]) == ("approved", "arn:person")
    assert run(world, settings=manual)["code"] == "writer_is_here", "an order is carried out once"


def test_a_loss_above_the_bound_needs_an_approval_that_accepts_it() -> None:
    world = World(lag_seconds=12)
    assert run(world)["code"] == "lag_above_bound"
    loss = float(world.controller["proposal"]["loss_bound_seconds"])
    assert 12 <= loss <= 15
    ordered(world, OrderKind.APPROVE, accepted_loss_seconds=loss - 1)
    assert run(world)["code"] == "lag_above_bound"
    ordered(world, OrderKind.APPROVE, accepted_loss_seconds=loss + 1)
    assert run(world)["code"] == "closed"
    assert_failed_over_once(world)
    assert world.incidents[0]["data_loss_seconds"] >= 12


def test_a_replica_that_has_everything_is_not_held_back_by_the_age_of_the_last_commit() -> None:
    world = World(lag_seconds=200, slot_lag_bytes=0.0)
    assert run(world)["code"] == "closed", "an idle writer's lag is only the age of its last commit"


def test_what_an_idle_replica_had_is_remembered_when_the_region_goes_dark() -> None:
    world = World(now=START - timedelta(seconds=4), lag_seconds=200, slot_lag_bytes=0.0)
    run(world)
    world.dark, world.now = {REGIONS[Site.PRIMARY]}, START + timedelta(seconds=4)
    run(world)
    world.sleep(2)
    assert run(world)["code"] == "closed"
    assert world.incidents[0]["lag_before_seconds"] <= 10


def test_a_pause_by_a_person_outranks_the_configured_mode() -> None:
    world = World()
    world.put(Control(version=1, pause=Pause("arn:person", START, "migration")).as_item())
    assert [run(world)["code"] for _ in range(2)] == ["paused", "paused"]
    assert world.events == []
    assert len(world.messages) == 1
    world.put(Control(version=2).as_item())
    assert run(world)["code"] == "closed"


def test_words_of_people_that_cannot_be_read_count_as_a_pause_and_fail_the_run() -> None:
    world = World()
    world.put({"id": "control", "version": 1, "pause": "yes"})
    with pytest.raises(ControlUnreadableError, match="control"):
        run(world)
    assert world.latch == [0]
    assert world.controller["decision"]["code"] == "paused"


def test_an_empty_table_after_a_failover_does_not_send_the_clients_back() -> None:
    world = World()
    run(world)
    world.items.clear()
    world.published.clear()
    with pytest.raises(StateLostError, match="restore the items"):
        run(world)
    with pytest.raises(StateLostError):
        report(world, SETTINGS, Clock(world), {"order": None})
    assert (world.latch, world.items) == ([], {})


def test_an_incident_is_carried_on_where_the_latch_cannot_be_published_at_first() -> None:
    world = World()

    def fail_first_publication(call: int) -> None:
        if world.called[-1] == "cloudwatch.put_metric_data" and not world.events:
            raise refused("InternalFailure")

    world.before = fail_first_publication
    with pytest.raises(ClientError):
        run(world)
    world.before = lambda call: None
    assert_failed_over_once(world)


@pytest.mark.parametrize("status", ["failed", "incompatible-parameters"])
def test_a_promotion_that_cannot_succeed_is_told_once_and_held(status: str) -> None:
    world = World()

    def break_it(call: int) -> None:
        if "rebooted" in world.events:
            world.standby_status = status

    world.interrupt = break_it
    for _ in range(3):
        assert run(world)["code"] == "blocked"
        world.sleep(60)
    stuck = [subject for _, subject in world.messages if "STUCK" in subject]
    assert len(stuck) == 1
    assert "promoted" not in world.events
    world.interrupt, world.standby_status = lambda call: None, None
    assert run(world)["code"] == "closed", "with the cause gone it goes on by itself"
    assert_failed_over_once(world)


def test_people_hear_of_a_step_that_takes_too_long() -> None:
    impatient = replace(SETTINGS, step_patience_seconds=30, run_budget_seconds=20)
    world = World(standby_status="backing-up")
    for _ in range(4):
        assert run(world, settings=impatient)["code"] == "to_be_continued"
        world.sleep(20)
    assert [subject for _, subject in world.messages if "slow" in subject] == [
        "[test] Failover to recovery is slow at promoting"
    ]


def test_a_fence_of_a_failed_instance_is_given_up_at_once() -> None:
    world = World(fence_refused=True, primary_status="failed")
    run(world)
    assert_failed_over_once(world)
    fenced = next(step for step in world.incidents[0]["steps"] if step["phase"] == "fenced")
    assert (fenced["outcome"], fenced["started_at"]) == ("refused", fenced["finished_at"])
    assert any("NOT known to be fenced" in text for text in world.texts)


def test_people_are_told_when_the_trouble_they_heard_of_is_over() -> None:
    world = World(outages=[(START, START + timedelta(seconds=20))], lag_seconds=200)
    assert run(world)["code"] == "lag_above_bound"
    world.now = START + timedelta(seconds=23)
    assert [run(world)["code"] for _ in range(2)] == ["healthy", "healthy"]
    assert [topic for topic, _ in world.messages] == ["arn:failures", "arn:recovery"]
    assert "answers again" in world.messages[-1][1]


def test_a_writer_that_comes_and_goes_is_left_alone_and_reported_once() -> None:
    outages = [(START + timedelta(seconds=at), START + timedelta(seconds=at + 2)) for at in (0, 5, 10, 15)]
    world = World(outages=outages, now=START, lag_seconds=0)
    codes = set()
    while world.now < START + timedelta(seconds=25):
        codes.add(run(world)["code"])
        world.sleep(1)
    assert codes == {"healthy", "outage_too_short", "flapping"}
    assert [subject for _, subject in world.messages] == ["[test] PostgreSQL writer in trouble, no failover: flapping"]


def test_both_probes_broken_at_once_prove_nothing() -> None:
    world = World(primary_dies=False, probe_broken=True)
    world.outages = [(START, START + timedelta(days=1))]
    assert run(world)["code"] == "probe_not_trusted"
    assert world.events == []


def test_a_planned_failover_loses_nothing() -> None:
    world = World(primary_dies=False, slot_lag_bytes=0.0)
    assert run(world)["code"] == "healthy"
    ordered(world, OrderKind.PLANNED)
    assert run(world)["code"] == "closed"
    assert_failed_over_once(world)
    assert world.incidents[0]["data_loss_seconds"] == 0
    assert [step["phase"] for step in world.incidents[0]["steps"]][1:4] == ["fenced", "drained", "promoting"]


def test_a_planned_failover_that_would_lose_something_is_taken_back() -> None:
    world = World(primary_dies=False, lag_seconds=40, slot_lag_bytes=100.0)
    run(world)
    ordered(world, OrderKind.PLANNED)
    assert run(world)["code"] == "closed"
    assert "promoted" not in world.events
    assert world.groups == ["sg-database"]
    assert (world.controller["writer_site"], world.controller["epoch"]) == ("primary", 1)
    assert set(world.latch) == {0}
    assert "taken back" in world.messages[-1][1]
    assert run(world)["code"] == "healthy"


def test_a_person_can_force_what_the_signals_do_not_support() -> None:
    world = World(primary_dies=False)
    run(world)
    ordered(world, OrderKind.FORCED)
    assert run(world)["code"] == "loss_not_accepted"
    ordered(world, OrderKind.FORCED, accepted_loss_seconds=5.0)
    assert run(world)["code"] == "closed"
    assert_failed_over_once(world)


def test_a_fence_whose_answer_is_lost_is_asked_for_again_where_the_region_answers() -> None:
    world = World()

    def lose_answer(call: int) -> None:
        if world.called[-1] == "rds.modify_db_instance" and world.events == ["quarantined"]:
            raise ConnectTimeoutError(endpoint_url="rds")

    world.interrupt = lose_answer
    run(world)
    assert_failed_over_once(world)
    assert world.events == ["quarantined", "rebooted", "promoted"]


def test_a_fence_that_comes_after_the_failover_was_taken_back_is_undone() -> None:
    world = World(primary_dies=False, lag_seconds=40, slot_lag_bytes=100.0)
    run(world)
    ordered(world, OrderKind.PLANNED)

    def hold_up(call: int) -> None:
        if world.called[-1] == "rds.modify_db_instance":
            world.before = lambda _: None
            world.sleep(SETTINGS.lease_seconds)
            run(world, "other")
            assert world.groups == ["sg-database"]

    world.before = hold_up
    assert run(world, "held up")["code"] == "another_run_is_at_work"
    assert world.groups == ["sg-database"], "the writer that stayed the writer takes connections again"


def test_nobody_is_asked_to_approve_what_a_pause_would_stop() -> None:
    world = World(primary_status="rebooting")
    run(world)
    world.put(Control(version=1, pause=Pause("arn:person", START, "migration")).as_item())
    world.sleep(20)
    assert run(world)["code"] == "paused"
    assert "proposal" not in world.controller


def test_a_second_try_of_the_sdk_that_meets_its_own_write_does_not_cost_the_run() -> None:
    world = World()
    met: list[int] = []

    def meet_own_write(call: int) -> None:
        if world.called[-1] == "dynamodb.put_item" and "rebooted" in world.events and not met:
            met.append(call)
            raise refused("ConditionalCheckFailedException")

    world.interrupt = meet_own_write
    assert run(world)["code"] == "closed"
    assert met
    assert_failed_over_once(world)
