"""The network layer as it really is (R12)."""

from __future__ import annotations

import pytest

from shared.sites import Site
from shared.tagging import REQUIRED_TAGS

from .conftest import Deployed


def test_each_site_has_private_subnets_in_three_zones(deployed: Deployed, site: Site) -> None:
    subnets = deployed.at(site, "ec2").describe_subnets(SubnetIds=deployed.output(site, "PrivateSubnetIds"))["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 3
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


def test_no_vpc_has_a_way_to_the_internet(deployed: Deployed, site: Site) -> None:
    vpc_filter = [{"Name": "attachment.vpc-id", "Values": [deployed.output(site, "VpcId")]}]
    assert deployed.at(site, "ec2").describe_internet_gateways(Filters=vpc_filter)["InternetGateways"] == []


def test_the_peering_is_active_and_routed_on_both_sides(deployed: Deployed, site: Site) -> None:
    ec2 = deployed.at(site, "ec2")
    peering_id = deployed.outputs["peeringConnectionId"]
    peering = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering_id])["VpcPeeringConnections"][0]
    assert peering["Status"]["Code"] == "active"
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [deployed.output(site, "VpcId")]}])
    routed = {
        route["DestinationCidrBlock"]
        for table in tables["RouteTables"]
        for route in table["Routes"]
        if route.get("VpcPeeringConnectionId") == peering_id
    }
    assert routed == {deployed.output(site.other, "VpcCidr")}


def test_all_traffic_is_recorded(deployed: Deployed, site: Site) -> None:
    vpc_id = deployed.output(site, "VpcId")
    flow_logs = deployed.at(site, "ec2").describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc_id]}])
    (flow_log,) = flow_logs["FlowLogs"]
    assert {tag["Key"] for tag in flow_log["Tags"]} >= set(REQUIRED_TAGS)
    assert (flow_log["FlowLogStatus"], flow_log["TrafficType"]) == ("ACTIVE", "ALL")
    name = flow_log["LogDestination"].removesuffix(":*").rpartition(":")[2]
    groups = deployed.at(site, "logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    (group,) = (each for each in groups if each["logGroupName"] == name)
    assert group["kmsKeyId"] == deployed.output(site, "MessagesKeyArn")
    assert group["retentionInDays"] > 0


def test_s3_is_reached_through_a_gateway_on_the_private_route_table(deployed: Deployed, site: Site) -> None:
    ec2, vpc_id = deployed.at(site, "ec2"), deployed.output(site, "VpcId")
    in_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
    endpoints = [each for each in ec2.describe_vpc_endpoints(Filters=in_vpc)["VpcEndpoints"] if each["VpcId"] == vpc_id]
    (s3,) = (each for each in endpoints if each["ServiceName"] == f"com.amazonaws.{deployed.regions[site]}.s3")
    assert (s3["VpcEndpointType"], s3["State"].lower()) == ("Gateway", "available")
    assert {tag["Key"] for tag in s3["Tags"]} >= set(REQUIRED_TAGS)
    subnets = set(deployed.output(site, "PrivateSubnetIds"))
    private = {
        table["RouteTableId"]
        for table in ec2.describe_route_tables(Filters=in_vpc)["RouteTables"]
        if subnets & {association.get("SubnetId") for association in table["Associations"]}
    }
    assert private
    assert set(s3["RouteTableIds"]) == private


def test_the_database_group_admits_the_database_port_only(deployed: Deployed, site: Site) -> None:
    rules = deployed.at(site, "ec2").describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [deployed.output(site, "DatabaseSecurityGroupId")]}]
    )["SecurityGroupRules"]
    inward = [rule for rule in rules if not rule["IsEgress"]]
    assert inward
    assert {(rule["FromPort"], rule["ToPort"]) for rule in inward} == {(deployed.outputs["databasePort"],) * 2}
    assert "0.0.0.0/0" not in {rule.get("CidrIpv4") for rule in inward}


def test_the_quarantine_group_admits_nothing(deployed: Deployed, site: Site) -> None:
    rules = deployed.at(site, "ec2").describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [deployed.output(site, "QuarantineSecurityGroupId")]}]
    )["SecurityGroupRules"]
    assert rules == []


@pytest.mark.parametrize(
    ("owner", "key"),
    # The recovery site's data key is a replica: its rotation is that of the primary's, and set there.
    [(Site.PRIMARY, "DataKeyArn"), (Site.PRIMARY, "MessagesKeyArn"), (Site.RECOVERY, "MessagesKeyArn")],
)
def test_the_keys_rotate(deployed: Deployed, owner: Site, key: str) -> None:
    status = deployed.at(owner, "kms").get_key_rotation_status(KeyId=deployed.output(owner, key))
    assert status["KeyRotationEnabled"]
