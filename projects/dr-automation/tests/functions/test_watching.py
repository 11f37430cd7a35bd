"""While the writer is in trouble one run stays and looks every few seconds, and no other beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from aws_in_memory.aws import Aws, Call, no_fault
from aws_in_memory.clock import START
from aws_in_memory.deployed import REGIONS, SETTINGS, healthy, run, writer_dead
from aws_in_memory.faults import At, Killed, before, killed_after
from failover.policy import Mode
from failover.settings import Settings
from function_runtime.control import Control, Pause
from function_runtime.sites import Site

pytestmark = pytest.mark.usefixtures("silent_logs")

# An outage of 20 s, and a poll of 1 s: a run stays for 18 s at most.
SLOW = replace(SETTINGS, policy=replace(SETTINGS.policy, outage_seconds=20.0))


def dying(seconds_ago: float = 3) -> Aws:
    """The writer died a few seconds ago, too few for an outage."""
    aws = healthy(START)
    run(aws, "before", SLOW)
    aws.writer.dies(aws.now)
    aws.sleep(seconds_ago)
    aws.called.clear()
    return aws


def looks(aws: Aws) -> int:
    return aws.called.count("sts.get_caller_identity") + aws.called.count("rds.describe_db_instances")


def at_second(aws: Aws, seconds: float, happens: Callable[[], None]) -> None:
    """Something happens once, as soon as so much time is over."""
    due = aws.now + timedelta(seconds=seconds)
    done: list[bool] = []

    def check(call: Call) -> None:
        if not done and aws.now >= due:
            done.append(True)
            aws.fault = no_fault
            happens()

    aws.fault = before(check)


def test_a_failover_begins_when_it_is_decided_and_not_at_the_schedules_next_run() -> None:
    aws = dying()
    died_at = aws.now - timedelta(seconds=3)
    assert run(aws, "stays", SLOW)["code"] == "closed"
    (incident,) = aws.incidents
    waited = datetime.fromisoformat(incident["opened_at"]) - died_at
    assert timedelta(seconds=20) <= waited <= timedelta(seconds=22)


def test_a_run_ends_when_the_writer_is_well_again() -> None:
    aws = dying()
    at_second(aws, 5, lambda: aws.writer.comes_back(aws.now))
    began = aws.now
    assert run(aws, "stays", SLOW)["code"] == "healthy"
    assert timedelta(seconds=5) <= aws.now - began <= timedelta(seconds=8)
    assert (aws.incidents, aws.events, aws.messages) == ([], [], [])


def test_what_people_say_meanwhile_counts() -> None:
    aws = dying()
    at_second(aws, 5, lambda: aws.put(Control(version=1, pause=Pause("arn:person", aws.now, "x")).as_item()))
    assert run(aws, "stays", SLOW)["code"] != "closed"
    assert aws.events == []


def test_a_run_that_finds_another_looking_publishes_its_word_and_ends() -> None:
    aws = dying()
    met: list[str] = []

    def another() -> None:
        before_it = len(aws.published)
        described = aws.called.count("cloudwatch.get_metric_data")
        met.append(run(aws, "another", SLOW)["code"])
        assert len(aws.published) == before_it + 1
        assert aws.called.count("cloudwatch.get_metric_data") == described, "it does not look"

    at_second(aws, 5, another)
    assert run(aws, "stays", SLOW)["code"] == "closed"
    assert met == ["another_run_is_at_work"]


def test_a_killed_runs_lease_is_over_within_seconds() -> None:
    aws = dying()
    aws.fault = At(lambda call: "observing" in aws.items, killed_after)
    with pytest.raises(Killed):
        run(aws, "killed", SLOW)
    aws.fault = no_fault
    assert run(aws, "at once", SLOW)["code"] == "another_run_is_at_work"
    aws.sleep(SLOW.lease_seconds)
    assert run(aws, "later", SLOW)["code"] == "closed"


def test_a_run_leaves_no_lease_behind_that_the_next_would_wait_for() -> None:
    aws = dying()
    short: Settings = replace(SLOW, run_budget_seconds=8)
    assert run(aws, "first", short)["code"] == "outage_too_short"
    assert run(aws, "second", short)["code"] == "outage_too_short"


def test_half_of_a_runs_time_is_left_for_acting() -> None:
    aws = dying()
    began = aws.now
    run(aws, "stays", replace(SLOW, run_budget_seconds=8))
    assert aws.now - began <= timedelta(seconds=4)


def test_the_word_is_published_while_a_run_stays() -> None:
    aws = dying()
    at_second(aws, 17, lambda: aws.writer.comes_back(aws.now))
    run(aws, "stays", SLOW)
    moments = sorted(at for at, _ in aws.published)
    apart = [later - earlier for earlier, later in pairwise(moments)]
    assert max(apart) <= timedelta(seconds=4)
    assert {word for _, word in aws.published} == {0}


def test_a_run_does_not_contradict_what_another_has_written_meanwhile() -> None:
    aws = dying()

    def written() -> None:
        item = aws.controller
        aws.put({**item, "version": int(item["version"]) + 1, "epoch": 7})

    at_second(aws, 5, written)
    assert run(aws, "stays", SLOW)["code"] == "another_run_is_at_work"
    assert aws.controller["epoch"] == 7
    assert aws.events == []


@pytest.mark.parametrize("state", ["well", "left to people"])
def test_nobody_stays_where_nothing_is_about_to_be_decided(state: str) -> None:
    aws = healthy() if state == "well" else writer_dead(lag_seconds=100)
    began = aws.now
    run(aws, "run")
    assert aws.now == began
    assert "observing" not in aws.items, "a lease costs nothing while the writer is well"


def test_nobody_stays_for_hours_beside_a_writer_that_is_well_in_a_region_whose_apis_are_silent() -> None:
    aws = healthy(dark={Site.PRIMARY})
    used_to_it = SLOW.policy.silence + timedelta(seconds=SLOW.policy.outage_seconds)
    began = aws.now
    while aws.now - began < used_to_it:
        run(aws, f"at {aws.now}", SLOW)
        aws.sleep(1)
    before = aws.now
    run(aws, "later", SLOW)
    assert aws.now == before
    aws.writer.dies(aws.now)
    aws.sleep(3)
    assert run(aws, "stays", SLOW)["code"] == "closed"


def test_people_hear_that_a_trouble_is_over_where_the_region_is_silent_when_it_ends() -> None:
    aws = writer_dead(lag_seconds=100)
    run(aws, "asks")
    assert len(aws.messages) == 1
    aws.dark |= {REGIONS[Site.PRIMARY]}
    at_second(aws, 0, lambda: aws.writer.comes_back(aws.now))
    aws.sleep(1)
    run(aws, "while the region is silent")
    aws.dark.clear()
    aws.sleep(3)
    run(aws, "later")
    assert [subject for _, subject in aws.messages][1:] == ["[test] PostgreSQL writer answers again"]


def test_a_region_that_has_just_gone_dark_is_proven_so_by_the_run_that_stays() -> None:
    aws = writer_dead(dark={Site.PRIMARY})
    began = aws.now
    assert run(aws)["code"] == "closed"
    (incident,) = aws.incidents
    dark_for = datetime.fromisoformat(incident["opened_at"]) - began
    assert dark_for >= SETTINGS.policy.darkness
    assert not [subject for _, subject in aws.messages if "no failover" in subject]


def test_people_hear_that_a_trouble_is_over_though_the_region_is_silent_just_then() -> None:
    aws = writer_dead()
    manual = replace(SETTINGS, policy=replace(SETTINGS.policy, mode=Mode.MANUAL))
    assert run(aws, "asks", manual)["code"] == "manual"
    aws.writer.comes_back(aws.now)
    aws.sleep(2)
    aws.dark.add(aws.regions[Site.PRIMARY])
    at_second(aws, 0.5, aws.dark.clear)
    run(aws, "sees it well", manual)
    assert [subject for _, subject in aws.messages][-1] == "[test] PostgreSQL writer answers again"
