"""What the real program declares, held against the requirements. What AWS makes of it, these tests cannot tell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.engine.recording import RecordedProgram, RecordedResource, run_recorded
from shared.contracts import DataContract
from shared.errors import SettingsError
from shared.sites import Site

REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
PASSWORD = "recorded-secret"

each_site = pytest.mark.parametrize("site", list(Site), ids=str)


def database(program: RecordedProgram, site: Site) -> RecordedResource:
    return program.resource(f"database-{site}-lab", "Instance")


def of_bucket(program: RecordedProgram, site: Site, token: str) -> RecordedResource:
    return program.resource(f"backups-{site}-lab", token)


def test_the_outputs_fulfil_the_contract(data: RecordedProgram) -> None:
    assert set(data.outputs) == {field.key for field in DataContract.fields()}
    for field in DataContract.fields():
        assert isinstance(data.outputs[field.key], field.value_type), field.key


def test_every_aws_resource_has_its_sites_provider_tags_and_the_suffix(data: RecordedProgram) -> None:
    for resource in data.resources:
        assert resource.name.endswith("-lab"), resource.urn
        if resource.type.startswith("aws:"):
            assert resource.provider is not None, resource.urn
            assert {"Environment", "Owner", "DR-Role", "EnvironmentSuffix"} <= resource.tags.keys(), resource.urn


def test_what_has_no_region_is_made_through_the_recovery_site(data: RecordedProgram) -> None:
    for token in ("Role", "RolePolicy"):
        assert {each.region for each in data.of_type(token)} == {"ap-southeast-1"}


def test_the_secret_is_asked_for_once_in_the_primary_region(data: RecordedProgram) -> None:
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


def test_the_primary_is_what_was_asked_for(data: RecordedProgram) -> None:
    inputs = database(data, Site.PRIMARY).inputs
    assert (inputs["engine"], inputs["engineVersion"]) == ("postgres", "14")
    assert inputs["instanceClass"] == "db.t3.medium"
    assert inputs["engineLifecycleSupport"] == "open-source-rds-extended-support-disabled"
    assert "manageMasterUserPassword" not in inputs


def test_the_replica_names_its_source_by_arn_and_leaves_the_rest_to_it(data: RecordedProgram) -> None:
    replica = database(data, Site.RECOVERY)
    assert replica.inputs["replicateSourceDb"] == database(data, Site.PRIMARY).outputs["arn"]
    inherited = {"engine", "engineVersion", "username", "password", "dbName", "allocatedStorage"}
    assert not inherited & set(replica.inputs)
    assert replica.inputs["skipFinalSnapshot"] is True


@each_site
def test_each_database_is_private_encrypted_and_backed_up(
    data: RecordedProgram, network: RecordedProgram, site: Site
) -> None:
    inputs = database(data, site).inputs
    key = network.outputs[f"{site}DataKeyArn"]
    assert database(data, site).region == REGIONS[site]
    assert inputs["publiclyAccessible"] is False
    assert inputs["storageEncrypted"] is True
    assert (inputs["kmsKeyId"], inputs["performanceInsightsKmsKeyId"]) == (key, key)
    assert inputs["backupRetentionPeriod"] == 7
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


def test_both_sites_are_configured_alike(data: RecordedProgram) -> None:
    groups = data.of_type("ParameterGroup")
    assert {group.region for group in groups} == set(REGIONS.values())
    primary, recovery = ({key: group.inputs[key] for key in ("family", "parameters")} for group in groups)
    assert primary == recovery
    values = {each["name"]: each["value"] for each in primary["parameters"]}
    assert primary["family"] == "postgres14"
    assert values["rds.force_ssl"] == "1"
    assert int(values["max_slot_wal_keep_size"]) > 0


@each_site
def test_the_subnet_group_spans_the_sites_private_subnets(
    data: RecordedProgram, network: RecordedProgram, site: Site
) -> None:
    group = data.resource(f"database-{site}-lab", "SubnetGroup")
    assert group.inputs["subnetIds"] == network.outputs[f"{site}PrivateSubnetIds"]


@each_site
def test_logs_go_to_encrypted_groups_with_an_end_made_before_the_database(
    data: RecordedProgram, network: RecordedProgram, site: Site
) -> None:
    instance = database(data, site)
    for export in instance.inputs["enabledCloudwatchLogsExports"]:
        group = data.resource(f"database-{export}-{site}-lab", "LogGroup")
        assert group.inputs["name"] == f"/aws/rds/instance/database-{site}-lab/{export}"
        assert group.inputs["kmsKeyId"] == network.outputs[f"{site}MessagesKeyArn"]
        assert group.inputs["retentionInDays"] == 30
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
def test_a_bucket_is_versioned_encrypted_closed_and_owned(
    data: RecordedProgram, network: RecordedProgram, site: Site
) -> None:
    assert of_bucket(data, site, "BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}
    (rule,) = of_bucket(data, site, "BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["bucketKeyEnabled"] is True
    assert rule["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": network.outputs[f"{site}DataKeyArn"],
    }
    closed = of_bucket(data, site, "BucketPublicAccessBlock").inputs
    assert all(
        closed[key] for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    )
    assert of_bucket(data, site, "BucketOwnershipControls").inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


@each_site
def test_a_bucket_refuses_requests_without_tls(data: RecordedProgram, site: Site) -> None:
    arn = of_bucket(data, site, "Bucket").outputs["arn"]
    statements = json.loads(of_bucket(data, site, "BucketPolicy").inputs["policy"])["Statement"]
    (refusal,) = (each for each in statements if "Bool" in each["Condition"])
    assert (refusal["Effect"], refusal["Principal"], refusal["Action"]) == ("Deny", "*", "s3:*")
    assert refusal["Resource"] == [arn, f"{arn}/*"]
    assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@each_site
def test_nothing_stays_in_a_bucket_for_ever(data: RecordedProgram, site: Site) -> None:
    retention, leftovers = of_bucket(data, site, "BucketLifecycleConfiguration").inputs["rules"]
    assert retention["expiration"]["days"] > retention["transitions"][0]["days"]
    assert retention["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert leftovers["expiration"] == {"expiredObjectDeleteMarker": True}
    assert leftovers["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}


@each_site
def test_each_bucket_replicates_to_the_other_sites(data: RecordedProgram, network: RecordedProgram, site: Site) -> None:
    replication = data.resource(f"backup-replication-{site}-lab", "BucketReplicationConfig")
    assert replication.region == REGIONS[site]
    assert replication.inputs["bucket"] == of_bucket(data, site, "Bucket").id
    (rule,) = replication.inputs["rules"]
    assert rule["filter"] == {"prefix": ""}
    assert rule["deleteMarkerReplication"] == {"status": "Enabled"}
    assert rule["sourceSelectionCriteria"]["sseKmsEncryptedObjects"] == {"status": "Enabled"}
    # Without it a tag changed on a replica stays at that site.
    assert rule["sourceSelectionCriteria"]["replicaModifications"] == {"status": "Enabled"}
    destination = rule["destination"]
    assert destination["bucket"] == of_bucket(data, site.other, "Bucket").outputs["arn"]
    assert destination["encryptionConfiguration"] == {"replicaKmsKeyId": network.outputs[f"{site.other}DataKeyArn"]}
    assert destination["replicationTime"] == {"status": "Enabled", "time": {"minutes": 15}}
    assert destination["metrics"] == {"status": "Enabled", "eventThreshold": {"minutes": 15}}
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
    (rule,) = data.resource(name, "BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    statements = json.loads(policy.inputs["policy"])["Statement"]
    assert [each["Effect"] for each in statements] == ["Deny", "Deny", "Allow"]
    delivery = statements[-1]
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert delivery["Resource"] == f"{logs.outputs['arn']}/{logging.inputs['targetPrefix']}*"
    assert delivery["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "000000000000"},
        "ArnLike": {"aws:SourceArn": source.outputs["arn"]},
    }
    assert data.resource(name, "BucketLifecycleConfiguration").inputs["rules"][0]["expiration"] == {"days": 90}
    assert logs.inputs["forceDestroy"] is True


def test_a_malformed_secret_stops_the_program_with_its_one_line(network: RecordedProgram) -> None:
    token = "aws:secretsmanager/getSecretVersion:getSecretVersion"
    answers = {token: lambda call: {**call.arguments, "id": "x", "secretString": "{}"}}
    with pytest.raises(SettingsError, match="its username is missing"):
        run_recorded("data", below={"network": network.outputs}, answers=answers)
