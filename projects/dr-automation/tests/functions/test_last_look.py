"""No proof of life is followed by a promotion: what was decided is looked at once more before anything is done."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from aws_in_memory.aws import Aws, Call, TakeEffect, no_fault
from aws_in_memory.deployed import REGIONS, SETTINGS, healthy, run, writer_dead
from aws_in_memory.faults import At, before, lost_answer, not_connected, nothing, refused, throttled, unread_metrics
from aws_in_memory.instance import Outage
from aws_in_memory.running import Running, assert_one_writer, instruct, killed_once, subjects, takes_writes, writers
from aws_in_memory.stories import STORIES, Story, begun, calls_of, carry_on, give
from failover.last_look import FRESH
from function_runtime.control import Control, InstructionKind, OrderKind, Pause
from function_runtime.sites import Site
from function_runtime.state import Controller, Proposal

pytestmark = pytest.mark.usefixtures("silent_logs")

AUTOMATIC = STORIES[0]


def asked_directly(aws: Aws) -> int:
    return aws.called.count("lambda.invoke")


def at_the_first(operation: str, happens: Callable[[], None]) -> At:
    return At(lambda call: call.operation == operation, nothing, happens)


def comes_back(aws: Aws, *, hung: bool = False) -> Callable[[], None]:
    def happens() -> None:
        aws.writer.comes_back(aws.now)
        if hung:
            aws.writer.hung.append(Outage(aws.now))

    return happens


def killed_when_opened(aws: Aws) -> None:
    """The run is gone as soon as the record points to its incident."""
    killed_once(aws, lambda call: call.operation == "dynamodb.put_item" and bool(aws.incidents))


def outcome(aws: Aws, phase: str) -> str:
    (incident,) = aws.incidents
    return str(next(step["outcome"] for step in incident["steps"] if step["phase"] == phase))


def last_detail(aws: Aws, phase: str) -> str:
    (incident,) = aws.incidents
    return str(next(step["detail"] for step in incident["steps"] if step["phase"] == phase))


def test_a_writer_that_commits_again_when_its_failover_is_decided_is_left_alone() -> None:
    aws = writer_dead()
    aws.fault = at_the_first("lambda.invoke", comes_back(aws))
    assert run(aws)["code"] == "commits_after_all"
    assert (aws.incidents, aws.events, aws.messages, aws.latch) == ([], [], [], [0])
    assert "has committed in it" in aws.controller["decision"]["reason"]
    assert aws.controller["last_look"]["life"] == "commits"


def test_one_that_only_answers_is_a_question_to_people_and_their_approval_replaces_it() -> None:
    aws = writer_dead()
    aws.fault = at_the_first("lambda.invoke", comes_back(aws, hung=True))
    assert run(aws)["code"] == "answers_after_all"
    assert (aws.incidents, aws.events) == ([], [])
    assert "APPROVAL NEEDED" in subjects(aws)
    give(aws, OrderKind.APPROVE)
    assert run(aws)["code"] == "closed"
    assert aws.controller["writer_site"] == "recovery"


def test_an_approval_does_not_outlive_a_commit_that_nobody_has_read_of_yet() -> None:
    aws = writer_dead(lag_seconds=12)
    run(aws)
    give(aws, OrderKind.APPROVE, accepted_loss_seconds=16.0)
    aws.fault = at_the_first("lambda.invoke", comes_back(aws))
    assert run(aws)["code"] == "commits_after_all"
    assert aws.events == []


def function_error(take_effect: TakeEffect) -> object:
    return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "Sandbox.Timedout"}')}


def older_version(take_effect: TakeEffect) -> object:
    return {"Payload": io.BytesIO(b'{"primary": {"no_answer": 5}}')}


def no_json(take_effect: TakeEffect) -> object:
    return {"Payload": io.BytesIO(b"<html>")}


@pytest.mark.parametrize(
    "kind",
    [throttled, refused, not_connected, lost_answer, function_error, older_version, no_json],
    ids=lambda kind: kind.__name__,
)
def test_a_probe_that_gives_no_word_neither_stops_a_failover_nor_starts_one(
    kind: Callable[[TakeEffect], object],
) -> None:
    def fault(call: Call, take_effect: TakeEffect) -> object:
        return kind(take_effect) if call.operation == "lambda.invoke" else take_effect()

    aws = writer_dead()
    aws.fault = fault
    assert run(aws)["code"] == "closed"
    assert "no word of the primary site's probe" in last_detail(aws, "opened")
    assert aws.controller["writer_site"] == "recovery"
    aws = healthy()
    aws.fault = fault
    assert run(aws)["code"] == "healthy"
    assert asked_directly(aws) == 0, "a look costs nothing while the writer is well"


@pytest.mark.parametrize("answering", list(Site), ids=str)
def test_the_word_of_one_probe_is_enough(answering: Site) -> None:
    aws = writer_dead()

    def fault(call: Call, take_effect: TakeEffect) -> object:
        if call.operation == "lambda.invoke" and call.region != REGIONS[answering]:
            return throttled(take_effect)
        if call.operation == "lambda.invoke" and aws.writer.outages[-1].ends is None:
            aws.writer.comes_back(aws.now)
        return take_effect()

    aws.fault = fault
    assert run(aws)["code"] == "commits_after_all"
    assert aws.events == []


def test_a_run_that_has_just_looked_looks_again_before_the_promotion_only() -> None:
    aws = writer_dead()
    run(aws)
    assert asked_directly(aws) == 4, "both probes, twice"
    assert "a last look at the writer" in last_detail(aws, "opened")
    assert "a last look" not in last_detail(aws, "fenced")
    assert "before that a last look" in last_detail(aws, "promoting")


def test_a_run_that_was_slow_to_open_looks_before_it_fences() -> None:
    aws = writer_dead()

    def slow() -> None:
        aws.sleep(FRESH.total_seconds() + 1)
        aws.writer.comes_back(aws.now)

    aws.fault = at_the_first("sns.publish", slow)
    assert run(aws)["code"] == "closed"
    assert aws.events == []
    assert outcome(aws, "fenced") == "withdrawn"


@pytest.mark.parametrize("kind", [OrderKind.PLANNED, OrderKind.FORCED], ids=str)
def test_what_a_person_has_decided_asks_no_probe(kind: OrderKind) -> None:
    aws = healthy(lag_seconds=0.0, slot_lag_bytes=0.0)
    aws.writer.group_change_takes = timedelta(seconds=1)
    run(aws)
    give(aws, kind, accepts_unknown_loss=True)
    assert run(aws)["code"] == "closed"
    assert aws.events.count("promoted") == 1
    assert asked_directly(aws) == 0


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("directly", [False, True])
def test_an_incident_whose_run_was_killed_is_taken_back_where_the_writer_is_well_an_hour_later(
    paused: bool, directly: bool
) -> None:
    aws = writer_dead()
    killed_when_opened(aws)
    aws.writer.comes_back(aws.now)
    if paused:
        aws.put(Control(version=1, pause=Pause("arn:person", aws.now, "a migration")).as_item())
        assert run(aws, "paused")["code"] == "paused"
    aws.sleep(59 * 60)
    if paused:
        aws.put(Control(version=2).as_item())
    if not directly:
        # Then what the probes have published meanwhile counts.
        aws.fault = lambda call, effect: throttled(effect) if call.operation == "lambda.invoke" else effect()
    running = Running(aws)
    running.tick(2)
    assert_one_writer(aws, Site.PRIMARY)
    assert aws.events == [], "neither fenced nor rebooted"
    assert outcome(aws, "fenced") == "withdrawn"
    assert "taken back" in subjects(aws)
    assert {*aws.latch} == {0}
    # Nothing was moved, so nothing cools down.
    aws.fault = no_fault
    aws.writer.dies(aws.now)
    running.tick(5)
    assert_one_writer(aws, Site.RECOVERY)


def test_a_fence_that_does_not_hold_is_found_before_the_promotion() -> None:
    aws = writer_dead()
    aws.writer.refuses_changes = True
    back = False

    def fault(call: Call) -> None:
        nonlocal back
        if not back and any(step["phase"] == "promoting" for item in aws.incidents for step in item["steps"]):
            back = True
            aws.writer.comes_back(aws.now)
            aws.writer.refuses_changes = False

    aws.fault = before(fault)
    running = Running(aws)
    running.tick(4)
    assert outcome(aws, "fenced") == "refused"
    assert outcome(aws, "promoting") == "withdrawn"
    assert "promoted" not in aws.events
    assert_one_writer(aws, Site.PRIMARY)


def test_an_incident_that_would_have_to_ask_before_its_fence_is_taken_back_and_decided_anew() -> None:
    aws = writer_dead()
    killed_when_opened(aws)
    comes_back(aws, hung=True)()
    assert run(aws)["code"] == "closed"
    assert outcome(aws, "fenced") == "withdrawn"
    assert (aws.events, aws.controller["writer_site"]) == ([], "primary")
    assert "APPROVAL NEEDED" not in subjects(aws)
    taken_back = aws.incidents[0]["incident_id"]
    aws.sleep(20)
    assert run(aws)["action"] == "ask"
    assert "APPROVAL NEEDED" in subjects(aws)
    assert aws.controller["proposal"]["incident_id"] != taken_back
    give(aws, OrderKind.APPROVE)
    assert run(aws)["code"] == "closed"
    assert aws.controller["writer_site"] == "recovery"


def test_and_probes_that_give_no_word_hours_later_let_nothing_go_on_by_old_evidence() -> None:
    aws = writer_dead()
    killed_when_opened(aws)
    comes_back(aws, hung=True)()
    run(aws)
    aws.sleep(3 * 3600)
    aws.fault = lambda call, effect: throttled(effect) if call.operation == "lambda.invoke" else effect()
    for number in range(3):
        assert run(aws, f"run-{number}")["action"] == "ask"
    assert aws.events == []
    assert aws.controller["writer_site"] == "primary"


@pytest.mark.parametrize("minutes", [29, 31])
def test_an_incident_that_nobody_has_carried_on_for_long_is_decided_anew_before_its_fence(minutes: int) -> None:
    aws = writer_dead()
    killed_when_opened(aws)
    aws.put(Control(version=1, pause=Pause("arn:person", aws.now, "a migration")).as_item())
    run(aws, "paused")
    aws.sleep(minutes * 60 - 30)
    aws.put(Control(version=2).as_item())
    running = Running(aws)
    running.tick(1)
    if minutes < 30:
        assert_one_writer(aws, Site.RECOVERY)
        return
    assert outcome(aws, "fenced") == "withdrawn"
    assert aws.events == []
    # It has been dead all the while, and what the first decision knew is still known.
    running.tick(2)
    assert_one_writer(aws, Site.RECOVERY)
    assert "the loss is at most 2 s" in aws.controller["decision"]["reason"]


def test_what_a_writer_took_while_its_incident_was_paused_is_counted_when_that_is_decided_anew() -> None:
    aws = writer_dead(dark={Site.PRIMARY})
    killed_when_opened(aws)
    aws.put(Control(version=1, pause=Pause("arn:person", aws.now, "a migration")).as_item())
    aws.dark.clear()
    aws.writer.comes_back(aws.now)
    aws.standby.lag_seconds = 100.0
    aws.sleep(25 * 60)
    aws.writer.dies(aws.now)
    aws.writer.status = "failed"
    # As far as can be read, it has not answered.
    aws.sleep(16 * 60)
    aws.put(Control(version=2).as_item())
    Running(aws).tick(3)
    assert outcome(aws, "fenced") == "withdrawn"
    assert aws.controller["decision"]["code"] == "loss_above_limit"
    assert aws.controller["trouble"]["dark_since"] is None, "its region answers since"
    assert aws.events == []


def waits_for_people() -> Aws:
    """Its fence was refused; that the writer is back only a direct look can see."""
    aws = writer_dead()
    aws.writer.refuses_changes = True
    killed_once(aws, lambda call: bool(aws.incidents) and aws.incidents[0]["phase"] == "fenced")
    comes_back(aws, hung=True)()
    aws.fault = unread_metrics(REGIONS[Site.PRIMARY])
    for number in range(3):
        assert run(aws, f"run-{number}")["code"] == "answers_after_all"
        aws.sleep(SETTINGS.lease_seconds + 1)
    assert subjects(aws).count("APPROVAL NEEDED") == 1
    proposal, (incident,) = aws.controller["proposal"], aws.incidents
    assert (proposal["incident_id"], proposal["epoch"]) == (incident["incident_id"], incident["epoch"])
    return aws


def test_a_fenced_incident_whose_writer_only_answers_goes_on_when_a_person_approves() -> None:
    aws = waits_for_people()
    give(aws, OrderKind.APPROVE)
    assert run(aws)["code"] == "closed"
    assert aws.controller["writer_site"] == "recovery"


@pytest.mark.parametrize("word", ["the writer is silent", "no word of the probes"])
def test_but_not_when_it_falls_silent_however_long_people_say_nothing(word: str) -> None:
    aws = waits_for_people()
    if word == "the writer is silent":
        aws.writer.dies(aws.now)
    else:
        reads = aws.fault
        aws.fault = lambda call, effect: throttled(effect) if call.operation == "lambda.invoke" else reads(call, effect)
    for wait in (60, 3600, 4 * 3600):
        aws.sleep(wait)
        assert run(aws)["code"] == "answers_after_all"
    assert "promoted" not in aws.events
    give(aws, OrderKind.APPROVE)
    assert run(aws)["code"] == "closed"
    assert aws.controller["writer_site"] == "recovery"


def test_an_approval_that_runs_out_before_rds_accepts_is_asked_for_anew() -> None:
    aws = waits_for_people()
    give(aws, OrderKind.APPROVE)
    reads = aws.fault
    aws.fault = lambda call, effect: (
        throttled(effect) if call.operation == "rds.promote_read_replica" else reads(call, effect)
    )
    assert run(aws)["code"] == "to_be_continued"
    assert "proposal" not in aws.controller
    aws.fault = reads
    aws.sleep(2 * 3600)
    assert run(aws)["code"] == "answers_after_all"
    assert subjects(aws).count("APPROVAL NEEDED") == 2
    assert "promoted" not in aws.events


def test_what_an_older_record_asks_holds_no_incident_up_that_it_does_not_know() -> None:
    aws = writer_dead()
    killed_once(aws, lambda call: bool(aws.incidents) and aws.incidents[0]["phase"] == "fenced")
    (incident,) = aws.incidents
    asked = Proposal(incident["incident_id"], int(incident["epoch"]), "loss_above_limit", 12.0)
    older = Controller.from_item({**aws.controller, "epoch": 0, "proposal": asked.as_item()})
    aws.put(replace(older, incident_id=None).as_item())
    assert run(aws)["code"] == "closed"
    assert aws.controller["writer_site"] == "recovery"


def test_a_fenced_incident_that_waits_ends_when_it_commits() -> None:
    aws = waits_for_people()
    aws.writer.hung[-1].ends = aws.now
    assert run(aws)["code"] == "closed"
    assert aws.controller["writer_site"] == "primary"
    assert "promoted" not in aws.events
    assert "proposal" not in aws.controller


def test_and_when_a_person_abandons_it() -> None:
    aws = waits_for_people()
    instruct(aws, InstructionKind.ABANDON, aws.incidents[0]["incident_id"])
    aws.writer.refuses_changes = False
    assert run(aws)["code"] == "closed"
    assert outcome(aws, "promoting") == "abandoned"
    assert aws.controller["writer_site"] == "primary"
    assert "abandoned" in subjects(aws)


def test_no_probe_is_asked_without_a_hold_that_outlasts_it() -> None:
    aws = writer_dead()
    killed_when_opened(aws)
    held: list[bool] = []

    def note(call: Call) -> None:
        if call.operation == "lambda.invoke":
            (incident,) = aws.incidents
            left = (type(aws.now).fromisoformat(incident["lease_until"]) - aws.now).total_seconds()
            held.append(left > 12)

    aws.fault = before(note)
    run(aws, "next")
    assert held
    assert all(held)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "story",
    [story for story in STORIES if story.name in ("automatic", "dark region", "hung")],
    ids=lambda story: story.name,
)
@pytest.mark.parametrize("refuses", [False, True], ids=["fenced", "not fenced"])
def test_a_writer_that_comes_back_at_any_call_is_never_promoted_beside(story: Story, refuses: bool) -> None:
    """However the fence has come out. What comes back after the look that RDS's yes follows at once cannot be seen."""
    unseen: list[str] = []
    for where in calls_of(story):
        aws = begun(story)
        aws.writer.refuses_changes = refuses
        both: list[Call] = []

        def back(aws: Aws = aws) -> None:
            aws.dark.clear()
            if aws.writer.outages:
                aws.writer.comes_back(aws.now)
            for outage in aws.writer.hung:
                outage.ends = aws.now

        def judged(call: Call, take_effect: TakeEffect, at: At, aws: Aws = aws, both: list[Call] = both) -> object:
            if call.operation == "rds.promote_read_replica" and takes_writes(aws, aws.home.other):
                both.append(call)
            return at(call, take_effect)

        at = At(where.__eq__, nothing, back)
        aws.fault = lambda call, effect, at=at, judged=judged: judged(call, effect, at)  # type: ignore[misc]
        carry_on(aws, story.settings)
        if both:
            unseen.append(where.operation)
    assert set(unseen) <= {"dynamodb.get_item", "dynamodb.put_item", "lambda.invoke", "rds.promote_read_replica"}
    assert len(unseen) <= 6, unseen


@pytest.mark.exhaustive
@pytest.mark.parametrize("story", [AUTOMATIC, STORIES[2], STORIES[4]], ids=lambda story: story.name)
def test_a_person_abandons_it_at_any_call_before_the_promotion_and_the_writer_gets_its_clients_back(
    story: Story,
) -> None:
    abandoned = 0
    for where in calls_of(story):
        aws = begun(story)
        asked: list[bool] = []

        def say(aws: Aws = aws, asked: list[bool] = asked) -> None:
            incidents = aws.incidents
            begun_ = bool(incidents)
            asked.append(not begun_ or any(step["called_at"] for item in incidents for step in item["steps"]))
            if begun_:
                instruct(aws, InstructionKind.ABANDON, incidents[0]["incident_id"])

        aws.fault = At(where.__eq__, nothing, say)
        carry_on(aws, story.settings, rounds=4)
        if asked != [False] or "promoted" in aws.events:
            continue
        abandoned += 1
        aws.fault = no_fault
        if aws.writer.outages:
            aws.writer.comes_back(aws.now)
        for outage in aws.writer.hung:
            outage.ends = aws.now
        running = Running(aws)
        running.tick(3)
        assert aws.writer.groups == {aws.writer.database_group: "active"}, where
        assert writers(aws) == {aws.home.other}
        assert all(incident["phase"] == "closed" for incident in aws.incidents)
    assert abandoned > 5
