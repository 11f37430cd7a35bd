"""The AWS in memory behind botocore's own clients, which validate, serialise, sign and parse as always.

Only the exchange of bytes is taken over, so what is left of a run's time is our own. The answers are of the size of
AWS's, for parsing them is a part of the cost.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.model import OperationModel

from aws_in_memory.aws import Aws
from aws_in_memory.clock import START
from aws_in_memory.metric import Rhythm

REQUEST_ID = "b25f48e8-84fd-11e6-80d9-574e0c4664cb"
# Fields of DescribeDBInstances that no step reads, but that are parsed all the same.
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html
UNREAD_FIELDS = "".join(
    f"<{name}>{value}</{name}>"
    for name, value in {
        "AllocatedStorage": "100",
        "AutoMinorVersionUpgrade": "true",
        "AvailabilityZone": "ap-southeast-1a",
        "CACertificateIdentifier": "rds-ca-rsa2048-g1",
        "CopyTagsToSnapshot": "true",
        "CustomerOwnedIpEnabled": "false",
        "DBInstanceClass": "db.t3.medium",
        "DeletionProtection": "true",
        "Engine": "postgres",
        "EngineVersion": "14.18",
        "IAMDatabaseAuthenticationEnabled": "false",
        "InstanceCreateTime": "2025-11-01T12:00:00Z",
        "KmsKeyId": "arn:aws:kms:ap-southeast-1:111122223333:key/11111111-2222-3333-4444-555555555555",
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
PROBES = Rhythm(schedule_seconds=60, probes=6, interval_seconds=10, timeout_seconds=2)
HISTORY_SECONDS = 900.0


def deployed(variables: Mapping[str, str], promotion_seconds: float, *, primary_dies: bool = True) -> Aws:
    """Two sites, of which the primary's database died three minutes ago, or lives.

    Args:
        variables: the environment of the failover function.
        promotion_seconds: how long RDS takes to promote.
        primary_dies: whether there is anything to do.
    """
    now = START + timedelta(seconds=185)
    aws = Aws(variables, now, probes=PROBES, rds_period_seconds=60, history_seconds=HISTORY_SECONDS)
    aws.validates = False  # the clients do
    aws.writer.slot_lag_bytes, aws.standby.lag_seconds = 0.0, 0.5
    aws.writer.group_change_takes = timedelta(seconds=SECONDS_TO_FENCE)
    aws.standby.promotion_takes = timedelta(seconds=promotion_seconds)
    if primary_dies:
        aws.writer.dies(START)
    return aws


def answer_all(session: Any, current: Callable[[], Aws]) -> None:
    """Answer every request of a session's clients.

    Args:
        session: boto3's session, before its clients are made.
        current: the AWS that answers.
    """
    # One client's call stays in its thread from its parameters to its answer.
    asked = threading.local()

    def note(params: dict[str, Any], model: OperationModel, **_: object) -> None:
        asked.parameters, asked.model = dict(params), model

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        model: OperationModel = asked.model
        # CloudWatch's host is named monitoring: only the region is read from it.
        region = str(urlsplit(request.url).hostname).split(".")[1]
        answered = current().call(model.service_model.service_name, region, xform_name(model.name), asked.parameters)
        if "Payload" in answered:
            content_type, body = "application/json", answered["Payload"].read().decode()
        elif "X-Amz-Target" in request.headers:
            content_type, body = "application/x-amz-json-1.0", json.dumps(answered, default=datetime.timestamp)
        else:
            content_type, body = "text/xml", _document(model, answered)
        headers: Any = {"Content-Type": content_type, "x-amzn-RequestId": REQUEST_ID}
        return AWSResponse(request.url, 200, headers, _Body(body.encode()))

    session.events.register("before-parameter-build", note)
    session.events.register("before-send", answer)


def _document(model: OperationModel, answered: Mapping[str, Any]) -> str:
    return (
        f"<{model.name}Response xmlns='https://{model.service_model.service_name}.amazonaws.com/doc/'>"
        f"<{model.name}Result>{_xml(model.output_shape, answered)}</{model.name}Result>"
        f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{model.name}Response>"
    )


def _xml(shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        unread = UNREAD_FIELDS if shape.name == "DBInstance" else ""
        return unread + "".join(f"<{name}>{_xml(shape.members[name], each)}</{name}>" for name, each in value.items())
    if shape.type_name == "list":
        name = shape.member.serialization.get("name", "member")
        return "".join(f"<{name}>{_xml(shape.member, each)}</{name}>" for each in value)
    return escape(str(value))


class _Body:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, amt: int | None = None) -> bytes:
        return self._content.read(amt)

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._content.read()
