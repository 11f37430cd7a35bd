"""A VPC that is there already: its ids instead of resources, and what EC2 shows of it before a deploy."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from lab.engine.recording import RecordedProgram, run_recorded
from network_layer import preflight
from shared.errors import SettingsError
from shared.sites import Site
from tests.contracts.settings_of import settings_of

VPC = "vpc-0123456789abcdef0"
SUBNETS = [f"subnet-0123456789abcde{zone}" for zone in "abc"]
BLOCKS = ["10.40.1.0/24", "10.40.2.0/24", "10.40.3.0/24"]
TABLES = ["rtb-0123456789abcde01", "rtb-0123456789abcde02"]
EXISTING: dict[str, object] = {
    "primaryVpcId": VPC,
    "primaryVpcCidr": "10.40.0.0/16",
    "primaryPrivateSubnetIds": SUBNETS,
    "primaryPrivateSubnetCidrs": BLOCKS,
    "primaryRouteTableIds": TABLES,
}
load = partial(settings_of, "network", "lab")


@pytest.fixture(scope="module")
def program() -> RecordedProgram:
    return run_recorded("network", EXISTING)


def in_primary(program: RecordedProgram, *kinds: str) -> list[str]:
    there = (one for kind in kinds for one in program.of_type(kind))
    return [one.name for one in there if one.region == "ap-southeast-2"]


def test_nothing_of_an_existing_vpc_is_made(program: RecordedProgram) -> None:
    ours = ("Vpc", "Subnet", "RouteTable", "RouteTableAssociation", "DefaultSecurityGroup", "FlowLog", "VpcEndpoint")
    assert in_primary(program, *ours) == []
    assert len(in_primary(program, "SecurityGroup")) == 5


def test_the_other_layers_are_told_its_ids(program: RecordedProgram) -> None:
    assert program.outputs["primaryVpcId"] == VPC
    assert program.outputs["primaryVpcCidr"] == "10.40.0.0/16"
    assert program.outputs["primaryPrivateSubnetIds"] == SUBNETS


def test_the_groups_are_in_it_and_the_other_site_admits_its_subnets(program: RecordedProgram) -> None:
    assert program.resource("database-primary-lab", "SecurityGroup").inputs["vpcId"] == VPC
    admitted = {
        rule.inputs.get("cidrIpv4")
        for rule in program.of_type("SecurityGroupIngressRule")
        if rule.region == "ap-southeast-1" and rule.inputs["description"] == "probe and clients of the primary site"
    }
    assert admitted == set(BLOCKS)


def test_each_of_its_route_tables_gets_a_route_to_the_other_site(program: RecordedProgram) -> None:
    routes = {route.name: route.inputs for route in program.of_type("Route")}
    assert {routes[f"to-recovery-primary-lab-{table}"]["routeTableId"] for table in TABLES} == set(TABLES)
    assert {route["destinationCidrBlock"] for route in routes.values()} == {"10.30.0.0/16", "10.40.0.0/16"}
    assert program.resource("peering-primary-lab").inputs["vpcId"] == VPC


@pytest.mark.parametrize("connection", ["pcx-0123456789abcdef0", "tgw-0123456789abcdef0"])
def test_a_connection_that_is_there_is_used_and_its_routes_are_left_to_its_owner(connection: str) -> None:
    program = run_recorded("network", {**EXISTING, "primaryRouteTableIds": [], "peeringConnectionId": connection})
    assert program.of_type("VpcPeeringConnection") == program.of_type("Route") == ()
    assert program.outputs["peeringConnectionId"] == connection


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"primaryVpcId": "vpc-x"}, "primaryVpcId = vpc-x: give the id as EC2 lists it"),
        ({"primaryVpcId": "none"}, "primaryPrivateSubnetIds = .*: set primaryVpcId too"),
        ({"primaryPrivateSubnetIds": SUBNETS[:2]}, "primaryPrivateSubnetIds = .*: name 3 private subnets"),
        ({"primaryPrivateSubnetIds": [SUBNETS[0]] * 3}, "primaryPrivateSubnetIds = .*: name each once"),
        ({"primaryPrivateSubnetCidrs": BLOCKS[:2]}, "primaryPrivateSubnetCidrs = .*: give the block of each"),
        ({"primaryVpcCidr": "10.41.0.0/16"}, "primaryPrivateSubnetCidrs = 10.40.1.0/24: it lies outside of"),
        ({"primaryPrivateSubnetCidrs": [BLOCKS[0]] * 3}, "primaryPrivateSubnetCidrs = 10.40.1.0/24: it overlaps"),
        ({"primaryRouteTableIds": []}, "primaryRouteTableIds = .*: name the route tables of"),
        ({"peeringConnectionId": "vgw-1"}, "peeringConnectionId = vgw-1: give the id of a VPC peering"),
        ({"recoveryVpcCidr": "10.40.0.0/18"}, "recoveryVpcCidr = 10.40.0.0/18: it overlaps primaryVpcCidr"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(changed: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load(**{**EXISTING, **changed})


class Ec2:
    """EC2 with that VPC; a test takes something of it away."""

    meta = SimpleNamespace(region_name="ap-southeast-2")

    def __init__(self) -> None:
        self.vpcs = [{"VpcId": VPC, "CidrBlock": "10.40.0.0/16"}]
        self.attributes = {"enableDnsSupport": True, "enableDnsHostnames": True}
        self.subnets = {
            subnet: {"VpcId": VPC, "CidrBlock": block, "AvailabilityZone": f"ap-southeast-2{subnet[-1]}"}
            for subnet, block in zip(SUBNETS, BLOCKS, strict=True)
        }
        self.tables: list[dict[str, Any]] = [
            {"RouteTableId": TABLES[0], "Associations": [{"SubnetId": SUBNETS[0]}], "Routes": []},
            {"RouteTableId": TABLES[1], "Associations": [{"Main": True}], "Routes": []},
        ]
        self.silent = False

    def describe_vpcs(self, VpcIds: list[str]) -> dict[str, Any]:  # noqa: N803
        if self.silent:
            raise ConnectTimeoutError(endpoint_url="https://ec2")
        if not self.vpcs:
            raise ClientError({"Error": {"Code": "InvalidVpcID.NotFound", "Message": VpcIds[0]}}, "DescribeVpcs")
        return {"Vpcs": self.vpcs}

    def describe_vpc_attribute(self, VpcId: str, Attribute: str) -> dict[str, Any]:  # noqa: N803
        return {Attribute[0].upper() + Attribute[1:]: {"Value": self.attributes[Attribute]}}

    def describe_subnets(self, SubnetIds: list[str]) -> dict[str, Any]:  # noqa: N803
        return {"Subnets": [self.subnets[each] for each in SubnetIds if each in self.subnets]}

    def describe_route_tables(self, Filters: list[Any]) -> dict[str, Any]:  # noqa: N803
        return {"RouteTables": self.tables}


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Ec2:
    ec2 = Ec2()
    monkeypatch.setattr("boto3.client", lambda *_, **__: ec2)
    return ec2


def test_a_vpc_as_it_is_configured_is_accepted(ec2: Ec2) -> None:
    assert preflight.check(load(**EXISTING), {}) == ()


def test_a_deployed_layer_does_not_move_into_another_vpc(ec2: Ec2) -> None:
    assert preflight.check(load(**EXISTING), {"primaryVpcId": VPC}) == ()
    with pytest.raises(SettingsError, match=f"primaryVpcId = {VPC}: the layer is deployed in vpc-made .*Put back"):
        preflight.check(load(**EXISTING), {"primaryVpcId": "vpc-made"})
    with pytest.raises(SettingsError, match=f"primaryVpcCidr = 10.20.0.0/16: the layer is deployed in {VPC} .10.40.0"):
        preflight.check(load(), {"primaryVpcId": VPC, "primaryVpcCidr": "10.40.0.0/16"})


def test_without_an_existing_vpc_nobody_is_asked(ec2: Ec2) -> None:
    ec2.vpcs = []
    assert preflight.check(load(), {}) == ()


def test_a_region_that_does_not_answer_is_said_and_stops_nothing(ec2: Ec2) -> None:
    ec2.silent = True
    (warning,) = preflight.check(load(**EXISTING), {})
    assert "ap-southeast-2 does not answer" in warning


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda ec2: ec2.vpcs.clear(), f"primaryVpcId = {VPC}: EC2 has no such VPC in ap-southeast-2"),
        (lambda ec2: ec2.vpcs[0].update(CidrBlock="10.50.0.0/16"), "primaryVpcCidr = .*has 10.50.0.0/16: give that"),
        (lambda ec2: ec2.attributes.update(enableDnsHostnames=False), "DNS host names is off.*--enable-dns-hostnames"),
        (lambda ec2: ec2.subnets.pop(SUBNETS[1]), f"{SUBNETS[1]}: EC2 has no such subnet"),
        (lambda ec2: ec2.subnets[SUBNETS[1]].update(VpcId="vpc-b"), "it lies in vpc-b: name subnets of"),
        (lambda ec2: ec2.subnets[SUBNETS[1]].update(CidrBlock="10.40.9.0/24"), "has 10.40.9.0/24: give that"),
        (lambda ec2: ec2.subnets[SUBNETS[2]].update(AvailabilityZone="ap-southeast-2a"), "as .* does: name one of"),
        (lambda ec2: ec2.tables.pop(), f"{TABLES[1]}: {VPC} has {TABLES[0]}: name those"),
        (
            lambda ec2: ec2.tables.append({"RouteTableId": "rtb-3", "Associations": [{"SubnetId": SUBNETS[2]}]}),
            f"{SUBNETS[2]} uses rtb-3, which would have no route",
        ),
        (
            lambda ec2: ec2.tables[0].update(Routes=[{"GatewayId": "igw-1"}]),
            f"{SUBNETS[0]}: its route table {TABLES[0]} leads to an internet gateway",
        ),
    ],
)
def test_what_is_otherwise_in_ec2_stops_a_deploy(ec2: Ec2, break_it: Any, message: str) -> None:
    break_it(ec2)
    with pytest.raises(SettingsError, match=message):
        preflight.check(load(**EXISTING), {})


ROUTE = {"VpcPeeringConnectionId": "pcx-0123456789abcdef0"}


@pytest.mark.parametrize(
    ("route", "refused"),
    [
        ({"DestinationCidrBlock": "10.30.0.0/16", **ROUTE}, None),
        ({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}, None),
        ({"DestinationCidrBlock": "10.40.0.0/16", "GatewayId": "local"}, None),
        ({"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"}, None),
        ({"DestinationCidrBlock": "10.0.0.0/8", "TransitGatewayId": "tgw-1"}, False),
        ({"DestinationCidrBlock": "10.30.0.0/16", "TransitGatewayId": "tgw-1"}, True),
        ({"DestinationCidrBlock": "10.30.5.0/24", **ROUTE}, True),
    ],
)
def test_a_route_to_the_other_site_takes_nobodys_traffic_unsaid(ec2: Ec2, route: Any, refused: bool | None) -> None:
    ec2.tables[0].update(Routes=[route])
    if refused:
        with pytest.raises(SettingsError, match=r"recoveryVpcCidr = 10.30.0.0/16: rtb-.* leads 10.30.*: choose"):
            preflight.check(load(**EXISTING), {})
        return
    said = preflight.check(load(**EXISTING), {})
    assert len(said) == (refused is not None)
    assert all("leads 10.0.0.0/8 to tgw-1" in each for each in said)


def test_an_environment_without_these_settings_makes_both_networks() -> None:
    assert load().existing == {}
    assert load(**EXISTING).existing.keys() == {Site.PRIMARY}
