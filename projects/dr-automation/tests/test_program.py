"""What the layer's program declares, recorded from the real program with the real settings of its stacks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lab.engine.recording import RecordedProgram, RecordedResource, run_recorded
from shared.contracts import DataContract
from shared.errors import SettingsError
from shared.sites import Site
from tests.contracts.made_up import made_up

REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
WITNESS_REGION = "ap-northeast-1"
WITNESS = "witness-dr-automation-lab"


def data_outputs() -> Mapping[str, object]:
    """Outputs as the data layer promises them; this layer is tested without the other's program."""
    arns = {f"{site}DatabaseArn": f"arn:aws:rds:{REGIONS[site]}:000000000000:db:database-{site}-lab" for site in Site}
    return {**made_up(DataContract), **arns}


@pytest.fixture(scope="module")
def below() -> Mapping[str, Mapping[str, Any]]:
    return {"network": run_recorded("network").outputs, "data": data_outputs()}


@pytest.fixture(scope="module")
def program(below: Mapping[str, Mapping[str, Any]]) -> RecordedProgram:
    return run_recorded("dr-automation", below=below)


@pytest.fixture(
    params=[
        "health-probe-primary-lab",
        "health-probe-recovery-lab",
        "failover-recovery-lab",
        "fence-guard-primary-lab",
        "fence-guard-recovery-lab",
        "witness-dr-automation-lab",
    ]
)
def function(request: pytest.FixtureRequest, program: RecordedProgram) -> RecordedResource:
    return program.resource(request.param, "Function")


def records(program: RecordedProgram, name: str) -> dict[str, Mapping[str, Any]]:
    return {
        record.inputs["failoverRoutingPolicies"][0]["type"]: record.inputs
        for record in program.of_type("Record")
        if record.inputs["name"] == program.outputs[name]
    }


def test_what_runs_each_minute_is_over_within_a_minute(program: RecordedProgram) -> None:
    each_minute = ("health-probe-primary", "health-probe-recovery", "fence-guard-primary", "fence-guard-recovery")
    for name in (*(f"{each}-lab" for each in each_minute), WITNESS):
        assert program.resource(name, "Function").inputs["timeout"] < 60


def test_every_function_is_run_by_the_clock(program: RecordedProgram, function: RecordedResource) -> None:
    rule = program.resource(function.name, "EventRule")
    assert rule.inputs["scheduleExpression"] == "rate(5 seconds)"
    assert rule.region == function.region
    assert program.resource(function.name, "EventTarget").inputs["arn"] == function.outputs["arn"]


def test_a_guard_is_in_its_databases_region(program: RecordedProgram) -> None:
    for site in Site:
        guard = program.resource(program.outputs[f"{site}FenceGuardFunctionName"], "Function")
        assert guard.region == REGIONS[site]
        variables = guard.inputs["environment"]["variables"]
        assert variables["GUARDED_SITE"] == site
        assert variables["INSTANCE_ID"] == f"{site}databaseid"


def test_the_witness_is_in_a_third_region_with_a_key_of_its_own(program: RecordedProgram) -> None:
    witness = program.resource(program.outputs["witnessFunctionName"], "Function")
    assert witness.region == WITNESS_REGION
    key = program.resource("witness-logs-dr-automation-lab", "Key")
    assert key.region == WITNESS_REGION
    assert program.resource(witness.name, "LogGroup").inputs["kmsKeyId"] == key.outputs["arn"]
    failover = program.resource("failover-recovery-lab", "Function").inputs["environment"]["variables"]
    assert failover["WITNESS_REGION"] == WITNESS_REGION


def test_without_a_witness_nothing_is_in_a_third_region_and_the_failover_asks_none(
    below: Mapping[str, Mapping[str, Any]],
) -> None:
    program = run_recorded("dr-automation", {"witnessRegion": ""}, below)
    assert program.outputs["witnessFunctionName"] == ""
    assert {one.region for one in program.resources if one.type.startswith("aws:")} == set(REGIONS.values())
    failover = program.resource("failover-recovery-lab", "Function").inputs["environment"]["variables"]
    assert "WITNESS_REGION" not in failover
    assert failover["DARK_WITHOUT_WITNESS"] == "failover"
    assert (failover["WRITER_HUNG"], failover["MAINTENANCE_OVERDUE"]) == ("ask", "ask")


def test_a_functions_log_group_and_policy_are_there_before_it(
    program: RecordedProgram, function: RecordedResource
) -> None:
    made_before = {program.resource(function.name, token).urn for token in ("LogGroup", "RolePolicy")}
    assert made_before <= function.dependencies


def test_a_failed_run_is_not_retried_with_old_news(program: RecordedProgram, function: RecordedResource) -> None:
    assert program.resource(function.name, "FunctionEventInvokeConfig").inputs["maximumRetryAttempts"] == 0


def test_a_probe_runs_in_its_sites_network_with_the_probes_group(
    program: RecordedProgram, below: Mapping[str, Mapping[str, Any]]
) -> None:
    for site in Site:
        probe = program.resource(f"health-probe-{site}-lab", "Function")
        assert probe.region == REGIONS[site]
        assert probe.inputs["vpcConfig"] == {
            "subnetIds": below["network"][f"{site}PrivateSubnetIds"],
            "securityGroupIds": [below["network"][f"{site}ProbeSecurityGroupId"]],
        }


def test_a_probe_is_told_both_databases_and_where_it_is(program: RecordedProgram) -> None:
    for site in Site:
        variables = program.resource(f"health-probe-{site}-lab", "Function").inputs["environment"]["variables"]
        assert variables["OBSERVER_SITE"] == site
        assert json.loads(variables["DATABASES"]) == {
            "primary": {"host": "primarydatabaseaddress", "port": 15432},
            "recovery": {"host": "recoverydatabaseaddress", "port": 15432},
        }


def test_the_failover_is_woken_by_the_trigger_alarm_and_by_the_clock(program: RecordedProgram) -> None:
    function = program.resource("failover-recovery-lab", "Function")
    alarm = program.resource("primary-unreachable-recovery-lab")
    subscription = program.resource("failover-recovery-lab", "TopicSubscription")
    assert alarm.inputs["alarmActions"] == [subscription.inputs["topic"]]
    assert subscription.inputs["endpoint"] == function.outputs["arn"]
    target = program.resource("failover-recovery-lab", "EventTarget")
    assert target.inputs["arn"] == function.outputs["arn"]
    sources = {
        permission.inputs["sourceArn"]
        for permission in program.of_type("Permission")
        if permission.inputs["function"] == function.inputs["name"]
    }
    assert sources == {
        subscription.inputs["topic"],
        program.resource("failover-recovery-lab", "EventRule").outputs["arn"],
    }


def test_the_trigger_looks_from_the_recovery_site_and_the_latch_ignores_missing_data(program: RecordedProgram) -> None:
    trigger = program.resource(program.outputs["triggerAlarmName"], "MetricAlarm").inputs
    latch = program.resource(program.outputs["latchAlarmName"], "MetricAlarm").inputs
    assert trigger["dimensions"] == {"Database": "primary", "Observer": "recovery"}
    assert latch["treatMissingData"] == "ignore"


def test_a_health_check_is_updated_when_its_alarm_changes(below: Mapping[str, Mapping[str, Any]]) -> None:
    def triggers(**overrides: object) -> object:
        changed = run_recorded("dr-automation", overrides, below)
        return changed.resource("primary-answers-dr-automation-lab").inputs["triggers"]

    assert triggers(triggerEvaluationPeriods=3) != triggers()


def test_the_writers_name_moves_by_the_latch_alone(program: RecordedProgram) -> None:
    writer = records(program, "writerName")
    assert writer["PRIMARY"]["records"] == ["primarydatabaseaddress"]
    assert writer["PRIMARY"]["healthCheckId"] == program.outputs["writerHealthCheckId"]
    assert writer["SECONDARY"]["records"] == ["recoverydatabaseaddress"]
    assert "healthCheckId" not in writer["SECONDARY"]


def test_the_readers_name_is_the_replica_while_it_answers_else_the_primary(program: RecordedProgram) -> None:
    reader = records(program, "readerName")
    assert reader["PRIMARY"]["records"] == ["recoverydatabaseaddress"]
    assert reader["SECONDARY"]["records"] == ["primarydatabaseaddress"]
    assert {"PRIMARY", "SECONDARY"} == {rank for rank, record in reader.items() if record.get("healthCheckId")}


def test_the_zone_is_known_to_both_networks(program: RecordedProgram, below: Mapping[str, Mapping[str, Any]]) -> None:
    (zone,) = program.of_type("Zone")
    assert {(vpc["vpcId"], vpc["vpcRegion"]) for vpc in zone.inputs["vpcs"]} == {
        (below["network"][f"{site}VpcId"], REGIONS[site]) for site in Site
    }


def test_every_topic_has_a_policy(program: RecordedProgram) -> None:
    with_a_policy = {policy.inputs["arn"] for policy in program.of_type("TopicPolicy")}
    assert {topic.outputs["arn"] for topic in program.of_type("Topic")} == with_a_policy


def test_people_are_subscribed_by_configuration(below: Mapping[str, Mapping[str, Any]]) -> None:
    program = run_recorded("dr-automation", {"failureEmails": ["night@example.com"]}, below)
    emails = [each.inputs for each in program.of_type("TopicSubscription") if each.inputs["protocol"] == "email"]
    assert {(each["topic"], each["endpoint"]) for each in emails} == {
        (program.outputs["failuresTopicArn"], "night@example.com"),
        (program.outputs["primaryFailuresTopicArn"], "night@example.com"),
    }


def test_failures_have_a_topic_in_each_site_that_its_alarms_may_publish_to(
    program: RecordedProgram, below: Mapping[str, Mapping[str, Any]]
) -> None:
    for site, output in ((Site.PRIMARY, "primaryFailuresTopicArn"), (Site.RECOVERY, "failuresTopicArn")):
        topic = program.resource(f"failures-{site}-lab", "Topic")
        assert (topic.outputs["arn"], topic.region) == (program.outputs[output], REGIONS[site])
        assert topic.inputs["kmsMasterKeyId"] == below["network"][f"{site}MessagesKeyArn"]
        attached = program.resource(topic.name, "TopicPolicy")
        assert (attached.inputs["arn"], attached.region) == (topic.outputs["arn"], topic.region)
        (alarms,) = (
            each for each in json.loads(attached.inputs["policy"])["Statement"] if each["Sid"] == "AlarmsOfThisAccount"
        )
        source = alarms["Condition"]["ArnLike"]["aws:SourceArn"]
        assert source.startswith(f"arn:aws:cloudwatch:{topic.region}:")


def test_the_functions_tell_people_where_the_primary_site_may_be_lost(program: RecordedProgram) -> None:
    told = {one.inputs["environment"]["variables"].get("FAILURES_TOPIC_ARN", "") for one in program.of_type("Function")}
    assert told - {""} == {program.outputs["failuresTopicArn"]}


def test_a_replication_timeout_that_outlasts_the_outage_is_refused(below: Mapping[str, Mapping[str, Any]]) -> None:
    slow = {**below, "data": {**below["data"], "replicationTimeoutSeconds": 300}}
    with pytest.raises(SettingsError, match=r"^outageSeconds = \d+: .*replicationTimeoutSeconds \(300\)"):
        run_recorded("dr-automation", below=slow)


def test_protection_covers_the_state_table_and_the_zone(below: Mapping[str, Mapping[str, Any]]) -> None:
    protected = run_recorded("dr-automation", {"deletionProtection": True}, below)
    assert protected.of_type("Table")[0].inputs["deletionProtectionEnabled"]
    assert not protected.of_type("Zone")[0].inputs["forceDestroy"]


def test_the_uri_asks_the_recovery_site_first_and_an_old_writer_only_when_that_does_not_answer(
    program: RecordedProgram,
) -> None:
    assert program.outputs["writerUri"] == (
        "postgresql://recoverydatabaseaddress:15432,primarydatabaseaddress:15432/databasename"
        "?target_session_attrs=read-write&sslmode=require&connect_timeout=5"
    )


def test_the_functions_take_their_environment(below: Mapping[str, Mapping[str, Any]]) -> None:
    """Placed here, where the two halves of the layer meet: what the program sets is what the code reads."""
    from failover.settings import Settings
    from fence_guard.settings import GuardSettings
    from health_probe.settings import ProbeSettings
    from witness.settings import WitnessSettings

    network = {"network": run_recorded("network", stack="dev").outputs, "data": data_outputs()}
    program = run_recorded("dr-automation", {"witnessRegion": WITNESS_REGION}, network, stack="dev")

    def environment(name: str) -> dict[str, str]:
        variables: dict[str, str] = program.resource(name, "Function").inputs["environment"]["variables"]
        return variables

    failover = Settings.from_environment(environment("failover-recovery-dev"))
    assert environment("failover-recovery-dev")["REPLICATION_TIMEOUT_SECONDS"] == "3"
    assert (failover.writer_name, failover.witness_region) == (program.outputs["writerName"], WITNESS_REGION)
    assert ProbeSettings.from_environment(environment("health-probe-primary-dev")).probes_per_run == 5
    assert WitnessSettings.from_environment(environment("witness-dr-automation-dev")).region == WITNESS_REGION
    for site in Site:
        guard = GuardSettings.from_environment(environment(f"fence-guard-{site}-dev"))
        assert guard.region == REGIONS[site]
        assert guard.state_region == REGIONS[Site.RECOVERY]
        assert guard.quarantine_group_id == network["network"][f"{site}QuarantineSecurityGroupId"]
        assert guard.fence_seconds == 40
