"""An AWS that answers every HTTP request at once, in memory: what is left of a run's time is our own.

The clients are botocore's own: they validate, serialise, sign and parse as always. Only the exchange of bytes is taken
over, at botocore's event ``before-send``. The answers are of the size of AWS's, for parsing them is a part of the cost.
"""

from __future__ import annotations

import io
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
REQUEST_ID = "b25f48e8-84fd-11e6-80d9-574e0c4664cb"
# Fields of DescribeDBInstances that no step reads, but that are parsed all the same.
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html
UNREAD_FIELDS = "".join(
    f"<{name}>{value}</{name}>"
    for name, value in {
        "AllocatedStorage": "100",
        "AutoMinorVersionUpgrade": "true",
        "AvailabilityZone": "ap-southeast-1a",
        "BackupRetentionPeriod": "7",
        "CACertificateIdentifier": "rds-ca-rsa2048-g1",
        "CopyTagsToSnapshot": "true",
        "CustomerOwnedIpEnabled": "false",
        "DBInstanceClass": "db.t3.medium",
        "DbiResourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "DeletionProtection": "true",
        "Engine": "postgres",
        "EngineVersion": "14.18",
        "IAMDatabaseAuthenticationEnabled": "false",
        "InstanceCreateTime": "2025-11-01T12:00:00Z",
        "KmsKeyId": "arn:aws:kms:ap-southeast-1:111122223333:key/11111111-2222-3333-4444-555555555555",
        "LatestRestorableTime": "2026-01-01T11:55:00Z",
        "LicenseModel": "postgresql-license",
        "MasterUsername": "postgres",
        "MaxAllocatedStorage": "1000",
        "MonitoringInterval": "60",
        "MultiAZ": "false",
        "NetworkType": "IPV4",
        "PerformanceInsightsEnabled": "false",
        "PreferredBackupWindow": "15:00-15:30",
        "PreferredMaintenanceWindow": "sun:16:00-sun:16:30",
        "PubliclyAccessible": "false",
        "StorageEncrypted": "true",
        "StorageThroughput": "125",
        "StorageType": "gp3",
    }.items()
)
SECONDS_TO_FENCE = 10.0


@dataclass(frozen=True)
class Sent:
    """One request. ``operation`` is ``Service.Operation``."""

    operation: str
    region: str


@dataclass
class AnsweredAws:
    """Two sites, of which the primary's database dies at START, or lives.

    Attributes:
        variables: the environment of the failover function.
        promotion_seconds: how long RDS takes to promote.
        primary_dies: whether there is anything to do.
        now: the time, which only waiting moves.
        sent: every request.
        items: the state table's, by id.
        switched_at: `time.perf_counter` when the latch first said that the recovery site is the writer.
    """

    variables: Mapping[str, str]
    promotion_seconds: float
    primary_dies: bool = True
    now: datetime = START + timedelta(seconds=185)
    sent: list[Sent] = field(default_factory=list)
    switched_at: float | None = None
    items: dict[str, Any] = field(default_factory=dict)
    _groups: dict[str, str] = field(default_factory=dict)
    _fenced_at: datetime | None = None
    _promoted_at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self) -> Counter[str]:
        """How often each operation was asked for."""
        return Counter(each.operation for each in self.sent)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def next_minute(self) -> None:
        """Let time pass to the schedule's next tick."""
        self.sleep(60 - self.now.second)

    def answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """The handler of ``before-send``: what it returns is taken for AWS's answer."""
        with self._lock:
            service, region = _addressee(request)
            operation, content_type, body = self._answered(service, region, request)
            self.sent.append(Sent(f"{service}.{operation}", region))
        headers: Any = {"Content-Type": content_type, "x-amzn-RequestId": REQUEST_ID}
        return AWSResponse(request.url, 200, headers, _Body(body))

    def _answered(self, service: str, region: str, request: AWSPreparedRequest) -> tuple[str, str, bytes]:
        raw = _text(request.body)
        if "X-Amz-Target" in request.headers:
            operation = _text(request.headers["X-Amz-Target"]).rpartition(".")[2]
            answered = getattr(self, f"_{operation.lower()}")(json.loads(raw))
            return operation, "application/x-amz-json-1.0", json.dumps(answered).encode()
        asked = {name: values[0] for name, values in parse_qs(raw).items()}
        operation = asked["Action"]
        inner = self._by_query(operation, asked, region)
        document = (
            f"<{operation}Response xmlns='https://{service}.amazonaws.com/doc/'><{operation}Result>{inner}"
            f"</{operation}Result><ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>"
            f"</{operation}Response>"
        )
        return operation, "text/xml", document.encode()

    def _by_query(self, operation: str, asked: Mapping[str, str], region: str) -> str:
        primary = self.variables["PRIMARY_REGION"]
        if operation == "Publish":
            return f"<MessageId>{REQUEST_ID}</MessageId>"
        if operation == "GetCallerIdentity":
            return "<Account>111122223333</Account><Arn>arn:aws:sts::111122223333:assumed-role/failover/run</Arn>"
        if operation == "ModifyDBInstance":
            self._fenced_at = self.now
            self._groups[region] = asked["VpcSecurityGroupIds.VpcSecurityGroupId.1"]
        if operation == "PromoteReadReplica":
            self._promoted_at = self.now
        instance = self._instance(primary=region == primary)
        if operation == "DescribeDBInstances":
            return f"<DBInstances><DBInstance>{instance}</DBInstance></DBInstances>"
        return f"<DBInstance>{instance}</DBInstance>"

    def _instance(self, *, primary: bool) -> str:
        name = "PRIMARY" if primary else "RECOVERY"
        group = self._groups.get(self.variables[f"{name}_REGION"], self.variables[f"{name}_DATABASE_GROUP_ID"])
        group_status = "active"
        if primary and self._fenced_at is not None and self._since(self._fenced_at) < SECONDS_TO_FENCE:
            group_status = "adding"
        promoted = self._promoted_at is not None and self._since(self._promoted_at) >= self.promotion_seconds
        status = "available" if primary or self._promoted_at is None or promoted else "modifying"
        source = "" if primary or promoted else f"arn:aws:rds:::db:{escape(self.variables['PRIMARY_INSTANCE_ID'])}"
        return (
            f"{UNREAD_FIELDS}<DBInstanceIdentifier>{self.variables[f'{name}_INSTANCE_ID']}</DBInstanceIdentifier>"
            f"<DBInstanceStatus>{status}</DBInstanceStatus>"
            f"<VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>{group}</VpcSecurityGroupId>"
            f"<Status>{group_status}</Status></VpcSecurityGroupMembership></VpcSecurityGroups>"
            + (
                f"<ReadReplicaSourceDBInstanceIdentifier>{source}</ReadReplicaSourceDBInstanceIdentifier>"
                * bool(source)
            )
        )

    def _since(self, moment: datetime) -> float:
        return (self.now - moment).total_seconds()

    def _getitem(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        key = asked["Key"]["id"]["S"]
        return {"Item": self.items[key]} if key in self.items else {}

    def _putitem(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.items[asked["Item"]["id"]["S"]] = asked["Item"]
        return {}

    def _updateitem(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        key, names = asked["Key"]["id"]["S"], asked["ExpressionAttributeNames"]
        item = dict(self.items.get(key, asked["Key"]))
        assigned, _, removed = asked["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        for name, value in (each.split(" = ") for each in assigned.split(", ")):
            item[names[name]] = asked["ExpressionAttributeValues"][value]
        for name in removed.split(", ") if removed else []:
            item.pop(names[name], None)
        self.items[key] = item
        return {}

    def _putmetricdata(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["MetricData"][0]["Value"] == 1.0 and self.switched_at is None:
            self.switched_at = time.perf_counter()
        return {}

    def _getmetricdata(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        results = []
        for query in asked["MetricDataQueries"]:
            stat = query["MetricStat"]
            points = list(self._points(stat, datetime.fromtimestamp(asked["StartTime"], UTC), self.now))
            results.append(
                {
                    "Id": query["Id"],
                    "Label": stat["Metric"]["MetricName"],
                    "StatusCode": "Complete",
                    "Timestamps": [moment.timestamp() for moment, _ in points],
                    "Values": [value for _, value in points],
                }
            )
        return {"MetricDataResults": results, "Messages": []}

    def _points(self, stat: Mapping[str, Any], first: datetime, last: datetime) -> Iterator[tuple[datetime, float]]:
        metric, period = stat["Metric"]["MetricName"], timedelta(seconds=stat["Period"])
        database = {each["Name"]: each["Value"] for each in stat["Metric"]["Dimensions"]}.get("Database")
        while first < last:
            dead = self.primary_dies and first >= START
            if stat["Stat"] == "SampleCount":
                yield first, 5.0
            elif metric == "ReplicaLag":
                yield first, 0.5 + ((first - START).total_seconds() if dead else 0.0)
            elif metric == "OldestReplicationSlotLag":
                if not dead:
                    yield first, 0.0
            else:
                yield first, 0.0 if dead and database == "primary" else 1.0
            first += period


class _Body:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._content.read()


def _addressee(request: AWSPreparedRequest) -> tuple[str, str]:
    """The service and the region, by the host: ``<service>.<region>.amazonaws.com``; CloudWatch is ``monitoring``."""
    service, region = str(urlsplit(request.url).hostname).split(".")[:2]
    return ("cloudwatch" if service == "monitoring" else service), region


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
