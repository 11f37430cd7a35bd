"""Sequences of events and of commands that once left no writer, two, or the wrong one under the name."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from aws_in_memory.aws import Aws, Call, no_fault
from aws_in_memory.deployed import REGIONS, SETTINGS, healthy, run, writer_dead
from aws_in_memory.faults import after, before
from aws_in_memory.refusals import refusal
from aws_in_memory.running import (
    OWN_GROUP,
    Running,
    assert_one_writer,
    instruct,
    killed_once,
    subjects,
    takes_writes,
    writers,
)
from aws_in_memory.stories import STORIES, assert_latch_never_falls_back, begun
from function_runtime.control import Control, InstructionKind, Order, OrderKind, Pause
from function_runtime.sites import Site

AUTOMATIC, PLANNED = STORIES[0], STORIES[2]


pytestmark = pytest.mark.usefixtures("silent_logs")


def say(aws: Aws, **what: Any) -> None:
    control = Control.from_item(aws.plain("control")) if "control" in aws.items else Control()
    aws.put(replace(control, version=control.version + 1, **what).as_item())


def order(aws: Aws, kind: OrderKind, incident_id: str | None = None) -> None:
    epoch = int(aws.controller["epoch"]) + 1
    given = Order(
        kind,
        incident_id or f"{epoch:06d}-ordered",
        epoch,
        "arn:person",
        aws.now,
        aws.now + timedelta(minutes=15),
        1e9,
        accepts_unknown_loss=True,
    )
    say(aws, order=given)


def failed_over() -> tuple[Aws, Running]:
    aws = writer_dead()
    aws.validates = False
    running = Running(aws)
    running.tick(5)
    aws.writer.comes_back(aws.now)
    running.tick(3)
    assert_one_writer(aws, Site.RECOVERY)
    return aws, running


def switched_back_databases(aws: Aws, recovery_is_replica: bool) -> None:
    """What people do in RDS: primary is a new, promoted database; recovery fenced by hand, or a replica of it."""
    primary, recovery = aws.writer, aws.standby
    primary.groups, primary.status, primary.source = dict(OWN_GROUP[Site.PRIMARY]), "available", None
    primary.shut, primary.outages = [], []
    recovery.promoted_at = None
    if recovery_is_replica:
        recovery.source = "arn:database-primary"
        recovery.groups = dict(OWN_GROUP[Site.RECOVERY])
        recovery.shut = []
    else:
        recovery.groups = {recovery.quarantine_group: "active"}


def switch_back_record(aws: Aws) -> None:
    item = aws.controller
    aws.put({**item, "writer_site": "primary", "epoch": int(item["epoch"]) + 1, "version": int(item["version"]) + 1})


def guard_the_primary_while_recovery_is_throttled(aws: Aws, running: Running) -> None:
    def throttle(call: Call) -> None:
        if call.operation == "rds.describe_db_instances" and call.region == REGIONS[Site.RECOVERY]:
            raise refusal("Throttling")

    aws.fault = before(throttle)
    running.guard(Site.PRIMARY)
    aws.fault = no_fault


# 1: people switch back by hand, in RDS and in the table


def test_a_switch_back_by_hand_leaves_the_primary_as_the_open_writer() -> None:
    aws, running = failed_over()
    switched_back_databases(aws, recovery_is_replica=False)
    switch_back_record(aws)
    running.tick(5)
    assert writers(aws) == {Site.PRIMARY}, "the guard has shut the only writer"


def test_after_a_switch_back_one_throttled_look_at_the_replica_does_not_shut_the_only_writer() -> None:
    aws, running = failed_over()
    switched_back_databases(aws, recovery_is_replica=True)
    switch_back_record(aws)
    running.tick(20)
    assert_one_writer(aws, Site.PRIMARY)  # months of peace
    guard_the_primary_while_recovery_is_throttled(aws, running)
    assert writers(aws) == {Site.PRIMARY}


def test_after_an_adoption_one_throttled_look_at_the_replica_does_not_shut_the_only_writer() -> None:
    """The same, by commands alone: state lost after a failover, primary adopted, recovery rebuilt as a replica."""
    aws, running = failed_over()
    switched_back_databases(aws, recovery_is_replica=True)
    running.tick(2)
    assert running.lost
    instruct(aws, InstructionKind.ADOPT, "primary")
    running.tick(200)
    assert_one_writer(aws, Site.PRIMARY)
    guard_the_primary_while_recovery_is_throttled(aws, running)
    assert writers(aws) == {Site.PRIMARY}


# 2: abandoned after the promotion, and the new writer works again


class Enough(BaseException):
    pass


def storage_full_after_promotion() -> tuple[Aws, Running]:
    aws = writer_dead()
    aws.validates = False
    killed_once(aws, lambda call: "promoted" in aws.events)
    aws.sleep(10)
    aws.standby.status = "storage-full"
    running = Running(aws)
    running.tick(1)
    assert "--abandon" in "".join(aws.texts)
    return aws, running


def test_an_abandoned_failover_whose_new_writer_works_again_while_the_old_one_is_opened_ends() -> None:
    aws, running = storage_full_after_promotion()
    instruct(aws, InstructionKind.ABANDON, aws.controller["incident_id"])
    aws.writer.refuses_changes = True  # it is dead: RDS does not open it at once
    calls = 0

    def autoscaled(call: Call) -> None:
        nonlocal calls
        calls += 1
        if calls > 3000:
            raise Enough
        if call.operation == "rds.modify_db_instance":
            aws.standby.status = "available"  # storage autoscaling, or a person, has given it room

    aws.fault = before(autoscaled)
    with suppress(Enough):
        running.controller()
    aws.fault = no_fault
    told = [subject for _, subject in aws.messages if "promoting (already_promoted)" in subject]
    assert calls < 3000, f"one run loops for ever, without a pause: {len(told)} messages"


def test_a_person_who_abandons_before_the_promotion_and_promotes_by_hand_does_not_make_it_loop() -> None:
    aws = writer_dead()
    aws.validates = False
    killed_once(aws, lambda call: "quarantined" in aws.events)
    instruct(aws, InstructionKind.ABANDON, aws.controller["incident_id"])
    aws.standby.promote(7, aws.now)  # in the console
    aws.sleep(5)
    calls = 0

    def count(call: Call) -> None:
        nonlocal calls
        calls += 1
        if calls > 3000:
            raise Enough

    aws.fault = before(count)
    with suppress(Enough):
        Running(aws).controller()
    assert calls < 3000, f"one run loops for ever, and says so {len(aws.messages)} times"


def test_after_an_abandoned_failover_the_new_writer_that_works_again_can_be_made_the_writer() -> None:
    """The old writer is dead for good; the promoted one has room again. No command makes it the writer."""
    aws, running = storage_full_after_promotion()
    instruct(aws, InstructionKind.ABANDON, aws.controller["incident_id"])
    running.tick(10)
    assert "incident_id" not in aws.controller
    aws.standby.status = "available"  # a person has enlarged its storage
    running.tick(3)
    for _ in range(3):
        instruct(aws, InstructionKind.ADOPT, "recovery")
        running.tick(8)
        order(aws, OrderKind.FORCED)
        running.tick(4)
        incident_id = aws.controller.get("trouble", {}).get("incident_id")
        order(aws, OrderKind.FORCED, incident_id)
        running.tick(4)
    assert writers(aws) == {Site.RECOVERY}, (aws.controller, aws.standby.groups)


# 3: adopt


@pytest.mark.parametrize("status", ["available", "failed", "stopped"])
def test_a_database_that_does_not_work_is_not_adopted_and_the_only_writer_not_shut_for_it(status: str) -> None:
    aws, running = failed_over()
    for key in [key for key in aws.items if key != "control"]:
        del aws.items[key]
    aws.writer.status = status
    if status != "available":
        aws.writer.dies(aws.now)
    running.tick(2)
    assert running.lost
    instruct(aws, InstructionKind.ADOPT, "primary")  # the command that the message names first
    running.tick(10)
    instruct(aws, InstructionKind.ADOPT, "recovery")  # and back
    running.tick(10)
    assert writers(aws) == {Site.RECOVERY}
    assert aws.name is Site.RECOVERY


# 4: a table restored to the middle of a failover


def failover_with_a_copy_of_the_table(where: Any) -> tuple[Aws, Running, dict[str, Any]]:
    aws = writer_dead()
    aws.validates = False
    killed_once(aws, where)
    kept = deepcopy(aws.items)
    running = Running(aws)
    running.tick(5)
    aws.writer.comes_back(aws.now)
    running.tick(3)
    assert_one_writer(aws, Site.RECOVERY)
    return aws, running, kept


@pytest.mark.parametrize("paused", [False, True])
def test_a_table_restored_to_the_middle_of_a_failover_does_not_send_the_clients_back(paused: bool) -> None:
    aws, running, kept = failover_with_a_copy_of_the_table(lambda call: "rebooted" in aws_events(call))
    aws.items.clear()
    aws.items.update(deepcopy(kept))
    if paused:
        say(aws, pause=Pause("arn:person", aws.now, "we restore the table"))
    running.tick(30)
    assert_latch_never_falls_back(aws)


def aws_events(call: Call) -> list[str]:
    return ["rebooted"] if call.operation == "rds.reboot_db_instance" else []


def test_an_older_controller_item_that_points_to_a_closed_incident_does_not_send_the_clients_back() -> None:
    aws, running, kept = failover_with_a_copy_of_the_table(lambda call: call.operation == "rds.reboot_db_instance")
    aws.items["controller"] = deepcopy(kept["controller"])  # as the runbook copies it: the item controller
    running.tick(10)
    assert aws.name is Site.RECOVERY, (running.lost, aws.latch[-3:])
    assert_one_writer(aws, Site.RECOVERY)


def test_a_table_restored_to_a_planned_failover_that_was_cancelled_does_not_promote_beside_the_open_writer() -> None:
    aws = begun(PLANNED)
    states: list[dict[str, Any]] = []

    def drained(call: Call) -> None:
        for item in aws.incidents:
            if item["phase"] == "drained" and not states:
                states.append(deepcopy(aws.items))
                say(aws, order=None)  # --cancel

    aws.fault = after(drained)
    running = Running(aws)
    running.tick(8)
    aws.fault = no_fault
    assert_one_writer(aws, Site.PRIMARY)
    running.tick(100)  # clients write
    aws.items.clear()
    aws.items.update(deepcopy(states[0]))
    was_open: list[bool] = []

    def look(call: Call) -> None:
        if call.operation == "rds.promote_read_replica":
            was_open.append(takes_writes(aws, Site.PRIMARY))

    aws.fault = before(look)
    running.tick(5)
    aws.fault = no_fault
    assert was_open != [True], "promoted beside a writer that takes writes, and told: data loss 0 s"


# 5: statuses


def test_a_replica_that_rds_calls_fully_operational_is_promoted() -> None:
    aws = writer_dead()
    aws.validates = False
    aws.standby.status = "storage-optimization"  # may last a day; the decision calls it a ready standby
    running = Running(aws)
    running.tick(300)
    assert "promoted" in aws.events, subjects(aws)


# 6: telling


def test_a_message_that_no_topic_takes_is_said_later_though_another_run_writes_the_unheard_ones_too() -> None:
    aws = writer_dead()
    aws.validates = False
    aws.gone_topics = {"arn:failures", "arn:recoveries", "arn:failures-primary"}
    met: list[str] = []

    def meet(call: Call, take_effect: Any) -> Any:
        # The trigger alarm's run and the schedule's: another one keeps a message between this one's read and write.
        answer = take_effect()
        closed = any(item["phase"] == "promoted" for item in aws.incidents)
        if call.operation == "dynamodb.get_item" and closed and not met and aws.called[-2] == "sns.publish":
            met.append("")
            empty: dict[str, Any] = {"version": 0, "messages": []}
            item = aws.plain("unheard") if "unheard" in aws.items else empty
            aws.put({"id": "unheard", "version": int(item["version"]) + 1, "messages": item["messages"]})
        return answer

    aws.fault = meet
    running = Running(aws)
    running.tick(3)
    aws.fault = no_fault
    aws.gone_topics = set()
    running.tick(5)
    assert met
    assert "Failover done" in subjects(aws)


# 7: a pause that lasts


def test_a_failover_held_by_a_pause_while_the_writer_comes_back_does_not_promote_beside_the_open_writer() -> None:
    aws = writer_dead(dark={Site.PRIMARY})
    aws.validates = False
    aws.standby.status = "available"
    running = Running(aws)
    killed_once(aws, lambda call: any(item["phase"] == "fenced" for item in aws.incidents))
    say(aws, pause=Pause("arn:person", aws.now, "the region comes back, they say"))
    running.tick(2)
    aws.dark.clear()
    aws.writer.comes_back(aws.now)
    running.tick(500)  # an hour in which the clients write to it
    assert writers(aws) == {Site.PRIMARY}
    was_open: list[bool] = []

    def look(call: Call) -> None:
        if call.operation == "rds.promote_read_replica":
            was_open.append(takes_writes(aws, Site.PRIMARY))

    aws.fault = before(look)
    say(aws, pause=None)
    running.tick(5)
    assert was_open != [True]


# 8: recovery adopted while it is shut


def test_an_adopted_recovery_that_is_shut_is_opened() -> None:
    """People switched back by hand, fenced recovery, and broke it off: they adopt recovery again."""
    aws, running = failed_over()
    switched_back_databases(aws, recovery_is_replica=False)
    switch_back_record(aws)
    running.controller()
    assert running.lost
    for _ in range(3):
        instruct(aws, InstructionKind.ADOPT, "recovery")
        running.tick(10)
    assert writers(aws) == {Site.RECOVERY}, (writers(aws), aws.writer.groups, aws.standby.groups, aws.name)


# 9: killed right after the claim, and the record lost


@pytest.mark.parametrize("kind", ["automatic", "forced"])
def test_a_failover_killed_before_its_first_step_whose_record_is_lost_begins_again(kind: str) -> None:
    aws = writer_dead() if kind == "automatic" else healthy(slot_lag_bytes=0.0)
    aws.validates = False
    running = Running(aws)
    if kind == "forced":
        running.tick(1)
        order(aws, OrderKind.FORCED)
    killed_once(aws, lambda call: any(int(item["version"]) == 2 for item in aws.incidents))
    assert [len(item["steps"]) for item in aws.incidents] == [1]
    del aws.items["controller"]
    told = len(aws.messages)
    codes = set()
    for _ in range(25):  # the readings reach 300 s back here, and 900 s by the defaults
        codes.add(running.controller())
        aws.sleep(10)
    assert "promoted" in aws.events or len(aws.messages) > told, codes


# 10: what else keeps a writer from its clients


def test_a_new_writer_whose_first_backup_takes_long_gets_the_name() -> None:
    """RDS backs the promoted instance up (retention was asked for): it works, `backing-up`, for hours if it is big."""
    aws = writer_dead()
    aws.validates = False
    killed_once(aws, lambda call: "promoted" in aws.events)
    aws.sleep(10)
    aws.standby.status = "backing-up"
    running = Running(aws)
    running.tick(300)  # 35 minutes: its own probe reaches it all the time
    assert takes_writes(aws, Site.RECOVERY) or aws.standby.source is None
    assert aws.name is Site.RECOVERY


def test_a_question_can_be_answered_though_the_last_incident_is_not_in_the_table() -> None:
    from aws_in_memory.clock import Clock
    from failover.report import report

    aws = healthy(slot_lag_bytes=0.0)
    aws.validates = False
    running = Running(aws)
    running.tick(1)
    order(aws, OrderKind.PLANNED)
    aws.fault = after(lambda call: say(aws, order=None) if "quarantined" in aws.events else None)
    running.tick(10)
    aws.fault = no_fault
    (incident,) = aws.incidents
    assert incident["phase"] == "closed"
    del aws.items[f"incident#{incident['incident_id']}"]  # a restore that copied `controller` alone
    aws.standby.lag_seconds, aws.writer.slot_lag_bytes = 100, 1e6
    running.tick(100)
    aws.writer.dies(aws.now)
    running.tick(10)
    assert "APPROVAL NEEDED" in subjects(aws)
    report(aws, SETTINGS, Clock(aws), {"order": None})  # every command begins with it


def test_a_second_pause_of_the_same_failover_is_told_too() -> None:
    aws = writer_dead()
    aws.validates = False
    killed_once(aws, lambda call: any(item["phase"] == "fenced" for item in aws.incidents))
    aws.standby.status = "backing-up"
    running = Running(aws)
    say(aws, pause=Pause("arn:one", aws.now, "x"))
    running.tick(2)
    say(aws, pause=None)
    running.tick(2)
    say(aws, pause=Pause("arn:two", aws.now, "y"))
    running.tick(5)
    assert subjects(aws).count("HELD") == 2


def test_an_older_record_with_a_persons_word_in_it_is_not_believed_against_the_databases() -> None:
    """Restored to when primary had just been adopted (recovery being rebuilt); a failover has happened since."""
    aws, running = failed_over()
    switched_back_databases(aws, recovery_is_replica=False)
    switch_back_record(aws)
    running.controller()
    instruct(aws, InstructionKind.ADOPT, "primary")
    running.tick(3)
    kept = deepcopy(aws.items)
    assert kept["controller"]["adopted_by"]
    switched_back_databases(aws, recovery_is_replica=True)
    running.tick(30)
    assert_one_writer(aws, Site.PRIMARY)
    aws.sleep(1000)
    aws.writer.dies(aws.now)
    running.tick(30)
    assert_one_writer(aws, Site.RECOVERY)
    aws.writer.comes_back(aws.now)
    aws.items.clear()
    aws.items.update(kept)
    running.tick(10)
    assert writers(aws) == {Site.RECOVERY}, (running.lost, writers(aws), aws.name)


def test_a_lost_state_can_be_settled_while_the_primary_region_is_dark() -> None:
    aws = writer_dead()
    aws.validates = False
    killed_once(aws, lambda call: any(int(item["version"]) == 2 for item in aws.incidents))
    for key in [key for key in aws.items if key.startswith("incident#")]:
        del aws.items[key]
    aws.dark = {REGIONS[Site.PRIMARY]}
    running = Running(aws)
    running.tick(2)
    assert running.lost
    for site in Site:
        instruct(aws, InstructionKind.ADOPT, site)
        running.tick(20)
    assert not running.lost


def test_a_replica_that_is_backed_up_while_the_lost_region_comes_back_is_not_promoted_beside_the_open_writer() -> None:
    """Nobody has paused anything: a backup of the replica (it counts as ready) is enough, and a link that returns."""
    aws = writer_dead(dark={Site.PRIMARY})
    aws.validates = False
    aws.standby.status = "backing-up"
    running = Running(aws)
    running.tick(3)
    assert aws.incidents[0]["phase"] == "fenced"
    aws.dark.clear()
    aws.writer.comes_back(aws.now)
    running.tick(20)  # twenty minutes of runs, in which the clients write to it: the name has never moved
    assert writers(aws) == {Site.PRIMARY}
    was_open: list[bool] = []

    def look(call: Call) -> None:
        if call.operation == "rds.promote_read_replica":
            was_open.append(takes_writes(aws, Site.PRIMARY))

    aws.fault = before(look)
    aws.standby.status = "available"
    running.tick(5)
    assert was_open != [True], subjects(aws)


def test_a_forced_failover_of_a_region_that_has_just_gone_dark_does_not_wait_for_a_proof() -> None:
    aws = healthy(slot_lag_bytes=0.0)
    aws.validates = False
    settings = replace(SETTINGS, policy=replace(SETTINGS.policy, outage_seconds=24.0))
    run(aws, "first", settings)
    aws.writer.dies(aws.now)
    aws.sleep(3)
    aws.dark = {REGIONS[Site.PRIMARY]}
    order(aws, OrderKind.FORCED, f"000001-{aws.now:%Y%m%dT%H%M%SZ}")
    item = Control.from_item(aws.plain("control"))
    assert item.order is not None
    begun_at = aws.now
    for second in range(4):  # whichever second the trouble is counted from
        given = replace(item.order, incident_id=f"000001-{begun_at - timedelta(seconds=second):%Y%m%dT%H%M%SZ}")
        aws.put(replace(item, order=given).as_item())
        copy = deepcopy(aws.items)
        # So short that a run without an order that counts does not stay until it can decide by itself.
        run(aws, f"forced-{second}", replace(settings, run_budget_seconds=6))
        if aws.incidents:
            break
        aws.now = begun_at
        aws.items.clear()
        aws.items.update(copy)
    (incident,) = aws.incidents
    waited = (datetime.fromisoformat(incident["opened_at"]) - begun_at).total_seconds()
    assert waited < 5, f"{waited:g} s"


def test_a_throttled_promotion_was_not_asked_for_and_an_old_writer_that_is_back_meanwhile_stays() -> None:
    aws = writer_dead()
    aws.writer.refuses_changes = True

    def throttle(call: Call) -> None:
        if call.operation == "rds.promote_read_replica":
            raise refusal("Throttling")

    aws.fault = before(throttle)
    running = Running(aws)
    running.controller()
    aws.writer.comes_back(aws.now)
    aws.writer.refuses_changes = False
    running.tick(12)
    assert_one_writer(aws, Site.PRIMARY)
    assert "promoted" not in aws.events


def test_a_planned_failover_whose_region_goes_dark_after_the_fence_is_decided_anew_without_waiting_for_it() -> None:
    aws = begun(PLANNED)
    killed_once(aws, lambda call: "rebooted" in aws.events)
    aws.dark = {REGIONS[Site.PRIMARY]}
    began = aws.now
    running = Running(aws)
    while "incident_id" in aws.controller and aws.now - began < timedelta(minutes=10):
        running.controller()
    opened = next(step for step in aws.incidents[0]["steps"] if step["phase"] == "opened_again")
    assert opened["outcome"] == "not_opened"
    assert datetime.fromisoformat(opened["finished_at"]) - datetime.fromisoformat(opened["started_at"]) < timedelta(
        seconds=10
    )
