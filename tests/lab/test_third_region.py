"""A region with no site, where the witness is: everything functions need works there as in the others."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

from lab.minute import LOG_METRIC_DELAY
from tests.lab.running_aws import PRIMARY, RECOVERY, WITNESS, Account, lines, until


def test_a_schedule_runs_a_function_there(account: Account, tmp_path: Path) -> None:
    events, file = account.client("events", WITNESS), tmp_path / "runs"
    function = account.function("note", WITNESS)
    account.permit(function, "events", events.put_rule(Name="look", ScheduleExpression="rate(1 second)")["RuleArn"])
    events.put_targets(Rule="look", Targets=[{"Id": "f", "Arn": function, "Input": json.dumps({"file": str(file)})}])
    until(lambda: len(lines(file)) >= 2)
    events.remove_targets(Rule="look", Ids=["f"])
    events.delete_rule(Name="look")
    assert {line.split()[1] for line in lines(file)} == {WITNESS}


def test_what_a_function_prints_as_a_metric_is_read_there_from_another_region(account: Account) -> None:
    now = time.time()
    metric = {"Name": "WitnessSeesDatabase", "Unit": "Count", "StorageResolution": 1}
    directive = {"Namespace": "PostgresDR/lab", "Dimensions": [["Database"]], "Metrics": [metric]}
    at = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}
    account.call(account.function("measure", WITNESS), {"_aws": at, "Database": "primary", "WitnessSeesDatabase": 1})
    may_read = {"Effect": "Allow", "Action": "cloudwatch:GetMetricData", "Resource": "*"}
    reading = account.function("read_metric", RECOVERY, role=account.role(may_read))
    question = {"namespace": "PostgresDR/lab", "metric": "WitnessSeesDatabase", "dimensions": {"Database": "primary"}}

    def values_in(region: str) -> list[float]:
        read: list[float] = account.call(reading, {**question, "region": region, "from": now - 30, "to": now + 30})
        return read

    until(lambda: values_in(WITNESS), LOG_METRIC_DELAY.longest + 2)
    values = {region: values_in(region) for region in (WITNESS, RECOVERY, PRIMARY)}
    assert values == {WITNESS: [1.0], RECOVERY: [], PRIMARY: []}
    (listed,) = account.client("cloudwatch", WITNESS).list_metrics(Namespace="PostgresDR/lab")["Metrics"]
    assert listed["Dimensions"] == [{"Name": "Database", "Value": "primary"}]


def test_a_function_in_a_vpc_there_has_an_interface_of_its_own(account: Account) -> None:
    ec2 = account.client("ec2", WITNESS)
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.30.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="g", Description="d")["GroupId"]
    inside = account.function("reach", WITNESS, VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": [group]})
    with socket.create_server(("127.30.0.4", 0)) as server:
        assert account.call(inside, {"database": server.getsockname()}) == {"database": "127.30.1.254"}
    (interface,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert (interface["PrivateIpAddress"], interface["SubnetId"]) == ("10.30.1.254", subnet)
