"""The parts of an account that RDS and the network look at, as dictionaries in the shape boto3 answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

REGIONS = {"ap-southeast-2": "10.10", "ap-southeast-1": "10.20"}


def key_arn(region: str) -> str:
    return f"arn:aws:kms:{region}:000000000000:key/data"


class FakeRegion:
    """One VPC with three subnets, a group that lets the probe and a client network in, and one without rules."""

    def __init__(self, region: str, prefix: str) -> None:
        self.region = region
        self.is_dark = False
        self.vpc_id = f"vpc-{region}"
        self.cidr = f"{prefix}.0.0/16"
        self.subnets = [
            {
                "SubnetId": f"subnet-{zone}-{region}",
                "VpcId": self.vpc_id,
                "AvailabilityZone": f"{region}{zone}",
                "CidrBlock": f"{prefix}.{number}.0/24",
            }
            for number, zone in enumerate("abc", start=1)
        ]
        self.rules: dict[str, list[dict[str, Any]]] = {
            "sg-database": [
                tcp(55432, cidrs=["10.0.0.0/24", *(f"{other}.0.0/16" for other in REGIONS.values())]),
                tcp(55432, groups=["sg-probe"]),
            ],
            "sg-probe": [],
            "sg-quarantine": [],
            "default": [],
        }
        self.interfaces: list[dict[str, Any]] = []
        self.metrics: list[dict[str, Any]] = []
        self.put_calls: list[list[dict[str, Any]]] = []

    def describe_subnets(self, SubnetIds: list[str]) -> dict[str, Any]:  # noqa: N803
        found = [subnet for subnet in self.subnets if subnet["SubnetId"] in SubnetIds]
        if len(found) != len(SubnetIds):
            raise ClientError({"Error": {"Code": "InvalidSubnetID.NotFound", "Message": ""}}, "DescribeSubnets")
        return {"Subnets": found}

    def describe_vpcs(self, VpcIds: list[str]) -> dict[str, Any]:  # noqa: N803
        return {"Vpcs": [{"VpcId": vpc_id, "CidrBlock": self.cidr} for vpc_id in VpcIds if vpc_id == self.vpc_id]}

    def get_paginator(self, operation: str) -> FakePaginator:
        return FakePaginator(self, operation)

    def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803
        if KeyId != key_arn(self.region):
            raise ClientError({"Error": {"Code": "NotFoundException", "Message": ""}}, "DescribeKey")
        return {"KeyMetadata": {"Arn": KeyId, "KeyState": "Enabled"}}

    def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803
        self.put_calls.append(MetricData)
        self.metrics.extend({"Namespace": Namespace, **datum} for datum in MetricData)

    def latest(self, instance: str, metric: str) -> float | None:
        values = [
            float(datum["Value"])
            for datum in self.metrics
            if datum["MetricName"] == metric
            and datum["Dimensions"] == [{"Name": "DBInstanceIdentifier", "Value": instance}]
        ]
        return values[-1] if values else None


class FakePaginator:
    def __init__(self, region: FakeRegion, operation: str) -> None:
        self.region = region
        self.operation = operation

    def paginate(self) -> Iterator[dict[str, Any]]:
        if self.region.is_dark:
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, self.operation)
        if self.operation == "describe_security_groups":
            yield {
                "SecurityGroups": [
                    {"GroupId": group, "GroupName": group, "VpcId": self.region.vpc_id, "IpPermissions": rules}
                    for group, rules in self.region.rules.items()
                ]
            }
        else:
            yield {"NetworkInterfaces": self.region.interfaces}


class FakeAccount:
    """Stands in for the gateway's clients: EC2, KMS and CloudWatch of a region are one object."""

    def __init__(self) -> None:
        self.regions = {region: FakeRegion(region, prefix) for region, prefix in REGIONS.items()}
        self.asked: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def client(self, service: str, region: str) -> FakeRegion:
        with self._lock:
            self.asked.append((service, region))
        return self.regions[region]


def tcp(port: int, *, cidrs: list[str] | None = None, groups: list[str] | None = None) -> dict[str, Any]:
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": cidr} for cidr in cidrs or []],
        "UserIdGroupPairs": [{"GroupId": group} for group in groups or []],
    }
