"""What the layer's program declares, recorded from the real program with the real settings of its stacks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.engine.recording import RecordedProgram, run_recorded
from shared.contracts import AutomationContract, DataContract, NetworkContract
from shared.sites import Site
from tests.contracts.made_up import made_up

REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
WITNESS_REGION = "ap-northeast-1"
NETWORK = {
    "accountId": "111122223333",
    "environmentSuffix": "dev",
    "primaryRegion": "ap-southeast-2",
    "recoveryRegion": "ap-southeast-1",
}
DATA = made_up(DataContract)
FAILURES_TOPIC = "arn:aws:sns:ap-southeast-1:000000000000:failures-recovery-dev"
AUTOMATION = {
    **made_up(AutomationContract),
    "failuresTopicArn": FAILURES_TOPIC,
}


def network() -> dict[str, Any]:
    samples: dict[type[object], object] = {str: "text", int: 5432, list: ["text"]}
    return {**{field.key: samples[field.value_type] for field in NetworkContract.fields()}, **NETWORK}


@pytest.fixture(scope="module")
def program() -> RecordedProgram:
    return run_recorded(
        "observability", below={"network": network(), "data": DATA, "dr-automation": AUTOMATION}, stack="dev"
    )


@pytest.fixture(scope="module")
def widgets(program: RecordedProgram) -> list[dict[str, Any]]:
    (dashboard,) = program.of_type("Dashboard")
    placed: list[dict[str, Any]] = json.loads(dashboard.inputs["dashboardBody"])["widgets"]
    return placed


def series(widgets: list[dict[str, Any]]) -> list[list[Any]]:
    return [row for widget in widgets if widget["type"] == "metric" for row in widget["properties"]["metrics"]]


def test_lag_is_watched_where_the_replica_is_and_people_are_told(program: RecordedProgram) -> None:
    alarm = program.resource(program.outputs["replicationLagAlarmName"])
    assert alarm.region == REGIONS[Site.RECOVERY]
    assert (alarm.inputs["metricName"], alarm.inputs["threshold"]) == ("ReplicaLag", 60)
    assert alarm.inputs["dimensions"] == {"DBInstanceIdentifier": DATA["recoveryDatabaseId"]}
    assert alarm.inputs["alarmActions"] == [FAILURES_TOPIC]


def test_an_idle_primary_fires_no_lag_alarm(program: RecordedProgram) -> None:
    """RDS: up to five minutes of lag without user transactions, so one fresh value must appear within the window."""
    alarm = program.resource(program.outputs["replicationLagAlarmName"]).inputs
    assert alarm["statistic"] == "Minimum"
    assert alarm["datapointsToAlarm"] == alarm["evaluationPeriods"]
    assert alarm["period"] * alarm["evaluationPeriods"] > 5 * 60


def test_people_are_told_once_when_the_lag_is_no_longer_measured(program: RecordedProgram) -> None:
    alarm = program.resource(program.outputs["replicationLagAlarmName"]).inputs
    assert alarm["treatMissingData"] == "missing"
    assert alarm["insufficientDataActions"] == [FAILURES_TOPIC]


def test_bytes_are_watched_where_the_slot_is(program: RecordedProgram) -> None:
    alarm = program.resource("replication-slot-primary-dev")
    assert alarm.region == REGIONS[Site.PRIMARY]
    assert alarm.inputs["metricName"] == "OldestReplicationSlotLag"
    assert alarm.inputs["dimensions"] == {"DBInstanceIdentifier": DATA["primaryDatabaseId"]}


@pytest.mark.parametrize("site", list(Site), ids=str)
@pytest.mark.parametrize("metric", ["CPUUtilization", "FreeStorageSpace", "DatabaseConnections", "FreeableMemory"])
def test_the_performance_of_each_database_is_watched_in_its_own_region(
    program: RecordedProgram, site: Site, metric: str
) -> None:
    watching = [
        alarm
        for alarm in program.of_type("MetricAlarm")
        if alarm.inputs["metricName"] == metric
        and alarm.inputs["dimensions"] == {"DBInstanceIdentifier": DATA[f"{site}DatabaseId"]}
    ]
    assert [alarm.region for alarm in watching] == [REGIONS[site]]


def test_every_alarm_of_the_recovery_site_tells_people(program: RecordedProgram) -> None:
    for alarm in program.of_type("MetricAlarm"):
        if alarm.region == REGIONS[Site.RECOVERY]:
            assert alarm.inputs["alarmActions"] == [FAILURES_TOPIC], alarm.name


def test_a_failover_that_does_not_run_is_found_before_it_is_needed(program: RecordedProgram) -> None:
    alarm = program.resource("failover-silent-recovery-dev").inputs
    assert alarm["treatMissingData"] == "breaching"
    assert (alarm["metricName"], alarm["namespace"]) == ("WriterSite", AUTOMATION["metricNamespace"])


def test_each_guard_is_watched_in_its_own_region_for_errors_and_for_what_it_could_not_fence(
    program: RecordedProgram,
) -> None:
    for site in Site:
        failing = program.resource(f"fence-guard-errors-{site}-dev")
        assert failing.region == REGIONS[site]
        assert failing.inputs["dimensions"] == {"FunctionName": AUTOMATION[f"{site}FenceGuardFunctionName"]}
        unfenced = program.resource(f"old-writer-unfenced-{site}-dev")
        assert unfenced.region == REGIONS[site]
        assert unfenced.inputs["namespace"] == AUTOMATION["metricNamespace"]
        assert (unfenced.inputs["metricName"], unfenced.inputs["dimensions"]) == ("UnfencedWriters", {"Site": site})


def test_the_witness_is_watched_in_its_region(program: RecordedProgram, widgets: list[dict[str, Any]]) -> None:
    alarm = program.resource("witness-errors-observability-dev")
    assert alarm.region == WITNESS_REGION
    assert alarm.inputs["dimensions"] == {"FunctionName": AUTOMATION["witnessFunctionName"]}
    seen = [row for row in series(widgets) if row[1] == "WitnessSeesDatabase"]
    assert {(row[3], row[-1]["region"]) for row in seen} == {(site, WITNESS_REGION) for site in Site}


def test_without_a_witness_nothing_is_in_a_third_region() -> None:
    below = {"network": network(), "data": DATA, "dr-automation": {**AUTOMATION, "witnessFunctionName": ""}}
    program = run_recorded("observability", {"witnessRegion": ""}, below, stack="dev")
    assert {one.region for one in program.resources if one.type.startswith("aws:")} == set(REGIONS.values())


def test_a_witness_that_the_layer_below_does_not_have_is_refused() -> None:
    below = {"network": network(), "data": DATA, "dr-automation": {**AUTOMATION, "witnessFunctionName": ""}}
    with pytest.raises(ValueError, match="witnessRegion"):
        run_recorded("observability", below=below, stack="dev")


def test_the_dashboard_shows_every_alarm_of_both_layers(
    program: RecordedProgram, widgets: list[dict[str, Any]]
) -> None:
    shown = [arn for widget in widgets if widget["type"] == "alarm" for arn in widget["properties"]["alarms"]]
    assert {alarm.outputs["arn"] for alarm in program.of_type("MetricAlarm")} <= set(shown)
    for name in (AUTOMATION["triggerAlarmName"], AUTOMATION["latchAlarmName"]):
        assert f"arn:aws:cloudwatch:ap-southeast-1:111122223333:alarm:{name}" in shown


@pytest.mark.parametrize("metric", ["WriterSite", "DatabaseReachable", "ReplicaLag", "OldestReplicationSlotLag"])
def test_the_dashboard_shows_what_decides_a_failover(widgets: list[dict[str, Any]], metric: str) -> None:
    assert metric in {row[1] for row in series(widgets)}


def test_each_line_reads_the_region_its_metric_is_in(widgets: list[dict[str, Any]]) -> None:
    places = {DATA[f"{site}DatabaseId"]: REGIONS[site] for site in Site}
    places |= {AUTOMATION[f"{site}ProbeFunctionName"]: REGIONS[site] for site in Site}
    placed = [(row[3], row[-1]["region"]) for row in series(widgets) if row[3] in places]
    assert placed
    assert all(places[name] == region for name, region in placed)
    observed = [row for row in series(widgets) if row[1] == "DatabaseReachable"]
    assert len(observed) == 4
    assert all(row[-1]["region"] == REGIONS[Site(row[5])] for row in observed)


def test_widgets_fill_the_grid_without_overlap(widgets: list[dict[str, Any]]) -> None:
    cells = [
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert {x for x, _ in cells} == set(range(24))
