"""An AWS in memory around one fence-guard: its own database, the state table and SNS; every call can be interrupted."""

# A test's module, though it lies where tests can import it: held to what tests are held to.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError

from fence_guard.guard import Finding, Guard
from fence_guard.settings import GuardSettings
from function_runtime.incident import Incident, Kind, Phase, Step
from function_runtime.items import plain
from function_runtime.sites import Site
from function_runtime.state import Controller, State
from worlds.clock import Clock

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
QUARANTINE, DATABASE_GROUP = "sg-quarantine", "sg-database"
ENVIRONMENT = {
    "METRIC_NAMESPACE": "PostgresDR/test",
    "METRIC_PERIOD_SECONDS": "60",
    "ENVIRONMENT_SUFFIX": "test",
    "PRIMARY_REGION": REGIONS[Site.PRIMARY],
    "RECOVERY_REGION": REGIONS[Site.RECOVERY],
    "GUARDED_SITE": "primary",
    "STANDBY_SITE": "recovery",
    "INSTANCE_ID": "database-primary",
    "QUARANTINE_GROUP_ID": QUARANTINE,
    "STATE_TABLE": "state",
    "FAILURES_TOPIC_ARN": "arn:failures",
    "WRITER_NAME": "writer.db.internal",
    "DASHBOARD_URL": "https://console.aws.example/dashboard",
    "RUNBOOK_URL": "https://docs.example/runbook",
    "GUARD_SECONDS": "40",
    "POLL_INTERVAL_SECONDS": "5",
}
SETTINGS = {
    site: GuardSettings.from_environment({**ENVIRONMENT, "GUARDED_SITE": site.value, "INSTANCE_ID": f"database-{site}"})
    for site in Site
}


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


def refusal(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


@dataclass
class GuardedSite:
    """What a guard deals with. Its database is an old writer that is back and open, if nothing else is said."""

    site: Site = Site.PRIMARY
    now: datetime = START
    status: str = "available"
    groups: dict[str, str] = field(default_factory=lambda: {DATABASE_GROUP: "active"})
    replica_of: str | None = None
    exists: bool = True
    old_connections: bool = True
    modify_takes: timedelta = timedelta(seconds=6)
    refused: bool = False
    modified_at: datetime | None = None
    rebooted_at: datetime | None = None
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: list[tuple[str, str]] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    before: Callable[[int, str], None] = lambda number, call: None
    after: Callable[[int, str], None] = lambda number, call: None

    def of(self, service: str, region: str) -> Any:
        return Service(self, service, region)

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def shut(self) -> bool:
        """Whether nobody can write: no new connection and no old one."""
        self.settle()
        return self.groups == {QUARANTINE: "active"} and not self.old_connections

    @property
    def record(self) -> dict[str, Any]:
        return self.plain(f"fence#{self.site}")

    def plain(self, key: str) -> dict[str, Any]:
        return plain(self.items[key])

    def settle(self) -> None:
        if self.modified_at is not None and self.now >= self.modified_at + self.modify_takes:
            self.groups = {QUARANTINE: "active"}
            self.modified_at = None

    def remember(self, controller: Controller, *incidents: Incident) -> None:
        """Record a state as the failover function does."""
        state = State(Service(replace(self, called=[], before=_nothing, after=_nothing), "dynamodb", "-"), "state")
        for incident in incidents:
            state.create_incident(incident)
        self.items.pop("controller", None)
        state.save_controller(replace(controller, version=0))


def _nothing(number: int, call: str) -> None:
    del number, call


class Service:
    """One service of one region."""

    def __init__(self, world: GuardedSite, service: str, region: str) -> None:
        self.world, self.service, self.region = world, service, region

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            world, name = self.world, f"{self.service}.{operation}"
            world.called.append(name)
            number = len(world.called)
            world.before(number, name)
            world.settle()
            answer = getattr(self, f"do_{operation}")(**parameters)
            world.after(number, name)
            return answer

        return call

    def do_describe_db_instances(self, DBInstanceIdentifier: str) -> Any:  # noqa: N803
        world = self.world
        assert (DBInstanceIdentifier, self.region) == (f"database-{world.site}", REGIONS[world.site])
        if not world.exists:
            raise refusal("DBInstanceNotFound", 404)
        description: dict[str, Any] = {
            "DBInstanceStatus": world.status,
            "VpcSecurityGroups": [
                {"VpcSecurityGroupId": name, "Status": state} for name, state in world.groups.items()
            ],
        }
        if world.replica_of is not None:
            description["ReadReplicaSourceDBInstanceIdentifier"] = world.replica_of
        return {"DBInstances": [description]}

    def do_modify_db_instance(self, **parameters: Any) -> None:
        world = self.world
        assert parameters == {
            "DBInstanceIdentifier": f"database-{world.site}",
            "VpcSecurityGroupIds": [QUARANTINE],
            "ApplyImmediately": True,
        }
        if world.refused or world.status != "available":
            raise refusal("InvalidDBInstanceState")
        world.groups = {QUARANTINE: "adding", DATABASE_GROUP: "removing"}
        world.modified_at = world.now

    def do_reboot_db_instance(self, **parameters: Any) -> None:
        world = self.world
        assert parameters == {"DBInstanceIdentifier": f"database-{world.site}"}
        if world.refused or world.status != "available":
            raise refusal("InvalidDBInstanceState")
        world.rebooted_at = world.now
        # Clients whose connections end come back where the door is open.
        world.old_connections = world.groups != {QUARANTINE: "active"}

    def do_publish(self, **parameters: Any) -> None:
        assert (self.region, parameters["TopicArn"]) == (REGIONS[Site.RECOVERY], "arn:failures")
        assert parameters["Subject"].isascii()
        assert len(parameters["Subject"]) < 100
        self.world.messages.append((parameters["Subject"], parameters["Message"]))

    def do_get_item(self, **parameters: Any) -> Any:
        assert parameters["ConsistentRead"] is True
        key = parameters["Key"]["id"]["S"]
        return {"Item": dict(self.world.items[key])} if key in self.world.items else {}

    def do_put_item(self, **parameters: Any) -> None:
        item = parameters["Item"]
        key = item["id"]["S"]
        if key.startswith("fence#"):
            version, condition = self.world.items.get(key, {}).get("version"), parameters["ConditionExpression"]
            read = parameters.get("ExpressionAttributeValues", {}).get(":read_0")
            assert condition == ("attribute_not_exists(#version)" if read is None else "#version = :read_0")
            if version != read:
                raise refusal("ConditionalCheckFailedException")
        self.world.items[key] = item


def incident(
    new_writer: Site = Site.RECOVERY, *phases: Phase, fenced: str = "unreachable", kind: Kind = Kind.AUTOMATIC
) -> Incident:
    """An incident of epoch 1 whose steps to these phases are done."""
    return Incident(
        incident_id="000001-20260101T115900Z",
        kind=kind,
        new_writer=new_writer,
        epoch=1,
        phase=phases[-1] if phases else Phase.OPENED,
        opened_at=START,
        trouble_since=START,
        decision={"action": "fail_over", "code": "dark", "reason": "the region is dark"},
        signals={},
        lag_before_seconds=0.0,
        data_loss_seconds=1.0,
        owner="run",
        lease_until=START,
        steps=tuple(
            Step(phase, START, START, fenced if phase is Phase.FENCED else "done", "as it went") for phase in phases
        ),
    )


PROMOTED = (Phase.FENCED, Phase.PROMOTING, Phase.PROMOTED)
OVER = (*PROMOTED, Phase.VERIFIED, Phase.SWITCHED, Phase.CLOSED)


def after_failover(fenced: str = "unreachable", site: Site = Site.PRIMARY, **changes: Any) -> GuardedSite:
    """The site whose database was the writer, after a failover to the other one."""
    world = GuardedSite(site=site, **changes)
    over = incident(site.other, *OVER, fenced=fenced)
    world.remember(Controller(epoch=1, writer_site=site.other, last_incident_id=over.incident_id), over)
    return world


def guard(world: GuardedSite) -> Finding:
    return Guard(world, SETTINGS[world.site], Clock(world)).once()


def timeout() -> ConnectTimeoutError:
    return ConnectTimeoutError(endpoint_url="https://service.example")
