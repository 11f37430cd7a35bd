"""The lab's AWS as a process, and functions that tell what happens to them: what its tests talk to."""

from __future__ import annotations

import io
import json
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.config import Config

from lab.aws import LabAws
from lab.home import LabHome

PRIMARY, RECOVERY, WITNESS = "ap-southeast-2", "ap-southeast-1", "ap-northeast-1"
SECRET = "known-to-the-backend"
FUNCTION = {"Service": "lambda.amazonaws.com"}
PERSON = {"AWS": "arn:aws:iam::000000000000:root"}

FUNCTIONS = """
import json, os, socket, time
import boto3
from botocore.config import Config

def note(event, context):
    with open(event["file"], "a") as file:
        file.write(f"{time.time()} {os.environ['AWS_REGION']}\\n")
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("then"):
        open(event["then"], "a").write("ended\\n")
    if event.get("fail"):
        raise RuntimeError("as asked")

def note_records(event, context):
    note(json.loads(event["Records"][0]["Sns"]["Message"]), context)

def measure(event, context):
    print("an ordinary line")
    print(json.dumps(event))

def promote(event, context):
    rds = boto3.client("rds", region_name=event["region"])
    try:
        return rds.promote_read_replica(DBInstanceIdentifier=event["id"])["DBInstance"]["DBInstanceIdentifier"]
    except rds.exceptions.ClientError as error:
        return error.response["Error"]["Code"]

def reach(event, context):
    found = {}
    for name, (host, port) in event.items():
        try:
            with socket.create_connection((host, port), timeout=0.2) as connection:
                found[name] = connection.getsockname()[0]
        except OSError as error:
            found[name] = type(error).__name__
    return found

def environment(event, context):
    return dict(os.environ)

def pid(event, context):
    return os.getpid()

def read_metric(event, context):
    stat = {"Period": 1, "Stat": "Maximum", "Metric": {
        "Namespace": event["namespace"], "MetricName": event["metric"],
        "Dimensions": [{"Name": name, "Value": value} for name, value in event["dimensions"].items()]}}
    answer = boto3.client("cloudwatch", region_name=event["region"]).get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": stat}], StartTime=event["from"], EndTime=event["to"])
    return answer["MetricDataResults"][0]["Values"]

def ask(event, context):
    client = boto3.client(event["service"], region_name=event["region"], config=Config(
        connect_timeout=event["seconds"], read_timeout=event["seconds"], retries={"total_max_attempts": 1}))
    started = time.monotonic()
    try:
        getattr(client, event["operation"])()
        answer = "answered"
    except Exception as error:
        answer = type(error).__name__
    return [answer, time.monotonic() - started]
"""


@dataclass
class RdsBackend:
    """Stands for the lab's RDS: remembers what it was asked."""

    url: str
    requests: list[tuple[dict[str, str], dict[str, list[str]]]] = field(default_factory=list)


@dataclass
class Account:
    aws: LabAws
    home: LabHome
    backend: RdsBackend

    def client(self, service: str, region: str = RECOVERY) -> Any:
        return self.aws.client(service, region)

    def role(self, *statements: dict[str, Any], principal: dict[str, str] = FUNCTION) -> str:
        """A role for functions, or for whom `principal` names, which may do what the statements say."""
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        iam, name = self.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
        return arn

    def function(self, handler: str, region: str = RECOVERY, role: str | None = None, **settings: Any) -> str:
        """Create a function and give its ARN."""
        name = f"{handler}-{uuid.uuid4().hex[:8]}"
        created = self.client("lambda", region).create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler=f"functions.{handler}",
            Role=self.role() if role is None else role,
            Code={"ZipFile": zipped(FUNCTIONS)},
            Timeout=20,
            **settings,
        )
        arn: str = created["FunctionArn"]
        return arn

    def call(self, function: str, event: Any) -> Any:
        answer = self.client("lambda", function.split(":")[3]).invoke(FunctionName=function, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    def assumed(self, role: str, service: str, region: str = RECOVERY) -> Any:
        """A client of one who has assumed the role; it waits for a second only, and asks once."""
        session = self.client("sts").assume_role(RoleArn=role, RoleSessionName="person")["Credentials"]
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.aws.endpoint_url,
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
            config=Config(read_timeout=1, retries={"total_max_attempts": 1}),
        )

    def permit(self, function: str, service: str, source: str) -> None:
        self.client("lambda", function.split(":")[3]).add_permission(
            FunctionName=function,
            StatementId=uuid.uuid4().hex,
            Action="lambda:InvokeFunction",
            Principal=f"{service}.amazonaws.com",
            SourceArn=source,
        )


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def zipped(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("functions.py", source)
    return buffer.getvalue()


def until(condition: Callable[[], Any], seconds: float = 6.0) -> Any:
    """What the condition gives as soon as it is true; fails when it does not become so."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return found


@contextmanager
def running_backend() -> Iterator[RdsBackend]:
    """A backend that answers every promotion."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            known.requests.append((dict(self.headers.items()), asked))
            identifier = f"<DBInstanceIdentifier>{asked['DBInstanceIdentifier'][0]}</DBInstanceIdentifier>"
            result = f"<PromoteReadReplicaResult><DBInstance>{identifier}</DBInstance></PromoteReadReplicaResult>"
            body = f"<PromoteReadReplicaResponse>{result}</PromoteReadReplicaResponse>"
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = RdsBackend(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield known
    server.shutdown()
    server.server_close()


@contextmanager
def running_account(folder: Path) -> Iterator[Account]:
    """An account with no RDS of its own; nothing of it is left afterwards."""
    with running_backend() as backend, LabHome.open(folder / "home") as home:
        aws = LabAws(home, 0)
        started = time.monotonic()
        aws.start(backend.url, SECRET)
        assert time.monotonic() - started < 5
        yield Account(aws, home, backend)
        aws.close()
        assert len(home.processes) == 0


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
