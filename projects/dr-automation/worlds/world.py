"""An AWS in memory with two sites, whose primary database dies; every call can be interrupted, before or after."""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.validate import validate_parameters

from failover.run import Run
from failover.settings import Settings
from function_runtime.items import plain, serialized
from function_runtime.sites import Site
from worlds.clock import Clock

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
    "PRIMARY_DATABASE_GROUP_ID": "sg-database",
    "RECOVERY_DATABASE_GROUP_ID": "sg-database-recovery",
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
    "VERIFY_TIMEOUT_SECONDS": "10",
    "NAME_TTL_SECONDS": "1",
    "DARK_WITHOUT_WITNESS": "failover",
    "DASHBOARD_URL": "https://console.aws.example/dashboard",
    "RUNBOOK_URL": "https://docs.example/runbook",
}
SETTINGS = Settings.from_environment(ENVIRONMENT)
PROMOTION_TAKES = timedelta(seconds=4)


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass(frozen=True)
class Call:
    """One call of a run. Its name does not depend on the order in which a run's threads get to make their calls.

    Attributes:
        operation: service and operation.
        region: where.
        occurrence: the how many-th of its kind, from 1.
    """

    operation: str
    region: str
    occurrence: int

    def __str__(self) -> str:
        return f"{self.operation} in {self.region}, number {self.occurrence}"


def goes_well(call: Call, take_effect: Callable[[], Any]) -> Any:
    """The fault that is none."""
    return take_effect()


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
    texts: list[str] = field(default_factory=list)
    promoted_at: datetime | None = None
    primary_status: str = "available"
    standby_status: str | None = None
    fence_refused: bool = False
    primary_dies: bool = True
    outages: list[tuple[datetime, datetime]] | None = None
    probe_broken: bool = False
    lag_seconds: float = 0.0
    slot_lag_bytes: float | None = None
    witness: float | None = None
    called: list[str] = field(default_factory=list)
    before: Callable[[int], None] = lambda call: None
    interrupt: Callable[[int], None] = lambda call: None
    fault: Callable[[Call, Callable[[], Any]], Any] = goes_well
    validates: bool = True
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, service: str, region: str) -> Any:
        return Service(self, service, region)

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def down(self, at: datetime) -> bool:
        """Whether the primary's database does not answer."""
        if self.outages is not None:
            return any(start <= at < end for start, end in self.outages)
        return self.primary_dies and at >= START

    def lag(self, at: datetime) -> float:
        """Of the replica: it climbs from the writer's death on."""
        return self.lag_seconds + (max(0.0, (at - START).total_seconds()) if self.primary_dies else 0.0)

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return len(self.called)

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

    def put(self, item: dict[str, Any]) -> None:
        """Write an item as somebody else does."""
        self.items[item["id"]] = serialized(item)

    def plain(self, key: str) -> dict[str, Any]:
        return plain(self.items[key])


class Service:
    """One service of one region."""

    def __init__(self, world: World, service: str, region: str) -> None:
        self.world, self.service, self.region = world, service, region

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            world, name = self.world, f"{self.service}.{operation}"
            with world.lock:
                world.called.append(name)
                number = world.calls
                world.counted[name, self.region] += 1
                made = Call(name, self.region, world.counted[name, self.region])
            world.before(number)

            def take_effect() -> Any:
                if self.region in world.dark:
                    raise ConnectTimeoutError(endpoint_url=self.region)
                if world.validates:
                    validate_parameters(parameters, input_shape(self.service, operation))
                return getattr(self, f"do_{operation}")(**parameters)

            answer = world.fault(made, take_effect)
            world.interrupt(number)
            return answer

        return call

    # RDS
    def do_describe_db_instances(self, DBInstanceIdentifier: str) -> Any:  # noqa: N803
        world = self.world
        description: dict[str, Any] = {"DBInstanceStatus": world.primary_status}
        description["VpcSecurityGroups"] = [{"VpcSecurityGroupId": name, "Status": "active"} for name in world.groups]
        if DBInstanceIdentifier == "database-recovery":
            done = world.promoted_at is not None and world.now >= world.promoted_at + PROMOTION_TAKES
            description["DBInstanceStatus"] = "available" if world.promoted_at is None or done else "modifying"
            if world.standby_status is not None:
                description["DBInstanceStatus"] = world.standby_status
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

    # STS
    def do_get_caller_identity(self) -> Any:
        return {"Arn": "arn:aws:sts::111122223333:assumed-role/failover/run"}

    # CloudWatch
    def do_get_metric_data(self, **question: Any) -> Any:
        results = []
        for query in question["MetricDataQueries"]:
            stat = query["MetricStat"]
            dimensions = {each["Name"]: each["Value"] for each in stat["Metric"]["Dimensions"]}
            first = max(question["StartTime"], START - timedelta(seconds=30))
            seconds = (min(question["EndTime"], self.world.now) - first).total_seconds()
            times = [first + timedelta(seconds=second) for second in range(math.ceil(seconds))]
            read = {each: self.value(stat["Metric"]["MetricName"], dimensions, each) for each in times}
            read = {each: value for each, value in read.items() if value is not None}
            values = [1.0 if stat["Stat"] == "SampleCount" else value for value in read.values()]
            results.append({"Id": query["Id"], "Timestamps": list(read), "Values": values})
        return {"MetricDataResults": results}

    def value(self, metric: str, dimensions: dict[str, str], at: datetime) -> float | None:
        world = self.world
        if metric == "ReplicaLag":
            return world.lag(at)
        if metric == "OldestReplicationSlotLag":
            return world.slot_lag_bytes
        if metric == "WitnessSeesDatabase":
            return world.witness
        if dimensions["Database"] == "primary" and world.down(at):
            return 0.0
        return 0.0 if dimensions["Observer"] == "recovery" and world.probe_broken else 1.0

    def do_put_metric_data(self, **parameters: Any) -> None:
        (datum,) = parameters["MetricData"]
        assert (datum["MetricName"], datum["StorageResolution"]) == ("WriterSite", 1)
        self.world.published.append((datum["Timestamp"], datum["Value"]))

    # SNS
    def do_publish(self, **parameters: Any) -> None:
        assert parameters["Subject"].isascii()
        assert len(parameters["Subject"]) < 100
        self.world.messages.append((parameters["TopicArn"], parameters["Subject"]))
        self.world.texts.append(parameters["Message"])

    # DynamoDB
    def do_get_item(self, **parameters: Any) -> Any:
        assert parameters["ConsistentRead"] is True
        key = parameters["Key"]["id"]["S"]
        return {"Item": dict(self.world.items[key])} if key in self.world.items else {}

    def do_put_item(self, **parameters: Any) -> None:
        key = parameters["Item"]["id"]["S"]
        self.check(key, parameters)
        self.world.items[key] = parameters["Item"]

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
