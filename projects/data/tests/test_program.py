"""What the real program declares, beside what tests/rules and tests/contracts check for all four programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from data_layer.parameters import database_parameters
from lab.engine.recording import RecordedProgram, RecordedResource, run_recorded
from shared.errors import SettingsError
from shared.sites import Site

REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
PASSWORD = "recorded-secret"

each_site = pytest.mark.parametrize("site", list(Site), ids=str)


def database(program: RecordedProgram, site: Site) -> RecordedResource:
    return program.resource(f"database-{site}-lab", "Instance")


def of_bucket(program: RecordedProgram, site: Site, token: str) -> RecordedResource:
    return program.resource(f"backups-{site}-lab", token)


def test_what_has_no_region_is_made_through_the_recovery_site(data: RecordedProgram) -> None:
    for token in ("Role", "RolePolicy"):
        assert {each.region for each in data.of_type(token)} == {"ap-southeast-1"}


def test_the_secret_is_asked_for_once_in_the_active_sites_region(data: RecordedProgram) -> None:
    (invocation,) = data.invocations
    assert invocation.arguments["secretId"] == "postgres-dr/lab/master"
    assert invocation.provider is not None
    assert invocation.provider.inputs["region"] == "ap-southeast-2"


def test_the_password_is_a_secret_input_of_the_primary_and_nowhere_else(data: RecordedProgram) -> None:
    assert "password" in database(data, Site.PRIMARY).registration.secret_inputs
    holders = [
        resource.name for resource in data.resources if PASSWORD in json.dumps(dict(resource.inputs), default=str)
    ]
    assert holders == ["database-primary-lab"]
    assert PASSWORD not in json.dumps(dict(data.outputs))


def test_extended_support_is_declined_unless_it_is_asked_for(data: RecordedProgram) -> None:
    inputs = database(data, Site.PRIMARY).inputs
    assert inputs["engineLifecycleSupport"] == "open-source-rds-extended-support-disabled"


def test_the_replica_names_its_source_by_arn_and_leaves_the_rest_to_it(data: RecordedProgram) -> None:
    replica = database(data, Site.RECOVERY)
    assert replica.inputs["replicateSourceDb"] == database(data, Site.PRIMARY).outputs["arn"]
    inherited = {"engine", "engineVersion", "username", "password", "dbName", "allocatedStorage"}
    assert not inherited & set(replica.inputs)
    assert replica.inputs["skipFinalSnapshot"] is True


@each_site
def test_each_database_has_its_sites_key_security_group_and_port(
    data: RecordedProgram, network: RecordedProgram, site: Site
) -> None:
    inputs = database(data, site).inputs
    key = network.outputs[f"{site}DataKeyArn"]
    assert (inputs["kmsKeyId"], inputs["performanceInsightsKmsKeyId"]) == (key, key)
    assert inputs["vpcSecurityGroupIds"] == [network.outputs[f"{site}DatabaseSecurityGroupId"]]
    assert inputs["port"] == network.outputs["databasePort"]


def test_replica_and_primary_differ_only_where_they_must(data: RecordedProgram) -> None:
    primary, replica = (dict(database(data, site).inputs) for site in Site)
    different = {key for key in primary.keys() & replica.keys() if primary[key] != replica[key]}
    assert different == {
        "identifier",
        "backupWindow",
        "maintenanceWindow",
        "dbSubnetGroupName",
        "parameterGroupName",
        "kmsKeyId",
        "performanceInsightsKmsKeyId",
        "vpcSecurityGroupIds",
        "tags",
    }


@each_site
def test_each_database_takes_logins_by_token(data: RecordedProgram, site: Site) -> None:
    assert database(data, site).inputs["iamDatabaseAuthenticationEnabled"] is True


@pytest.mark.parametrize(("timeout_seconds", "interval"), [(30, "10"), (60, "10"), (3, "1"), (20, "6")])
def test_the_replica_reports_thrice_before_silence_counts(timeout_seconds: int, interval: str) -> None:
    parameters = {
        each.name: each.value
        for each in database_parameters(
            max_slot_wal_keep_size_megabytes=4096,
            slow_statement_milliseconds=1000,
            replication_timeout_seconds=timeout_seconds,
        )
    }
    assert parameters["wal_receiver_timeout"] == parameters["wal_sender_timeout"] == str(timeout_seconds * 1000)
    assert parameters["wal_receiver_status_interval"] == interval


def test_the_other_layers_learn_after_how_much_silence_replication_is_given_up(data: RecordedProgram) -> None:
    (timeout,) = {
        each["value"]
        for group in data.of_type("ParameterGroup")
        for each in group.inputs["parameters"]
        if each["name"] == "wal_receiver_timeout"
    }
    assert data.outputs["replicationTimeoutSeconds"] * 1000 == int(timeout)


@each_site
def test_rds_writes_its_logs_to_groups_that_are_made_before_the_database(data: RecordedProgram, site: Site) -> None:
    instance = database(data, site)
    for export in instance.inputs["enabledCloudwatchLogsExports"]:
        group = data.resource(f"database-{export}-{site}-lab", "LogGroup")
        assert group.inputs["name"] == f"/aws/rds/instance/database-{site}-lab/{export}"
        assert group.urn in instance.dependencies


def test_a_production_database_is_protected_from_rds_and_from_pulumi(production: RecordedProgram) -> None:
    for site in Site:
        instance = database(production, site)
        assert instance.inputs["deletionProtection"] is True
        assert instance.inputs["deleteAutomatedBackups"] is False
        assert instance.registration.protect
    primary = database(production, Site.PRIMARY).inputs
    assert primary["skipFinalSnapshot"] is False
    assert primary["finalSnapshotIdentifier"].startswith("final-primary-lab-")


def test_a_short_lived_environment_can_be_destroyed_at_once(data: RecordedProgram) -> None:
    for site in Site:
        instance = database(data, site)
        assert (instance.inputs["deletionProtection"], instance.inputs["skipFinalSnapshot"]) == (False, True)
        assert not instance.registration.protect
        assert of_bucket(data, site, "Bucket").inputs["forceDestroy"] is True


@each_site
def test_each_bucket_replicates_to_the_other_sites(data: RecordedProgram, network: RecordedProgram, site: Site) -> None:
    replication = data.resource(f"backup-replication-{site}-lab", "BucketReplicationConfig")
    assert replication.inputs["bucket"] == of_bucket(data, site, "Bucket").id
    (rule,) = replication.inputs["rules"]
    assert rule["filter"] == {"prefix": ""}
    assert rule["deleteMarkerReplication"] == {"status": "Enabled"}
    # Without it a tag changed on a replica stays at that site.
    assert rule["sourceSelectionCriteria"]["replicaModifications"] == {"status": "Enabled"}
    destination = rule["destination"]
    assert destination["bucket"] == of_bucket(data, site.other, "Bucket").outputs["arn"]
    assert destination["encryptionConfiguration"] == {"replicaKmsKeyId": network.outputs[f"{site.other}DataKeyArn"]}
    for end in Site:
        assert of_bucket(data, end, "BucketVersioning").urn in replication.dependencies


@each_site
def test_the_replication_role_is_limited_to_the_two_buckets_and_keys(
    data: RecordedProgram, network: RecordedProgram, site: Site
) -> None:
    policy = data.resource(f"backup-replication-{site}-lab", "RolePolicy")
    statements: list[dict[str, Any]] = json.loads(policy.inputs["policy"])["Statement"]
    source, destination = (of_bucket(data, end, "Bucket").outputs["arn"] for end in (site, site.other))
    assert {each["Resource"] for each in statements} == {
        source,
        f"{source}/*",
        f"{destination}/*",
        network.outputs["primaryDataKeyArn"],
        network.outputs["recoveryDataKeyArn"],
    }
    for each in statements:
        assert not [action for action in each["Action"] if "*" in action]
        if each["Action"][0].startswith("kms:"):
            assert each["Condition"]["StringEquals"]["kms:ViaService"].startswith("s3.")
    role = data.resource(f"backup-replication-{site}-lab", "Role")
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "s3.amazonaws.com"}


def test_the_primarys_backups_are_replicated_to_the_recovery_region_with_its_key(
    data: RecordedProgram, network: RecordedProgram
) -> None:
    (replication,) = data.of_type("InstanceAutomatedBackupsReplication")
    assert replication.region == REGIONS[Site.RECOVERY]
    assert replication.inputs == {
        "sourceDbInstanceArn": database(data, Site.PRIMARY).outputs["arn"],
        "kmsKeyId": network.outputs["recoveryDataKeyArn"],
        "retentionPeriod": 7,
    }


def test_both_databases_are_monitored_through_a_role_of_rds_alone(data: RecordedProgram) -> None:
    role = data.resource("database-monitoring-data-lab", "Role")
    for site in Site:
        inputs = database(data, site).inputs
        assert (inputs["monitoringInterval"], inputs["monitoringRoleArn"]) == (60, role.outputs["arn"])
    (attachment,) = data.of_type("RolePolicyAttachment")
    assert attachment.inputs["role"] == role.outputs["name"]
    assert attachment.inputs["policyArn"].endswith(":aws:policy/service-role/AmazonRDSEnhancedMonitoringRole")
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "monitoring.rds.amazonaws.com"}
    assert trust["Condition"]["ArnLike"]["aws:SourceArn"] == [database(data, site).outputs["arn"] for site in Site]


def test_without_monitoring_there_is_no_role(network: RecordedProgram) -> None:
    program = run_recorded("data", {"monitoringIntervalSeconds": 0}, below={"network": network.outputs})
    assert not program.of_type("RolePolicyAttachment")
    for site in Site:
        assert database(program, site).inputs["monitoringInterval"] == 0
        assert "monitoringRoleArn" not in database(program, site).inputs


@each_site
def test_accesses_are_logged_to_a_bucket_s3_may_write_to(data: RecordedProgram, site: Site) -> None:
    source = of_bucket(data, site, "Bucket")
    name = f"access-logs-{site}-lab"
    logs, policy = data.resource(name, "Bucket"), data.resource(name, "BucketPolicy")
    logging = data.resource(name, "BucketLogging")
    assert (logging.inputs["bucket"], logging.inputs["targetBucket"]) == (source.id, logs.id)
    assert logs.region == source.region == logging.region
    assert policy.urn in logging.dependencies
    (delivery,) = (each for each in json.loads(policy.inputs["policy"])["Statement"] if each["Effect"] == "Allow")
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert delivery["Resource"] == f"{logs.outputs['arn']}/{logging.inputs['targetPrefix']}*"
    assert delivery["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "000000000000"},
        "ArnLike": {"aws:SourceArn": source.outputs["arn"]},
    }


def test_a_malformed_secret_stops_the_program_with_its_one_line(network: RecordedProgram) -> None:
    token = "aws:secretsmanager/getSecretVersion:getSecretVersion"
    answers = {token: lambda call: {**call.arguments, "id": "x", "secretString": "{}"}}
    with pytest.raises(SettingsError, match="its username is missing"):
        run_recorded("data", below={"network": network.outputs}, answers=answers)
