"""The data layer as it really is (R1, R2, R3, C1, C4)."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shared.secret_id import secret_id_in
from shared.sites import Site

from .conftest import Deployed

REPLICATION_DEADLINE_SECONDS = 900  # Replication Time Control: 99.99 % within 15 minutes


@pytest.fixture
def active(deployed: Deployed) -> Site:
    return Site(deployed.outputs["activeSite"])


def instance(deployed: Deployed, site: Site) -> dict[str, Any]:
    answer = deployed.at(site, "rds").describe_db_instances(DBInstanceIdentifier=deployed.output(site, "DatabaseId"))
    described: dict[str, Any] = answer["DBInstances"][0]
    return described


def test_both_databases_are_postgresql_14_on_the_required_class(deployed: Deployed, site: Site) -> None:
    database = instance(deployed, site)
    assert database["Engine"] == "postgres"
    assert database["EngineVersion"].split(".")[0] == "14"
    assert database["DBInstanceClass"] == "db.t3.medium"
    assert database["DBInstanceStatus"] in ("available", "backing-up")


def test_both_databases_are_private_encrypted_with_their_sites_key_and_backed_up(
    deployed: Deployed, site: Site
) -> None:
    database = instance(deployed, site)
    assert database["StorageEncrypted"]
    assert database["KmsKeyId"] == deployed.output(site, "DataKeyArn")
    assert not database["PubliclyAccessible"]
    assert database["BackupRetentionPeriod"] == 7


def test_the_standbys_database_is_a_replica_of_the_active_one(deployed: Deployed, active: Site) -> None:
    source, replica = instance(deployed, active), instance(deployed, active.other)
    assert "ReadReplicaSourceDBInstanceIdentifier" not in source
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == deployed.output(active, "DatabaseArn")


def test_the_outputs_name_the_databases_that_are_there(deployed: Deployed, site: Site) -> None:
    database = instance(deployed, site)
    assert database["DBInstanceArn"] == deployed.output(site, "DatabaseArn")
    assert database["Endpoint"]["Address"] == deployed.output(site, "DatabaseAddress")


def test_the_master_secret_is_the_same_in_both_regions(deployed: Deployed) -> None:
    name = deployed.outputs["masterSecretId"]
    texts = {
        deployed.at(site, "secretsmanager").get_secret_value(SecretId=secret_id_in(name, deployed.regions[site]))[
            "SecretString"
        ]
        for site in Site
    }
    # Not compared in an assertion, which would print them.
    assert len(texts) == 1


def test_the_databases_stand_behind_the_database_group(deployed: Deployed, site: Site) -> None:
    groups = {group["VpcSecurityGroupId"] for group in instance(deployed, site)["VpcSecurityGroups"]}
    assert groups == {deployed.output(site, "DatabaseSecurityGroupId")}


def test_the_parameter_group_enforces_encryption_in_transit(deployed: Deployed, site: Site) -> None:
    group = instance(deployed, site)["DBParameterGroups"][0]["DBParameterGroupName"]
    pages = deployed.at(site, "rds").get_paginator("describe_db_parameters").paginate(DBParameterGroupName=group)
    values = {item["ParameterName"]: item.get("ParameterValue") for page in pages for item in page["Parameters"]}
    assert values["rds.force_ssl"] == "1"
    assert int(values["max_slot_wal_keep_size"]) > 0


def test_the_backup_buckets_are_versioned_encrypted_and_closed(deployed: Deployed, site: Site) -> None:
    bucket = deployed.output(site, "BackupBucketName")
    s3 = deployed.at(site, "s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == deployed.output(site, "DataKeyArn")
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())


def test_an_object_arrives_in_the_other_sites_bucket(deployed: Deployed, site: Site) -> None:
    key, body = f"integration/{uuid.uuid4()}", b"a backup"
    source, copy = (deployed.output(each, "BackupBucketName") for each in (site, site.other))
    deployed.at(site, "s3").put_object(Bucket=source, Key=key, Body=body)
    other = deployed.at(site.other, "s3")
    deadline = time.monotonic() + REPLICATION_DEADLINE_SECONDS
    try:
        while True:
            try:
                assert other.get_object(Bucket=copy, Key=key)["Body"].read() == body
                break
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchKey" or time.monotonic() > deadline:
                    raise
                time.sleep(1)
    finally:
        deployed.at(site, "s3").delete_object(Bucket=source, Key=key)


def test_accesses_of_the_backup_buckets_are_logged(deployed: Deployed, site: Site) -> None:
    s3 = deployed.at(site, "s3")
    logging = s3.get_bucket_logging(Bucket=deployed.output(site, "BackupBucketName"))["LoggingEnabled"]
    rules = s3.get_bucket_encryption(Bucket=logging["TargetBucket"])["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert all(s3.get_public_access_block(Bucket=logging["TargetBucket"])["PublicAccessBlockConfiguration"].values())
    assert "logging.s3.amazonaws.com" in s3.get_bucket_policy(Bucket=logging["TargetBucket"])["Policy"]


def test_the_writers_backups_are_replicated_to_the_other_region(deployed: Deployed, active: Site) -> None:
    rds = deployed.at(active.other, "rds")
    backups = rds.describe_db_instance_automated_backups(DBInstanceIdentifier=deployed.output(active, "DatabaseId"))
    (backup,) = (each for each in backups["DBInstanceAutomatedBackups"] if each["Status"] == "replicating")
    assert backup["DBInstanceArn"] == deployed.output(active, "DatabaseArn")
    assert backup["KmsKeyId"] == deployed.output(active.other, "DataKeyArn")
    assert backup["BackupRetentionPeriod"] == 7
    (listed,) = instance(deployed, active)["DBInstanceAutomatedBackupsReplications"]
    assert listed["DBInstanceAutomatedBackupsArn"] == backup["DBInstanceAutomatedBackupsArn"]


def test_both_databases_are_monitored(deployed: Deployed, site: Site) -> None:
    database = instance(deployed, site)
    assert database["MonitoringInterval"] == 60
    role = database["MonitoringRoleArn"].rpartition("/")[2]
    attached = deployed.at(site, "iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonRDSEnhancedMonitoringRole"]


@pytest.mark.parametrize("owner", list(Site), ids=str)
def test_databases_and_buckets_carry_the_required_tags(deployed: Deployed, owner: Site) -> None:
    tag_set = deployed.at(owner, "s3").get_bucket_tagging(Bucket=deployed.output(owner, "BackupBucketName"))["TagSet"]
    for tags in (instance(deployed, owner)["TagList"], tag_set):
        values = {tag["Key"]: tag["Value"] for tag in tags}
        assert {"Environment", "Owner", "DR-Role", "EnvironmentSuffix"} <= values.keys()
        assert values["DR-Role"] == owner
