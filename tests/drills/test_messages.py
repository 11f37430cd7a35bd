"""Messages to people are read completely, and dated precisely enough to tell whether they came after the fault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from drills.records.messages import People
from drills.system import LabSystem
from tests.drills.targets import drill_target

REGIONS = ("ap-southeast-2", "ap-southeast-1")
FAILURES, RECOVERY = "arn:failures", "arn:recoveries"
OF_THE_PRIMARY = ("arn:failures-of-primary", "arn:recoveries-of-primary")


class Account:
    """SNS and SQS of a region in one: what was subscribed, made and left behind, and the messages in the queue."""

    def __init__(self, topics: tuple[str, ...]) -> None:
        self.topics = topics
        self.subscribed: list[str] = []
        self.queues: list[str] = []
        self.waiting: list[Mapping[str, Any]] = []

    def create_queue(self, **request: Any) -> Mapping[str, str]:
        self.queues.append(request["QueueName"])
        return {"QueueUrl": request["QueueName"]}

    def get_queue_attributes(self, **_: Any) -> Mapping[str, Mapping[str, str]]:
        return {"Attributes": {"QueueArn": "arn:queue"}}

    def set_queue_attributes(self, **request: Any) -> None:
        statement = json.loads(request["Attributes"]["Policy"])["Statement"][0]
        assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == list(self.topics)

    def subscribe(self, **request: Any) -> Mapping[str, str]:
        self.subscribed.append(request["TopicArn"])
        return {"SubscriptionArn": request["TopicArn"]}

    def receive_message(self, **request: Any) -> Mapping[str, Any]:
        asked = request.get("MessageSystemAttributeNames", [])
        batch, self.waiting = self.waiting[:10], self.waiting[10:]
        return {"Messages": [{**m, "Attributes": {k: m["Attributes"][k] for k in asked}} for m in batch]}

    def delete_message(self, **_: Any) -> None: ...

    def unsubscribe(self, **request: Any) -> None:
        self.subscribed.remove(request["SubscriptionArn"])

    def delete_queue(self, **request: Any) -> None:
        self.queues.remove(request["QueueUrl"])


@dataclass(frozen=True)
class Accounts:
    """Both regions."""

    primary: Account = field(default_factory=lambda: Account(OF_THE_PRIMARY))
    recovery: Account = field(default_factory=lambda: Account((FAILURES, RECOVERY)))

    @property
    def system(self) -> LabSystem:
        of = dict(zip(REGIONS, (self.primary, self.recovery), strict=True))
        return cast(
            LabSystem, SimpleNamespace(target=drill_target("p", "r"), client=lambda service, region: of[region])
        )


def envelope(topic_arn: str, sent_at_ms: int, subject: str | None) -> Mapping[str, Any]:
    # The notification's own time is cut to the second, as the lab's SNS does it.
    body = {"TopicArn": topic_arn, "Message": "text", "Timestamp": "2026-11-23T05:43:20.000Z"}
    if subject is not None:
        body["Subject"] = subject
    return {"Body": json.dumps(body), "ReceiptHandle": "r", "Attributes": {"SentTimestamp": str(sent_at_ms)}}


def test_a_message_is_dated_by_the_queue_not_by_the_second_its_notification_names() -> None:
    accounts = Accounts()
    with People(accounts.system) as people:
        accounts.recovery.waiting = [
            envelope(RECOVERY, 1795412600900, None),
            envelope(FAILURES, 1795412600450, "Begun"),
        ]
        told = people.messages()
    assert [(message.topic, message.subject) for message in told] == [("failures", "Begun"), ("recovery", "")]
    assert [message.sent_at for message in told] == [1795412600.45, 1795412600.9]


def test_all_that_waits_is_read_though_it_is_more_than_one_batch() -> None:
    accounts = Accounts()
    with People(accounts.system) as people:
        accounts.recovery.waiting = [envelope(FAILURES, 1795412600000 + n, str(n)) for n in range(25)]
        assert len(people.messages()) == 25


def test_neither_queue_nor_subscription_is_left_behind_by_a_drill_that_stopped_half_way() -> None:
    accounts = Accounts()
    people = People(accounts.system)
    people.__enter__()
    both = (accounts.primary, accounts.recovery)
    assert [(each.subscribed, len(each.queues)) for each in both] == [(list(each.topics), 1) for each in both]
    people.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert [(each.subscribed, each.queues) for each in both] == [([], [])] * 2


def test_messages_of_both_sites_come_in_the_order_in_which_they_were_sent() -> None:
    accounts = Accounts()
    with People(accounts.system) as people:
        accounts.recovery.waiting = [envelope(RECOVERY, 1795412600900, "Recovered")]
        accounts.primary.waiting = [envelope(OF_THE_PRIMARY[0], 1795412600450, "Begun")]
        assert [(each.topic, each.subject) for each in people.messages()] == [
            ("failures", "Begun"),
            ("recovery", "Recovered"),
        ]
