"""The lab's RDS on real servers, over a fake account: what the RDS tests talk to."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psycopg
from botocore.config import Config

from lab.aws import LabNetwork
from lab.home import ChildProcesses, LabHome
from lab.minute import Delay
from lab.postgres import find_binaries
from lab.rds import DatabaseFleet, RdsBackend
from lab.rds.iam_login import Judge
from lab.rds.protocol import SECRET_HEADER
from lab.rds.timings import Timings
from shared.sites import Site
from tests.lab.fake_account import FakeAccount, key_arn

PRIMARY, RECOVERY, WITNESS = "ap-southeast-2", "ap-southeast-1", "ap-northeast-1"
PORT = 55432
USER, PASSWORD, DATABASE = "app", "correct-horse", "orders"
QUICK = Timings(
    backup_seconds=0.15,
    modify_seconds=0.05,
    promotion_seconds=0.15,
    shutdown_seconds=0.2,
    heartbeat_seconds=0.5,
    measure_seconds=0.2,
    metric_delay=Delay(0.01, 0.02, 0.03),
    watch_seconds=0.1,
)


@contextmanager
def lab_home() -> Iterator[LabHome]:
    """A home that a server's user can enter; pytest's own folders are closed to others."""
    parent = Path(tempfile.mkdtemp(prefix="lab-test-", dir="/tmp"))
    parent.chmod(0o711)
    try:
        with LabHome.open(parent / "home") as home:
            yield home
    finally:
        shutil.rmtree(parent)


class RunningRds:
    def __init__(
        self,
        home: LabHome,
        timings: Timings = QUICK,
        judge: Judge = lambda _: "nobody is let in",
        disk_bytes: int | None = None,
    ) -> None:
        self.timings = timings
        self.account = FakeAccount()
        self.children = ChildProcesses(home)
        self.network = LabNetwork(self.account.client, {Site.PRIMARY: PRIMARY, Site.RECOVERY: RECOVERY})
        self.fleet = DatabaseFleet(
            home.directory("databases"), find_binaries(home.path), self.children, self.network, judge, disk_bytes
        )
        self.secret = secrets.token_hex(8)
        self.backend = RdsBackend(
            self.fleet, self.network, self.account.client, (PRIMARY, RECOVERY, WITNESS), self.secret, timings=timings
        )
        self.url = f"http://127.0.0.1:{self.backend.start()}"
        self.clients = {region: self.client(region) for region in (PRIMARY, RECOVERY)}
        for region, rds in self.clients.items():
            self.create_groups(region, rds)

    def client(self, region: str, secret: str | None = None) -> Any:
        rds = boto3.client(
            "rds",
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 1, "mode": "standard"}),
        )

        def authorise(request: Any, **_: Any) -> None:
            request.headers[SECRET_HEADER] = self.secret if secret is None else secret

        rds.meta.events.register("before-send.rds", authorise)
        return rds

    def create_groups(self, region: str, rds: Any) -> None:
        rds.create_db_subnet_group(
            DBSubnetGroupName="database",
            DBSubnetGroupDescription="three zones",
            SubnetIds=[f"subnet-{zone}-{region}" for zone in "abc"],
        )
        rds.create_db_parameter_group(
            DBParameterGroupName="database", DBParameterGroupFamily="postgres14", Description="of the tests"
        )
        rds.modify_db_parameter_group(
            DBParameterGroupName="database",
            Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}],
        )

    def create(self, name: str, **settings: Any) -> dict[str, Any]:
        self.clients[PRIMARY].create_db_instance(**{**instance_settings(name), **settings})
        return self.wait(PRIMARY, name)

    def create_replica(self, name: str, source: str, **settings: Any) -> dict[str, Any]:
        arn = self.describe(PRIMARY, source)["DBInstanceArn"]
        self.clients[RECOVERY].create_db_instance_read_replica(
            **{
                "DBInstanceIdentifier": name,
                "SourceDBInstanceIdentifier": arn,
                "KmsKeyId": key_arn(RECOVERY),
                "DBSubnetGroupName": "database",
                "DBParameterGroupName": "database",
                "VpcSecurityGroupIds": ["sg-database"],
                **settings,
            }
        )
        return self.wait(RECOVERY, name)

    def describe(self, region: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.clients[region].describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return found

    def wait(self, region: str, name: str, status: str = "available") -> dict[str, Any]:
        wait_until(lambda: self.describe(region, name)["DBInstanceStatus"] in (status, "failed"))
        instance = self.describe(region, name)
        assert instance["DBInstanceStatus"] == status, self.fleet.server(region, name).log_tail()
        return instance

    def connect(self, region: str, name: str, **more: Any) -> psycopg.Connection:
        endpoint = self.describe(region, name)["Endpoint"]
        settings = {"dbname": DATABASE, "sslmode": "require", "connect_timeout": 3, **more}
        return psycopg.connect(
            host=endpoint["Address"],
            port=endpoint["Port"],
            user=USER,
            password=PASSWORD,
            autocommit=True,
            **settings,
        )


@contextmanager
def running_rds(**settings: Any) -> Iterator[RunningRds]:
    """RDS of its own, with the settings of `RunningRds`; nothing of it is left afterwards."""
    with lab_home() as home:
        rds = RunningRds(home, **settings)
        try:
            yield rds
        finally:
            rds.backend.stop()
            rds.children.close()


def instance_settings(name: str) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": name,
        "Engine": "postgres",
        "EngineVersion": "14",
        "DBInstanceClass": "db.t3.medium",
        "AllocatedStorage": 20,
        "StorageType": "gp3",
        "StorageEncrypted": True,
        "KmsKeyId": key_arn(PRIMARY),
        "MasterUsername": USER,
        "MasterUserPassword": PASSWORD,
        "DBName": DATABASE,
        "Port": PORT,
        "DBSubnetGroupName": "database",
        "DBParameterGroupName": "database",
        "VpcSecurityGroupIds": ["sg-database"],
        "BackupRetentionPeriod": 7,
    }


def wait_until(condition: Callable[[], bool], timeout_seconds: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
