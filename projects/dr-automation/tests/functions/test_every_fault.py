"""Whatever goes wrong at whichever call of a failover, it ends in the same place, once (C2, D4).

Complete, not sampled: every fault at every call of five whole failovers, alone and where a second run meets the first
at that very call; and a person's pause at every call.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from function_runtime.control import Control, Pause
from worlds.faults import FAULTS, At, Kind, killed_after, lost_answer, server_error
from worlds.stories import STORIES, Story, assert_done_once, begun, calls_of, carry_on
from worlds.world import Call, World, goes_well, run

pytestmark = pytest.mark.exhaustive


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Thousands of runs: their log lines would take longer than they do."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


calls_of_once = cache(calls_of)
by_name = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
promoting = pytest.mark.parametrize(
    "story", [story for story in STORIES if story.name != "taken back"], ids=lambda story: story.name
)


@by_name
def test_nothing_fails(story: Story) -> None:
    calls = calls_of_once(story)
    assert len(calls) == len(set(calls))
    assert {"dynamodb.put_item", "sns.publish", "cloudwatch.put_metric_data"} <= {call.operation for call in calls}
    assert calls == calls_of(story), "the same calls each time: a fault at every one of them is a fault at every one"


@by_name
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_at_any_call(story: Story, fault: Kind) -> None:
    for where in calls_of_once(story):
        world = begun(story)
        world.fault = at = At(where.__eq__, fault)
        carry_on(world, story.settings)
        _judge(world, story, at, where)


@by_name
@pytest.mark.parametrize(
    "fault", [None, server_error, lost_answer, killed_after], ids=lambda fault: fault.__name__ if fault else "nothing"
)
def test_a_fault_at_any_call_where_a_second_run_meets_the_first(story: Story, fault: Kind | None) -> None:
    for where in calls_of_once(story):
        world = begun(story)

        def meet(world: World = world) -> None:
            with suppress(ClientError, BotoCoreError):
                run(world, "the other", story.settings)

        world.fault = at = At(where.__eq__, fault or (lambda take_effect: take_effect()), meet)
        carry_on(world, story.settings)
        _judge(world, story, at, where)


@promoting
def test_a_run_that_is_held_up_at_any_call_beyond_its_lease_and_overtaken_changes_nothing(story: Story) -> None:
    """Not shown for a planned failover that is taken back.

    RDS has no conditional calls: a run held up at the very call that fences fences after the other has undone it. The
    writer is then away for both sites, and an automatic failover replaces it.
    """
    for where in calls_of_once(story):
        world = begun(story)

        def overtake(world: World = world) -> None:
            world.sleep(story.settings.lease_seconds + 1)
            for _ in range(2):
                run(world, "the other", story.settings)
                world.sleep(2)

        world.fault = at = At(where.__eq__, lambda take_effect: take_effect(), overtake)
        carry_on(world, story.settings)
        _judge(world, story, at, where)


def _judge(world: World, story: Story, at: At, where: Call) -> None:
    try:
        assert at.struck == [where]
        assert_done_once(world, story)
    except (AssertionError, ValueError, KeyError) as error:
        steps = [(step["phase"], step["outcome"]) for item in world.incidents for step in item["steps"]]
        pytest.fail(f"at {where}: {error!r}\n{steps}\n{world.events}\n{world.messages}")


@promoting
def test_a_pause_at_any_call_before_the_promotion_stops_it_and_a_resumption_lets_it_go_on(story: Story) -> None:
    held: list[Call] = []
    too_late: list[Call] = []
    for where in calls_of_once(story):
        world = begun(story)
        already: list[bool] = []

        def pause(world: World = world, already: list[bool] = already) -> None:
            already.append(any(step["phase"] == "promoting" for item in world.incidents for step in item["steps"]))
            control = Control.from_item(world.plain("control")) if "control" in world.items else Control()
            world.put(control.with_pause(Pause("arn:person", world.now, "a migration")).as_item())

        world.fault = At(where.__eq__, lambda take_effect: take_effect(), pause)
        carry_on(world, story.settings, rounds=4)
        if already == [False]:
            (too_late if "promoted" in world.events else held).append(where)
        world.fault = goes_well
        world.put(Control.from_item(world.plain("control")).with_pause(None).as_item())
        carry_on(world, story.settings)
        assert_done_once(world, story)
    assert len(held) > 10
    # One call is left: the write that begins the step, after the last look at what people said.
    assert [where.operation for where in too_late] == ["dynamodb.put_item"]
