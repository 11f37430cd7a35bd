"""The messages to people during a drill, read through a queue in each site that is subscribed to its topics."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from drills.system import LabSystem

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

BATCH = 10
MAX_BATCHES = 200


@dataclass(frozen=True)
class Message:
    """One message to people.

    Attributes:
        sent_at: when it reached the queue, seconds since 1970.
        topic: ``failures`` or ``recovery``.
        subject: empty where there was none.
        text: the whole message.
    """

    sent_at: float
    topic: str
    subject: str
    text: str


class People:
    """Subscribes a queue in each site to its topics for as long as the context lasts, and removes all afterwards."""

    def __init__(self, system: LabSystem) -> None:
        self._topics: dict[str, str] = {}
        self._at = []
        for site, automation in system.target.automation.items():
            topics = {automation.failures_topic_arn: "failures", automation.recoveries_topic_arn: "recovery"}
            self._topics |= topics
            region = system.target.region(site)
            self._at.append(_Queue(system.client("sns", region), system.client("sqs", region), tuple(topics)))

    def __enter__(self) -> Self:
        for queue in self._at:
            queue.subscribe()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for queue in self._at:
            queue.remove()

    def messages(self) -> tuple[Message, ...]:
        """Everything that arrived since the last call, in the order in which it was sent."""
        received = [self._message(*each) for queue in self._at for each in queue.received()]
        return tuple(sorted(received, key=lambda message: message.sent_at))

    def _message(self, sent_at: float, notification: dict[str, Any]) -> Message:
        subject = notification.get("Subject")
        return Message(
            sent_at=sent_at,
            topic=self._topics[notification["TopicArn"]],
            subject="" if subject is None else str(subject),
            text=str(notification["Message"]),
        )


class _Queue:
    """A queue of one region that takes what is published to topics there."""

    def __init__(self, sns: SNSClient, sqs: SQSClient, topic_arns: tuple[str, ...]) -> None:
        self._sns = sns
        self._sqs = sqs
        self._topic_arns = topic_arns
        self._url = ""
        self._subscriptions: list[str] = []

    def subscribe(self) -> None:
        self._url = self._sqs.create_queue(QueueName=f"drill-people-{secrets.token_hex(4)}")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        queue_arn = attributes["Attributes"]["QueueArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": list(self._topic_arns)}},
                }
            ],
        }
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": json.dumps(policy)})
        for topic_arn in self._topic_arns:
            subscription = self._sns.subscribe(
                TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, ReturnSubscriptionArn=True
            )
            self._subscriptions.append(subscription["SubscriptionArn"])

    def remove(self) -> None:
        for subscription_arn in self._subscriptions:
            self._sns.unsubscribe(SubscriptionArn=subscription_arn)
        self._sqs.delete_queue(QueueUrl=self._url)

    def received(self) -> Iterator[tuple[float, dict[str, Any]]]:
        """When each notification reached the queue, and what it says."""
        for _ in range(MAX_BATCHES):
            received = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=0,
                VisibilityTimeout=60,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
            if not received:
                return
            for envelope in received:
                # The queue's time has milliseconds. The notification's own may be truncated to the second, which would
                # date a message before the fault that caused it.
                yield int(envelope["Attributes"]["SentTimestamp"]) / 1000, json.loads(envelope["Body"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=envelope["ReceiptHandle"])
