"""A database made by hand, in a VPC made by hand, becomes protected without being touched (docs/adopting.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from deployment import adopt, layer_settings
from lab.applied_layer import KEYS
from lab.engine import configured
from lab.lab import Lab
from lab.rds.region import RegionalRds
from lab.settings import LabSettings
from lab.target import Credentials
from shared.layers import Layer, layer
from tests.lab.running_rds import wait_until

REGION, ELSEWHERE = "ap-southeast-2", "ap-southeast-1"
NAME, PORT = "orders", 15432
TOUCHES = ("modify_db_instance", "reboot_db_instance", "delete_db_instance")
pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(300)]


class Adopting:
    """A lab, what its stack files say, and what RDS was asked to do to the database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings: dict[str, dict[str, object]] = {
            each: {"primaryDatabaseId": NAME} for each in ("network", "data", "dr-automation", "observability")
        }
        self.settings["data"] |= {
            "primaryBirth": "adopted",
            "recoveryBirth": "none",
            "backupReplicationRetentionDays": 0,
        }
        self.touched: list[str] = []
        for name in TOUCHES:
            self._watch(monkeypatch, name)
        self.lab = Lab(LabSettings(0, self.settings), print, empty=True)

    def _watch(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        original = getattr(RegionalRds, name)

        def watched(region: Any, identifier: str, *arguments: Any, **more: Any) -> Any:
            if identifier == NAME:
                self.touched.append(name)
            return original(region, identifier, *arguments, **more)

        monkeypatch.setattr(RegionalRds, name, watched)

    @property
    def instance(self) -> dict[str, Any]:
        rds = self.lab.client("rds", REGION)
        found: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"][0]
        return {key: value for key, value in found.items() if key != "LatestRestorableTime"}

    @property
    def master(self) -> Credentials:
        secrets = self.lab.client("secretsmanager", REGION)
        said = json.loads(secrets.get_secret_value(SecretId="postgres-dr/lab/master")["SecretString"])
        return Credentials(said["username"], said["password"])

    def make_by_hand(self) -> None:
        """What a company has: a VPC of three private subnets with two route tables, and a database in it."""
        ec2, rds = self.lab.client("ec2", REGION), self.lab.client("rds", REGION)
        vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.40.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
            for number, zone in enumerate("abc", start=1)
        ]
        for subnet in subnets:
            ec2.associate_route_table(RouteTableId=table, SubnetId=subnet["SubnetId"])
        group = ec2.create_security_group(GroupName="orders", Description="by hand", VpcId=vpc)["GroupId"]
        permission = {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, "IpRanges": [{"CidrIp": "10.0.0.0/24"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
        rds.create_db_subnet_group(
            DBSubnetGroupName="orders",
            DBSubnetGroupDescription="by hand",
            SubnetIds=[subnet["SubnetId"] for subnet in subnets],
        )
        rds.create_db_parameter_group(
            DBParameterGroupName="orders", DBParameterGroupFamily="postgres14", Description="by hand"
        )
        key = self.lab.client("kms", REGION).create_key(Description="by hand")["KeyMetadata"]["Arn"]
        rds.create_db_instance(
            DBInstanceIdentifier=NAME,
            Engine="postgres",
            EngineVersion="14",
            DBInstanceClass="db.m5.large",
            AllocatedStorage=40,
            StorageType="gp2",
            StorageEncrypted=True,
            KmsKeyId=key,
            MasterUsername=self.master.user,
            MasterUserPassword=self.master.password,
            DBName="app",
            Port=PORT,
            DBSubnetGroupName="orders",
            DBParameterGroupName="orders",
            VpcSecurityGroupIds=[group],
            BackupRetentionPeriod=3,
        )
        wait_until(lambda: self.instance["DBInstanceStatus"] == "available", 60)

    def take(self, of: str, **settings: object) -> None:
        """Write settings into a stack file."""
        self.settings[of] |= settings
        # Births are in the lab's own copy of the file.
        self.lab.data_layer.overrides = {key: each for key, each in self.settings["data"].items() if key not in KEYS}

    def take_what_is_printed(self, lines: list[str]) -> None:
        """Write what the command prints, as a person does."""
        of = ""
        for line in lines:
            if line.startswith("  projects/"):
                of = line.split("/")[1]
            elif line.startswith("    postgres-dr-") and of:
                ((key, value),) = yaml.safe_load(line).items()
                self.take(of, **{key.partition(":")[2]: value})

    def looks(self) -> tuple[int, list[str]]:
        """What `./dr adopt` says, and its exit code."""
        lines: list[str] = []
        return adopt.main(["--database", NAME, "--region", REGION, "--stack", "lab"], lines.append), lines

    def stands_in(self, *groups: str) -> None:
        rds = self.lab.client("rds", REGION)
        rds.modify_db_instance(DBInstanceIdentifier=NAME, VpcSecurityGroupIds=list(groups))

    def deploy(self, name: str) -> dict[str, int]:
        return {str(kind): count for kind, count in self.lab.apply(layer(name)).items()}


@pytest.fixture
def adopting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Adopting]:
    adopting = Adopting(monkeypatch)
    with adopting.lab:
        adopting.make_by_hand()
        monkeypatch.setattr(adopt, "_client", adopting.lab.client)
        original = layer_settings.load_settings

        def load(of: Layer, configuration: Any) -> object:
            del configuration
            overrides = adopting.settings[of.name]
            return original(of, *configured(of.folder, "lab", overrides))

        monkeypatch.setattr(adopt, "load_settings", load)
        yield adopting


def test_it_becomes_protected_without_being_touched(adopting: Adopting) -> None:
    lab, born = adopting.lab, adopting.instance
    hand_made = [group["VpcSecurityGroupId"] for group in born["VpcSecurityGroups"]]
    code, printed = adopting.looks()
    assert code == 3
    adopting.take_what_is_printed(printed)
    adopting.deploy("network")

    # Adopted: Pulumi knows it, and RDS shows the same as before.
    assert adopting.deploy("data")["import"] == 1
    assert adopting.instance == born
    assert adopting.touched == []
    code, printed = adopting.looks()
    assert code == 0, printed

    # What probes and replication need of it: a group more, parameters, logins by token. None of it restarts it.
    own_group = lab.outputs["primaryDatabaseSecurityGroupId"]
    adopting.stands_in(*hand_made, own_group)
    lab.client("rds", REGION).modify_db_parameter_group(
        DBParameterGroupName="orders",
        Parameters=[
            {"ParameterName": "max_slot_wal_keep_size", "ParameterValue": "4096", "ApplyMethod": "immediate"},
            {"ParameterName": "wal_sender_timeout", "ParameterValue": "3000", "ApplyMethod": "immediate"},
        ],
    )
    adopting.take("data", takenOver=["iamDatabaseAuthenticationEnabled"])
    assert adopting.deploy("data")["update"] == 1
    lab._prepare(lab.outputs)

    # Only then the rest.
    adopting.take("data", backupReplicationRetentionDays=3)
    lab.data_layer.change({"recoveryBirth": "replica"})
    adopting.deploy("data")
    adopting.stands_in(own_group)
    for name in ("dr-automation", "observability"):
        adopting.deploy(name)
    wait_until(lambda: protection(lab)["protected"], 120)

    now = adopting.instance
    kept = (
        "DbiResourceId",
        "DBInstanceClass",
        "StorageType",
        "KmsKeyId",
        "BackupRetentionPeriod",
        "InstanceCreateTime",
    )
    assert {key: now[key] for key in kept} == {key: born[key] for key in kept}
    assert now["DBParameterGroups"] == born["DBParameterGroups"]
    assert set(adopting.touched) == {"modify_db_instance"}
    assert adopting.deploy("data").keys() == {"same"}
    replica = lab.client("rds", ELSEWHERE).describe_db_instances()["DBInstances"][0]
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == now["DBInstanceArn"]


def protection(lab: Lab) -> Any:
    """What the controller with authority says."""
    answer = lab.client("lambda", ELSEWHERE).invoke(
        FunctionName=lab.outputs["recoveryFailoverFunctionName"], Payload=json.dumps({"report": {"order": None}})
    )
    said = json.loads(answer["Payload"].read())
    return said.get("protection", {"protected": False, **said})
