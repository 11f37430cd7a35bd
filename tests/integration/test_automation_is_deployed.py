"""The automation and observability layers as they really are (R4 to R6, R8 to R11, C3)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.sites import Site

from .conftest import Deployed

# Where the stack of the lab, and that of the example, have their witness.
WITNESS_REGION = "ap-northeast-1"
READING_DEADLINE_SECONDS = 180  # one schedule of a minute, a run, and the delay of metrics from logs


def eventually(condition: Callable[[], bool], deadline_seconds: float = READING_DEADLINE_SECONDS) -> bool:
    deadline = time.monotonic() + deadline_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
    return True


@pytest.mark.parametrize("what", ["Probe", "Failover", "FenceGuard", "SnapshotCopier"])
def test_each_function_is_active_and_ends_within_five_minutes(deployed: Deployed, site: Site, what: str) -> None:
    name = deployed.output(site, f"{what}FunctionName")
    function = deployed.at(site, "lambda").get_function_configuration(FunctionName=name)
    assert function["State"] == "Active"
    assert function["Timeout"] <= 300


@pytest.mark.parametrize("observer", list(Site), ids=str)
@pytest.mark.parametrize("database", list(Site), ids=str)
def test_both_sites_see_both_databases_answer(deployed: Deployed, observer: Site, database: Site) -> None:
    cloudwatch = deployed.at(observer, "cloudwatch")

    def seen() -> bool:
        now = datetime.now(UTC)
        answer = cloudwatch.get_metric_statistics(
            Namespace=deployed.outputs["metricNamespace"],
            MetricName="DatabaseReachable",
            Dimensions=[{"Name": "Database", "Value": database}, {"Name": "Observer", "Value": observer}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Maximum"],
        )
        return any(point["Maximum"] == 1 for point in answer["Datapoints"])

    assert eventually(seen)


def newest_values(cloudwatch: Any, namespace: str, metric: str, dimensions: dict[str, str]) -> set[float]:
    """The highest values of the metric's minutes lately."""
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    return {point["Maximum"] for point in answer["Datapoints"]}


def test_each_controller_says_that_the_primary_is_the_writer(deployed: Deployed, site: Site) -> None:
    cloudwatch, namespace = deployed.at(site, "cloudwatch"), deployed.outputs["metricNamespace"]
    assert eventually(lambda: newest_values(cloudwatch, namespace, "WriterWord", {"Site": site}) == {0})


def test_each_table_was_born_with_the_standbys_authority(deployed: Deployed, site: Site) -> None:
    item = deployed.at(site, "dynamodb").get_item(
        TableName=deployed.output(site, "StateTableName"), Key={"id": {"S": "birth"}}
    )["Item"]
    assert Site(item["authority"]["S"]) is Site(item["writer_site"]["S"]).other


def test_each_guard_runs_and_has_nothing_to_fence(deployed: Deployed, site: Site) -> None:
    cloudwatch, namespace = deployed.at(site, "cloudwatch"), deployed.outputs["metricNamespace"]
    assert eventually(lambda: bool(newest_values(cloudwatch, namespace, "UnfencedWriters", {"Site": site})))
    for metric in ("FencedWriters", "UnfencedWriters"):
        assert newest_values(cloudwatch, namespace, metric, {"Site": site}) == {0}


def test_the_writers_newest_snapshot_is_copied_under_the_sites_key_and_told_as_a_metric(deployed: Deployed) -> None:
    rds, suffix = deployed.at(Site.RECOVERY, "rds"), deployed.outputs["environmentSuffix"]
    taken = deployed.at(Site.PRIMARY, "rds").describe_db_snapshots(
        DBInstanceIdentifier=deployed.outputs["primaryDatabaseId"], SnapshotType="automated"
    )["DBSnapshots"]
    newest = max(taken, key=lambda each: each["SnapshotCreateTime"])["DBSnapshotIdentifier"]

    def copies() -> list[dict[str, Any]]:
        manual = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        return [each for each in manual if each["DBSnapshotIdentifier"] == f"copy-{newest.removeprefix('rds:')}"]

    assert eventually(lambda: [each["Status"] for each in copies()] == ["available"])
    (copy,) = copies()
    tags = {tag["Key"]: tag["Value"] for tag in copy["TagList"]}
    assert copy["KmsKeyId"] == deployed.outputs["recoveryDataKeyArn"]
    assert (tags["DR-CopiedBy"], tags["EnvironmentSuffix"]) == (f"snapshot-copier-{suffix}", suffix)
    cloudwatch, namespace = deployed.at(Site.RECOVERY, "cloudwatch"), deployed.outputs["metricNamespace"]
    assert eventually(lambda: bool(newest_values(cloudwatch, namespace, "NewestCopyAge", {"Site": Site.RECOVERY})))


def test_an_export_goes_to_the_bucket_of_the_writers_site_and_is_replicated(deployed: Deployed) -> None:
    def exported(site: Site) -> bool:
        bucket = deployed.output(site, "BackupBucketName")
        listed = deployed.at(site, "s3").list_objects_v2(Bucket=bucket, Prefix="exports/")
        return bool(listed["KeyCount"])

    assert eventually(lambda: exported(Site.PRIMARY))
    assert eventually(lambda: exported(Site.RECOVERY))


@pytest.fixture
def witness_region(deployed: Deployed) -> str:
    if not deployed.outputs["witnessFunctionName"]:
        pytest.skip("this environment has no witness")
    return WITNESS_REGION


@pytest.mark.parametrize("database", list(Site), ids=str)
def test_the_witness_sees_both_databases_live(deployed: Deployed, witness_region: str, database: Site) -> None:
    cloudwatch, namespace = deployed.client("cloudwatch", witness_region), deployed.outputs["metricNamespace"]
    assert eventually(lambda: 1 in newest_values(cloudwatch, namespace, "WitnessSeesDatabase", {"Database": database}))


def test_the_witnesss_log_is_encrypted_with_a_key_of_its_region_that_rotates(
    deployed: Deployed, witness_region: str
) -> None:
    name = f"/aws/lambda/{deployed.outputs['witnessFunctionName']}"
    groups = deployed.client("logs", witness_region).describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    (group,) = (each for each in groups if each["logGroupName"] == name)
    assert group["retentionInDays"] > 0
    assert group["kmsKeyId"].split(":")[3] == witness_region
    assert deployed.client("kms", witness_region).get_key_rotation_status(KeyId=group["kmsKeyId"])["KeyRotationEnabled"]


def test_the_writers_name_fails_over_by_a_vote_on_the_controllers_words(deployed: Deployed) -> None:
    route53 = deployed.at(Site.RECOVERY, "route53")
    records = route53.list_resource_record_sets(HostedZoneId=deployed.outputs["zoneId"])["ResourceRecordSets"]
    by_role = {
        record["Failover"]: record
        for record in records
        if record["Name"].rstrip(".") == deployed.outputs["writerName"].rstrip(".") and "Failover" in record
    }
    assert by_role["PRIMARY"]["ResourceRecords"][0]["Value"] == deployed.output(Site.PRIMARY, "DatabaseAddress")
    assert by_role["SECONDARY"]["ResourceRecords"][0]["Value"] == deployed.output(Site.RECOVERY, "DatabaseAddress")
    assert by_role["PRIMARY"]["TTL"] <= 60
    check = route53.get_health_check(HealthCheckId=by_role["PRIMARY"]["HealthCheckId"])["HealthCheck"]
    assert check["Id"] == deployed.outputs["writerHealthCheckId"]
    assert (check["HealthCheckConfig"]["Type"], check["HealthCheckConfig"]["HealthThreshold"]) == ("CALCULATED", 2)
    children = [
        route53.get_health_check(HealthCheckId=child)["HealthCheck"]["HealthCheckConfig"]
        for child in check["HealthCheckConfig"]["ChildHealthChecks"]
    ]
    assert {child["InsufficientDataHealthStatus"] for child in children} == {"LastKnownStatus"}
    assert {(child["AlarmIdentifier"]["Region"], child["AlarmIdentifier"]["Name"]) for child in children} == {
        (deployed.regions[site], name) for site in Site for name in deployed.output(site, "WordAlarmNames")
    }


def test_the_zone_is_private_and_known_to_both_networks(deployed: Deployed) -> None:
    zone = deployed.at(Site.RECOVERY, "route53").get_hosted_zone(Id=deployed.outputs["zoneId"])
    assert zone["HostedZone"]["Config"]["PrivateZone"]
    assert {vpc["VPCId"] for vpc in zone["VPCs"]} == {deployed.output(each, "VpcId") for each in Site}


def test_the_trigger_alarm_treats_silence_as_failure(deployed: Deployed, site: Site) -> None:
    name = deployed.output(site, "TriggerAlarmName")
    alarm = deployed.at(site, "cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["AlarmActions"]


@pytest.mark.parametrize("what", ["Failures", "Recoveries"])
def test_the_topics_are_encrypted(deployed: Deployed, site: Site, what: str) -> None:
    arn = deployed.output(site, f"{what}TopicArn")
    assert deployed.at(site, "sns").get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"]


def allowed_actions(deployed: Deployed, region: str, function_name: str) -> set[str]:
    functions = deployed.client("lambda", region)
    role = functions.get_function_configuration(FunctionName=function_name)["Role"].rsplit("/", 1)[-1]
    iam = deployed.at(Site.RECOVERY, "iam")
    documents: list[Any] = [
        iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    plain = [json.loads(document) if isinstance(document, str) else document for document in documents]
    return {
        action
        for document in plain
        for statement in document["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def test_a_failover_function_may_promote_but_not_delete(deployed: Deployed, site: Site) -> None:
    actions = allowed_actions(deployed, deployed.regions[site], deployed.output(site, "FailoverFunctionName"))
    assert "rds:PromoteReadReplica" in actions
    assert not any("Delete" in action or action.endswith("*") for action in actions)


def test_a_guard_may_shut_a_database_but_not_promote_one(deployed: Deployed, site: Site) -> None:
    actions = allowed_actions(deployed, deployed.regions[site], deployed.output(site, "FenceGuardFunctionName"))
    assert {action for action in actions if action.startswith("rds:")} == {
        "rds:DescribeDBInstances",
        "rds:DescribeEvents",
        "rds:ModifyDBInstance",
        "rds:RebootDBInstance",
    }


def test_the_witness_may_only_look(deployed: Deployed, witness_region: str) -> None:
    actions = allowed_actions(deployed, witness_region, deployed.outputs["witnessFunctionName"])
    assert {action for action in actions if not action.startswith("logs:")} == {
        "cloudwatch:GetMetricData",
        "rds:DescribeDBInstances",
    }


def test_the_lag_alarm_watches_the_replica(deployed: Deployed) -> None:
    name = deployed.outputs["replicationLagAlarmName"]
    answer = deployed.at(Site.RECOVERY, "cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    assert [alarm["AlarmName"] for alarm in (*answer["MetricAlarms"], *answer["CompositeAlarms"])] == [name]


def test_the_dashboard_shows_both_databases(deployed: Deployed) -> None:
    body = deployed.at(Site.RECOVERY, "cloudwatch").get_dashboard(DashboardName=deployed.outputs["dashboardName"])
    for each in Site:
        assert deployed.output(each, "DatabaseId") in body["DashboardBody"]
