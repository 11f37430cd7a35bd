"""SNS: topics, their policies and subscriptions."""

from __future__ import annotations

from botocore.exceptions import ClientError

from lab.engine.registration import Created, EngineError, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, renamed, required
from lab.engine.tags import tag_list

PROTOCOLS = ("lambda", "email")


def _create_topic(ctx: Context, inputs: Values) -> Created:
    name = required(inputs, "name")
    arn = ctx.client("sns").create_topic(
        Name=name, Attributes=renamed(inputs, {"kmsMasterKeyId": "KmsMasterKeyId"}), Tags=tag_list(ctx.tags)
    )["TopicArn"]
    return Created(arn, {"name": name, "arn": arn, "owner": ctx.account_id})


def _delete_topic(ctx: Context, made: Made) -> None:
    with absence_is_fine("NotFound", "NotFoundException"):
        ctx.client("sns").delete_topic(TopicArn=made.id)


def _create_policy(ctx: Context, inputs: Values) -> Created:
    arn = required(inputs, "arn")
    ctx.client("sns").set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=required(inputs, "policy")
    )
    return Created(arn, {"owner": ctx.account_id})


def _create_subscription(ctx: Context, inputs: Values) -> Created:
    protocol = required(inputs, "protocol")
    if protocol not in PROTOCOLS:
        raise EngineError(f"protocol = {protocol}: the lab's topics know {' and '.join(PROTOCOLS)}")
    arn = ctx.client("sns").subscribe(
        TopicArn=required(inputs, "topic"),
        Protocol=protocol,
        Endpoint=required(inputs, "endpoint"),
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    # Whoever owns a mailbox confirms by a link in a mail.
    return Created(arn, {"arn": arn, "ownerId": ctx.account_id, "pendingConfirmation": protocol == "email"})


def _delete_subscription(ctx: Context, made: Made) -> None:
    try:
        with absence_is_fine("NotFound", "NotFoundException"):
            ctx.client("sns").unsubscribe(SubscriptionArn=made.id)
    except ClientError as error:
        # As the provider: an unconfirmed subscription cannot be ended, it goes with its topic or after 48 hours.
        if "pending confirmation" not in error.response["Error"]["Message"]:
            raise


TYPES: Types = {
    "aws:sns/topic:Topic": ResourceType(_create_topic, _delete_topic, frozenset({"name", "kmsMasterKeyId", "tags"})),
    "aws:sns/topicPolicy:TopicPolicy": ResourceType(_create_policy, None, frozenset({"arn", "policy"})),
    "aws:sns/topicSubscription:TopicSubscription": ResourceType(
        _create_subscription, _delete_subscription, frozenset({"topic", "protocol", "endpoint"})
    ),
}
