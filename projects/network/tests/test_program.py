"""What the real program declares, beside what tests/rules and tests/contracts check for all four programs."""

from __future__ import annotations

import json

import pytest

from lab.engine.recording import RecordedProgram, RecordedResource
from shared.sites import Site

REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
BLOCKS = {Site.PRIMARY: "10.20.0.0/16", Site.RECOVERY: "10.30.0.0/16"}

each_site = pytest.mark.parametrize("site", list(Site), ids=str)


def at(program: RecordedProgram, site: Site, token: str) -> list[RecordedResource]:
    return [resource for resource in program.of_type(token) if resource.region == REGIONS[site]]


def test_what_can_have_a_name_tag_has_one(network: RecordedProgram) -> None:
    untagged = {"RouteTableAssociation", "Route", "Alias", "RolePolicy"}
    for resource in network.resources:
        if resource.type.rpartition(":")[2] not in untagged:
            assert resource.inputs["tags"]["Name"] == resource.name


@each_site
def test_a_site_has_three_private_subnets_in_three_zones_on_its_own_route_table(
    network: RecordedProgram, site: Site
) -> None:
    subnets = at(network, site, "Subnet")
    (table,) = at(network, site, "RouteTable")
    assert len({subnet.inputs["availabilityZone"] for subnet in subnets}) == 3
    associated = {
        each.inputs["subnetId"]: each.inputs["routeTableId"] for each in at(network, site, "RouteTableAssociation")
    }
    assert associated == {subnet.id: table.id for subnet in subnets}


@each_site
def test_an_update_makes_no_second_rule_for_a_block_that_has_one(network: RecordedProgram, site: Site) -> None:
    """AWS refuses it, and a new rule is made before the old one goes: these keep the names they were deployed under."""
    rules = [rule for rule in at(network, site, "SecurityGroupIngressRule") if "cidrIpv4" in rule.inputs]
    blocks = [(rule.inputs["securityGroupId"], rule.inputs["cidrIpv4"]) for rule in rules]
    assert len(set(blocks)) == len(blocks)
    subnets = {subnet.inputs["cidrBlock"] for subnet in at(network, site.other, "Subnet")}
    names = {rule.inputs["cidrIpv4"]: rule.name for rule in rules}
    assert {names[block] for block in subnets} == {
        f"probe-{block.replace('.', '-').replace('/', '-')}-{site}-lab" for block in subnets
    }


@each_site
def test_routes_that_others_add_to_the_offered_tables_are_left_alone(network: RecordedProgram, site: Site) -> None:
    (table,) = at(network, site, "RouteTable")
    assert network.outputs[f"{site}RouteTableIds"] == [table.id]
    assert "routes" not in table.inputs


@each_site
def test_the_route_to_the_other_site_waits_for_the_accepted_peering(network: RecordedProgram, site: Site) -> None:
    (route,) = at(network, site, "Route")
    accepter = network.resource("peering-recovery-lab")
    assert route.inputs["destinationCidrBlock"] == BLOCKS[site.other]
    assert accepter.urn in route.dependencies


def test_the_recovery_site_accepts_what_the_primary_site_requests(network: RecordedProgram) -> None:
    requested = network.resource("peering-primary-lab")
    accepted = network.resource("peering-recovery-lab")
    assert (requested.inputs["peerRegion"], requested.inputs["autoAccept"]) == ("ap-southeast-1", False)
    assert (accepted.inputs["vpcPeeringConnectionId"], accepted.inputs["autoAccept"]) == (requested.id, True)


@each_site
def test_all_traffic_of_a_vpc_is_recorded_in_its_log_group(network: RecordedProgram, site: Site) -> None:
    (vpc,), (flow_log,), (group,) = (at(network, site, kind) for kind in ("Vpc", "FlowLog", "LogGroup"))
    assert (flow_log.inputs["vpcId"], flow_log.inputs["trafficType"]) == (vpc.id, "ALL")
    assert flow_log.inputs["logDestination"] == group.outputs["arn"]


@each_site
def test_flow_logs_of_this_account_write_their_own_group_only(network: RecordedProgram, site: Site) -> None:
    (flow_log,), (group,), (role,) = (at(network, site, kind) for kind in ("FlowLog", "LogGroup", "Role"))
    (policy,) = at(network, site, "RolePolicy")
    assert flow_log.inputs["iamRoleArn"] == role.outputs["arn"]
    assert policy.urn in flow_log.dependencies
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "000000000000"}
    writes, finds = json.loads(policy.inputs["policy"])["Statement"]
    assert all(arn.partition(":log-stream:")[0] == group.outputs["arn"] for arn in writes["Resource"])
    assert finds["Action"] == "logs:DescribeLogGroups"
    assert "logs:CreateLogGroup" not in writes["Action"]


@each_site
def test_s3_is_reached_from_the_private_route_table_and_within_the_account_only(
    network: RecordedProgram, site: Site
) -> None:
    (table,), (endpoint,) = (at(network, site, kind) for kind in ("RouteTable", "VpcEndpoint"))
    assert endpoint.inputs["vpcEndpointType"] == "Gateway"
    assert endpoint.inputs["serviceName"] == f"com.amazonaws.{REGIONS[site]}.s3"
    assert endpoint.inputs["routeTableIds"] == [table.id]
    (statement,) = json.loads(endpoint.inputs["policy"])["Statement"]
    own = "000000000000"
    limits = {"aws:PrincipalAccount": own, "aws:ResourceAccount": own}
    assert statement["Condition"]["StringEquals"] == limits
    assert not [action for action in statement["Action"] if "*" in action or "Delete" in action]


@each_site
def test_the_database_admits_probes_and_clients_of_both_sites_and_nobody_else(
    network: RecordedProgram, site: Site
) -> None:
    other = "10.30" if site is Site.PRIMARY else "10.20"
    database, probe, clients = (network.resource(f"{what}-{site}-lab").id for what in ("database", "probe", "clients"))
    sources = {
        rule.inputs.get("cidrIpv4", rule.inputs.get("referencedSecurityGroupId"))
        for rule in at(network, site, "SecurityGroupIngressRule")
        if rule.inputs["securityGroupId"] == database
    }
    assert sources == {
        probe,
        clients,
        f"{other}.0.0/18",
        f"{other}.64.0/18",
        f"{other}.128.0/18",
        "10.0.0.0/24",
        "172.16.5.0/24",
    }


@each_site
def test_only_the_database_lets_in_and_only_probe_and_clients_let_out(network: RecordedProgram, site: Site) -> None:
    inward, outward = (at(network, site, f"SecurityGroup{way}Rule") for way in ("Ingress", "Egress"))
    assert {rule.inputs["securityGroupId"] for rule in inward} == {
        network.resource(f"{what}-{site}-lab").id for what in ("database", "inspection")
    }
    assert {(rule.inputs["securityGroupId"], rule.inputs["cidrIpv4"]) for rule in outward} == {
        (network.resource(f"{what}-{site}-lab").id, block) for what in ("probe", "clients") for block in BLOCKS.values()
    }
    for rule in (*inward, *outward):
        assert (rule.inputs["ipProtocol"], rule.inputs["fromPort"], rule.inputs["toPort"]) == ("tcp", 15432, 15432)


def test_the_data_key_is_one_multi_region_key_with_a_replica(network: RecordedProgram) -> None:
    primary = network.resource("data-primary-lab", "Key")
    replica = network.resource("data-recovery-lab", "ReplicaKey")
    assert primary.inputs["multiRegion"] is True
    assert replica.inputs["primaryKeyArn"] == primary.outputs["arn"]
    assert replica.region == "ap-southeast-1"


def test_a_keys_policy_names_its_own_region(network: RecordedProgram) -> None:
    for key in (*network.of_type("Key"), *network.of_type("ReplicaKey")):
        services = json.dumps(json.loads(key.inputs["policy"])["Statement"])
        assert f".{key.region}.amazonaws.com" in services
