"""A fence-guard's runs: what it shuts, what it leaves alone, and where it ends when every call can fail."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from fence_guard.guard import Finding
from fence_guard.handler import publish
from fence_guard.settings import GuardSettings
from function_runtime.environment import SettingError
from function_runtime.incident import Phase
from function_runtime.sites import Site
from function_runtime.state import Controller
from worlds.guarded_site import (
    ENVIRONMENT,
    OVER,
    PROMOTED,
    QUARANTINE,
    SETTINGS,
    GuardedSite,
    Killed,
    after_failover,
    guard,
    incident,
    refusal,
    timeout,
)

CHANGES = ("rds.modify_db_instance", "rds.reboot_db_instance")
SHUT = {QUARANTINE: "active"}


def changes(world: GuardedSite) -> list[str]:
    return [call for call in world.called if call in CHANGES]


@pytest.mark.parametrize("site", list(Site))
def test_a_returning_old_writer_is_shut_by_the_first_run(site: Site) -> None:
    world = after_failover(site=site)
    found = guard(world)
    assert world.shut
    assert (found.code, found.newly_fenced, found.unfenced) == ("fenced", True, False)
    assert {name: world.record[name] for name in ("epoch", "outcome", "by")} == {
        "epoch": 1,
        "outcome": "fenced",
        "by": "fence-guard",
    }


def test_the_door_is_shut_before_the_reboot_and_at_once() -> None:
    world = after_failover()
    guard(world)
    assert world.called.index(CHANGES[0]) < world.called.index(CHANGES[1])
    # One look, who the writer is, the incident of the record, the note that it begins: nothing waits before the door.
    assert world.called.index(CHANGES[0]) <= 4


def test_a_fenced_database_is_looked_at_and_left_in_peace() -> None:
    world = after_failover()
    guard(world)
    world.called.clear()
    found = guard(world)
    assert found.code == "already_fenced"
    assert changes(world) == []
    assert world.called.count("rds.describe_db_instances") == 1
    assert len(world.messages) == 1


def test_a_failovers_own_fence_is_recorded_and_not_repeated() -> None:
    world = after_failover(fenced="fenced", groups=dict(SHUT))
    assert guard(world).code == "fenced_by_failover"
    assert changes(world) == []
    assert world.record["outcome"] == "fenced"
    assert world.messages == []


def test_a_failovers_fence_that_somebody_opened_again_is_made_anew() -> None:
    world = after_failover(fenced="fenced")
    guard(world)
    assert world.shut


def test_a_guard_that_is_killed_between_door_and_reboot_does_not_take_the_failovers_fence_for_its_own() -> None:
    world = after_failover(fenced="fenced")

    def kill(number: int, call: str) -> None:
        if call == "rds.modify_db_instance":
            raise Killed

    world.after = kill
    with pytest.raises(Killed):
        guard(world)
    world.after = lambda number, call: None
    world.now += timedelta(minutes=1)
    guard(world)
    assert world.shut


def test_a_failovers_fence_of_an_earlier_epoch_counts_for_nothing() -> None:
    world = GuardedSite(groups=dict(SHUT))
    over = incident(Site.RECOVERY, *OVER, fenced="fenced")
    world.remember(Controller(epoch=3, writer_site=Site.RECOVERY, last_incident_id=over.incident_id), over)
    guard(world)
    assert world.shut
    assert changes(world) == ["rds.reboot_db_instance"]


def test_a_failovers_fence_without_a_reboot_gets_one() -> None:
    world = after_failover(fenced="groups_replaced", groups=dict(SHUT))
    guard(world)
    assert changes(world) == ["rds.reboot_db_instance"]
    assert world.shut


def test_a_database_that_was_fenced_and_opened_by_hand_is_shut_again() -> None:
    world = after_failover()
    guard(world)
    world.groups, world.old_connections = {"sg-database": "active"}, True
    guard(world)
    assert world.shut


def test_the_fence_of_an_earlier_epoch_counts_for_nothing() -> None:
    world = after_failover()
    guard(world)
    world.called.clear()
    over = incident(Site.RECOVERY, *OVER)
    world.remember(Controller(epoch=3, writer_site=Site.RECOVERY, last_incident_id=over.incident_id))
    guard(world)
    assert changes(world) == ["rds.reboot_db_instance"]
    assert world.record["epoch"] == 3


def test_an_old_writer_is_shut_while_the_other_site_is_still_being_promoted() -> None:
    world = GuardedSite()
    under_way = incident(Site.RECOVERY, *PROMOTED[:2])
    world.remember(Controller(epoch=1, incident_id=under_way.incident_id), under_way)
    assert guard(world).code == "fenced"
    assert world.shut


def leave_alone() -> dict[str, GuardedSite]:
    fresh = GuardedSite(site=Site.RECOVERY)
    promoted = incident(Site.RECOVERY, *PROMOTED)
    fresh.remember(Controller(epoch=1, incident_id=promoted.incident_id), promoted)
    early = GuardedSite()
    begun = incident(Site.RECOVERY, Phase.FENCED)
    early.remember(Controller(epoch=1, incident_id=begun.incident_id), begun)
    writer = GuardedSite(site=Site.RECOVERY)
    writer.remember(Controller(epoch=1, writer_site=Site.RECOVERY))
    return {
        "no_failover_yet": GuardedSite(),
        "becomes_writer": fresh,
        "promotion_not_begun": early,
        "writer": writer,
        "replica": after_failover(replica_of="arn:other"),
        "no_database": after_failover(exists=False),
    }


@pytest.mark.parametrize("code", list(leave_alone()))
def test_what_is_no_old_writer_is_left_alone(code: str) -> None:
    world = leave_alone()[code]
    found = guard(world)
    assert (found.code, found.unfenced) == (code, False)
    assert changes(world) == []
    assert world.messages == []


def test_an_unknown_state_fences_nobody_and_fails_the_run() -> None:
    world = after_failover()

    def silent(number: int, call: str) -> None:
        if call == "dynamodb.get_item":
            raise timeout()

    world.before = silent
    with pytest.raises(BotoCoreError):
        guard(world)
    assert changes(world) == []


def test_a_state_that_answers_at_the_second_question_is_enough() -> None:
    world = after_failover()
    asked: list[str] = []

    def haltingly(number: int, call: str) -> None:
        if call == "dynamodb.get_item":
            asked.append(call)
            if len(asked) == 1:
                raise timeout()

    world.before = haltingly
    assert guard(world).code == "fenced"


def test_a_record_that_points_to_nothing_fences_nobody() -> None:
    world = GuardedSite()
    world.remember(Controller(epoch=1, writer_site=Site.RECOVERY, incident_id="000001-lost"))
    with pytest.raises(LookupError):
        guard(world)
    assert changes(world) == []


def test_what_rds_refuses_is_recorded_told_once_and_tried_at_every_run() -> None:
    world = after_failover(refused=True)
    for _ in range(3):
        found = guard(world)
        assert (found.code, found.unfenced) == ("refused", True)
        assert world.record["outcome"] == "refused"
        world.now += timedelta(minutes=1)
    assert [subject for subject, _ in world.messages] == [
        "[test] Old PostgreSQL writer in primary is NOT FENCED: refused"
    ]
    world.refused = False
    assert guard(world).code == "fenced"
    assert [subject for subject, _ in world.messages][1:] == ["[test] Old PostgreSQL writer in primary is fenced"]


@pytest.mark.parametrize("status", ["failed", "rebooting", "starting"])
def test_a_database_that_comes_up_while_a_run_looks_is_shut_within_one_look(status: str) -> None:
    world = after_failover(status=status, modify_takes=timedelta())
    up_at = world.now + timedelta(seconds=12)

    def come_up(number: int, call: str) -> None:
        if world.now >= up_at:
            world.status = "available"

    world.before = come_up
    assert guard(world).code == "fenced"
    assert world.shut
    assert world.now - up_at <= timedelta(seconds=SETTINGS[Site.PRIMARY].poll_interval_seconds)


def test_a_door_that_was_shut_at_a_runs_end_is_followed_by_the_reboot_in_the_same_run() -> None:
    world = after_failover(status="failed")
    up_at = world.now + timedelta(seconds=33)

    def come_up(number: int, call: str) -> None:
        if world.now >= up_at:
            world.status = "available"

    world.before = come_up
    assert guard(world).code == "fenced"
    assert world.shut


def test_a_run_leaves_a_fence_to_the_run_that_is_at_it() -> None:
    world = after_failover(status="failed")
    met: list[Finding] = []

    def meet(number: int, call: str) -> None:
        if call == "rds.modify_db_instance" and not met:
            met.append(guard(world))

    world.before = meet
    assert guard(world).code == "refused"
    assert (met[0].code, met[0].unfenced) == ("another_run", True)
    assert len(world.messages) == 1


def test_a_group_that_is_never_in_force_is_no_fence() -> None:
    world = after_failover(modify_takes=timedelta(hours=1))
    started = world.now
    found = guard(world)
    assert (found.code, found.unfenced) == ("groups_replaced", True)
    assert world.now - started <= timedelta(seconds=SETTINGS[Site.PRIMARY].fence_seconds)
    assert world.rebooted_at is None


def test_a_run_goes_on_where_the_last_one_stopped() -> None:
    world = after_failover(modify_takes=timedelta(seconds=50))
    assert guard(world).code == "groups_replaced"
    world.now += timedelta(seconds=20)
    assert guard(world).code == "fenced"
    assert changes(world) == list(CHANGES)


def test_people_who_could_not_be_told_are_told_by_the_next_run() -> None:
    world = after_failover()

    def deaf(number: int, call: str) -> None:
        if call == "sns.publish":
            raise timeout()

    world.before = deaf
    with pytest.raises(BotoCoreError):
        guard(world)
    assert world.shut
    world.before = lambda number, call: None
    assert guard(world).code == "already_fenced"
    assert len(world.messages) == 1
    guard(world)
    assert len(world.messages) == 1


def test_of_two_runs_that_meet_one_stops() -> None:
    world = after_failover()
    met: list[Finding] = []

    def meet(number: int, call: str) -> None:
        if call == "dynamodb.put_item" and not met:
            met.append(Finding("-", "-"))
            met.append(guard(world))

    world.before = meet
    assert guard(world).code == "another_run"
    assert met[1].code == "fenced"
    assert world.shut
    assert changes(world) == list(CHANGES)


def faults() -> dict[str, BaseException]:
    return {
        "throttled": refusal("ThrottlingException"),
        "server error": refusal("InternalFailure", 500),
        "silence": timeout(),
        "refused": refusal("AccessDenied", 403),
        "killed": Killed(),
    }


@pytest.mark.parametrize("kind", list(faults()))
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_happens_at_whatever_call_the_old_writer_ends_up_shut_recorded_and_told(kind: str, when: str) -> None:
    undisturbed = after_failover()
    guard(undisturbed)
    struck = 0
    for number in range(1, len(undisturbed.called) + 1):
        world = after_failover()

        def strike(call_number: int, call: str, number: int = number) -> None:
            if call_number == number:
                raise faults()[kind]

        setattr(world, when, strike)
        try:
            guard(world)
        except (Killed, ClientError, BotoCoreError):
            struck += 1
        for _ in range(3):
            world.now += timedelta(minutes=1)
            last = guard(world)
        assert world.shut, (number, world.called)
        assert last.code == "already_fenced"
        assert world.record["outcome"] == "fenced"
        fenced = [subject for subject, _ in world.messages if subject.endswith("is fenced")]
        # Twice only where it was said and the saying could not be recorded.
        assert 1 <= len(fenced) <= 2, (number, world.messages)
    assert struck > 0


def test_a_person_learns_what_was_seen_what_was_done_and_what_to_do() -> None:
    world = after_failover(refused=True)
    guard(world)
    ((subject, text),) = world.messages
    assert "NOT FENCED" in subject
    for words in (
        "What was seen:",
        "database-primary",
        "What was done:",
        "refused",
        "What happens next:",
        "What to do:",
        QUARANTINE,
        "000001-20260101T115900Z",
        "https://docs.example/runbook#old-writer-not-fenced",
        "https://console.aws.example/dashboard",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("finding", "values"),
    [
        (Finding("writer", ""), (0, 0)),
        (Finding("fenced", "", newly_fenced=True), (1, 0)),
        (Finding("refused", "", unfenced=True), (0, 1)),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
def test_the_metrics_count_what_was_fenced_and_what_was_not(
    finding: Finding, values: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    publish(finding, SETTINGS[Site.PRIMARY])
    printed = json.loads(capsys.readouterr().out)
    assert (printed["FencedWriters"][0], printed["UnfencedWriters"][0]) == values
    assert printed["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Site"]]
    assert printed["Site"] == "primary"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GUARDED_SITE", "third"),
        ("INSTANCE_ID", " "),
        ("GUARD_SECONDS", "60"),
        ("POLL_INTERVAL_SECONDS", "40"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        GuardSettings.from_environment({**ENVIRONMENT, variable: value})
    assert caught.value.variable == variable
