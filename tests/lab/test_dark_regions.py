"""The lab's AWS without a region, and functions that are killed. One account serves all tests here."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.lab.running_aws import PERSON, PRIMARY, RECOVERY, WITNESS, Account, lines, until

MAY_LOOK = {"Effect": "Allow", "Action": ["rds:Describe*", "cloudwatch:Describe*", "sqs:List*"], "Resource": "*"}
PATIENCE_SECONDS = 0.8


@pytest.fixture(autouse=True)
def daylight(account: Account) -> Iterator[None]:
    yield
    for region in (PRIMARY, RECOVERY, WITNESS):
        account.aws.lighten(region)


def question(region: str, service: str = "sqs", operation: str = "list_queues") -> dict[str, Any]:
    return {"region": region, "service": service, "operation": operation, "seconds": PATIENCE_SECONDS}


def test_a_call_into_a_dark_region_gets_no_answer_until_the_caller_gives_up(account: Account) -> None:
    asking = account.function("ask", RECOVERY, role=account.role(MAY_LOOK))
    assert account.call(asking, question(PRIMARY))[0] == "answered"
    account.aws.darken(PRIMARY)
    for service, operation in (
        ("sqs", "list_queues"),
        ("rds", "describe_db_instances"),
        ("sts", "get_caller_identity"),
    ):
        answer, waited_seconds = account.call(asking, question(PRIMARY, service, operation))
        assert answer == "ReadTimeoutError", service
        assert waited_seconds >= PATIENCE_SECONDS
    assert account.call(asking, question(RECOVERY))[0] == "answered"
    assert account.client("sqs", PRIMARY).list_queues(), "the lab itself still sees the region"
    account.aws.lighten(PRIMARY)
    assert account.call(asking, question(PRIMARY))[0] == "answered"


def test_a_region_can_be_dark_for_one_other_region_alone(account: Account) -> None:
    role = account.role(MAY_LOOK)
    cut_off, witness, own = (account.function("ask", region, role=role) for region in (RECOVERY, WITNESS, PRIMARY))
    account.aws.darken(PRIMARY, seen_from=RECOVERY)
    assert account.call(cut_off, question(PRIMARY))[0] == "ReadTimeoutError"
    assert account.call(cut_off, question(WITNESS))[0] == "answered"
    assert account.call(witness, question(PRIMARY))[0] == "answered"
    assert account.call(own, question(PRIMARY))[0] == "answered", "its functions go on"
    assert account.call(own, question(RECOVERY))[0] == "answered", "for a partition, each is darkened for the other"


def test_a_dark_region_kills_and_runs_no_function(account: Account, tmp_path: Path) -> None:
    running, delivered, scheduled, ended = (tmp_path / name for name in ("running", "delivered", "scheduled", "ended"))
    sns, events = account.client("sns", PRIMARY), account.client("events", PRIMARY)
    slow, of_topic, of_rule = (account.function(name, PRIMARY) for name in ("note", "note_records", "note"))
    topic = sns.create_topic(Name="dark")["TopicArn"]
    account.permit(of_topic, "sns", topic)
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=of_topic)
    account.permit(of_rule, "events", events.put_rule(Name="dark", ScheduleExpression="rate(1 second)")["RuleArn"])
    events.put_targets(
        Rule="dark", Targets=[{"Id": "f", "Arn": of_rule, "Input": json.dumps({"file": str(scheduled)})}]
    )
    interrupted = json.dumps({"file": str(running), "sleep": 1.5, "then": str(ended)})
    account.client("lambda", PRIMARY).invoke(FunctionName=slow, InvocationType="Event", Payload=interrupted)
    until(lambda: lines(running) and lines(scheduled))

    account.aws.darken(PRIMARY)

    before = len(lines(scheduled))
    sns.publish(TopicArn=topic, Message=json.dumps({"file": str(delivered)}))
    refused = account.call(slow, {"file": str(running)})
    time.sleep(2.5)
    assert refused["errorType"] == "Lab.RegionDark"
    assert (len(lines(running)), lines(delivered), lines(ended)) == (1, [], []), "killed, lost and not tried again"
    assert len(lines(scheduled)) == before
    account.aws.lighten(PRIMARY)
    until(lambda: len(lines(scheduled)) > before)
    assert lines(delivered) == []
    events.remove_targets(Rule="dark", Ids=["f"])
    events.delete_rule(Name="dark")


def test_a_killed_function_is_gone_in_the_middle_of_its_run_and_starts_afresh(account: Account, tmp_path: Path) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    function = account.function("note")
    name = function.rpartition(":")[2]
    assert not account.aws.kill_function(RECOVERY, name), "it has no process yet"
    answers: list[Any] = []
    event = {"file": str(begun), "sleep": 10, "then": str(ended)}
    calling = threading.Thread(target=lambda: answers.append(account.call(function, event)))
    calling.start()
    until(lambda: lines(begun))
    assert not account.aws.kill_function(PRIMARY, name), "another region's of the same name"
    started = time.monotonic()
    assert account.aws.kill_function(RECOVERY, name)
    calling.join()
    assert time.monotonic() - started < 2
    assert answers[0]["errorMessage"] == "Worker process died"
    assert lines(ended) == []
    account.call(function, {"file": str(begun)})
    assert len(lines(begun)) == 2
    assert not account.aws.kill_function(RECOVERY, name), "it only waited for the next event"
    account.call(function, {"file": str(begun)})
    assert len(lines(begun)) == 3


def test_functions_cannot_command_the_lab(account: Account) -> None:
    gateway = http.client.HTTPConnection("127.0.0.1", int(account.aws.endpoint_url.rpartition(":")[2]), timeout=2)
    gateway.request("POST", "/_lab/darken", json.dumps({"region": PRIMARY, "seen_from": None}), {"X-Lab-Secret": "no"})
    assert gateway.getresponse().status == 403
    gateway.close()
    asking = account.function("ask", RECOVERY, role=account.role(MAY_LOOK))
    assert account.call(asking, question(PRIMARY))[0] == "answered"


def test_a_persons_role_sees_the_dark_too(account: Account) -> None:
    sqs = account.assumed(account.role(MAY_LOOK, principal=PERSON), "sqs", PRIMARY)
    assert sqs.list_queues()
    account.aws.darken(PRIMARY)
    with pytest.raises(ReadTimeoutError):
        sqs.list_queues()
