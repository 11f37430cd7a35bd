"""`./dr adopt`: what adopting a database would mean, what to write and the commands in order. Nothing is changed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from deployment import adopt
from deployment.adoption_text import Report
from deployment.layer_settings import load_settings
from shared.environment import Environment
from shared.layers import Layer
from shared.sites import Site

REGION = "ap-southeast-2"
VPC = "vpc-0123456789abcdef0"
SUBNETS = [f"subnet-0123456789abcde{zone}" for zone in "abc"]
TABLE = "rtb-0123456789abcdef0"


class Answers:
    """A client that answers what it is told to, and fails a test that asks for anything else: nothing is changed."""

    def __init__(self, region: str, **answers: Any) -> None:
        self.meta = SimpleNamespace(region_name=region)
        self.exceptions = SimpleNamespace(
            DBInstanceNotFoundFault=type("DBInstanceNotFoundFault", (Exception,), {}),
            ResourceNotFoundException=type("ResourceNotFoundException", (Exception,), {}),
            InvalidRequestException=type("InvalidRequestException", (Exception,), {}),
        )
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        if name not in self._answers:
            raise AssertionError(f"{name} was called")

        def answer(**_: Any) -> Any:
            found = self._answers[name]
            if isinstance(found, Exception):
                raise found
            return found

        return answer

    def get_paginator(self, name: str) -> Any:
        return SimpleNamespace(paginate=lambda **_: [self._answers[name]])


class Aws:
    """The account of a company; a test changes what its database is like."""

    def __init__(self) -> None:
        self.rules: list[dict[str, Any]] = [
            {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": "sg-app"}]}
        ]
        self.secret: Any = {"SecretString": json.dumps({"username": "owner", "password": "long-enough"})}
        self.rds_fails: Exception | None = None
        self.instance: dict[str, Any] = {
            "DBInstanceIdentifier": "orders",
            "DbiResourceId": "db-ABC",
            "MasterUsername": "owner",
            "Engine": "postgres",
            "EngineVersion": "14.20",
            "DBInstanceStatus": "available",
            "DBInstanceClass": "db.r6g.large",
            "MultiAZ": True,
            "AllocatedStorage": 100,
            "StorageType": "gp3",
            "StorageEncrypted": True,
            "KmsKeyId": f"arn:aws:kms:{REGION}:111122223333:key/theirs",
            "PreferredBackupWindow": "01:00-01:30",
            "PreferredMaintenanceWindow": "sun:02:00-sun:02:30",
            "BackupRetentionPeriod": 7,
            "CACertificateIdentifier": "rds-ca-rsa2048-g1",
            "Endpoint": {"Port": 5432},
            "DBParameterGroups": [{"DBParameterGroupName": "theirs"}],
            "DBSubnetGroup": {"DBSubnetGroupName": "theirs", "VpcId": VPC},
            "DBInstanceArn": f"arn:aws:rds:{REGION}:111122223333:db:orders",
            "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-theirs"}],
        }

        self.subnets: list[dict[str, Any]] = []
        self.tables: list[dict[str, Any]] = []
        self.others: list[dict[str, Any]] = []

    def client(self, service: str, region: str) -> Answers:
        answers: dict[str, Any] = {
            "rds": {
                "describe_db_instances": self.rds_fails or {"DBInstances": [self.instance, *self.others]},
                "describe_db_engine_versions": {"DBEngineVersions": [{}]},
                "describe_db_parameters": {
                    "Parameters": [{"ParameterName": "max_connections", "ParameterValue": "500", "Source": "user"}]
                },
            },
            "ec2": {
                "describe_security_groups": {"SecurityGroups": [{"GroupName": "theirs", "IpPermissions": self.rules}]},
                "describe_route_tables": {
                    "RouteTables": [
                        {"RouteTableId": TABLE, "Associations": [{"Main": True}]},
                        *self.tables,
                        {
                            "RouteTableId": "rtb-public",
                            "Associations": [{"SubnetId": "subnet-0"}],
                            "Routes": [{"GatewayId": "igw-1"}],
                        },
                    ]
                },
                "describe_subnets": {
                    "Subnets": [
                        {"SubnetId": "subnet-0", "AvailabilityZone": f"{REGION}a", "CidrBlock": "10.40.0.0/24"},
                        *(
                            {"SubnetId": subnet, "AvailabilityZone": f"{REGION}{zone}", "CidrBlock": f"10.40.{n}.0/24"}
                            for n, (subnet, zone) in enumerate(zip(SUBNETS, "abc", strict=True), start=1)
                        ),
                        *self.subnets,
                    ]
                },
                "describe_vpcs": {"Vpcs": [{"CidrBlock": "10.40.0.0/16"}]},
            },
            "kms": {"describe_key": {"KeyMetadata": {"KeyManager": "CUSTOMER"}}},
            "logs": {"describe_log_groups": {"logGroups": []}},
            "secretsmanager": {"get_secret_value": self.secret},
        }
        return Answers(region, **answers[service])


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = Aws()
    monkeypatch.setattr(adopt, "_client", aws.client)
    return aws


def said(*more: str) -> tuple[int, str]:
    lines: list[str] = []
    code = adopt.main(["--database", "orders", "--region", REGION, *more], lines.append)
    return code, "\n".join(lines)


def test_it_prints_the_settings_by_file_as_pulumi_writes_them(aws: Aws) -> None:
    code, text = said()
    assert code == adopt.DIFFERENT
    for line in (
        "  environments/dev.yaml\n    primaryDatabaseId: orders",
        f'postgres-dr-network:primaryVpcId: "{VPC}"',
        f"postgres-dr-network:primaryPrivateSubnetIds: {json.dumps(SUBNETS)}",
        f'postgres-dr-network:primaryRouteTableIds: ["{TABLE}"]',
        'postgres-dr-data:primaryBirth: "adopted"',
        'postgres-dr-data:instanceClass: "db.r6g.large"',
        'postgres-dr-data:multiAz: "true"',
        'postgres-dr-data:furtherParameters: ["max_connections=500"]',
    ):
        assert line in text


def test_the_steps_are_in_order_and_what_restarts_comes_only_by_a_persons_hand(aws: Aws) -> None:
    _, text = said()
    steps = [
        line for line in text.splitlines() if line.startswith("  ") and line.strip()[:1].isdigit() and ". " in line
    ]
    marks = ["-- network", "secretsmanager", "imports orders", "sg-theirs SG", "max_slot_wal", "force_ssl", "takenOver"]
    marks[1] = "its password in"
    marks += ["prepare-database", "makes the replica", "./dr groups", "dr-automation", "./dr status"]
    positions = [next(number for number, step in enumerate(steps) if mark in step) for mark in marks]
    assert positions == sorted(positions)
    assert "reboot" not in text


def test_in_a_group_that_nobody_can_edit_the_restart_is_told_before(aws: Aws) -> None:
    aws.instance["DBParameterGroups"] = [{"DBParameterGroupName": "default.postgres14"}]
    _, text = said()
    assert "default.postgres14 cannot be edited" in text
    assert "reboot-db-instance" in text


def test_in_a_group_that_others_have_too_nothing_is_set(aws: Aws) -> None:
    assert "modify-db-parameter-group" in said()[1]
    aws.others = [{"DBInstanceIdentifier": "billing", "DBParameterGroups": [{"DBParameterGroupName": "theirs"}]}]
    _, text = said()
    assert "theirs is also that of billing" in text
    assert "modify-db-parameter-group" not in text


def test_before_the_layers_group_is_in_effect_people_look_for_clients_without_tls(aws: Aws) -> None:
    aws.instance["DBParameterGroups"] = [{"DBParameterGroupName": "default.postgres14"}]
    assert "pg_stat_ssl" in said()[1]


def test_the_databases_own_subnets_come_first_and_all_their_route_tables_are_named(aws: Aws) -> None:
    own = [{"SubnetIdentifier": f"subnet-f{zone}"} for zone in "abc"]
    aws.instance["DBSubnetGroup"]["Subnets"] = own
    aws.subnets = [
        {"SubnetId": each["SubnetIdentifier"], "AvailabilityZone": f"{REGION}{zone}", "CidrBlock": f"10.40.1{n}.0/24"}
        for n, (each, zone) in enumerate(zip(own, "abc", strict=True))
    ]
    aws.tables = [{"RouteTableId": "rtb-own", "Associations": [{"SubnetId": "subnet-fb"}]}]
    _, text = said()
    assert 'primaryPrivateSubnetIds: ["subnet-fa", "subnet-fb", "subnet-fc"]' in text
    assert f'primaryRouteTableIds: ["{TABLE}", "rtb-own"]' in text


def test_a_database_of_another_account_is_not_looked_at(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.instance["DBInstanceArn"] = f"arn:aws:rds:{REGION}:999999999999:db:orders"
    assert said()[0] == adopt.BAD_INPUT
    assert "accountId = 111122223333: these credentials see orders of account 999999999999" in capsys.readouterr().err


def test_one_that_another_environment_has_cannot_be_adopted(aws: Aws) -> None:
    aws.instance["TagList"] = [{"Key": "EnvironmentSuffix", "Value": "prod"}]
    code, text = said()
    assert code == adopt.DIFFERENT
    assert "owner: the environment with the suffix prod, and not dev" in text
    assert "./dr deploy" not in text


def test_one_in_the_recovery_region_needs_the_active_site_to_be_there(aws: Aws) -> None:
    lines: list[str] = []
    adopt.main(["--database", "orders", "--region", "ap-southeast-1"], lines.append)
    assert '    postgres-dr-data:activeSite: "recovery"' in lines


def test_who_comes_in_by_an_old_group_alone_is_named(aws: Aws) -> None:
    assert "client: sg-app, and not admitted by" in said()[1]


def test_what_cannot_be_adopted_gets_no_commands(aws: Aws) -> None:
    aws.instance["StorageEncrypted"] = False
    code, text = said()
    assert code == adopt.DIFFERENT
    assert "cannot be adopted so:\n  storage encryption: off" in text
    assert "./dr deploy" not in text


def test_what_is_to_be_done_first_comes_before_any_command(aws: Aws) -> None:
    aws.instance["BackupRetentionPeriod"] = 0
    _, text = said()
    assert "Do what is to be done first" in text
    assert "./dr deploy" not in text


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ({"SecretString": json.dumps({"username": "other", "password": "long-enough"})}, "other, and not owner"),
        ({"SecretString": "{}"}, "no usable secret, and not owner"),
    ],
)
def test_the_secret_has_to_be_the_master_users(aws: Aws, secret: dict[str, str], told: str) -> None:
    aws.secret = secret
    assert f"master user in the secret: {told}" in said()[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--region", REGION], r"arguments = .*--database.*see ./dr adopt -- --help"),
        (["--database", "orders", "--region", "eu-west-1"], "--region = eu-west-1: environment dev has ap-southeast-2"),
        (["--database", "orders", "--region", REGION, "--stack", "nowhere"], "stack = nowhere: there is no"),
    ],
)
def test_bad_input_is_one_line(
    aws: Aws, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt.main(arguments) == adopt.BAD_INPUT

    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "X"), "AWS = (ClientError): let these"),
        (ConnectTimeoutError(endpoint_url="https://rds"), "AWS = (ConnectTimeoutError): let these"),
    ],
)
def test_an_aws_that_does_not_answer_is_said(
    aws: Aws, error: Exception, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.rds_fails = error
    assert said()[0] == adopt.BAD_INPUT
    assert message in capsys.readouterr().err


def test_one_that_the_settings_follow_can_be_adopted_as_it_is(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Report, "_has", lambda _self, _effect: False)
    monkeypatch.setattr(Environment, "database_id", lambda _self, _site: "orders")
    original = load_settings

    def adopting(of: Layer, *more: Any) -> Any:
        loaded: Any = original(of, *more)
        if of.name == "data":
            loaded = replace(loaded, instances={**loaded.instances, Site.PRIMARY: SimpleNamespace(birth="adopted")})
        return loaded

    monkeypatch.setattr(adopt, "load_settings", adopting)
    code, text = said()
    assert code == adopt.UNTOUCHED
    assert "It can be adopted as it is." in text
    assert "primaryBirth" not in text
