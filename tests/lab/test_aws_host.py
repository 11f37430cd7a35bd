"""The lab's AWS does what the product relies on and MiniStack alone does not do. One account serves all tests here."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lab.aws import LabAws, LabClock, Resolver, port_from_environment
from lab.aws.host.embedded_metrics import extract
from lab.aws.ministack import WRITTEN_FOR, check_version
from lab.engine.lab_engine import LabEngine
from lab.home import LabHome
from lab.minute import LOG_METRIC_DELAY, MINUTE_SECONDS
from shared.errors import SettingsError
from tests.engine.fake_account import ACCOUNT, DemoLayer
from tests.engine.projects import write_project
from tests.lab.running_aws import PRIMARY, RECOVERY, SECRET, Account, RdsBackend, lines, policy, until

LATE_SECONDS = LOG_METRIC_DELAY.longest + 2
# Until a sample's minute is over, the next evaluation, and what a busy machine takes.
EVALUATED_SECONDS = 2 * MINUTE_SECONDS + 5

# RDS


def test_an_rds_call_needs_the_callers_permission_on_that_very_instance(account: Account) -> None:
    allowed = {
        "Effect": "Allow",
        "Action": "rds:PromoteReadReplica",
        "Resource": f"arn:aws:rds:{RECOVERY}:000000000000:db:replica",
    }
    may, may_not = account.function("promote", role=account.role(allowed)), account.function("promote")
    assert account.call(may, {"id": "replica", "region": RECOVERY}) == "replica"
    assert account.call(may, {"id": "another", "region": RECOVERY}) == "AccessDenied"
    assert account.call(may, {"id": "replica", "region": PRIMARY}) == "AccessDenied"
    assert account.call(may_not, {"id": "replica", "region": RECOVERY}) == "AccessDenied"
    (headers, asked), *others = account.backend.requests
    assert not others, "a refused call does not reach the backend"
    assert asked["Action"] == ["PromoteReadReplica"]
    assert headers["X-Lab-Secret"] == SECRET
    assert headers["X-Lab-Region"] == RECOVERY
    assert f"/{RECOVERY}/rds/" in headers["Authorization"]
    assert ":assumed-role/" in headers["X-Lab-Caller"]


def test_a_wrong_signature_is_refused(account: Account) -> None:
    session = boto3.session.Session("AKIAABCDEFGHIJKLMNOP", "wrong", region_name=RECOVERY)
    with pytest.raises(ClientError) as refused:
        session.client("rds", endpoint_url=account.aws.endpoint_url).describe_db_instances()
    assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"


# Functions


def test_functions_know_nothing_of_the_machine(account: Account) -> None:
    known = account.call(account.function("environment", Environment={"Variables": {"OWN": "value"}}), {})
    assert known["OWN"] == "value"
    assert known["AWS_REGION"] == RECOVERY
    assert known["AWS_ACCESS_KEY_ID"].startswith("ASIA"), "a session of its own role"
    assert SECRET not in known.values()
    assert not {name for name in known if name.startswith("LAB_")}


def test_a_functions_metrics_on_standard_output_become_metrics_of_its_region(account: Account) -> None:
    now = time.time()
    directive = {
        "Namespace": "Embedded",
        "Dimensions": [["Database", "Observer"], ["Database"], []],
        "Metrics": [{"Name": "Reachable", "Unit": "Count", "StorageResolution": 1}],
    }
    message = {
        "_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]},
        "Database": "primary",
        "Observer": "recovery",
        "Reachable": [1, 0, 1],
    }
    account.call(account.function("measure", region=PRIMARY), message)
    cloudwatch = account.client("cloudwatch", PRIMARY)
    found = until(lambda: cloudwatch.list_metrics(Namespace="Embedded")["Metrics"], LATE_SECONDS)
    assert sorted(len(metric["Dimensions"]) for metric in found) == [0, 1, 2]
    (point,) = cloudwatch.get_metric_statistics(
        Namespace="Embedded",
        MetricName="Reachable",
        Dimensions=[{"Name": "Database", "Value": "primary"}],
        StartTime=now - 60,
        EndTime=now + 60,
        Period=1,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert (point["Sum"], point["SampleCount"], int(point["Timestamp"].timestamp())) == (2, 3, int(now))
    assert not account.client("cloudwatch", RECOVERY).list_metrics(Namespace="Embedded")["Metrics"]


def test_log_events_in_the_format_become_metrics_too(account: Account) -> None:
    logs = account.client("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    directive = {"Namespace": "Logged", "Dimensions": [["D"]], "Metrics": [{"Name": "M"}]}
    at = int(time.time() * 1000)
    message = json.dumps({"_aws": {"Timestamp": at, "CloudWatchMetrics": [directive]}, "D": "d", "M": 1.5})
    logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[{"timestamp": at, "message": message}])
    cloudwatch = account.client("cloudwatch")
    assert not cloudwatch.list_metrics(Namespace="Logged")["Metrics"], "it takes its time"
    found = until(lambda: cloudwatch.list_metrics(Namespace="Logged")["Metrics"], LATE_SECONDS)
    assert [metric["MetricName"] for metric in found] == ["M"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [(130.0, (1.0,))]),
        ({"M": "text"}, []),
        ({"M": True}, []),
        ({"M": [1, 2]}, [(130.0, (1.0, 2.0))]),
        ({"M": list(range(101))}, []),
        ({"D": 5}, []),
        ({"_aws": {}}, []),
        ({"_aws": None}, []),
    ],
)
def test_what_an_embedded_metric_is(changes: dict[str, Any], expected: list[Any]) -> None:
    directive = {"Namespace": "N", "Dimensions": [["D"]], "Metrics": [{"Name": "M"}]}
    message = {"_aws": {"Timestamp": 133_500, "CloudWatchMetrics": [directive]}, "D": "d", "M": 1, **changes}
    assert [(metric.at_seconds, metric.values) for metric in extract(json.dumps(message))] == expected
    assert extract(json.dumps(message)[:-1]) == []


def test_data_of_standard_resolution_are_kept_by_the_minute(account: Account) -> None:
    cloudwatch, at = account.client("cloudwatch"), time.time() // MINUTE_SECONDS * MINUTE_SECONDS - 57
    for name, resolution in (("Standard", 60), ("High", 1)):
        datum = {"MetricName": name, "Value": 1.0, "Timestamp": at, "StorageResolution": resolution}
        cloudwatch.put_metric_data(Namespace="Resolution", MetricData=[datum])
    moments = {
        name: [
            int(point["Timestamp"].timestamp() - at)
            for point in cloudwatch.get_metric_statistics(
                Namespace="Resolution",
                MetricName=name,
                StartTime=at - 60,
                EndTime=at + 60,
                Period=1,
                Statistics=["Sum"],
            )["Datapoints"]
        ]
        for name in ("Standard", "High")
    }
    assert moments == {"Standard": [-3], "High": [0]}
    known = account.aws.high_resolution_metrics()
    assert {name for _, namespace, name, _ in known if namespace == "Resolution"} == {"High"}


# Schedules, topics and retries


def test_a_schedule_of_seconds_runs_and_a_slow_target_does_not_hold_it_up(account: Account, tmp_path: Path) -> None:
    events, file, slow = account.client("events"), tmp_path / "runs", tmp_path / "slow"
    for name, event in (("quick", {"file": str(file)}), ("slow", {"file": str(slow), "sleep": 3})):
        function = account.function("note")
        rule = events.put_rule(Name=name, ScheduleExpression="rate(1 second)")["RuleArn"]
        account.permit(function, "events", rule)
        events.put_targets(Rule=name, Targets=[{"Id": "f", "Arn": function, "Input": json.dumps(event)}])
    until(lambda: len(lines(file)) >= 4 and len(lines(slow)) >= 2, seconds=8)
    for name in ("quick", "slow"):
        events.remove_targets(Rule=name, Ids=["f"])
        events.delete_rule(Name=name)
    moments = [float(line.split()[0]) for line in lines(file)][1:]  # the first has the cold start in it
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert 0.9 < median(gaps) < 1.4, gaps


def test_a_schedule_does_not_start_a_function_that_is_still_at_work_twice(account: Account, tmp_path: Path) -> None:
    events, file = account.client("events"), tmp_path / "runs"
    rule = events.put_rule(Name="piling-up", ScheduleExpression="rate(1 second)")["RuleArn"]
    function = account.function("note")
    account.permit(function, "events", rule)
    event = {"file": str(file), "sleep": 4}
    events.put_targets(Rule="piling-up", Targets=[{"Id": "f", "Arn": function, "Input": json.dumps(event)}])
    log = account.home.path / "logs" / "aws.log"
    until(lambda: f"{rule}: {function} is still at work, twice: not started again" in log.read_text())
    # And goes on when one of them is done.
    until(lambda: len(lines(file)) >= 3, seconds=15)
    events.remove_targets(Rule="piling-up", Ids=["f"])
    events.delete_rule(Name="piling-up")


def test_nonsense_is_no_schedule(account: Account) -> None:
    with pytest.raises(ClientError, match="ScheduleExpression"):
        account.client("events").put_rule(Name="nonsense", ScheduleExpression="rate(0 seconds)")


def test_a_topic_invokes_a_function_only_with_the_functions_permission(account: Account, tmp_path: Path) -> None:
    sns, file = account.client("sns"), tmp_path / "runs"
    topic = sns.create_topic(Name="topic")["TopicArn"]
    function = account.function("note_records")
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    account.permit(function, "sns", topic + "-another")
    sns.publish(TopicArn=topic, Message=json.dumps({"file": str(file)}))
    log = account.home.path / "logs" / "aws.log"
    until(lambda: "has no permission that lets sns.amazonaws.com invoke it" in log.read_text())
    assert lines(file) == []
    account.permit(function, "sns", topic)
    sns.publish(TopicArn=topic, Message=json.dumps({"file": str(file)}))
    until(lambda: len(lines(file)) == 1)


def test_an_event_is_tried_twice_more_when_its_function_fails(account: Account, tmp_path: Path) -> None:
    functions, file = account.client("lambda"), tmp_path / "runs"
    function = account.function("note")
    event = json.dumps({"file": str(file), "fail": True})
    functions.invoke(FunctionName=function, InvocationType="Event", Payload=event)
    until(lambda: len(lines(file)) == 3, seconds=8)
    never_again = account.function("note")
    functions.put_function_event_invoke_config(FunctionName=never_again, MaximumRetryAttempts=0)
    other = tmp_path / "once"
    event = json.dumps({"file": str(other), "fail": True})
    functions.invoke(FunctionName=never_again, InvocationType="Event", Payload=event)
    until(lambda: lines(other))
    time.sleep(1.5)
    assert (len(lines(file)), len(lines(other))) == (3, 1)


# Networks


@pytest.fixture
def database() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.10.0.4", 0)) as server:
        yield server.getsockname()


def test_a_function_in_a_vpc_reaches_the_vpc_from_its_interface_and_nothing_else(
    account: Account, database: tuple[str, int]
) -> None:
    ec2 = account.client("ec2", PRIMARY)
    vpc = ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.10.{n}.0/24")["Subnet"]["SubnetId"] for n in (1, 2)]
    group = ec2.create_security_group(VpcId=vpc, GroupName="g", Description="d")["GroupId"]
    config = {"SubnetIds": subnets, "SecurityGroupIds": [group]}
    inside, outside = account.function("reach", PRIMARY, VpcConfig=config), account.function("reach", PRIMARY)
    gateway = ("127.0.0.1", int(account.aws.endpoint_url.rpartition(":")[2]))
    targets = {"database": database, "by its VPC address": ("10.10.0.4", database[1]), "gateway": gateway}
    assert account.call(inside, targets) == {
        "database": "127.10.1.254",
        "by its VPC address": "127.10.1.254",
        "gateway": "TimeoutError",
    }
    assert account.call(outside, targets) == {
        "database": "TimeoutError",
        "by its VPC address": "TimeoutError",
        "gateway": "127.0.0.1",
    }
    by_address = [{"Name": "private-ip-address", "Values": ["10.10.1.254"]}]
    (interface,) = ec2.describe_network_interfaces(Filters=by_address)["NetworkInterfaces"]
    assert (interface["SubnetId"], interface["Groups"][0]["GroupId"]) == (subnets[0], group)
    functions = account.client("lambda", PRIMARY)
    functions.update_function_configuration(FunctionName=inside, VpcConfig={**config, "SubnetIds": subnets[1:]})
    assert account.call(inside, targets)["database"] == "127.10.2.254"
    functions.delete_function(FunctionName=inside)
    by_group = [{"Name": "group-id", "Values": [group]}]
    assert ec2.describe_network_interfaces(Filters=by_group)["NetworkInterfaces"] == []


def test_a_function_in_a_subnet_that_does_not_exist_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match="subnet subnet-gone does not exist"):
        account.function("reach", VpcConfig={"SubnetIds": ["subnet-gone"], "SecurityGroupIds": []})


# Time


def test_time_moves_alarms_health_checks_and_names(account: Account) -> None:
    cloudwatch, route53 = account.client("cloudwatch"), account.client("route53")
    sns, sqs = account.client("sns"), account.client("sqs")
    topic, queue = sns.create_topic(Name="alarms")["TopicArn"], sqs.create_queue(QueueName="people")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    send = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue_arn}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy(send)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    latch: dict[str, Any] = {
        "AlarmName": "latch",
        "Namespace": "Latch",
        "MetricName": "WriterSite",
        "Dimensions": [{"Name": "Latch", "Value": "writer"}],
        "Statistic": "Maximum",
        "Period": 10,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "ignore",
        "AlarmActions": [topic],
    }
    cloudwatch.put_metric_alarm(**latch)
    # Another alarm on the same metric name with other dimensions must not be moved.
    cloudwatch.put_metric_alarm(**{**latch, "AlarmName": "other", "Dimensions": [{"Name": "Latch", "Value": "other"}]})
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule='ALARM("latch") AND NOT ALARM("other")')
    check = route53.create_health_check(
        CallerReference="latch",
        HealthCheckConfig={
            "Type": "CLOUDWATCH_METRIC",
            "AlarmIdentifier": {"Name": "latch", "Region": RECOVERY},
            "InsufficientDataHealthStatus": "LastKnownStatus",
        },
    )["HealthCheck"]["Id"]
    zone = route53.create_hosted_zone(
        Name="db.internal", CallerReference="z", VPC={"VPCRegion": RECOVERY, "VPCId": "vpc-1"}
    )["HostedZone"]["Id"]
    changes = [
        {
            "Action": "CREATE",
            "ResourceRecordSet": {
                "Name": "writer.db.internal",
                "Type": "CNAME",
                "SetIdentifier": role,
                "Failover": role,
                "TTL": 5,
                "ResourceRecords": [{"Value": address}],
                **extra,
            },
        }
        for role, address, extra in (
            ("PRIMARY", "127.10.0.10", {"HealthCheckId": check}),
            ("SECONDARY", "127.20.0.10", {}),
        )
    ]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    clock = LabClock(account.aws.client, (PRIMARY, RECOVERY), account.aws.high_resolution_metrics, 0.5)
    resolver = Resolver(route53, clock.health_status)

    def states() -> dict[str, str]:
        described = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        found = [*described["MetricAlarms"], *described["CompositeAlarms"]]
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}

    def publish(value: float, resolution: int = 60) -> None:
        datum = {
            "MetricName": "WriterSite",
            "Dimensions": latch["Dimensions"],
            "Value": value,
            "StorageResolution": resolution,
        }
        cloudwatch.put_metric_data(Namespace="Latch", MetricData=[datum])

    clock.start()
    try:
        assert resolver.address("writer.db.internal") == ("127.10.0.10", 5)
        publish(0)
        until(lambda: states()["latch"] == "OK", EVALUATED_SECONDS)
        # The alarm's state means nothing to Route 53, and CloudWatch puts it right.
        cloudwatch.set_alarm_state(AlarmName="latch", StateValue="ALARM", StateReason="a person said so")
        until(lambda: states()["latch"] == "OK", EVALUATED_SECONDS)
        # Route 53 reads no high-resolution metric; an alarm does.
        publish(1, resolution=1)
        until(lambda: states()["latch"] == "ALARM", EVALUATED_SECONDS)
        assert clock.health_status(check) is True
        publish(1)
        until(lambda: not clock.health_status(check), EVALUATED_SECONDS)
        assert resolver.address("writer.db.internal")[0] == "127.20.0.10"
        assert states() == {"latch": "ALARM", "other": "INSUFFICIENT_DATA", "both": "ALARM"}
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        told = [json.loads(json.loads(message["Body"])["Message"]) for message in messages]
        assert [each["NewStateReason"][:16] for each in told] == ["a person said so", "Threshold Crosse"]
        # Changing the alarm changes nothing for Route 53 until the health check is updated.
        cloudwatch.put_metric_alarm(**{**latch, "Threshold": 5.0})
        until(lambda: states()["latch"] == "OK", EVALUATED_SECONDS)
        assert clock.health_status(check) is False
        route53.update_health_check(HealthCheckId=check, InsufficientDataHealthStatus="LastKnownStatus")
        until(lambda: clock.health_status(check), EVALUATED_SECONDS)
    finally:
        clock.stop()


def test_alarms_of_either_region_are_evaluated_and_a_function_sees_them_by_the_right_that_aws_asks_for(
    account: Account,
) -> None:
    word: dict[str, Any] = {
        "AlarmName": "word",
        "Namespace": "Words",
        "MetricName": "WriterWord",
        "Statistic": "Maximum",
        "Period": 10,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "ignore",
    }
    anyone = {"AWS": "arn:aws:iam::000000000000:root"}
    seeing = {"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms"}
    alarms = "arn:aws:cloudwatch:*:000000000000:alarm"
    role = account.role({**seeing, "Resource": f"{alarms}:*"}, principal=anyone)
    narrow = account.role({**seeing, "Resource": f"{alarms}:word"}, principal=anyone)
    clock = LabClock(account.aws.client, (PRIMARY, RECOVERY), account.aws.high_resolution_metrics, 0.5)
    clock.start()
    try:
        for region, value in ((PRIMARY, 0), (RECOVERY, 1)):
            cloudwatch = account.client("cloudwatch", region)
            cloudwatch.put_metric_alarm(**word)
            (alarm,) = cloudwatch.describe_alarms(AlarmNames=["word"])["MetricAlarms"]
            assert alarm["StateValue"] == "INSUFFICIENT_DATA"
            datum: Any = {"MetricName": "WriterWord", "Value": value, "StorageResolution": 60}
            cloudwatch.put_metric_data(Namespace="Words", MetricData=[datum])

        def states(name: str) -> list[str]:
            clients = [account.assumed(name, "cloudwatch", region) for region in (PRIMARY, RECOVERY)]
            described = [each.describe_alarms(AlarmNames=["word"])["MetricAlarms"] for each in clients]
            return [alarm["StateValue"] for (alarm,) in described]

        until(lambda: states(role) == ["OK", "ALARM"], EVALUATED_SECONDS)
        with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:DescribeAlarms"):
            states(narrow)
    finally:
        clock.stop()


@pytest.mark.parametrize(("threshold", "healthy"), [(1, True), (2, False)])
def test_a_calculated_check_counts_its_children(account: Account, threshold: int, healthy: bool) -> None:
    route53 = account.client("route53")

    def made(**config: Any) -> str:
        check = route53.create_health_check(CallerReference=str(uuid.uuid4()), HealthCheckConfig=config)["HealthCheck"]
        return str(check["Id"])

    # Without an alarm there is no data, and the status is what such a check is told to be then.
    alarm = {"Name": "none", "Region": RECOVERY}
    children = [
        made(Type="CLOUDWATCH_METRIC", AlarmIdentifier=alarm, InsufficientDataHealthStatus=status)
        for status in ("Healthy", "Unhealthy")
    ]
    above = made(Type="CALCULATED", ChildHealthChecks=children, HealthThreshold=threshold)
    asked = route53.get_health_check(HealthCheckId=above)["HealthCheck"]["HealthCheckConfig"]
    assert asked["ChildHealthChecks"] == children
    clock = LabClock(account.aws.client, (PRIMARY, RECOVERY), account.aws.high_resolution_metrics)
    clock.tick(time.time())
    assert clock.health_status(above) is healthy


# Zones


def test_a_private_zone_has_no_dnssec(account: Account) -> None:
    route53 = account.client("route53")
    network: Any = {"VPCRegion": RECOVERY, "VPCId": "vpc-1"}
    zone = route53.create_hosted_zone(Name="private.internal", CallerReference="p", VPC=network)["HostedZone"]["Id"]
    with pytest.raises(ClientError) as refused:
        route53.get_dnssec(HostedZoneId=zone)
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"
    assert "Operation is unsupported for private hosted zones" in refused.value.response["Error"]["Message"]


ZONE = """
zone = aws.route53.Zone(
    "z", name="known.internal", vpcs=[aws.route53.ZoneVpcArgs(vpc_id="vpc-own", vpc_region="ap-southeast-2")],
    opts=pulumi.ResourceOptions(provider=provider, ignore_changes=["vpcs"]),
)
"""
CLIENTS = """
there = dict(zone_id=zone.zone_id, vpc_region="eu-west-1", opts=on)
aws.route53.ZoneAssociation("client", vpc_id="vpc-client", **there)
aws.route53.VpcAssociationAuthorization("other-account", vpc_id="vpc-theirs", **there)
"""


def test_a_vpc_that_somebody_else_associates_with_a_zone_stays(account: Account, tmp_path: Path) -> None:
    engine, layer = LabEngine(account.aws.client, ACCOUNT), DemoLayer("demo", "demo", "", (), "", at=tmp_path)
    route53 = account.client("route53")

    def apply(program: str) -> dict[str, int]:
        write_project(tmp_path, program)
        return dict(engine.apply(layer, "lab"))

    def known_in() -> set[str]:
        return {vpc["VPCId"] for vpc in route53.get_hosted_zone(Id=zone)["VPCs"]}

    assert apply(ZONE + CLIENTS) == {"create": 3}
    (zone,) = (kept.made.id for kept in engine.kept if kept.registration.name == "z")
    by_hand: Any = {"VPCId": "vpc-by-hand", "VPCRegion": PRIMARY}
    route53.associate_vpc_with_hosted_zone(HostedZoneId=zone, VPC=by_hand)
    assert engine.refresh("demo") == {"same": 3}
    assert apply(ZONE + CLIENTS) == {"same": 3}
    assert known_in() == {"vpc-own", "vpc-client", "vpc-by-hand"}
    assert apply(ZONE) == {"same": 1, "delete": 2}
    assert known_in() == {"vpc-own", "vpc-by-hand"}
    assert route53.list_vpc_association_authorizations(HostedZoneId=zone)["VPCs"] == []
    engine.destroy()


# Beginning and end


def test_the_end_of_the_account_is_the_end_of_its_functions(tmp_path: Path) -> None:
    with LabHome.open(tmp_path / "home") as home:
        aws = LabAws(home, 0)
        aws.start(None, SECRET)
        here = Account(aws, home, RdsBackend(""))
        running = here.call(here.function("pid"), {})
        with pytest.raises(ClientError) as unavailable:
            here.client("rds").describe_db_instances()
        assert unavailable.value.response["Error"]["Code"] == "ServiceUnavailable"
        aws.close()
        until(lambda: not Path(f"/proc/{running}").exists() or _is_zombie(running))
        assert len(home.processes) == 0
    assert list(tmp_path.iterdir()) == []


def _is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, LabHome.open(tmp_path / "home") as home:
        aws = LabAws(home, taken.getsockname()[1])
        with pytest.raises(SettingsError, match=r"LAB_PORT = \d+: the port is in use"):
            aws.start(None, SECRET)
        aws.close()


@pytest.mark.parametrize("wrong", ["", "http", "-1", "65536", "4 5"])
def test_what_is_no_port_is_named(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("LAB_PORT", wrong)
    with pytest.raises(SettingsError, match="LAB_PORT = "):
        port_from_environment()


def test_the_port_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_PORT", raising=False)
    assert port_from_environment() is None
    monkeypatch.setenv("LAB_PORT", "0")
    assert port_from_environment() == 0


def test_another_ministack_is_refused() -> None:
    check_version(WRITTEN_FOR)
    with pytest.raises(SettingsError, match=f"ministack = 9.9.9: install {WRITTEN_FOR}"):
        check_version("9.9.9")
