"""A fence-guard's runs: what it shuts, what it leaves alone, and where it ends when every call can fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from aws_in_memory.aws import Aws, Call, Fault, no_fault
from aws_in_memory.clock import Clock
from aws_in_memory.deployed import GUARD_ENVIRONMENT, GUARD_SETTINGS, REGIONS, guard
from aws_in_memory.faults import FAULTS, At, Killed, Kind, after, before, not_connected
from aws_in_memory.recorded import OVER, SHOWN, after_failover, both_can_write, incident, remember
from aws_in_memory.refusals import silence
from fence_guard.finding import Finding, Memory
from fence_guard.guard import Guard
from fence_guard.handler import publish
from fence_guard.settings import GuardSettings
from function_runtime.environment import SettingError
from function_runtime.incident import Phase
from function_runtime.sites import Site
from function_runtime.state import Controller

CHANGES = ("rds.modify_db_instance", "rds.reboot_db_instance")
SHUT = {"sg-quarantine-primary": "active"}


def changes(aws: Aws) -> list[str]:
    return [call for call in aws.called if call in CHANGES]


def unanswered(operation: str, *sites: Site) -> Fault:
    """Nobody answers it, in these sites or anywhere."""

    def silent(call: Call) -> None:
        if call.operation == operation and call.region in [REGIONS[site] for site in sites or Site]:
            raise silence()

    return before(silent)


def record(aws: Aws, site: Site = Site.PRIMARY) -> dict[str, Any]:
    return aws.plain(f"fence#{site}")


@pytest.mark.parametrize("site", list(Site))
def test_a_returning_old_writer_is_shut_by_the_first_run(site: Site) -> None:
    aws = after_failover(site=site)
    found = guard(aws, site)
    assert aws.writer.is_shut(aws.now)
    assert (found.code, found.newly_fenced, found.unfenced) == ("fenced", True, False)
    assert {name: record(aws, site)[name] for name in ("epoch", "outcome", "by")} == {
        "epoch": 1,
        "outcome": "fenced",
        "by": "fence-guard",
    }


def test_the_door_is_shut_before_the_reboot_and_at_once() -> None:
    aws = after_failover()
    guard(aws)
    assert aws.called.index(CHANGES[0]) < aws.called.index(CHANGES[1])
    # Both databases, what both tables have, the note that it begins: nothing waits before the door.
    assert aws.called.index(CHANGES[0]) <= 9


def test_a_fenced_database_is_looked_at_and_left_in_peace() -> None:
    aws = after_failover()
    guard(aws)
    aws.called.clear()
    found = guard(aws)
    assert found.code == "already_fenced"
    assert changes(aws) == []
    assert aws.called.count("rds.describe_db_instances") == 2, "its own one and the other site's"
    assert len(aws.messages) == 1


def test_a_failovers_own_fence_is_recorded_and_not_repeated() -> None:
    aws = after_failover(fenced="fenced", groups=dict(SHUT))
    assert guard(aws).code == "fenced_by_failover"
    assert changes(aws) == []
    assert record(aws)["outcome"] == "fenced"
    assert aws.messages == []


def test_a_failovers_fence_that_somebody_opened_again_is_made_anew() -> None:
    aws = after_failover(fenced="fenced")
    guard(aws)
    assert aws.writer.is_shut(aws.now)


def test_a_guard_that_is_killed_between_door_and_reboot_does_not_take_the_failovers_fence_for_its_own() -> None:
    aws = after_failover(fenced="fenced")

    def kill(call: Call) -> None:
        if call.operation == "rds.modify_db_instance":
            raise Killed

    aws.fault = after(kill)
    with pytest.raises(Killed):
        guard(aws)
    aws.fault = no_fault
    aws.now += timedelta(minutes=1)
    guard(aws)
    assert aws.writer.is_shut(aws.now)


def test_a_failovers_fence_of_an_earlier_epoch_counts_for_nothing() -> None:
    aws = both_can_write()
    aws.writer.groups = dict(SHUT)
    over = incident(Site.RECOVERY, *OVER, fenced="fenced")
    remember(aws, Controller(epoch=3, writer_site=Site.RECOVERY, last_incident_id=over.incident_id), over)
    guard(aws)
    assert aws.writer.is_shut(aws.now)
    assert changes(aws) == ["rds.reboot_db_instance"]


def test_a_failovers_fence_without_a_reboot_gets_one() -> None:
    aws = after_failover(fenced="groups_replaced", groups=dict(SHUT))
    guard(aws)
    assert changes(aws) == ["rds.reboot_db_instance"]
    assert aws.writer.is_shut(aws.now)


def test_a_database_that_was_fenced_and_opened_by_hand_is_shut_again() -> None:
    aws = after_failover()
    guard(aws)
    aws.writer.groups, aws.writer.old_connections = {"sg-database-primary": "active"}, True
    guard(aws)
    assert aws.writer.is_shut(aws.now)


def test_a_fenced_database_that_operators_look_at_is_left_open_to_them() -> None:
    aws = after_failover()
    guard(aws)
    aws.called.clear()
    aws.writer.groups = {"sg-inspection-primary": "active"}
    assert (guard(aws).code, guard(aws).unfenced) == ("inspected", False)
    assert changes(aws) == []


def test_a_group_that_lets_clients_in_is_no_inspection() -> None:
    aws = after_failover()
    guard(aws)
    aws.writer.groups, aws.writer.old_connections = {"sg-inspection-primary": "active"}, True
    settings = GuardSettings.from_environment({**GUARD_ENVIRONMENT[Site.PRIMARY], "INSPECTION_GROUP_ID": "none"})
    Guard(aws, settings, Clock(aws), Memory()).once()
    assert aws.writer.is_shut(aws.now)


@pytest.mark.parametrize("groups", [("sg-inspection-primary",), ("sg-inspection-primary", "sg-database-primary")])
def test_inspection_is_no_way_around_the_fence(groups: tuple[str, ...]) -> None:
    aws = after_failover()
    if len(groups) > 1:
        guard(aws)
    aws.writer.groups, aws.writer.old_connections = dict.fromkeys(groups, "active"), True
    guard(aws)
    assert aws.writer.is_shut(aws.now)


def test_the_fence_of_an_earlier_epoch_counts_for_nothing() -> None:
    aws = after_failover()
    guard(aws)
    aws.called.clear()
    over = incident(Site.RECOVERY, *OVER)
    remember(aws, Controller(epoch=3, writer_site=Site.RECOVERY, last_incident_id=over.incident_id))
    guard(aws)
    assert changes(aws) == ["rds.reboot_db_instance"]
    assert record(aws)["epoch"] == 3


def test_an_old_writer_is_shut_while_the_other_site_is_still_being_promoted() -> None:
    aws = both_can_write()
    under_way = incident(Site.RECOVERY, *SHOWN[:2])
    remember(aws, Controller(epoch=1, incident_id=under_way.incident_id), under_way)
    assert guard(aws).code == "fenced"
    assert aws.writer.is_shut(aws.now)


def leave_alone() -> dict[str, tuple[Aws, Site]]:
    fresh = both_can_write()
    promoted = incident(Site.RECOVERY, *SHOWN)
    remember(fresh, Controller(epoch=1, incident_id=promoted.incident_id), promoted)
    fine = both_can_write()
    early = both_can_write()
    for aws in (fine, early):
        aws.standby.source = "arn:database-primary"
    begun = incident(Site.RECOVERY, Phase.FENCED)
    remember(early, Controller(epoch=1, incident_id=begun.incident_id), begun)
    writer = both_can_write()
    remember(writer, Controller(epoch=1, writer_site=Site.RECOVERY), incident(Site.RECOVERY, *OVER))
    old = after_failover()
    old.standby.source = "arn:database-primary"
    return {
        "no_failover_yet": (fine, Site.PRIMARY),
        "becomes_writer": (fresh, Site.RECOVERY),
        "record_is_older": (old, Site.PRIMARY),
        "promotion_not_asked": (early, Site.PRIMARY),
        "writer": (writer, Site.RECOVERY),
        "replica": (after_failover(source="arn:other"), Site.PRIMARY),
        "no_database": (after_failover(exists=False), Site.PRIMARY),
    }


@pytest.mark.parametrize("code", list(leave_alone()))
def test_what_is_no_old_writer_is_left_alone(code: str) -> None:
    aws, site = leave_alone()[code]
    found = guard(aws, site)
    assert (found.code, found.unfenced) == (code, False)
    assert changes(aws) == []
    assert aws.messages == []


def test_an_unknown_state_fences_nobody_and_fails_the_run() -> None:
    aws = after_failover()

    aws.fault = unanswered("dynamodb.get_item")
    with pytest.raises(BotoCoreError):
        guard(aws)
    assert changes(aws) == []


@pytest.mark.parametrize("site", list(Site))
def test_a_guard_shuts_its_database_only_where_both_tables_answer(site: Site) -> None:
    for silent in Site:
        aws, memory = after_failover(site=site), Memory()
        aws.fault = unanswered("dynamodb.get_item", silent)
        for _ in range(2):
            with pytest.raises(BotoCoreError):
                guard(aws, site, memory)
        assert changes(aws) == []
        aws.fault = no_fault
        assert guard(aws, site, memory).code == "fenced"


def test_an_own_table_that_cannot_be_read_shuts_nobody_whatever_the_process_remembers() -> None:
    aws, memory = after_failover(refuses_changes=True), Memory()
    guard(aws, memory=memory)
    aws.called.clear()
    aws.writer.refuses_changes = False
    aws.fault = unanswered("dynamodb.get_item", Site.PRIMARY)
    with pytest.raises(BotoCoreError):
        guard(aws, memory=memory)
    assert changes(aws) == []
    assert [subject for _, subject in aws.messages][1:] == ["[test] TWO PostgreSQL WRITERS"]


def test_what_its_own_table_made_the_writer_is_left_alone_although_the_process_remembers_otherwise() -> None:
    aws, memory = after_failover(), Memory()
    guard(aws, memory=memory)
    aws.called.clear()
    aws.writer.groups = {"sg-database-primary": "active"}
    back = replace(incident(Site.PRIMARY, *OVER), epoch=2, incident_id="000002-back")
    aws.put(back.as_item(), Site.PRIMARY)
    aws.put(Controller(version=1, epoch=2, authority=Site.PRIMARY).as_item(), Site.PRIMARY)
    aws.fault = unanswered("dynamodb.get_item", Site.RECOVERY)
    with pytest.raises(BotoCoreError):
        guard(aws, memory=memory)
    assert changes(aws) == []
    aws.fault = no_fault
    assert guard(aws).code == "writer"
    assert guard(aws, Site.RECOVERY).code == "fenced"


def test_another_table_that_is_lost_counts_as_one_that_cannot_be_read() -> None:
    aws = after_failover()
    aws.items.clear()
    with pytest.raises(LookupError, match="it is lost"):
        guard(aws)
    assert changes(aws) == []


def test_the_instance_that_was_shut_is_recorded_by_its_resource_id() -> None:
    aws = after_failover()
    guard(aws)
    assert record(aws)["resource_id"] == "db-database-primary-1"


def test_a_state_that_answers_at_the_second_question_is_enough() -> None:
    aws = after_failover()
    aws.fault = At(lambda call: call.operation == "dynamodb.get_item", not_connected)
    assert guard(aws).code == "fenced"


def test_a_record_that_is_lost_does_not_disarm_the_guard_where_a_promotion_is_on_record() -> None:
    for under_way in (incident(Site.RECOVERY, *SHOWN[:2]), incident(Site.RECOVERY, *OVER)):
        aws = both_can_write()
        aws.put(under_way.as_item())
        assert guard(aws).code == "fenced"
        assert aws.writer.is_shut(aws.now)


def test_two_writers_that_nothing_on_record_tells_apart_are_told_of_and_counted() -> None:
    aws, memory = both_can_write(), Memory()
    for _ in range(2):
        found = guard(aws, memory=memory)
        assert (found.code, found.two_writers) == ("two_writers", True)
    assert changes(aws) == []
    assert [subject for _, subject in aws.messages] == ["[test] TWO PostgreSQL WRITERS"]


def test_the_writers_guard_tells_of_an_old_writer_that_its_own_guard_does_not_shut() -> None:
    aws, memory = after_failover(), Memory()
    codes = [guard(aws, Site.RECOVERY, memory).code for _ in range(7)]
    assert codes == [*["writer"] * 4, *["rival"] * 3]
    assert [subject for _, subject in aws.messages] == ["[test] TWO PostgreSQL WRITERS"]
    guard(aws)
    assert guard(aws, Site.RECOVERY, memory).code == "writer"


def test_without_a_record_only_what_the_last_one_rules_out_is_shut() -> None:
    aws, memory = after_failover(source="arn:other"), Memory()
    guard(aws, memory=memory)  # a replica: the record is not even read
    aws.writer.source = None
    aws.writer.refuses_changes = True
    guard(aws, memory=memory)
    aws.writer.refuses_changes = False
    aws.fault = unanswered("dynamodb.get_item", Site.RECOVERY)
    for _ in range(2):
        with pytest.raises(BotoCoreError):
            guard(aws, memory=memory)
        assert aws.writer.is_shut(aws.now)
    assert changes(aws).count("rds.reboot_db_instance") == 1


def test_without_a_record_and_without_a_memory_two_writers_are_told_of_through_the_topic_that_answers() -> None:
    aws = after_failover()

    def fail(call: Call) -> None:
        if call.operation == "dynamodb.get_item" or (call.operation, call.region) == ("sns.publish", "ap-southeast-2"):
            raise silence()

    aws.fault = before(fail)
    found = Guard(aws, GUARD_SETTINGS[Site.PRIMARY], Clock(aws), Memory()).once()
    assert (found.two_writers, changes(aws)) == (True, [])
    assert isinstance(found.error, BotoCoreError)
    assert [topic for topic, _ in aws.messages] == ["arn:failures"]


def test_a_reboot_that_outlasts_the_run_is_waited_for_by_the_next_one() -> None:
    aws = after_failover(reboot_takes=timedelta(seconds=70), group_change_takes=timedelta())
    found = guard(aws)
    assert (found.code, found.unfenced, aws.messages) == ("rebooting", False, [])
    aws.now += timedelta(seconds=60)
    assert guard(aws).code == "fenced"
    assert changes(aws) == list(CHANGES)


def test_a_record_that_points_to_nothing_fences_nobody() -> None:
    aws = both_can_write()
    remember(aws, Controller(epoch=1, writer_site=Site.RECOVERY, incident_id="000001-lost"))
    with pytest.raises(LookupError):
        guard(aws)
    assert changes(aws) == []


def test_what_rds_refuses_is_recorded_told_once_and_tried_at_every_run() -> None:
    aws = after_failover(refuses_changes=True)
    for _ in range(3):
        found = guard(aws)
        assert (found.code, found.unfenced) == ("refused", True)
        assert record(aws)["outcome"] == "refused"
        aws.now += timedelta(minutes=1)
    assert [subject for _, subject in aws.messages] == [
        "[test] Old PostgreSQL writer in primary is NOT FENCED: refused"
    ]
    aws.writer.refuses_changes = False
    assert guard(aws).code == "fenced"
    assert [subject for _, subject in aws.messages][1:] == ["[test] Old PostgreSQL writer in primary is fenced"]


def comes_up(aws: Aws, after_seconds: float) -> datetime:
    up_at = aws.now + timedelta(seconds=after_seconds)
    down = [aws.writer.status]

    def come_up(call: Call) -> None:
        if aws.now >= up_at and down:
            aws.writer.status = "available"
            down.clear()

    aws.fault = before(come_up)
    return up_at


@pytest.mark.parametrize("status", ["failed", "rebooting", "starting"])
def test_a_database_that_comes_up_while_a_run_looks_is_shut_within_one_look(status: str) -> None:
    aws = after_failover(status=status, group_change_takes=timedelta())
    up_at = comes_up(aws, after_seconds=12)
    assert guard(aws).code == "fenced"
    assert aws.writer.is_shut(aws.now)
    assert aws.writer.rebooted_at is not None
    assert aws.writer.rebooted_at - up_at <= timedelta(seconds=2 * GUARD_SETTINGS[Site.PRIMARY].poll_interval_seconds)


def test_a_door_that_was_shut_at_a_runs_end_is_followed_by_the_reboot_in_the_same_run() -> None:
    aws = after_failover(status="failed")
    comes_up(aws, after_seconds=33)
    guard(aws)
    assert changes(aws)[-1] == "rds.reboot_db_instance"
    aws.now += timedelta(seconds=20)
    assert guard(aws).code == "fenced"
    assert aws.writer.is_shut(aws.now)


def test_a_run_leaves_a_fence_to_the_run_that_is_at_it() -> None:
    aws = after_failover(status="failed")
    met: list[Finding] = []

    def meet(call: Call) -> None:
        if call.operation == "rds.modify_db_instance" and not met:
            met.append(guard(aws))

    aws.fault = before(meet)
    assert guard(aws).code == "refused"
    assert (met[0].code, met[0].unfenced) == ("another_run", True)
    assert len(aws.messages) == 1


def test_a_group_that_is_never_in_force_is_no_fence() -> None:
    aws = after_failover(group_change_takes=timedelta(hours=1))
    started = aws.now
    found = guard(aws)
    assert (found.code, found.unfenced) == ("groups_replaced", True)
    assert aws.now - started <= timedelta(seconds=GUARD_SETTINGS[Site.PRIMARY].fence_seconds)
    assert aws.writer.rebooted_at is None


def test_a_run_goes_on_where_the_last_one_stopped() -> None:
    aws = after_failover(group_change_takes=timedelta(seconds=50))
    assert guard(aws).code == "groups_replaced"
    aws.now += timedelta(seconds=20)
    assert guard(aws).code == "fenced"
    assert changes(aws) == list(CHANGES)


def test_people_who_could_not_be_told_are_told_by_the_next_run() -> None:
    aws = after_failover()

    aws.fault = unanswered("sns.publish")
    with pytest.raises(BotoCoreError):
        guard(aws)
    assert aws.writer.is_shut(aws.now)
    aws.fault = no_fault
    assert guard(aws).code == "already_fenced"
    assert len(aws.messages) == 1
    guard(aws)
    assert len(aws.messages) == 1


def test_of_two_runs_that_meet_one_stops() -> None:
    aws = after_failover()
    met: list[Finding] = []

    def meet(call: Call) -> None:
        if call.operation == "dynamodb.put_item" and not met:
            met.append(Finding("-", "-"))
            met.append(guard(aws))

    aws.fault = before(meet)
    assert guard(aws).code == "another_run"
    assert met[1].code == "fenced"
    assert aws.writer.is_shut(aws.now)
    assert changes(aws) == list(CHANGES)


def is_number(number: int) -> Callable[[Call], bool]:
    return lambda call: call.number == number


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_whatever_happens_at_whatever_call_the_old_writer_ends_up_shut_recorded_and_told(fault: Kind) -> None:
    undisturbed = after_failover()
    guard(undisturbed)
    for number in range(1, len(undisturbed.called) + 1):
        aws = after_failover()
        aws.fault = at = At(is_number(number), fault)
        with suppress(Killed, ClientError, BotoCoreError):
            guard(aws)
        assert at.struck
        aws.fault = no_fault
        for _ in range(3):
            aws.sleep(60)
            last = guard(aws)
        assert aws.writer.is_shut(aws.now), (number, aws.called)
        assert last.code == "already_fenced"
        assert record(aws)["outcome"] == "fenced"
        fenced = [subject for _, subject in aws.messages if subject.endswith("is fenced")]
        # Twice only where it was said and the saying could not be recorded.
        assert 1 <= len(fenced) <= 2, (number, aws.messages)


@pytest.mark.parametrize(
    ("finding", "values"),
    [
        (Finding("writer", ""), (0, 0, 0)),
        (Finding("fenced", "", newly_fenced=True), (1, 0, 0)),
        (Finding("refused", "", unfenced=True), (0, 1, 0)),
        (Finding("two_writers", "", two_writers=True), (0, 0, 1)),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
def test_the_metrics_count_what_was_fenced_and_what_was_not(
    finding: Finding, values: tuple[int, int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    publish(finding, GUARD_SETTINGS[Site.PRIMARY])
    printed = json.loads(capsys.readouterr().out)
    assert tuple(printed[name][0] for name in ("FencedWriters", "UnfencedWriters", "TwoWriters")) == values
    assert printed["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Site"]]
    assert printed["Site"] == "primary"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SITE", "third"),
        ("INSTANCE_ID", " "),
        ("GUARD_SECONDS", "60"),
        ("POLL_INTERVAL_SECONDS", "40"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        GuardSettings.from_environment({**GUARD_ENVIRONMENT[Site.PRIMARY], variable: value})
    assert caught.value.variable == variable
