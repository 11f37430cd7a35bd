"""Rules for KMS keys and those who need them: topics, log groups, the state table."""

from __future__ import annotations

from lab.engine.recording import RecordedResource
from tests.rules.graph import (
    Resources,
    actions_of,
    allowed_services,
    arn,
    key_policies,
    looked_at,
    maybe,
    some,
    text,
    violations,
)


def every_key_rotates(resources: Resources) -> list[str]:
    """Rotation is on; a multi-region replica rotates with its primary.

    https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
    """
    return violations(
        some(resources, "Key"), lambda one: one.inputs.get("enableKeyRotation") is not True, "no rotation"
    )


def every_key_has_an_alias(resources: Resources) -> list[str]:
    """Replicas do not share their primary's alias.

    https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
    """
    aliased = {(one.region, one.inputs["targetKeyId"]) for one in some(resources, "Alias")}
    keys = some(resources, "Key", "ReplicaKey")
    return violations(keys, lambda one: not aliased & {(one.region, one.id), (one.region, arn(one))}, "has no alias")


def _publishers(resources: Resources, topic: str) -> set[str]:
    """The AWS services that send to a topic."""
    services: set[str] = set()
    if any(topic in actions_of(one) for one in maybe(resources, "MetricAlarm", "CompositeAlarm")):
        services.add("cloudwatch.amazonaws.com")
    if any(topic == one.inputs["arn"] for one in maybe(resources, "EventTarget")):
        services.add("events.amazonaws.com")
    if any(topic == one.inputs["snsTopic"] for one in maybe(resources, "EventSubscription")):
        services.add("events.rds.amazonaws.com")
    targets = (each for one in maybe(resources, "BucketNotification") for each in one.inputs.get("topics", []))
    if any(topic == each["topicArn"] for each in targets):
        services.add("s3.amazonaws.com")
    return services


def services_that_send_to_a_topic_may_use_its_key(resources: Resources) -> list[str]:
    """A topic with a customer key silently drops what a service sends that the key's policy does not name.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    policies = key_policies(resources)
    topics = [one for one in some(resources, "Topic") if "kmsMasterKeyId" in one.inputs]
    looked_at([one for one in topics if _publishers(resources, arn(one))], "topic with a key that a service sends to")
    lines: list[str] = []
    for one in topics:
        needed = _publishers(resources, arn(one))
        policy = policies.get(one.inputs["kmsMasterKeyId"])
        if policy is None:
            lines.append(f"{text(one)}: its key is none of ours, by ARN")
            continue
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            refused = needed - allowed_services(policy, action)
            lines += [f"{text(one)}: its key refuses {service} {action}" for service in sorted(refused)]
    return lines


def every_topic_is_encrypted(resources: Resources) -> list[str]:
    """Messages name databases and reasons: a customer key of the topic's region.

    https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html
    """
    return violations(
        some(resources, "Topic"),
        lambda one: f":{one.region}:" not in str(one.inputs.get("kmsMasterKeyId")),
        "is not encrypted with a key of its region",
    )


def log_groups_may_use_their_key(resources: Resources) -> list[str]:
    """Log groups with a key need `logs.<region>.amazonaws.com` in its policy.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    policies = key_policies(resources)

    def wrong(one: RecordedResource) -> bool:
        policy = policies.get(one.inputs["kmsKeyId"])
        service = f"logs.{one.region}.amazonaws.com"
        return policy is None or service not in allowed_services(policy, "kms:GenerateDataKey")

    groups = [one for one in some(resources, "LogGroup") if "kmsKeyId" in one.inputs]
    return violations(
        looked_at(groups, "log group with a key"), wrong, "its key refuses the logs service of its region"
    )


def every_log_group_has_retention(resources: Resources) -> list[str]:
    """Without a retention, logs are kept forever.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html
    """
    return violations(
        some(resources, "LogGroup"), lambda one: one.inputs.get("retentionInDays", 0) < 1, "keeps its logs forever"
    )


def every_table_is_encrypted_and_recoverable(resources: Resources) -> list[str]:
    """Customer key and point-in-time recovery.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery.html
    """

    def wrong(one: RecordedResource) -> bool:
        encryption = one.inputs.get("serverSideEncryption", {})
        recovery = one.inputs.get("pointInTimeRecovery", {})
        keyed = encryption.get("enabled") is True and "kmsKeyArn" in encryption
        return not keyed or recovery.get("enabled") is not True

    return violations(some(resources, "Table"), wrong, "lacks a customer key or point-in-time recovery")
