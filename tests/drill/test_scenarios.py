"""Which drills there are, and what the primary's crash does to a system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from lab.drill.client import WritingClient
from lab.drill.history import Attempt
from lab.drill.instants import Instant
from lab.drill.scenario import DrillOutcome
from lab.drill.scenarios import DEFAULT_SCENARIO, SCENARIOS, scenario_named
from lab.drill.stage import Stage
from lab.drill.system import LabSystem
from shared.errors import SettingsError
from shared.sites import Site
from tests.drill.stories import NEW, OLD, acknowledged, moment
from tests.drill.targets import drill_target


class Server:
    def __init__(self) -> None:
        self.killed = 0

    def kill(self) -> None:
        self.killed += 1


class Table:
    """A state table that holds one closed incident."""

    def get_paginator(self, operation: str) -> Table:
        assert operation == "scan"
        return self

    def paginate(self, **_: Any) -> list[Mapping[str, Any]]:
        text = {"id": "incident#1", "incident_id": "1", "phase": "closed", "opened_at": "2100-01-01T00:00:00Z"}
        item: dict[str, Any] = {name: {"S": value} for name, value in text.items()}
        return [{"Items": [{**item, "epoch": {"N": "1"}, "signals": {"M": {}}, "steps": {"L": []}}]}]


class System:
    def __init__(self) -> None:
        self.servers = {"p": Server(), "r": Server()}
        self.target = drill_target(OLD, NEW)

    def server(self, region: str, identifier: str) -> Server:
        assert region == "ap-southeast-2"
        return self.servers[identifier]

    def client(self, service: str, region: str) -> Table:
        assert (service, region) == ("dynamodb", "ap-southeast-1")
        return Table()


class Client:
    """A client whose writes the other database takes at once."""

    def acknowledged_since(self, began: Instant, *, not_by: str | None = None) -> Attempt | None:
        assert not_by == OLD
        return acknowledged(1, 1.0, NEW)


def test_the_crash_of_the_primary_is_the_default_and_calls_for_a_failover() -> None:
    assert DEFAULT_SCENARIO == "primary-crash"
    assert scenario_named(DEFAULT_SCENARIO).expected is DrillOutcome.FAILED_OVER


def test_every_scenario_is_found_under_its_own_name() -> None:
    assert all(scenario.name == name and scenario.summary for name, scenario in SCENARIOS.items())


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="primary-crash"):
        scenario_named("earthquake")


def test_the_crash_kills_the_writer_alone_and_dates_the_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.drill.primary_crash.AFTERMATH_SECONDS", 0.0)
    system, said = System(), list[str]()
    stage = Stage(cast(LabSystem, system), cast(WritingClient, Client()), Site.PRIMARY, moment(-9.0), said.append)
    scenario_named("primary-crash").run(stage)
    assert (system.servers["p"].killed, system.servers["r"].killed) == (1, 0)
    assert stage.fault is not None
    assert stage.deeds == (stage.fault,)
    assert any(line.startswith("recovered") for line in said)
