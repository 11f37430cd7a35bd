"""The messages to people during a drill, read through a queue that is subscribed to both topics."""

from __future__ import annotations

import json
import secrets
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
    """Subscribes a queue to both topics for as long as the context lasts, and removes both afterwards."""

    def __init__(self, system: LabSystem) -> None:
        target = system.target
        self._topics = {target.failures_topic_arn: "failures", target.recovery_topic_arn: "recovery"}
        self._sns: SNSClient = system.client("sns", target.recovery_region)
        self._sqs: SQSClient = system.client("sqs", target.recovery_region)
        self._queue_url = ""
        self._subscriptions: list[str] = []

    def __enter__(self) -> Self:
        self._queue_url = self._sqs.create_queue(QueueName=f"drill-people-{secrets.token_hex(4)}")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])
        queue_arn = attributes["Attributes"]["QueueArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": list(self._topics)}},
                }
            ],
        }
        self._sqs.set_queue_attributes(QueueUrl=self._queue_url, Attributes={"Policy": json.dumps(policy)})
        for topic_arn in self._topics:
            subscription = self._sns.subscribe(
                TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, ReturnSubscriptionArn=True
            )
            self._subscriptions.append(subscription["SubscriptionArn"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for subscription_arn in self._subscriptions:
            self._sns.unsubscribe(SubscriptionArn=subscription_arn)
        self._sqs.delete_queue(QueueUrl=self._queue_url)

    def messages(self) -> tuple[Message, ...]:
        """Everything that arrived since the last call, in the order in which it was sent."""
        messages: list[Message] = []
        for _ in range(MAX_BATCHES):
            received = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=0,
                VisibilityTimeout=60,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
            if not received:
                break
            for envelope in received:
                # The queue's time has milliseconds. The notification's own may be truncated to the second, which would
                # date a message before the fault that caused it.
                sent_at = int(envelope["Attributes"]["SentTimestamp"]) / 1000
                messages.append(self._message(sent_at, json.loads(envelope["Body"])))
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=envelope["ReceiptHandle"])
        return tuple(sorted(messages, key=lambda message: message.sent_at))

    def _message(self, sent_at: float, notification: dict[str, Any]) -> Message:
        subject = notification.get("Subject")
        return Message(
            sent_at=sent_at,
            topic=self._topics[notification["TopicArn"]],
            subject="" if subject is None else str(subject),
            text=str(notification["Message"]),
        )
