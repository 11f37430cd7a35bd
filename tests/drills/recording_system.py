"""A system that records what is done to it and reacts as a test decides; time passes only while somebody waits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from drills.clients.client import Clients
from drills.clients.history import Attempt, Outcome
from drills.instants import Instant
from drills.stage import Stage
from drills.system import LabSystem
from function_runtime.incident import Phase
from function_runtime.items import plain, serialized
from lab.target import Target
from shared.sites import Site
from tests.drills.stories import FAULT_WALL, NEW, OLD, incident
from tests.drills.targets import drill_target

PRIMARY, RECOVERY, WITNESS = "ap-southeast-2", "ap-southeast-1", "ap-northeast-1"
DATABASES = {"primary": {"host": OLD, "port": 5432}, "recovery": {"host": NEW, "port": 5432}}
TIMED_MODULES = (
    "drills.stage",
    "drills.instants",
    "drills.faults",
    "drills.scenarios.random_drills",
    "drills.scenarios.false_alarms",
    "drills.scenarios.lag_too_high",
)


class Clock:
    """Stands in for the module ``time``."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.seconds += seconds

    def monotonic(self) -> float:
        return self.seconds

    def time(self) -> float:
        return FAULT_WALL + self.seconds


class System:
    """Records every action as text; a test can give an action a consequence.

    Attributes:
        done: what was done, in order.
        times: when each of it was done, in seconds.
        table: the state table, by key.
        taking_writes: the address that acknowledges writes now, None where none does.
        witness_sees: what the witness publishes of the primary, None for nothing.
        lag_seconds: the replica's lag as it is published, at any moment.
    """

    dns_server = ("127.0.0.1", 1)

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.target: Target = drill_target(OLD, NEW)
        self.done: list[str] = []
        self.times: list[float] = []
        self.table: dict[str, dict[str, Any]] = {}
        self.taking_writes: str | None = OLD
        self.lag_seconds: Callable[[], float] = lambda: 0.1
        self.rds_status = "available"
        self.probe_ports = {PRIMARY: 5432, RECOVERY: 5432}
        self.runs_to_kill = True
        self.witness_sees: bool | None = True
        self._consequences: list[tuple[str, Callable[[], None]]] = []
        self._later: list[tuple[float, Callable[[], None]]] = []

    def when(self, action: str, consequence: Callable[[], None], *, after_seconds: float = 0.0) -> None:
        """Give an action a consequence, at once or later."""
        self._consequences.append(
            (action, lambda: self._later.append((self.clock.seconds + after_seconds, consequence)))
        )

    def decides(self, action: str, code: str, **more: Any) -> None:
        """Let the controller record a decision."""
        decision = {"action": action, "code": code, "reason": f"because of {code}"}
        self.table["controller"] = {
            "id": "controller", "epoch": 0, "writer_site": "primary", "decision": decision, **more
        }  # fmt: skip

    def incident_is(self, phase: Phase) -> None:
        """Let the controller's incident be in this phase."""
        opened_at = datetime.fromtimestamp(FAULT_WALL + 1e6, UTC)
        item = replace(incident(), phase=phase, opened_at=opened_at, steps=()).as_item()
        self.table["incident"] = plain(serialized(item))

    def fails_over(self) -> None:
        """Let the recovery site's database take writes, and the incident be closed."""
        self.taking_writes = NEW
        self.incident_is(Phase.CLOSED)

    def did(self, action: str) -> None:
        self.done.append(action)
        self.times.append(self.clock.seconds)
        for expected, consequence in self._consequences:
            if expected == action:
                consequence()
        self.settle()

    def settle(self) -> None:
        """Run the consequences that are due."""
        due = [happening for happening in self._later if happening[0] <= self.clock.seconds]
        self._later = [happening for happening in self._later if happening not in due]
        for _, happening in due:
            happening()

    def server(self, region: str, identifier: str) -> Server:
        assert (region, identifier) in {(PRIMARY, "p"), (RECOVERY, "r")}
        return Server(self, identifier)

    def client(self, service: str, region: str) -> Aws:
        return Aws(self, service, region)

    def darken(self, region: str, *, seen_from: str | None = None) -> None:
        self.did(f"darken {region}" + ("" if seen_from is None else f" seen from {seen_from}"))

    def lighten(self, region: str) -> None:
        self.did(f"lighten {region}")

    def silence(self, region: str, identifier: str) -> None:
        self.did(f"silence {identifier}")

    def cut_link(self) -> None:
        self.did("cut link")

    def heal_link(self) -> None:
        self.did("heal link")

    def kill_function(self, region: str, name: str) -> bool:
        assert (region, name) == (RECOVERY, "failover")
        if self.runs_to_kill:
            self.did(f"kill function at {self.table['incident']['phase']}")
        return self.runs_to_kill

    def slow_reboots(self, seconds: float) -> None:
        self.did(f"slow reboots {seconds:g}")

    def drop_promotions(self, times: int) -> None:
        self.did(f"drop promotions {times}")

    def versions(self) -> Mapping[str, str]:
        return {}


class Server:
    """The server behind an instance: whatever is done to it is recorded."""

    def __init__(self, system: System, identifier: str) -> None:
        self._system = system
        self._identifier = identifier

    def __getattr__(self, action: str) -> Callable[[], None]:
        return lambda: self._system.did(f"{action} {self._identifier}")


class Aws:
    """As much of boto3's clients as drills use."""

    def __init__(self, system: System, service: str, region: str) -> None:
        self._system = system
        self._service = service
        self._region = region

    def get_paginator(self, operation: str) -> Pages:
        if operation == "scan":
            return Pages(lambda _: [{"Items": [serialized(item) for item in self._items.values()]}])
        assert (self._service, operation) == ("sns", "list_subscriptions_by_topic")
        return Pages(self._subscriptions)

    @property
    def _items(self) -> dict[str, dict[str, Any]]:
        """Of the state table here: the controller in the recovery site acts, the other has recorded nothing."""
        return self._system.table if self._region == RECOVERY else {}

    def get_item(self, **asked: Any) -> dict[str, Any]:
        item = self._items.get(asked["Key"]["id"]["S"])
        return {} if item is None else {"Item": serialized(item)}

    def put_item(self, **asked: Any) -> None:
        assert self._region == RECOVERY
        item = plain(asked["Item"])
        self._system.table[item["id"]] = item
        self._system.did(f"write {item['id']}")

    def describe_alarms(self, **asked: Any) -> dict[str, Any]:
        assert asked["AlarmNames"] == ["trigger"]
        return {"MetricAlarms": [{"StateValue": "OK", "AlarmActions": ["arn:topic"]}]}

    def get_metric_data(self, **_: Any) -> dict[str, Any]:
        now = datetime.fromtimestamp(self._system.clock.time(), UTC)
        return {"MetricDataResults": [{"Timestamps": [now], "Values": [self._system.lag_seconds()]}]}

    def get_metric_statistics(self, **asked: Any) -> dict[str, Any]:
        assert (asked["Namespace"], asked["MetricName"]) == ("PostgresDR/x", "WitnessSeesDatabase")
        assert asked["Dimensions"] == [{"Name": "Database", "Value": "primary"}]
        seen = self._system.witness_sees if self._region == WITNESS else None
        return {"Datapoints": [] if seen is None else [{"Maximum": float(seen)}]}

    def unsubscribe(self, **asked: Any) -> None:
        self._system.did(f"unsubscribe {asked['SubscriptionArn']}")

    def reboot_db_instance(self, **asked: Any) -> None:
        assert (self._service, self._region) == ("rds", PRIMARY)
        self._system.did(f"reboot {asked['DBInstanceIdentifier']}")

    def describe_db_instances(self, **asked: Any) -> dict[str, Any]:
        self._system.settle()
        return {"DBInstances": [{"DBInstanceStatus": self._system.rds_status}]}

    def get_function_configuration(self, **asked: Any) -> dict[str, Any]:
        name = asked["FunctionName"]
        if name == "failover":
            return {"Environment": {"Variables": {"METRIC_NAMESPACE": "PostgresDR/x"}}}
        return {"Environment": {"Variables": {"SITE": name, "DATABASES": json.dumps(DATABASES)}}}

    def update_function_configuration(self, **asked: Any) -> None:
        variables = asked["Environment"]["Variables"]
        databases = json.loads(variables["DATABASES"])
        # Lambda replaces the whole environment: what is not sent again is gone.
        assert variables["SITE"] == asked["FunctionName"]
        assert {site: each["host"] for site, each in databases.items()} == {"primary": OLD, "recovery": NEW}
        ports = {each["port"] for each in databases.values()}
        self._system.did(f"point {asked['FunctionName']} in {self._region} at {ports}")

    def _subscriptions(self, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        assert parameters == {"TopicArn": "arn:topic"}
        functions = ("another", "failover")
        return [
            {"Subscriptions": [{"SubscriptionArn": name, "Endpoint": f"arn:aws:lambda:r:1:function:{name}"}]}
            for name in functions
        ]


class Pages:
    """A paginator."""

    def __init__(self, answer: Callable[[Mapping[str, Any]], list[dict[str, Any]]]) -> None:
        self._answer = answer

    def paginate(self, **parameters: Any) -> list[dict[str, Any]]:
        return self._answer(parameters if "TopicArn" in parameters else {})


class Writers:
    """Clients whose writes are acknowledged as long as a server takes writes."""

    def __init__(self, system: System) -> None:
        self._system = system

    def acknowledged_since(self, moment: Instant, *, not_by: str | None = None) -> Attempt | None:
        self._system.settle()
        address = self._system.taking_writes
        if address is None or address == not_by:
            return None
        now = Instant(self._system.clock.time(), self._system.clock.monotonic())
        return Attempt(1, moment, now, Outcome.ACKNOWLEDGED, address)


def staged(monkeypatch: pytest.MonkeyPatch, *, modules: Iterable[str] = TIMED_MODULES) -> tuple[Stage, System]:
    """A stage on a recording system, with a clock of its own."""
    clock = Clock()
    system = System(clock)
    for module in modules:
        monkeypatch.setattr(f"{module}.time", clock)
    stage = Stage(
        cast(LabSystem, system),
        cast(Clients, Writers(system)),
        Site.PRIMARY,
        Instant(clock.time(), clock.monotonic()),
        lambda line: None,
    )
    return stage, system
