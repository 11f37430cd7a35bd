"""What MiniStack leaves out when it describes flow logs, gateway endpoints and alarms.

A provider compares every attribute with what it has sent, so that a refresh would find them changed. It asks CloudWatch
by the query protocol, where boto3 asks by another one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from itertools import count
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import cloudwatch, ec2  # type: ignore[import-untyped]

Answer = tuple[int, Mapping[str, str], Any]
Handler = Callable[[Any], Answer]

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
LONGEST_AGGREGATION_SECONDS = 600
LOG_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} "
    "${bytes} ${start} ${end} ${action} ${log-status}"
)
# What an endpoint gets that is made without a policy, https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
EVERYTHING = json.dumps(
    {"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
)


def install() -> None:
    """Keep what is sent, and answer with it."""
    _flow_logs()
    _endpoints()
    _alarms()


def _flow_logs() -> None:
    actions = ec2._ACTION_MAP
    create, describe = actions["CreateFlowLogs"], actions["DescribeFlowLogs"]

    def created(params: Any) -> Answer:
        answer, new = _making(create, params, ec2._flow_logs)
        for identifier in new:
            # MiniStack knows another word for what is tagged.
            ec2._parse_tag_specs(params, "vpc-flow-log", identifier)
            ec2._flow_logs[identifier] |= {
                "maxAggregationInterval": ec2._p(params, "MaxAggregationInterval") or LONGEST_AGGREGATION_SECONDS,
                "logFormat": ec2._p(params, "LogFormat") or LOG_FORMAT,
                "deliverLogsPermissionArn": ec2._p(params, "DeliverLogsPermissionArn"),
                "deliverLogsStatus": "SUCCESS",
            }
        return answer

    def described(params: Any) -> Answer:
        status, headers, body = describe(params)
        text = _text(body)
        for identifier, known in ec2._flow_logs.items():
            more = {key: value for key, value in known.items() if key[0].islower() and value}
            text = text.replace(
                mark := f"<flowLogId>{identifier}</flowLogId>",
                mark + "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in more.items()),
            )
        return status, headers, text.encode()

    actions |= {"CreateFlowLogs": created, "DescribeFlowLogs": described}


def _endpoints() -> None:
    actions, fields = ec2._ACTION_MAP, ec2._vpce_fields_xml
    create, describe, modify = (
        actions[f"{verb}VpcEndpoint{s}"] for verb, s in (("Create", ""), ("Describe", "s"), ("Modify", ""))
    )

    def created(params: Any) -> Answer:
        answer, new = _making(create, params, ec2._vpc_endpoints)
        for identifier in new:
            ec2._vpc_endpoints[identifier]["PolicyDocument"] = ec2._p(params, "PolicyDocument") or EVERYTHING
        return answer

    def described(params: Any) -> Answer:
        for identifier in ec2._parse_member_list(params, "VpcEndpointId"):
            if identifier not in ec2._vpc_endpoints:
                refused: Answer = ec2._error(
                    "InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{identifier}' does not exist", 400
                )
                return refused
        answer: Answer = describe(params)
        return answer

    def modified(params: Any) -> Answer:
        answer: Answer = modify(params)
        known = ec2._vpc_endpoints.get(ec2._p(params, "VpcEndpointId"))
        if known is not None and ec2._p(params, "ResetPolicy") == "true":
            known["PolicyDocument"] = EVERYTHING
        return answer

    def fields_xml(endpoint: Mapping[str, Any], tag: str = "item") -> str:
        text: str = fields(endpoint, tag)
        policy = escape(endpoint.get("PolicyDocument", EVERYTHING))
        more = (
            f"<policyDocument>{policy}</policyDocument>"
            "<privateDnsEnabled>false</privateDnsEnabled><requesterManaged>false</requesterManaged>"
        )
        return text.removesuffix(f"</{tag}>") + f"{more}</{tag}>"

    ec2._vpce_fields_xml = fields_xml
    actions |= {"CreateVpcEndpoint": created, "DescribeVpcEndpoints": described, "ModifyVpcEndpoint": modified}


def _alarms() -> None:
    put, describe = cloudwatch._put_metric_alarm, cloudwatch._describe_alarms

    def put_alarm(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Answer:  # noqa: FBT001, FBT002
        answer: Answer = put(params, data, is_cbor, is_json)
        alarm = cloudwatch._alarms.get(cloudwatch._p(params, "AlarmName"))
        if alarm is not None and not (is_cbor or is_json):
            alarm["InsufficientDataActions"] = _listed(params, "InsufficientDataActions")
        return answer

    def described(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Answer:  # noqa: FBT001, FBT002
        if is_cbor or is_json:
            answer: Answer = describe(params, data, is_cbor, is_json)
            return answer
        lists = {name: _listed(params, name) for name in ("AlarmNames", "AlarmTypes")}
        single = {name: cloudwatch._p(params, name) for name in ("AlarmNamePrefix", "StateValue", "NextToken")}
        asked: dict[str, Any] = {name: value for name, value in {**lists, **single}.items() if value}
        most = cloudwatch._p(params, "MaxRecords")
        asked |= {"MaxRecords": int(most)} if most else {}
        status, _, body = describe({}, asked, is_cbor=False, is_json=True)
        if status != HTTPStatus.OK:
            refused: Answer = describe(params, data, is_cbor, is_json)
            return refused
        inner = "".join(_member(name, value) for name, value in json.loads(_text(body)).items())
        told: Answer = cloudwatch._xml(
            200, "DescribeAlarmsResponse", f"<DescribeAlarmsResult>{inner}</DescribeAlarmsResult>"
        )
        return told

    cloudwatch._put_metric_alarm, cloudwatch._describe_alarms = put_alarm, described


def _making(create: Handler, params: Any, made: Any) -> tuple[Answer, list[str]]:
    """The answer of a call that makes something, and the ids of what is new."""
    before = set(made.keys())
    answer = create(params)
    return answer, [identifier for identifier in made.keys() if identifier not in before]  # noqa: SIM118 - no mapping


def _listed(params: Any, name: str) -> list[str]:
    """A list as the query protocol has it."""
    return list(iter(partial(_next_of, params, name, count(1)), ""))


def _next_of(params: Any, name: str, numbers: Iterator[int]) -> str:
    return str(cloudwatch._p(params, f"{name}.member.{next(numbers)}"))


def _member(name: str, value: Any) -> str:
    """A value as the query protocol has it."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_member(key, each) for key, each in value.items())}</{name}>"
    if isinstance(value, list):
        return f"<{name}>{''.join(_member('member', each) for each in value)}</{name}>"
    if isinstance(value, bool):
        value = str(value).lower()
    elif name.endswith("Timestamp"):
        value = datetime.fromtimestamp(float(value), UTC).isoformat()
    return f"<{name}>{escape(str(value))}</{name}>"


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)
