"""What was declared is what a refresh reads: by the lab's own engine, and as a provider asks, by the query protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from lab.engine.lab_engine import LabEngine
from lab.engine.resources import RESOURCE_TYPES
from lab.engine.resources.cloudwatch import ALARM_ARGUMENTS
from shared.layers import LAYERS
from tests.engine.fake_account import ACCOUNT, DemoLayer
from tests.engine.projects import write_project
from tests.lab.running_aws import PRIMARY, RECOVERY, Account

FLOW_LOG, ENDPOINT = "aws:ec2/flowLog:FlowLog", "aws:ec2/vpcEndpoint:VpcEndpoint"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ALARMS = """
aws.cloudwatch.MetricAlarm(
    "full", name="full", alarm_description="a < b & c", namespace="Test", metric_name="Metric", statistic="Maximum",
    period=60, evaluation_periods=3, datapoints_to_alarm=2, comparison_operator="GreaterThanOrEqualToThreshold",
    threshold=0.5, treat_missing_data="breaching", dimensions={"Site": "primary", "A": "1"},
    alarm_actions=["arn:aws:sns:ap-southeast-2:000000000000:failures"], insufficient_data_actions=["arn:aws:sns:x"],
    ok_actions=["arn:aws:sns:ap-southeast-2:000000000000:recoveries"], tags={"Name": "full"}, opts=on,
)
aws.cloudwatch.MetricAlarm(
    "short", name="short", namespace="Test", metric_name="Metric", statistic="Average", period=60,
    evaluation_periods=1, comparison_operator="LessThanThreshold", threshold=1, opts=on,
)
"""


@pytest.fixture(scope="module")
def engine(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabEngine]:
    """With the network layer, and alarms as the two layers above declare them."""
    engine = LabEngine(account.aws.client, ACCOUNT)
    engine.apply(next(layer for layer in LAYERS if layer.name == "network"), "lab")
    folder = tmp_path_factory.mktemp("alarms")
    write_project(folder, ALARMS)
    engine.apply(DemoLayer("demo", "demo", "", (), "", at=folder), "lab")
    yield engine
    engine.destroy()


def asked_by_query(account: Account, operation: str, **parameters: Any) -> dict[str, Any]:
    """What CloudWatch answers to a provider whose SDK is older than boto3's newest protocols."""
    client = account.aws.client("cloudwatch", PRIMARY)
    model = client.meta.service_model.operation_model(operation)
    made = create_serializer("query").serialize_to_request(parameters, model)
    request = AWSRequest(made["method"], client.meta.endpoint_url + "/", made["headers"], made["body"])
    SigV4Auth(Credentials("test", "test"), "monitoring", PRIMARY).add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    parsed: dict[str, Any] = create_parser("query").parse(
        {"body": answer.content, "headers": answer.headers, "status_code": answer.status_code}, model.output_shape
    )
    return parsed


def of_type(engine: LabEngine, token: str) -> list[Any]:
    found = [kept for kept in engine.kept if kept.registration.type == token]
    assert found
    return found


@pytest.mark.parametrize("token", [FLOW_LOG, ENDPOINT, ALARM])
def test_a_refresh_reads_all_that_such_a_resource_declares(engine: LabEngine, token: str) -> None:
    for kept in of_type(engine, token):
        read = RESOURCE_TYPES[token].changes.read
        assert read is not None
        found = read(kept.context, kept.made.id, kept.made.inputs)
        assert found == {key: value for key, value in kept.made.inputs.items() if key != "tags"}


@pytest.mark.parametrize("layer", ["network", "demo"])
def test_a_refresh_finds_everything_as_it_was_declared(engine: LabEngine, layer: str) -> None:
    assert {str(kind) for kind in engine.refresh(layer)} == {"same"}


@pytest.mark.parametrize("token", [FLOW_LOG, ENDPOINT])
def test_a_networks_parts_have_their_tags_and_what_nobody_sent_has_its_default(engine: LabEngine, token: str) -> None:
    for kept in of_type(engine, token):
        ec2 = kept.context.client("ec2")
        (found,) = (
            ec2.describe_flow_logs(FlowLogIds=[kept.made.id])["FlowLogs"]
            if token == FLOW_LOG
            else ec2.describe_vpc_endpoints(VpcEndpointIds=[kept.made.id])["VpcEndpoints"]
        )
        assert {each["Key"]: each["Value"] for each in found["Tags"]} == dict(kept.context.tags)
        if token == FLOW_LOG:
            assert found["LogFormat"].startswith("${version} ${account-id}")
            assert (found["FlowLogStatus"], found["DeliverLogsStatus"]) == ("ACTIVE", "SUCCESS")
        else:
            assert (found["PrivateDnsEnabled"], found["RequesterManaged"]) == (False, False)


def test_an_endpoint_without_a_policy_has_the_one_that_allows_everything_and_one_that_is_not_there_is_an_error(
    account: Account,
) -> None:
    ec2 = account.aws.client("ec2", RECOVERY)
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    service = f"com.amazonaws.{RECOVERY}.s3"
    made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service)["VpcEndpoint"]["VpcEndpointId"]
    (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"]
    assert '"Action": "*"' in found["PolicyDocument"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made])
    ec2.delete_vpc(VpcId=vpc)
    with pytest.raises(ClientError, match=r"InvalidVpcEndpointId\.NotFound"):
        ec2.describe_vpc_endpoints(VpcEndpointIds=[made])


def test_an_alarm_is_described_by_the_query_protocol_as_by_the_others(engine: LabEngine, account: Account) -> None:
    for kept in of_type(engine, ALARM):
        (asked,) = asked_by_query(account, "DescribeAlarms", AlarmNames=[kept.made.id])["MetricAlarms"]
        (other,) = account.aws.client("cloudwatch", PRIMARY).describe_alarms(AlarmNames=[kept.made.id])["MetricAlarms"]
        compared = {*ALARM_ARGUMENTS.values(), "ActionsEnabled", "AlarmArn", "Dimensions", "StateValue"}
        assert {key: asked.get(key) for key in compared} == {key: other.get(key) for key in compared}
        assert asked["StateUpdatedTimestamp"] == other["StateUpdatedTimestamp"]
        tags = asked_by_query(account, "ListTagsForResource", ResourceARN=asked["AlarmArn"])["Tags"]
        assert {each["Key"]: each["Value"] for each in tags} == dict(kept.context.tags)


def test_an_alarm_that_is_put_by_the_query_protocol_keeps_all_that_was_sent(account: Account) -> None:
    sent = {
        "AlarmName": "by-query",
        "MetricName": "Metric",
        "Namespace": "Test",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "ActionsEnabled": False,
        "AlarmActions": ["arn:a", "arn:b"],
        "InsufficientDataActions": ["arn:c"],
        "Dimensions": [{"Name": "Site", "Value": "primary"}],
    }
    asked_by_query(account, "PutMetricAlarm", **sent)
    (found,) = asked_by_query(account, "DescribeAlarms", AlarmNames=["by-query"])["MetricAlarms"]
    assert {key: found.get(key) for key in sent} == sent
    everything = asked_by_query(account, "DescribeAlarms", MaxRecords=1)
    assert len(everything["MetricAlarms"]) == 1
    assert asked_by_query(account, "DescribeAlarms", AlarmNames=["no-such"])["MetricAlarms"] == []
    account.aws.client("cloudwatch", PRIMARY).delete_alarms(AlarmNames=["by-query"])
