"""What people hear of a writer that is well but could not be replaced, or hangs, and what becomes of it (C1, R5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from aws_in_memory.aws import Aws, Call, TakeEffect
from aws_in_memory.clock import START
from aws_in_memory.deployed import SETTINGS, healthy, run, unprepared, writer_dead
from aws_in_memory.instance import Outage
from aws_in_memory.running import subjects
from aws_in_memory.stories import give
from failover.policy import WhenUnsure
from function_runtime.control import OrderKind
from function_runtime.session_outcome import SessionOutcome

PATIENCE = SETTINGS.policy.readiness_patience
BY_SETTING = replace(
    SETTINGS,
    policy=replace(SETTINGS.policy, writer_hung=WhenUnsure.FAILOVER, maintenance_overdue=WhenUnsure.FAILOVER),
)


def watch(aws: Aws, seconds: int) -> str:
    """Runs every second, of which some stay for another one; the last one's code."""
    code, ends_at = "", aws.now + timedelta(seconds=seconds)
    while aws.now < ends_at:
        aws.sleep(1)
        code = run(aws, f"run-{aws.now:%H%M%S}")["code"]
    return code


def breaks_standby(aws: Aws) -> None:
    aws.standby.status = "storage-full"


def falls_behind(aws: Aws) -> None:
    aws.standby.lag_seconds = 1000.0


def fills_storage(aws: Aws) -> None:
    aws.writer.status = "storage-full"


def does_not_verify(aws: Aws) -> None:
    aws.writer.refuses_sessions = SessionOutcome.NOT_VERIFIED


def loses_secret(aws: Aws) -> None:
    aws.secrets[aws.home].secrets.clear()


def marks_secret_for_deletion(aws: Aws) -> None:
    aws.secrets[aws.home].secrets["master"]["DeletedDate"] = START


@pytest.mark.parametrize(
    ("breaks", "code"),
    [
        (breaks_standby, "standby_not_ready"),
        (falls_behind, "replica_behind"),
        (fills_storage, "rds_says_failed"),
        (does_not_verify, "not_verified"),
        (unprepared, "evidence_weak"),
        (loses_secret, "secret_missing"),
        (marks_secret_for_deletion, "secret_missing"),
    ],
)
def test_what_would_keep_a_failover_from_coming_is_told_once_and_that_it_is_over(
    breaks: Callable[[Aws], object], code: str
) -> None:
    aws = healthy()
    watch(aws, 3)
    breaks(aws)
    until_it_shows = SETTINGS.policy.lag_staleness.total_seconds()
    watch(aws, int(PATIENCE.total_seconds()) - 1)
    assert aws.messages == [], "not at once: much of it passes by itself"
    watch(aws, int(until_it_shows) + 3)
    assert subjects(aws).count(code) == 1
    assert watch(aws, 30) == code
    assert len(aws.messages) == 1, "once"
    aws.standby.status, aws.standby.lag_seconds, aws.writer.status = "available", 0.0, "available"
    aws.secrets[aws.home].secrets["master"] = {}
    for instance in aws.instances.values():
        instance.prepared, instance.refuses_sessions = True, None
    assert watch(aws, 5) == "healthy"
    assert "ready to fail over again" in aws.messages[-1][1]
    assert len(aws.messages) == 2


def silence_of_secrets(call: Call, take_effect: TakeEffect) -> Any:
    if call.operation == "secretsmanager.describe_secret":
        raise ConnectTimeoutError(endpoint_url=call.region)
    return take_effect()


def test_a_secret_of_which_nobody_can_say_whether_it_is_there_is_not_taken_for_one_that_is() -> None:
    aws = healthy()
    aws.fault = silence_of_secrets
    watch(aws, int(PATIENCE.total_seconds()) + 3)
    assert "secret_missing" in subjects(aws)
    assert "is not known to be in the recovery site's region" in aws.texts[-1]


@pytest.mark.parametrize("breaks", [loses_secret, marks_secret_for_deletion, None])
def test_a_failover_neither_needs_the_secret_nor_waits_for_an_answer_about_it(
    breaks: Callable[[Aws], object] | None,
) -> None:
    aws = writer_dead()
    if breaks is None:
        aws.fault = silence_of_secrets
    else:
        breaks(aws)
    assert watch(aws, 1) == "closed"
    assert aws.controller["writer_site"] == "recovery"
    assert "secretsmanager.describe_secret" not in aws.called


def test_the_secret_of_the_other_region_is_not_this_controllers_to_look_for() -> None:
    aws = healthy()
    aws.secrets[aws.home.other].secrets.clear()
    assert watch(aws, int(PATIENCE.total_seconds()) + 3) == "healthy"


def test_a_second_concern_is_told_beside_the_first() -> None:
    aws = healthy()
    breaks_standby(aws)
    watch(aws, int(PATIENCE.total_seconds()) + 3)
    does_not_verify(aws)
    watch(aws, int(PATIENCE.total_seconds()) + 8)
    assert [code in subjects(aws) for code in ("standby_not_ready", "not_verified")] == [True, True]
    assert len(aws.messages) == 2


def hung() -> Aws:
    aws = healthy(START)
    watch(aws, 3)
    aws.writer.hung.append(Outage(aws.now))
    return aws


def test_people_are_asked_about_a_hung_writer_and_their_approval_replaces_it() -> None:
    aws = hung()
    assert watch(aws, 6) == "writer_hung"
    assert aws.events == []
    assert "APPROVAL NEEDED" in subjects(aws)
    give(aws, OrderKind.APPROVE)
    assert watch(aws, 1) == "closed"
    assert aws.events[:3] == ["quarantined", "rebooted", "promoted"]
    assert aws.controller["writer_site"] == "recovery"


def test_a_hung_writer_is_replaced_by_a_setting_and_left_alone_as_soon_as_it_commits() -> None:
    aws = hung()
    aws.sleep(6)
    assert run(aws, "by setting", BY_SETTING)["code"] == "closed"
    aws = hung()
    assert watch(aws, 6) == "writer_hung"
    aws.writer.hung[-1].ends = aws.now
    watch(aws, 3)
    assert "answers again" in subjects(aws)
    assert aws.events == []


def test_an_approval_does_not_outlive_a_commit() -> None:
    aws = hung()
    assert watch(aws, 6) == "writer_hung"
    give(aws, OrderKind.APPROVE)
    aws.writer.hung[-1].ends = aws.now
    aws.sleep(2)
    watch(aws, 3)
    assert aws.events == []


@pytest.mark.parametrize("status", ["rebooting", "modifying"])
def test_work_of_rds_that_does_not_end_is_a_question_or_a_failover_by_a_setting(status: str) -> None:
    aws = healthy(START)
    watch(aws, 3)
    aws.writer.dies(aws.now)
    aws.writer.status = status
    assert watch(aws, int(SETTINGS.policy.maintenance_patience.total_seconds()) - 2) == "maintenance"
    assert watch(aws, 4) == "maintenance_overdue"
    assert aws.events == []
    aws.writer.status = status
    assert run(aws, "by setting", BY_SETTING)["code"] in ("closed", "blocked", "to_be_continued")
    assert "promoted" in aws.events


def test_a_crash_in_a_backup_is_a_crash() -> None:
    aws = healthy(START)
    watch(aws, 3)
    aws.writer.dies(aws.now)
    aws.writer.status = "backing-up"
    aws.sleep(5)
    assert run(aws)["code"] == "closed"
    assert aws.controller["writer_site"] == "recovery"


def test_a_replica_whose_storage_is_optimized_is_promoted() -> None:
    aws = healthy(START)
    aws.standby.status = "storage-optimization"
    watch(aws, 3)
    aws.writer.dies(aws.now)
    assert watch(aws, 6) == "closed" or "promoted" in aws.events


def test_the_promoted_database_is_confirmed_by_a_commit_or_where_nobody_can_log_in_by_its_answer() -> None:
    for world, outcome in ((healthy(START), "commits"), (unprepared(healthy(START)), "reachable")):
        watch(world, 3)
        world.writer.dies(world.now)
        world.writer.status = "failed"
        watch(world, 12)
        (incident,) = world.incidents
        writes = next(step for step in incident["steps"] if step["phase"] == "writes")
        assert writes["outcome"] == outcome
        assert timedelta(0) < world.now - START
