"""Two labs run on one machine at the same time, even of one checkout, and share neither addresses nor files."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from lab.home.location import HOME_VARIABLE
from lab.lab import Lab
from lab.rds import require_free_port
from lab.settings import LabSettings
from shared.errors import SettingsError
from shared.sites import Site

USER, PASSWORD = "app", "correct-horse"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def two_labs() -> Iterator[list[Lab]]:
    labs = [Lab(LabSettings.from_environment(), print, empty=True) for _ in range(2)]
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        for lab in labs:
            stack.push(lab)  # safe where it did not start
        list(pool.map(lambda lab: lab.__enter__(), labs))
        yield labs


def database(lab: Lab, port: int) -> str:
    """Create a database in the network that both labs have, and give its address."""
    region = lab.regions[Site.PRIMARY]
    ec2, rds = lab.client("ec2", region), lab.client("rds", region)
    vpc = ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.10.{number}.0/24", AvailabilityZone=f"{region}{zone}")["Subnet"]
        for number, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(VpcId=vpc, GroupName="database", Description="clients")["GroupId"]
    anybody = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[anybody])
    rds.create_db_subnet_group(
        DBSubnetGroupName="database",
        DBSubnetGroupDescription="two zones",
        SubnetIds=[subnet["SubnetId"] for subnet in subnets],
    )
    rds.create_db_instance(
        DBInstanceIdentifier="orders",
        Engine="postgres",
        DBInstanceClass="db.t3.medium",
        AllocatedStorage=20,
        MasterUsername=USER,
        MasterUserPassword=PASSWORD,
        BackupRetentionPeriod=0,
        DBSubnetGroupName="database",
        VpcSecurityGroupIds=[group],
        Port=port,
    )
    rds.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier="orders", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    instance = rds.describe_db_instances(DBInstanceIdentifier="orders")["DBInstances"][0]
    return str(instance["Endpoint"]["Address"])


def test_each_lab_has_its_own_addresses_and_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    monkeypatch.delenv("LAB_PORT", raising=False)
    port = free_port()
    with two_labs() as labs, ThreadPoolExecutor(2) as pool:
        addresses = list(pool.map(lambda lab: database(lab, port), labs))
        assert len({lab.aws.endpoint_url for lab in labs}) == 2
        assert len({lab.dns_server for lab in labs}) == 2
        assert len({lab.outputs_file for lab in labs}) == 2
        assert len(set(addresses)) == 2
        for number, address in enumerate(addresses):
            login = {"host": address, "port": port, "user": USER, "password": PASSWORD, "dbname": "postgres"}
            with psycopg.connect(**login, sslmode="require", autocommit=True) as connection:  # type: ignore[arg-type]
                connection.execute(f"CREATE TABLE of_lab_{number} ()")
                tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            assert tables == [(f"of_lab_{number}",)]
        homes = [lab.home for lab in labs]
        servers = [lab.server(lab.regions[Site.PRIMARY], "orders") for lab in labs]
    assert not any(server.is_running() for server in servers)
    assert not any(home.path.exists() for home in homes)
    assert not any(home.path.with_name(f"{home.path.name}.lock").exists() for home in homes)


def test_a_port_that_somebody_listens_on_at_every_address_is_refused() -> None:
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        port = everywhere.getsockname()[1]
        with pytest.raises(SettingsError, match=f"databasePort = {port}: .*choose another port"):
            require_free_port(port)


def test_a_listener_at_one_address_is_in_nobodys_way() -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        require_free_port(elsewhere.getsockname()[1])
