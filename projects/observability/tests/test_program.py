"""What the layer's program declares, recorded from the real program with the real settings of its stacks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.engine.recording import RecordedProgram, run_recorded
from shared.contracts import AutomationContract, DataContract, NetworkContract
from shared.sites import Site
from tests.contracts.made_up import made_up
from tests.contracts.settings_of import settings_of

REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
WITNESS_REGION = "ap-northeast-1"
NETWORK = {
    "accountId": "111122223333",
    "environmentSuffix": "dev",
    "primaryRegion": "ap-southeast-2",
    "recoveryRegion": "ap-southeast-1",
}
DATA = made_up(DataContract)
FAILURES_TOPICS = {site: f"arn:aws:sns:{REGIONS[site]}:000000000000:failures-{site}-dev" for site in Site}
FAILURES_TOPIC = FAILURES_TOPICS[Site.RECOVERY]
AUTOMATION = {
    **made_up(AutomationContract),
    **{f"{site}FailuresTopicArn": arn for site, arn in FAILURES_TOPICS.items()},
}
FUNCTIONS = sorted(field.key for field in AutomationContract.fields() if field.key.endswith("FunctionName"))
LONGEST_COPY_SCHEDULE_SECONDS = 3600


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


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_every_alarm_of_a_site_tells_people_through_a_topic_of_its_own_region(
    program: RecordedProgram, site: Site
) -> None:
    alarms = [alarm for alarm in program.of_type("MetricAlarm") if alarm.region == REGIONS[site]]
    assert alarms
    for alarm in alarms:
        told = {key: alarm.inputs[key] for key in ("alarmActions", "okActions")}
        assert told == {key: [FAILURES_TOPICS[site]] for key in told}, alarm.name


def region_of(function: str) -> str:
    """Where the function runs that an output names."""
    if function == "witnessFunctionName":
        return WITNESS_REGION
    return REGIONS[Site.PRIMARY if function.startswith(Site.PRIMARY) else Site.RECOVERY]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_silence_of_every_function_is_an_alarm_in_its_own_region(program: RecordedProgram, function: str) -> None:
    if function.endswith("FailoverFunctionName"):
        # Its own metric says more than its invocations: that a run came to its end.
        site = function.removesuffix("FailoverFunctionName")
        alarms = [program.resource(f"failover-silent-{site}-dev")]
    else:
        alarms = [
            alarm
            for alarm in program.of_type("MetricAlarm")
            if alarm.inputs["dimensions"] == {"FunctionName": AUTOMATION[function]}
            and alarm.inputs["metricName"] == "Invocations"
        ]
        assert [(alarm.inputs["namespace"], alarm.inputs["statistic"]) for alarm in alarms] == [("AWS/Lambda", "Sum")]
    (silent,) = alarms
    assert silent.region == region_of(function)
    assert silent.inputs["treatMissingData"] == "breaching"
    assert (silent.inputs["comparisonOperator"], silent.inputs["threshold"]) == ("LessThanThreshold", 1)
    assert silent.inputs["datapointsToAlarm"] == silent.inputs["evaluationPeriods"] > 1


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_one_missed_run_of_a_copier_is_no_alarm(program: RecordedProgram, site: Site) -> None:
    silent = program.resource(f"snapshot-copier-silent-{site}-dev").inputs
    assert silent["period"] >= settings_of("dr-automation").timings.copy_schedule_seconds
    assert silent["period"] * silent["evaluationPeriods"] > 2 * LONGEST_COPY_SCHEDULE_SECONDS


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_in_the_lab_a_copier_is_heard_in_every_period(site: Site) -> None:
    """A longer period would make a lab begin with an alarm that lasts until the first has gone by."""
    of_the_lab = {**network(), "accountId": "000000000000", "environmentSuffix": "lab"}
    below = {"network": of_the_lab, "data": DATA, "dr-automation": AUTOMATION}
    silent = run_recorded("observability", below=below).resource(f"snapshot-copier-silent-{site}-lab").inputs
    timings = settings_of("dr-automation", "lab").timings
    assert timings.copy_schedule_seconds < silent["period"] == settings_of("observability", "lab").alarm_period_seconds


def test_two_writers_are_an_alarm_in_each_site(program: RecordedProgram) -> None:
    for site in Site:
        alarm = program.resource(f"two-writers-{site}-dev")
        assert alarm.region == REGIONS[site]
        assert (alarm.inputs["namespace"], alarm.inputs["metricName"]) == (AUTOMATION["metricNamespace"], "TwoWriters")
        assert alarm.inputs["dimensions"] == {"Site": site}
        # One look that saw both is enough, and no look changes nothing.
        assert (alarm.inputs["evaluationPeriods"], alarm.inputs["treatMissingData"]) == (1, "ignore")


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_failover_that_does_not_run_is_found_before_it_is_needed(program: RecordedProgram, site: Site) -> None:
    alarm = program.resource(f"failover-silent-{site}-dev").inputs
    assert alarm["treatMissingData"] == "breaching"
    assert (alarm["metricName"], alarm["dimensions"]) == ("WriterWord", {"Site": site})
    assert alarm["namespace"] == AUTOMATION["metricNamespace"]


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
    for what in ("errors", "silent"):
        alarm = program.resource(f"witness-{what}-observability-dev")
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
    for site in Site:
        for name in (AUTOMATION[f"{site}TriggerAlarmName"], *AUTOMATION[f"{site}WordAlarmNames"]):
            assert f"arn:aws:cloudwatch:{REGIONS[site]}:111122223333:alarm:{name}" in shown


@pytest.mark.parametrize("metric", ["WriterWord", "DatabaseReachable", "ReplicaLag", "OldestReplicationSlotLag"])
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
