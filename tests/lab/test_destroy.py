"""After the lab's destroy nothing of the programs is left in the account, asked of the account itself (P3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from lab.lab import Lab
from lab.settings import LabSettings

Listing = Callable[[Any], Iterable[str]]


def _databases(rds: Any) -> Iterator[str]:
    yield from (one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"])
    yield from (one["DBSubnetGroupName"] for one in rds.describe_db_subnet_groups()["DBSubnetGroups"])
    groups = rds.describe_db_parameter_groups()["DBParameterGroups"]
    yield from (one["DBParameterGroupName"] for one in groups if not one["DBParameterGroupName"].startswith("default."))


def _networks(ec2: Any) -> Iterator[str]:
    defaults = {one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"] if one["IsDefault"]}
    yield from (one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"] if one["VpcId"] not in defaults)
    for groups in (ec2.describe_security_groups()["SecurityGroups"], ec2.describe_subnets()["Subnets"]):
        yield from (str(one) for one in groups if one["VpcId"] not in defaults)
    tables = ec2.describe_route_tables()["RouteTables"]
    yield from (one["RouteTableId"] for one in tables if one["VpcId"] not in defaults)
    peerings = ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]
    yield from (one["VpcPeeringConnectionId"] for one in peerings if one["Status"]["Code"] != "deleted")


def _keys(kms: Any) -> Iterator[str]:
    for key in kms.list_keys()["Keys"]:
        described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if described["KeyManager"] == "CUSTOMER" and described["KeyState"] not in {
            "PendingDeletion",
            "PendingReplicaDeletion",
        }:
            yield described["Arn"]
    yield from (
        one["AliasName"] for one in kms.list_aliases()["Aliases"] if not one["AliasName"].startswith("alias/aws/")
    )


def _log_groups(logs: Any) -> Iterator[str]:
    yield from (one["logGroupName"] for one in logs.describe_log_groups()["logGroups"])


def _alarms(cloudwatch: Any) -> Iterator[str]:
    yield from (one["AlarmName"] for one in cloudwatch.describe_alarms()["MetricAlarms"])
    yield from (one["DashboardName"] for one in cloudwatch.list_dashboards()["DashboardEntries"])


def _roles(iam: Any) -> Iterator[str]:
    roles = iam.list_roles()["Roles"]
    yield from (one["RoleName"] for one in roles if not one["Path"].startswith("/aws-service-role/"))


def _names(route53: Any) -> Iterator[str]:
    yield from (one["Name"] for one in route53.list_hosted_zones()["HostedZones"])
    yield from (one["Id"] for one in route53.list_health_checks()["HealthChecks"])


LISTINGS: dict[str, Listing] = {
    "rds": _databases,
    "ec2": _networks,
    "kms": _keys,
    "logs": _log_groups,
    "cloudwatch": _alarms,
    "iam": _roles,
    "route53": _names,
    "s3": lambda s3: (one["Name"] for one in s3.list_buckets()["Buckets"]),
    "lambda": lambda functions: (one["FunctionName"] for one in functions.list_functions()["Functions"]),
    "sns": lambda sns: (one["TopicArn"] for one in sns.list_topics()["Topics"]),
    "dynamodb": lambda dynamodb: dynamodb.list_tables()["TableNames"],
    "events": lambda events: (one["Name"] for one in events.list_rules()["Rules"]),
}


def _present(lab: Lab) -> dict[tuple[str, str], set[str]]:
    """By region and service, what is there."""
    return {
        (region, service): set(listing(lab.client(service, region)))
        for region in lab.regions.values()
        for service, listing in LISTINGS.items()
    }


@pytest.mark.timeout(300)
def test_destroy_leaves_nothing_in_either_region() -> None:
    with Lab(LabSettings.from_environment(port=0), print, empty=True) as untouched:
        before = _present(untouched)
    with Lab(LabSettings.from_environment(port=0), print) as lab:
        made = _present(lab)
        unseen = {
            service
            for service in LISTINGS
            if all(made[region, service] == before[region, service] for region in lab.regions.values())
        }
        assert unseen == set(), "a listing that sees nothing proves nothing"
        lab.destroy()
        assert lab.engine.kept == []
        after = _present(lab)
    left = {where: found - before[where] for where, found in after.items() if found - before[where]}
    assert left == {}
