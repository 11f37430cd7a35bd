"""Whole failovers from their beginning to their end, and what their ends have in common."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aws_in_memory.aws import Aws, Call, no_fault
from aws_in_memory.clock import START
from aws_in_memory.deployed import SETTINGS, SETTINGS_OF, healthy, run, writer_dead
from aws_in_memory.faults import Killed
from aws_in_memory.instance import Outage
from decision_table.phases import PHASES
from failover.policy import WhenUnsure
from failover.settings import Settings
from function_runtime.control import Control, Order, OrderKind
from function_runtime.incident import IN_AN_EMERGENCY, TAKEN_BACK, WHEN_PLANNED
from function_runtime.sites import Site

# A dead run's lease (20 s) is over after three of these.
BETWEEN_RUNS = timedelta(seconds=7)
# A region counts as dark when two runs have found it so.
BEFORE_THE_SECOND_LOOK = timedelta(seconds=2)
ROUNDS = 12
# The words that the documents know for each phase.
ENDINGS = {phase.value: {ending.outcome for ending in told.endings} for phase, told in PHASES.items()}
ENDINGS["opened"] = {"opened"}


@dataclass(frozen=True, eq=False)
class Story:
    """One kind of failover.

    Attributes:
        name: for people.
        begin: makes the AWS that the runs begin in; nothing fails in it yet.
        topics: what people must have heard through, at least once each.
        settings: of the runs.
    """

    name: str
    begin: Callable[[], Aws]
    topics: frozenset[str] = frozenset({"arn:recoveries"})
    settings: Settings = SETTINGS

    @property
    def kind(self) -> str:
        """Its name without the direction."""
        return self.name.removesuffix(", back")


def give(aws: Aws, kind: OrderKind, **accepted: object) -> None:
    """A person orders what the controller proposes, or what there is."""
    proposal = aws.controller.get("proposal")
    incident_id, epoch = (
        ("000001-ordered", 1) if proposal is None else (proposal["incident_id"], int(proposal["epoch"]))
    )
    order = Order(kind, incident_id, epoch, "arn:person", aws.now, aws.now + timedelta(hours=1), **accepted)  # type: ignore[arg-type]
    aws.put(Control(version=1, order=order).as_item())


def _approved() -> Aws:
    aws = writer_dead(lag_seconds=12)
    assert run(aws)["code"] == "loss_above_limit"
    give(aws, OrderKind.APPROVE, accepted_loss_seconds=16.0)
    return aws


def _planned(lag_seconds: float = 0.0, slot_lag_bytes: float = 0.0, writer: Site = Site.PRIMARY) -> Aws:
    aws = healthy(lag_seconds=lag_seconds, slot_lag_bytes=slot_lag_bytes, writer=writer)
    aws.writer.group_change_takes = timedelta(seconds=1)
    assert run(aws)["code"] == "healthy"
    give(aws, OrderKind.PLANNED)
    return aws


def _hung() -> Aws:
    aws = healthy()
    aws.writer.hung.append(Outage(START))
    return aws


BACK_TOPICS = frozenset({"arn:recoveries-primary"})
BY_SETTING = replace(SETTINGS, policy=replace(SETTINGS.policy, writer_hung=WhenUnsure.FAILOVER))
AUTOMATIC = Story("automatic", writer_dead)
PLANNED = Story("planned", _planned)
STORIES = (
    AUTOMATIC,
    Story("approved", _approved, topics=frozenset({"arn:failures", "arn:recoveries"})),
    PLANNED,
    # Its replica does not receive everything in time. Short runs: they stay and look while the writer seems away.
    Story(
        "taken back",
        lambda: _planned(29.0, 64.0),
        settings=replace(SETTINGS, drain_timeout_seconds=1, run_budget_seconds=20),
    ),
    Story("hung", _hung, settings=BY_SETTING),
    Story("dark region", lambda: writer_dead(dark={Site.PRIMARY})),
    Story("automatic, back", lambda: writer_dead(writer=Site.RECOVERY), BACK_TOPICS, SETTINGS_OF[Site.PRIMARY]),
    Story("planned, back", lambda: _planned(writer=Site.RECOVERY), BACK_TOPICS, SETTINGS_OF[Site.PRIMARY]),
)


def begun(story: Story) -> Aws:
    """The story's AWS, with the calls of its beginning not counted."""
    random.seed(0)  # of the jitter between two looks: the same calls each time
    aws = story.begin()
    aws.counted.clear()
    # Half of a run's time; `calls_of` has the parameters of the same calls checked.
    aws.validates = False
    return aws


def carry_on(aws: Aws, settings: Settings = SETTINGS, rounds: int = ROUNDS) -> None:
    """Run again and again with time between, as the schedule does; an error ends a run, not the rounds."""
    over = False
    for number in range(rounds):
        # A fault that ended a run is over with it, be it the process's end.
        with suppress(Killed, ClientError, BotoCoreError):
            run(aws, f"run-{number}", settings)
        if getattr(aws.fault, "struck", None):
            aws.fault = no_fault
        if over:
            break
        # One more run follows the end: it must leave everything as it is.
        closed = any(incident["phase"] == "closed" for incident in aws.incidents)
        over = closed and "incident_id" not in aws.controller
        aws.now += BEFORE_THE_SECOND_LOOK if number == 0 else BETWEEN_RUNS


def calls_of(story: Story) -> list[Call]:
    """Every call of the whole failover, when nothing fails."""
    aws = begun(story)
    aws.validates = True
    made: list[Call] = []

    def note(call: Call, take_effect: Callable[[], object]) -> object:
        made.append(call)
        return take_effect()

    aws.fault = note
    carry_on(aws, story.settings)
    assert_done_once(aws, story)
    return sorted(made, key=lambda call: (call.region, call.operation, call.occurrence))


def assert_done_once(aws: Aws, story: Story) -> None:
    """One promotion, one epoch, one closed incident with its steps in order, the latch at the new writer, people told.

    One of a writer that answers may have been taken back where it met a fault: then nothing was promoted at all.
    """
    incident = closed_incident(aws)
    phases = [step["phase"] for step in incident["steps"]]
    subjects = [subject for _, subject in aws.messages]
    assert aws.controller["epoch"] == incident["epoch"] == 1
    assert "incident_id" not in aws.controller, "the controller has let go of it"
    assert_latch_never_falls_back(aws)
    assert aws.events.count("promoted") <= 1
    old_writer = aws.home.other
    answers = story.kind in ("planned", "hung")
    assert aws.controller["authority"] == aws.home
    if story.name == "taken back" or (answers and aws.controller["writer_site"] == old_writer):
        assert aws.controller["writer_site"] == old_writer
        assert "promoted" not in aws.events
        assert aws.writer.groups == {aws.writer.database_group: "active"}, "the writer has its clients back"
        # However far it had come before it was taken back.
        assert phases[-2:] == [*TAKEN_BACK]
        order = IN_AN_EMERGENCY if story.name == "hung" else WHEN_PLANNED
        assert phases[:-2] == [*order[: len(phases) - 2]]
        assert {*aws.latch} == {aws.latch[0]}
        assert aws.name is old_writer
        assert any("taken back" in subject for subject in subjects)
        return
    assert aws.events.count("promoted") == 1
    assert aws.controller["writer_site"] == aws.home
    assert aws.standby.backup_retention_days == story.settings.promoted_backup_retention_days
    assert phases == [*(WHEN_PLANNED if story.kind == "planned" else IN_AN_EMERGENCY)]
    assert aws.latch[-1] == (2 if aws.home is Site.RECOVERY else 0)
    assert any("Failover done" in subject for subject in subjects)
    assert story.topics <= {topic for topic, _ in aws.messages}
    assert_fence_is_true(aws, incident)


def assert_latch_never_falls_back(aws: Aws) -> None:
    """What CloudWatch had as the newest; a run that was held up publishes late, with its own time."""
    newest = [max(aws.published[: number + 1])[1] for number in range(len(aws.published))]
    assert newest == sorted(newest, reverse=aws.home is Site.PRIMARY), "the latch never falls back"


def assert_fence_is_true(aws: Aws, incident: dict[str, Any]) -> None:
    steps = {step["phase"]: step for step in incident["steps"]}
    outcome = steps["fenced"]["outcome"]
    assert outcome in {"fenced", "rebooting", "groups_replaced", "refused", "unreachable"}
    if outcome == "fenced":
        assert aws.writer.is_shut(aws.now + aws.writer.reboot_takes), "or will be, when its reboot is over"
        assert "rebooted" in aws.events[: aws.events.index("promoted")]
    elif not aws.dark:
        assert any("NOT known to be fenced" in text for text in aws.texts)


def closed_incident(aws: Aws) -> dict[str, Any]:
    (incident,) = aws.incidents
    assert incident["phase"] == "closed"
    steps = incident["steps"]
    for step in steps:
        assert datetime.fromisoformat(step["started_at"]) <= datetime.fromisoformat(step["finished_at"])
        assert step["outcome"] in ENDINGS[step["phase"]], step
    for before, after in pairwise(steps):
        assert before["finished_at"] <= after["started_at"], "a step begins when the one before it is recorded as done"
    return incident
