"""A failover ends in the same place, once, whatever happens to the runs that carry it (C2, D4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import botocore.session
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from boto3.dynamodb.types import TypeDeserializer
from botocore import xform_name
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.validate import validate_parameters

from failover import handler
from failover.policy import Mode
from failover.run import Run
from failover.settings import Settings
from function_runtime.sites import Site

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
ENVIRONMENT = {
    "METRIC_NAMESPACE": "PostgresDR/test",
    "ENVIRONMENT_SUFFIX": "test",
    "PRIMARY_REGION": REGIONS[Site.PRIMARY],
    "RECOVERY_REGION": REGIONS[Site.RECOVERY],
    "REFERENCE_REGION": "ap-northeast-1",
    "STANDBY_SITE": "recovery",
    "PRIMARY_INSTANCE_ID": "database-primary",
    "RECOVERY_INSTANCE_ID": "database-recovery",
    "PRIMARY_QUARANTINE_GROUP_ID": "sg-quarantine-primary",
    "RECOVERY_QUARANTINE_GROUP_ID": "sg-quarantine-recovery",
    "STATE_TABLE": "state",
    "FAILURES_TOPIC_ARN": "arn:failures",
    "RECOVERY_TOPIC_ARN": "arn:recovery",
    "WRITER_NAME": "writer.db.internal",
    "MODE": "automatic",
    "OUTAGE_SECONDS": "3",
    "METRIC_PERIOD_SECONDS": "1",
    "MAX_DATA_LOSS_SECONDS": "10",
    "COOL_DOWN_SECONDS": "60",
    "FENCE_TIMEOUT_SECONDS": "5",
    "POLL_INTERVAL_SECONDS": "1",
    "RUN_BUDGET_SECONDS": "60",
    "PROMOTED_BACKUP_RETENTION_DAYS": "7",
    "NAME_TTL_SECONDS": "1",
}
SETTINGS = Settings.from_environment(ENVIRONMENT)
PROMOTION_TAKES = timedelta(seconds=4)


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@cache
def input_shape(service: str, operation: str) -> Any:
    model = botocore.session.get_session().get_service_model(service)
    (name,) = (name for name in model.operation_names if xform_name(name) == operation)
    return model.operation_model(name).input_shape


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Operation")


@dataclass
class World:
    """An AWS with two sites; the primary database dies at START."""

    now: datetime = START + timedelta(seconds=6)
    dark: set[str] = field(default_factory=set)
    groups: list[str] = field(default_factory=lambda: ["sg-database"])
    events: list[str] = field(default_factory=list)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    published: list[tuple[datetime, float]] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)
    promoted_at: datetime | None = None
    primary_status: str = "available"
    fence_refused: bool = False
    calls: int = 0
    interrupt: Callable[[int], None] = lambda call: None

    def of(self, service: str, region: str) -> Any:
        return Service(self, service, region)

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def called(self) -> None:
        self.calls += 1
        self.interrupt(self.calls)

    @property
    def latch(self) -> list[float]:
        """Its values in the order CloudWatch has them in."""
        return [value for _, value in sorted(self.published)]

    @property
    def controller(self) -> dict[str, Any]:
        return self.plain("controller")

    @property
    def incidents(self) -> list[dict[str, Any]]:
        return [self.plain(key) for key in self.items if key.startswith("incident#")]

    def plain(self, key: str) -> dict[str, Any]:
        return {name: TypeDeserializer().deserialize(value) for name, value in self.items[key].items()}


class Clock:
    def __init__(self, world: World) -> None:
        self.world = world

    def now(self) -> datetime:
        return self.world.now

    def sleep(self, seconds: float) -> None:
        self.world.sleep(seconds)


class Service:
    """One service of one region."""

    def __init__(self, world: World, service: str, region: str) -> None:
        self.world, self.service, self.region = world, service, region

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            if self.region in self.world.dark:
                raise ConnectTimeoutError(endpoint_url=self.region)
            validate_parameters(parameters, input_shape(self.service, operation))
            answer = getattr(self, f"do_{operation}")(**parameters)
            self.world.called()
            return answer

        return call

    # RDS
    def do_describe_db_instances(self, DBInstanceIdentifier: str) -> Any:  # noqa: N803
        world = self.world
        if self.region not in REGIONS.values():
            raise refused("AccessDenied")
        description: dict[str, Any] = {"DBInstanceStatus": world.primary_status}
        description["VpcSecurityGroups"] = [{"VpcSecurityGroupId": name, "Status": "active"} for name in world.groups]
        if DBInstanceIdentifier == "database-recovery":
            done = world.promoted_at is not None and world.now >= world.promoted_at + PROMOTION_TAKES
            description["DBInstanceStatus"] = "available" if world.promoted_at is None or done else "modifying"
            if not done:
                description["ReadReplicaSourceDBInstanceIdentifier"] = "arn:database-primary"
        return {"DBInstances": [description]}

    def do_modify_db_instance(self, **parameters: Any) -> None:
        assert parameters["ApplyImmediately"] is True
        if self.world.fence_refused:
            raise refused("InvalidDBInstanceState")
        self.world.groups = parameters["VpcSecurityGroupIds"]
        self.world.events.append("quarantined")

    def do_reboot_db_instance(self, **parameters: Any) -> None:
        assert parameters == {"DBInstanceIdentifier": "database-primary"}
        self.world.events.append("rebooted")

    def do_promote_read_replica(self, **parameters: Any) -> None:
        assert parameters == {"DBInstanceIdentifier": "database-recovery", "BackupRetentionPeriod": 7}
        if self.world.promoted_at is not None:
            raise refused("InvalidDBInstanceState")
        self.world.promoted_at = self.world.now
        self.world.events.append("promoted")

    # CloudWatch
    def do_get_metric_data(self, **question: Any) -> Any:
        results = []
        for query in question["MetricDataQueries"]:
            stat = query["MetricStat"]
            dimensions = {each["Name"]: each["Value"] for each in stat["Metric"]["Dimensions"]}
            times = [START + timedelta(seconds=second) for second in range(-30, 300)]
            times = [each for each in times if question["StartTime"] <= each < min(question["EndTime"], self.world.now)]
            values = [
                1.0 if stat["Stat"] == "SampleCount" else self.value(stat["Metric"]["MetricName"], dimensions, each)
                for each in times
            ]
            results.append({"Id": query["Id"], "Timestamps": times, "Values": values})
        return {"MetricDataResults": results}

    def value(self, metric: str, dimensions: dict[str, str], at: datetime) -> float:
        if metric == "ReplicaLag":
            return max(0.0, (at - START).total_seconds())
        return 1.0 if dimensions["Database"] == "recovery" or at < START else 0.0

    def do_put_metric_data(self, **parameters: Any) -> None:
        (datum,) = parameters["MetricData"]
        assert (datum["MetricName"], datum["StorageResolution"]) == ("WriterSite", 1)
        self.world.published.append((datum["Timestamp"], datum["Value"]))

    # SNS
    def do_publish(self, **parameters: Any) -> None:
        self.world.messages.append((parameters["TopicArn"], parameters["Subject"]))

    # DynamoDB
    def do_get_item(self, **parameters: Any) -> Any:
        assert parameters["ConsistentRead"] is True
        key = parameters["Key"]["id"]["S"]
        return {"Item": dict(self.world.items[key])} if key in self.world.items else {}

    def do_put_item(self, **parameters: Any) -> None:
        key = parameters["Item"]["id"]["S"]
        self.check(key, parameters)
        self.world.items[key] = parameters["Item"]

    def do_update_item(self, **parameters: Any) -> None:
        key = parameters["Key"]["id"]["S"]
        self.check(key, parameters)
        item = dict(self.world.items.get(key, parameters["Key"]))
        assigned, _, removed = parameters["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        for assignment in assigned.split(", "):
            name, value = assignment.split(" = ")
            item[parameters["ExpressionAttributeNames"][name]] = parameters["ExpressionAttributeValues"][value]
        for name in removed.split(", ") if removed else []:
            item.pop(parameters["ExpressionAttributeNames"][name], None)
        self.world.items[key] = item

    def check(self, key: str, parameters: dict[str, Any]) -> None:
        item, names = self.world.items.get(key, {}), parameters["ExpressionAttributeNames"]
        for term in parameters["ConditionExpression"].split(" OR "):
            if absent := re.fullmatch(r"attribute_not_exists\((\S+)\)", term):
                if names[absent[1]] not in item:
                    return
            else:
                name, value = term.split(" = ")
                if item.get(names[name]) == parameters["ExpressionAttributeValues"][value]:
                    return
        raise refused("ConditionalCheckFailedException")


def run(world: World, run_id: str = "run", settings: Settings = SETTINGS) -> dict[str, str]:
    return Run(world, settings, Clock(world), run_id).once()


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
    assert [topic for topic, _ in world.messages] == ["arn:failures", "arn:recovery"]


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
    for _ in range(5):
        world.sleep(10)
        assert run(world)["code"] == "maintenance"
    assert [topic for topic, _ in world.messages] == ["arn:failures"]
    assert world.events == []


def test_a_dark_region_is_replaced_though_it_cannot_be_fenced() -> None:
    world = World(dark={REGIONS[Site.PRIMARY]})
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
    assert run(world, "paused", paused)["code"] == "paused"
    assert "promoted" not in world.events
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
    monkeypatch.setattr(handler, "_clients", lambda: world)
    context = LambdaContext()
    context._aws_request_id = "run"
    assert handler.handle({}, context)["code"] == "not_watched"  # the world's metrics are of another day
    world.dark = {REGIONS[Site.RECOVERY]}
    with pytest.raises(ConnectTimeoutError):
        handler.handle({}, context)
