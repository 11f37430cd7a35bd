"""SNS, EventBridge and CloudWatch Logs: what is written as a whole is written again."""

from __future__ import annotations

from collections.abc import Mapping

from lab.engine.registration import Values
from lab.engine.resource_table import EVERY_INPUT, Changes, Context
from lab.engine.resources import events, sns
from lab.engine.resources.changes.parts import described, differing, put_again, there
from lab.engine.tags import tag_list


def _update_topic(ctx: Context, arn: str, _: Values, new: Values) -> Values:
    ctx.client("sns").set_topic_attributes(
        TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=new.get("kmsMasterKeyId", "")
    )
    return {}


def _tag_topic(ctx: Context, arn: str, _: Values) -> None:
    ctx.client("sns").tag_resource(ResourceArn=arn, Tags=tag_list(ctx.tags))


def _tag_rule(ctx: Context, name: str, _: Values) -> None:
    arn = f"arn:aws:events:{ctx.region}:{ctx.account_id}:rule/{name}"
    ctx.client("events").tag_resource(ResourceARN=arn, Tags=tag_list(ctx.tags))


def _read_target(ctx: Context, _: str, inputs: Values) -> Values | None:
    targets = ctx.client("events").list_targets_by_rule(Rule=inputs["rule"])["Targets"]
    return {} if any(target["Id"] == inputs["targetId"] for target in targets) else None


def _update_log_group(ctx: Context, name: str, old: Values, new: Values) -> Values:
    logs = ctx.client("logs")
    if differing(old, new, "retentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=new["retentionInDays"])
    if differing(old, new, "kmsKeyId"):
        logs.associate_kms_key(logGroupName=name, kmsKeyId=new["kmsKeyId"])
    return {}


def _tag_log_group(ctx: Context, name: str, _: Values) -> None:
    ctx.client("logs").tag_log_group(logGroupName=name, tags=dict(ctx.tags))


def _read_log_group(ctx: Context, name: str, inputs: Values) -> Values | None:
    groups = ctx.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    found = [group for group in groups if group["logGroupName"] == name]
    if not found:
        return None
    return {"retentionInDays": found[0].get("retentionInDays", 0)} if "retentionInDays" in inputs else {}


CHANGES: Mapping[str, Changes] = {
    "aws:sns/topic:Topic": Changes(
        update=_update_topic,
        updates=frozenset({"kmsMasterKeyId"}),
        replaces=frozenset({"name"}),
        tag=_tag_topic,
        read=described("sns", "get_topic_attributes", "TopicArn"),
    ),
    "aws:sns/topicPolicy:TopicPolicy": Changes(
        update=put_again(sns._create_policy), updates=frozenset({"policy"}), replaces=frozenset({"arn"})
    ),
    "aws:sns/topicSubscription:TopicSubscription": Changes(replaces=EVERY_INPUT),
    "aws:cloudwatch/eventRule:EventRule": Changes(
        update=put_again(events._create_rule),
        updates=frozenset({"description", "eventPattern", "scheduleExpression", "state"}),
        replaces=frozenset({"name"}),
        tag=_tag_rule,
        read=described("events", "describe_rule", "Name"),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Changes(
        update=put_again(events._create_target),
        updates=frozenset({"arn", "retryPolicy"}),
        replaces=frozenset({"rule", "targetId"}),
        read=there(_read_target),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Changes(
        update=_update_log_group,
        updates=frozenset({"kmsKeyId", "retentionInDays"}),
        replaces=frozenset({"name"}),
        tag=_tag_log_group,
        read=_read_log_group,
    ),
}
