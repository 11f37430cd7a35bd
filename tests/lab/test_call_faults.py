"""Calls that the lab's AWS refuses or answers late, for roles alone. One account serves all tests here."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore import model
from botocore.exceptions import ClientError, ReadTimeoutError

from drills import faults
from drills.stage import Stage
from lab.aws.calls import described_call
from shared.errors import SettingsError
from tests.lab.running_aws import PERSON, PRIMARY, RECOVERY, Account

TABLE = "state"
SLOW_SECONDS = 0.4
NOW = datetime.now(UTC)
METRIC = {"Namespace": "Own", "MetricName": "Seen"}
QUERIES = [{"Id": "m", "MetricStat": {"Period": 1, "Stat": "Maximum", "Metric": METRIC}}]

Call = Callable[[Any], Any]
CALLS: dict[str, tuple[str, Call]] = {
    "PutItem": ("dynamodb", lambda client: client.put_item(TableName=TABLE, Item={"id": {"S": "controller"}})),
    "Publish": ("sns", lambda client: client.publish(TopicArn=topic_in(client.meta.region_name), Message="recovered")),
    "PromoteReadReplica": ("rds", lambda client: client.promote_read_replica(DBInstanceIdentifier="replica")),
    "GetMetricData": (
        "cloudwatch",
        lambda client: client.get_metric_data(MetricDataQueries=QUERIES, StartTime=NOW, EndTime=NOW),
    ),
}
OTHERS: dict[str, Call] = {
    "dynamodb": lambda client: client.get_item(TableName=TABLE, Key={"id": {"S": "controller"}}),
    "sns": lambda client: client.list_topics(),
    # Without a result, which the account's backend here does not give.
    "rds": lambda client: client.add_role_to_db_instance(
        DBInstanceIdentifier="replica", RoleArn="arn:aws:iam::000000000000:role/r", FeatureName="s3Import"
    ),
    "cloudwatch": lambda client: client.put_metric_data(Namespace="Own", MetricData=[{"MetricName": "M", "Value": 1}]),
}
every_call = pytest.mark.parametrize("operation", CALLS)


def topic_in(region: str) -> str:
    return f"arn:aws:sns:{region}:000000000000:people"


@pytest.fixture(scope="module")
def role(account: Account) -> str:
    """A role that may do everything, and what it does it to, in both regions."""
    for region in (PRIMARY, RECOVERY):
        account.client("sns", region).create_topic(Name="people")
        account.client("dynamodb", region).create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    return account.role({"Effect": "Allow", "Action": "*", "Resource": "*"}, principal=PERSON)


@pytest.fixture(autouse=True)
def as_before(account: Account) -> Iterator[None]:
    yield
    for region in (PRIMARY, RECOVERY):
        account.aws.answer_calls(region)


def error_of(call: Callable[[], Any]) -> tuple[str, int] | None:
    """Code and HTTP status of the call's error; None where it succeeds."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return None


def seconds_of(call: Callable[[], Any]) -> float:
    started = time.monotonic()
    call()
    return time.monotonic() - started


@every_call
@pytest.mark.parametrize(
    ("code", "status"),
    [("ThrottlingException", 400), ("AccessDenied", 403), ("InternalFailure", 500), ("ServiceUnavailable", 503)],
)
def test_a_call_of_a_role_is_refused_with_the_code_until_calls_are_answered_again(
    account: Account, role: str, operation: str, code: str, status: int
) -> None:
    service, call = CALLS[operation]
    client = account.assumed(role, service)
    account.aws.refuse_calls(RECOVERY, service, operation, code)
    assert error_of(lambda: call(client)) == (code, status)
    account.aws.answer_calls(PRIMARY)
    assert error_of(lambda: call(client)) == (code, status), "only the other region answers as before"
    account.aws.answer_calls(RECOVERY)
    assert error_of(lambda: call(client)) is None


@every_call
def test_nothing_else_is_refused(account: Account, role: str, operation: str) -> None:
    service, call = CALLS[operation]
    account.aws.refuse_calls(RECOVERY, service, operation, "InternalFailure")
    assert error_of(lambda: call(account.client(service))) is None, "the root user's"
    assert error_of(lambda: OTHERS[service](account.assumed(role, service))) is None, "another operation"
    assert error_of(lambda: call(account.assumed(role, service, PRIMARY))) is None, "another region"
    assert error_of(account.assumed(role, "sts").get_caller_identity) is None, "another service"


@every_call
def test_a_slow_call_is_answered_late_and_nothing_else_is(account: Account, role: str, operation: str) -> None:
    service, call = CALLS[operation]
    client, abroad = account.assumed(role, service), account.assumed(role, service, PRIMARY)
    account.aws.slow_calls(RECOVERY, service, operation, SLOW_SECONDS)
    assert seconds_of(lambda: call(client)) >= SLOW_SECONDS
    assert seconds_of(lambda: OTHERS[service](client)) < SLOW_SECONDS
    assert seconds_of(lambda: call(abroad)) < SLOW_SECONDS
    assert seconds_of(lambda: call(account.client(service))) < SLOW_SECONDS
    account.aws.answer_calls(RECOVERY)
    assert seconds_of(lambda: call(client)) < SLOW_SECONDS


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor", "query"])
def test_cloudwatch_is_refused_in_each_of_its_protocols(
    account: Account, role: str, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", (protocol,))
    _, call = CALLS["GetMetricData"]
    client = account.assumed(role, "cloudwatch")
    asked: list[Any] = []
    client.meta.events.register("before-send.cloudwatch", lambda request, **_: asked.append(request.headers))
    assert error_of(lambda: call(client)) is None
    account.aws.refuse_calls(RECOVERY, "cloudwatch", "GetMetricData", "InternalServiceError")
    assert error_of(lambda: call(client)) == ("InternalServiceError", 500)
    assert error_of(lambda: OTHERS["cloudwatch"](client)) is None
    (spoken,) = {"cbor" if "smithy-protocol" in each else str("X-Amz-Target" in each) for each in asked}
    assert spoken == {"json": "True", "smithy-rpc-v2-cbor": "cbor", "query": "False"}[protocol]


@pytest.mark.parametrize(
    ("service", "operation", "call"),
    [
        ("lambda", "Invoke", lambda client: client.invoke(FunctionName="absent")),
        ("route53", "GetHostedZone", lambda client: client.get_hosted_zone(Id="absent")),
        ("ec2", "DescribeVpcs", lambda client: client.describe_vpcs()),
        ("s3", None, lambda client: client.list_buckets()),
    ],
)
def test_services_whose_requests_do_not_name_the_operation_are_refused_too(
    account: Account, role: str, service: str, operation: str | None, call: Call
) -> None:
    region = "us-east-1" if service == "route53" else RECOVERY
    client = account.assumed(role, service, region)
    account.aws.refuse_calls(region, service, operation, "Refused")
    try:
        assert error_of(lambda: call(client)) == ("Refused", 400)
    finally:
        account.aws.answer_calls(region)
    assert error_of(lambda: call(client)) != ("Refused", 400)


def test_a_whole_service_is_refused_and_an_operation_more_is_slow(account: Account, role: str) -> None:
    client, (_, call) = account.assumed(role, "dynamodb"), CALLS["PutItem"]
    account.aws.refuse_calls(RECOVERY, "dynamodb", None, "InternalServerError")
    account.aws.slow_calls(RECOVERY, "dynamodb", "PutItem", SLOW_SECONDS)
    for each in (call, OTHERS["dynamodb"]):
        assert error_of(lambda each=each: each(client)) == ("InternalServerError", 500)  # type: ignore[misc]
    assert seconds_of(lambda: error_of(lambda: call(client))) >= SLOW_SECONDS
    assert seconds_of(lambda: error_of(lambda: OTHERS["dynamodb"](client))) < SLOW_SECONDS


def test_calls_that_meet_a_fault_are_counted_as_soon_as_they_come(account: Account, role: str) -> None:
    client = account.assumed(role, "dynamodb")
    account.aws.slow_calls(RECOVERY, "dynamodb", "PutItem", 1.3)  # the client waits for one second
    with pytest.raises(ReadTimeoutError):
        client.put_item(TableName=TABLE, Item={"id": {"S": "counted"}})
    assert account.aws.calls_met(RECOVERY) == 1
    error_of(lambda: OTHERS["dynamodb"](client))
    assert account.aws.calls_met(RECOVERY) == 1, "another operation meets none"
    account.aws.answer_calls(RECOVERY)
    assert account.aws.calls_met(RECOVERY) == 0


def test_a_slow_call_takes_effect_also_where_its_caller_has_given_up(account: Account, role: str) -> None:
    client, root = account.assumed(role, "dynamodb"), account.client("dynamodb")
    key = {"id": {"S": "late"}}
    account.aws.slow_calls(RECOVERY, "dynamodb", "PutItem", 1.3)  # the client waits for one second
    with pytest.raises(ReadTimeoutError):
        client.put_item(TableName=TABLE, Item=key)
    assert "Item" not in root.get_item(TableName=TABLE, Key=key)
    time.sleep(0.6)
    assert "Item" in root.get_item(TableName=TABLE, Key=key)


def test_a_functions_calls_are_refused_as_a_persons_are(account: Account) -> None:
    may = {"Effect": "Allow", "Action": "rds:PromoteReadReplica", "Resource": "*"}
    function = account.function("promote", role=account.role(may))
    question = {"id": "replica", "region": RECOVERY}
    account.aws.refuse_calls(RECOVERY, "rds", "PromoteReadReplica", "InvalidDBInstanceState")
    assert account.call(function, question) == "InvalidDBInstanceState"
    assert account.call(function, {**question, "region": PRIMARY}) == "replica"
    account.aws.answer_calls(RECOVERY)
    assert account.call(function, question) == "replica"


def test_an_operation_that_is_not_the_services_is_an_error(account: Account) -> None:
    with pytest.raises(SettingsError, match="PutItems"):
        account.aws.refuse_calls(RECOVERY, "dynamodb", "PutItems", "InternalFailure")
    with pytest.raises(SettingsError, match="give None"):
        described_call(account.client("s3"), "PutObject")


def test_functions_cannot_refuse_calls(account: Account) -> None:
    gateway = http.client.HTTPConnection("127.0.0.1", int(account.aws.endpoint_url.rpartition(":")[2]), timeout=2)
    gateway.request("POST", "/_lab/answer-calls", json.dumps({"region": RECOVERY}), {"X-Lab-Secret": "no"})
    assert gateway.getresponse().status == 403
    gateway.close()


# The drills' faults that are made of the account's own calls


@pytest.fixture
def stage(account: Account, role: str) -> Stage:
    system = SimpleNamespace(client=account.aws.client, **calls_of(account))
    parts = {
        "controller": SimpleNamespace(state_table_name=TABLE),
        "replica_database": SimpleNamespace(region=RECOVERY),
    }
    return cast(Stage, SimpleNamespace(system=system, **parts))


def calls_of(account: Account) -> dict[str, Any]:
    return {name: getattr(account.aws, name) for name in ("refuse_calls", "slow_calls", "answer_calls")}


def test_drills_refuse_and_delay_calls_and_undo_it(account: Account, role: str, stage: Stage) -> None:
    client, (_, call) = account.assumed(role, "dynamodb"), CALLS["PutItem"]
    refusal = faults.refuse(stage, RECOVERY, "dynamodb", "PutItem", "InternalServerError")
    assert refusal.what == f"calls of dynamodb PutItem in {RECOVERY} are refused with InternalServerError"
    refusal.action()
    assert error_of(lambda: call(client)) == ("InternalServerError", 500)
    faults.answer(stage, RECOVERY).action()
    faults.slow(stage, RECOVERY, "dynamodb", None, SLOW_SECONDS).action()
    assert seconds_of(lambda: call(client)) >= SLOW_SECONDS


def test_drills_lose_an_item_and_restore_an_older_table(account: Account, stage: Stage) -> None:
    table = account.client("dynamodb")

    def put(key: str, version: int) -> None:
        table.put_item(TableName=TABLE, Item={"id": {"S": key}, "version": {"N": str(version)}})

    put("controller", 1)
    put("lost", 1)
    kept = faults.keep_table(stage)
    assert kept["controller"] == {"id": {"S": "controller"}, "version": {"N": "1"}}
    put("controller", 2)
    put("incident#1", 1)
    faults.lose_item(stage, "lost").action()
    assert faults.keep_table(stage).keys() ^ kept.keys() == {"incident#1", "lost"}
    faults.restore_table(stage, kept).action()
    assert faults.keep_table(stage) == kept


def test_drills_delete_a_function(account: Account, stage: Stage) -> None:
    name = account.function("pid").rpartition(":")[2]
    faults.delete_function(stage, name, RECOVERY).action()
    assert error_of(lambda: account.client("lambda").get_function(FunctionName=name)) == (
        "ResourceNotFoundException",
        404,
    )
