"""What the layer's program declares, recorded from the real program with the real settings of its stacks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from automation_layer.connection_uri import WriterAddresses
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
        "failover-primary-lab",
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
        assert variables["SITE"] == site
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
        assert variables["SITE"] == site
        assert json.loads(variables["DATABASES"]) == {
            "primary": {"host": "primarydatabaseaddress", "port": 15432},
            "recovery": {"host": "recoverydatabaseaddress", "port": 15432},
        }


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_failover_is_woken_by_its_sites_trigger_alarm_and_by_the_clock(program: RecordedProgram, site: Site) -> None:
    name = f"failover-{site}-lab"
    function = program.resource(program.outputs[f"{site}FailoverFunctionName"], "Function")
    alarm = program.resource(program.outputs[f"{site}TriggerAlarmName"], "MetricAlarm")
    subscription = program.resource(name, "TopicSubscription")
    assert {function.region, alarm.region, subscription.region} == {REGIONS[site]}
    assert alarm.inputs["alarmActions"] == [subscription.inputs["topic"]]
    assert subscription.inputs["endpoint"] == function.outputs["arn"]
    assert program.resource(name, "EventTarget").inputs["arn"] == function.outputs["arn"]
    sources = {
        permission.inputs["sourceArn"]
        for permission in program.of_type("Permission")
        if permission.inputs["function"] == function.inputs["name"]
    }
    assert sources == {subscription.inputs["topic"], program.resource(name, "EventRule").outputs["arn"]}


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_trigger_looks_at_the_other_sites_database_and_takes_silence_for_failure(
    program: RecordedProgram, site: Site
) -> None:
    trigger = program.resource(program.outputs[f"{site}TriggerAlarmName"], "MetricAlarm").inputs
    assert trigger["dimensions"] == {"Database": site.other, "Observer": site}
    assert trigger["treatMissingData"] == "breaching"


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_people_are_told_where_a_sites_own_database_does_not_answer_it(program: RecordedProgram, site: Site) -> None:
    own = program.resource(f"{site}-unreachable-{site}-lab", "MetricAlarm")
    assert own.inputs["dimensions"] == {"Database": site, "Observer": site}
    assert own.inputs["treatMissingData"] == "missing"
    assert (own.region, own.inputs["alarmActions"]) == (REGIONS[site], [program.outputs[f"{site}FailuresTopicArn"]])


@pytest.mark.parametrize(("site", "thresholds"), [(Site.PRIMARY, [1]), (Site.RECOVERY, [1, 2])], ids=str)
def test_what_a_controller_says_is_compared_in_its_own_region_and_silence_changes_nothing(
    program: RecordedProgram, site: Site, thresholds: list[int]
) -> None:
    words = [program.resource(name, "MetricAlarm") for name in program.outputs[f"{site}WordAlarmNames"]]
    assert [word.inputs["threshold"] for word in words] == thresholds
    for word in words:
        assert word.region == REGIONS[site]
        assert (word.inputs["metricName"], word.inputs["dimensions"]) == ("WriterWord", {"Site": site})
        assert word.inputs["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert (word.inputs["evaluationPeriods"], word.inputs["treatMissingData"]) == (1, "ignore")


@pytest.mark.parametrize("active", list(Site), ids=str)
def test_a_table_is_born_with_the_writer_and_the_standbys_authority(
    below: Mapping[str, Mapping[str, Any]], active: Site
) -> None:
    born = run_recorded("dr-automation", below={**below, "data": {**below["data"], "activeSite": str(active)}})
    for site in Site:
        item = born.resource(f"failover-state-birth-{site}-lab", "TableItem")
        assert (item.region, item.inputs["tableName"]) == (REGIONS[site], born.outputs[f"{site}StateTableName"])
        assert json.loads(item.inputs["item"]) == {
            "id": {"S": "birth"},
            "version": {"N": "1"},
            "writer_site": {"S": str(active)},
            "authority": {"S": str(active.other)},
        }


def test_the_zone_is_known_to_both_networks(program: RecordedProgram, below: Mapping[str, Mapping[str, Any]]) -> None:
    (zone,) = program.of_type("Zone")
    assert {(vpc["vpcId"], vpc["vpcRegion"]) for vpc in zone.inputs["vpcs"]} == {
        (below["network"][f"{site}VpcId"], REGIONS[site]) for site in Site
    }


def test_other_vpcs_know_the_names_and_none_that_somebody_else_associates_is_removed(
    below: Mapping[str, Mapping[str, Any]], program: RecordedProgram
) -> None:
    ours, theirs = "vpc-0123456789abcdef0", "vpc-0a1b2c3d"
    arns = [f"arn:aws:ec2:eu-west-1:{account}:vpc/{vpc}" for account, vpc in (("0" * 12, ours), ("1" * 12, theirs))]
    wider = run_recorded("dr-automation", {"clientVpcs": arns}, below)
    (zone,) = wider.of_type("Zone")
    assert zone.inputs == program.of_type("Zone")[0].inputs
    assert zone.registration.ignore_changes == {"vpcs"}
    for kind, vpc in (("ZoneAssociation", ours), ("VpcAssociationAuthorization", theirs)):
        (known,) = wider.of_type(kind)
        assert known.inputs == {"zoneId": zone.id, "vpcId": vpc, "vpcRegion": "eu-west-1"}


def test_a_sites_own_vpc_is_no_clients_vpc(below: Mapping[str, Mapping[str, Any]]) -> None:
    own = {"network": {**below["network"], "recoveryVpcId": "vpc-0a1b2c3d"}, "data": below["data"]}
    with pytest.raises(SettingsError, match=r"^clientVpcs = vpc-0a1b2c3d: the recovery site's own VPC .*leave it out"):
        run_recorded("dr-automation", {"clientVpcs": ["arn:aws:ec2:eu-west-1:000000000000:vpc/vpc-0a1b2c3d"]}, own)


def test_every_topic_has_a_policy(program: RecordedProgram) -> None:
    with_a_policy = {policy.inputs["arn"] for policy in program.of_type("TopicPolicy")}
    assert {topic.outputs["arn"] for topic in program.of_type("Topic")} == with_a_policy


@pytest.mark.parametrize(("key", "topic"), [("failureEmails", "Failures"), ("recoveryEmails", "Recoveries")])
def test_people_are_subscribed_in_both_sites_by_configuration(
    below: Mapping[str, Mapping[str, Any]], key: str, topic: str
) -> None:
    program = run_recorded("dr-automation", {key: ["night@example.com"]}, below)
    emails = [each.inputs for each in program.of_type("TopicSubscription") if each.inputs["protocol"] == "email"]
    assert {(each["topic"], each["endpoint"]) for each in emails} == {
        (program.outputs[f"{site}{topic}TopicArn"], "night@example.com") for site in Site
    }


def test_failures_have_a_topic_in_each_site_that_its_alarms_may_publish_to(
    program: RecordedProgram, below: Mapping[str, Mapping[str, Any]]
) -> None:
    for site in Site:
        topic = program.resource(f"failures-{site}-lab", "Topic")
        assert (topic.outputs["arn"], topic.region) == (program.outputs[f"{site}FailuresTopicArn"], REGIONS[site])
        assert topic.inputs["kmsMasterKeyId"] == below["network"][f"{site}MessagesKeyArn"]
        attached = program.resource(topic.name, "TopicPolicy")
        assert (attached.inputs["arn"], attached.region) == (topic.outputs["arn"], topic.region)
        (alarms,) = (
            each for each in json.loads(attached.inputs["policy"])["Statement"] if each["Sid"] == "AlarmsOfThisAccount"
        )
        source = alarms["Condition"]["ArnLike"]["aws:SourceArn"]
        assert source.startswith(f"arn:aws:cloudwatch:{topic.region}:")


@pytest.mark.parametrize("what", ["failover", "fence-guard", "snapshot-copier"])
@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_function_knows_both_tables_and_tells_people_in_its_own_site_first(
    program: RecordedProgram, site: Site, what: str
) -> None:
    variables = program.resource(f"{what}-{site}-lab", "Function").inputs["environment"]["variables"]
    assert variables["SITE"] == site
    for each in Site:
        assert variables[f"{each.upper()}_STATE_TABLE"] == program.outputs[f"{each}StateTableName"]
    assert variables["FAILURES_TOPIC_ARN"] == program.outputs[f"{site}FailuresTopicArn"]
    assert variables["OTHER_FAILURES_TOPIC_ARN"] == program.outputs[f"{site.other}FailuresTopicArn"]


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_controller_knows_the_word_alarms_of_both_sites_and_how_long_a_handover_waits(
    program: RecordedProgram, site: Site
) -> None:
    variables = program.resource(f"failover-{site}-lab", "Function").inputs["environment"]["variables"]
    for each in Site:
        assert variables[f"{each.upper()}_WORD_ALARMS"].split(",") == program.outputs[f"{each}WordAlarmNames"]
    assert variables["HANDOVER_MARGIN_SECONDS"] == "10"
    assert variables["RECOVERIES_TOPIC_ARN"] == program.outputs[f"{site}RecoveriesTopicArn"]


SECRET_ARN = "arn:aws:secretsmanager:ap-southeast-2:111122223333:secret:master-AbCdEf"


@pytest.mark.parametrize("secret", ["master", SECRET_ARN])
@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_controller_knows_the_master_secret_as_its_own_region_calls_it(
    below: Mapping[str, Mapping[str, Any]], site: Site, secret: str
) -> None:
    program = run_recorded("dr-automation", below={**below, "data": {**below["data"], "masterSecretId": secret}})
    variables = program.resource(f"failover-{site}-lab", "Function").inputs["environment"]["variables"]
    region = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}[site]
    assert variables["MASTER_SECRET_ID"] == secret.replace("ap-southeast-2", region)


def test_a_replication_timeout_that_outlasts_the_outage_is_refused(below: Mapping[str, Mapping[str, Any]]) -> None:
    slow = {**below, "data": {**below["data"], "replicationTimeoutSeconds": 300}}
    with pytest.raises(SettingsError, match=r"^outageSeconds = \d+: .*replicationTimeoutSeconds \(300\)"):
        run_recorded("dr-automation", below=slow)


def test_protection_covers_the_state_tables_the_zone_and_the_health_checks(
    program: RecordedProgram, below: Mapping[str, Mapping[str, Any]]
) -> None:
    protected = run_recorded("dr-automation", {"deletionProtection": True}, below)
    assert [table.inputs["deletionProtectionEnabled"] for table in protected.of_type("Table")] == [True, True]
    assert not protected.of_type("Zone")[0].inputs["forceDestroy"]
    for kind in ("Table", "TableItem", "Zone", "HealthCheck"):
        assert {each.registration.protect for each in protected.of_type(kind)} == {True}, kind
        assert {each.registration.protect for each in program.of_type(kind)} == {False}, kind


@pytest.mark.parametrize("active", list(Site), ids=str)
def test_the_uri_asks_the_standby_first_and_an_old_writer_only_when_that_does_not_answer(
    below: Mapping[str, Mapping[str, Any]], active: Site
) -> None:
    program = run_recorded("dr-automation", below={**below, "data": {**below["data"], "activeSite": str(active)}})
    hosts = [f"{site}databaseaddress:15432" for site in (active.other, active)]
    assert program.outputs["writerHosts"] == hosts
    shared = "target_session_attrs=read-write&sslmode=verify-full&connect_timeout=5"
    uri = f"postgresql://{','.join(hosts)}/databasename?{shared}"
    assert program.outputs["writerUri"] == uri
    deadlines = "tcp_user_timeout=10000&keepalives=1&keepalives_idle=5&keepalives_interval=2&keepalives_count=3"
    assert program.outputs["writerLibpqUri"] == f"{uri}&{deadlines}"
    assert program.outputs["writerJdbcUrl"] == (
        f"jdbc:postgresql://{','.join(hosts)}/databasename?targetServerType=primary&sslmode=verify-full"
        "&connectTimeout=5&loginTimeout=10&socketTimeout=10&tcpKeepAlive=true"
    )


def test_libpq_takes_its_uri_with_a_name_that_has_to_be_quoted() -> None:
    addresses = WriterAddresses(["b.example", "a.example"], 5432, "or/ders", "verify-full")
    understood = conninfo_to_dict(addresses.libpq_uri)
    assert (understood["host"], understood["port"]) == ("b.example,a.example", "5432,5432")
    assert (understood["dbname"], understood["tcp_user_timeout"]) == ("or/ders", "10000")


@pytest.mark.parametrize("active", list(Site), ids=str)
def test_no_resource_depends_on_which_site_is_active_but_for_what_the_tables_begin_with(
    below: Mapping[str, Mapping[str, Any]], program: RecordedProgram, active: Site
) -> None:
    other = run_recorded("dr-automation", below={**below, "data": {**below["data"], "activeSite": str(active)}})

    def declared(one: RecordedProgram) -> dict[str, Any]:
        return {
            # An archive is the same where its path is, which has its digest.
            each.urn: (each.region, {key: getattr(value, "path", value) for key, value in each.inputs.items()})
            for each in one.resources
            if not each.type.endswith("TableItem")
        }

    assert declared(other) == declared(program)


def test_whoever_configures_a_provider_is_asked_by_a_region_that_lives(below: Mapping[str, Mapping[str, Any]]) -> None:
    def asked(**settings: str) -> set[str]:
        providers = run_recorded("dr-automation", settings, below).providers
        return {each.inputs["stsRegion"] for each in providers if each.package == "aws"}

    assert asked() == {REGIONS[Site.RECOVERY]}
    assert asked(stsRegion="ap-southeast-2") == {"ap-southeast-2"}


def test_what_is_global_hangs_on_the_recovery_sites_provider_whatever_its_role(
    below: Mapping[str, Mapping[str, Any]],
) -> None:
    swapped = run_recorded("dr-automation", below={**below, "data": {**below["data"], "activeSite": "recovery"}})
    everywhere = [one for one in swapped.resources if one.type.startswith(("aws:iam/", "aws:route53/"))]
    assert {one.region for one in everywhere} == {REGIONS[Site.RECOVERY]}


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

    for site in Site:
        failover = Settings.from_environment(environment(f"failover-{site}-dev"))
        assert environment(f"failover-{site}-dev")["REPLICATION_TIMEOUT_SECONDS"] == "3"
        assert (failover.writer_name, failover.witness_region) == (program.outputs["writerName"], WITNESS_REGION)
    assert ProbeSettings.from_environment(environment("health-probe-primary-dev")).probes_per_run == 5
    assert WitnessSettings.from_environment(environment("witness-dr-automation-dev")).region == WITNESS_REGION
    for site in Site:
        guard = GuardSettings.from_environment(environment(f"fence-guard-{site}-dev"))
        assert guard.region == REGIONS[site]
        assert guard.quarantine_group_id == network["network"][f"{site}QuarantineSecurityGroupId"]
        assert guard.fence_seconds == 40
