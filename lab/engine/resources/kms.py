"""KMS keys, their replicas and aliases."""

from __future__ import annotations

from typing import Any

from lab.engine.registration import Created, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, renamed
from lab.engine.tags import tag_list

_AS_GIVEN = {"description": "Description", "policy": "Policy"}

# What the provider passes on when a program says nothing, which is also KMS's own default.
_DELETION_WINDOW_DAYS = 30


def _create_key(context: Context, inputs: Values) -> Created:
    kms = context.client("kms")
    metadata = kms.create_key(
        **renamed(inputs, {**_AS_GIVEN, "multiRegion": "MultiRegion"}),
        Tags=tag_list(context.tags, "TagKey", "TagValue"),
    )["KeyMetadata"]
    if inputs.get("enableKeyRotation") is True:
        kms.enable_key_rotation(
            KeyId=metadata["KeyId"], **renamed(inputs, {"rotationPeriodInDays": "RotationPeriodInDays"})
        )
    return _created(metadata)


def _create_replica(context: Context, inputs: Values) -> Created:
    primary = str(inputs["primaryKeyArn"])
    # A replica is made by the region that has the primary.
    kms = context.client_in("kms", primary.split(":")[3])
    metadata = kms.replicate_key(
        KeyId=primary,
        ReplicaRegion=context.region,
        **renamed(inputs, _AS_GIVEN),
        Tags=tag_list(context.tags, "TagKey", "TagValue"),
    )["ReplicaKeyMetadata"]
    return _created(metadata)


def _created(metadata: Values) -> Created:
    return Created(
        metadata["KeyId"], {"arn": metadata["Arn"], "keyId": metadata["KeyId"], "keySpec": metadata["KeySpec"]}
    )


def _schedule_deletion(context: Context, made: Made) -> None:
    window: Any = made.inputs.get("deletionWindowInDays", _DELETION_WINDOW_DAYS)
    # A key whose deletion is scheduled is in an invalid state for being scheduled again.
    with absence_is_fine("NotFoundException", "KMSInvalidStateException"):
        context.client("kms").schedule_key_deletion(KeyId=made.id, PendingWindowInDays=window)


def _create_alias(context: Context, inputs: Values) -> Created:
    kms, name = context.client("kms"), str(inputs["name"])
    kms.create_alias(AliasName=name, TargetKeyId=inputs["targetKeyId"])
    key = kms.describe_key(KeyId=name)["KeyMetadata"]
    arn = f"arn:aws:kms:{context.region}:{context.account_id}:{name}"
    return Created(name, {"arn": arn, "targetKeyArn": key["Arn"]})


def _delete_alias(context: Context, made: Made) -> None:
    with absence_is_fine("NotFoundException"):
        context.client("kms").delete_alias(AliasName=made.id)


TYPES: Types = {
    "aws:kms/key:Key": ResourceType(
        _create_key,
        _schedule_deletion,
        frozenset(
            {
                "deletionWindowInDays",
                "description",
                "enableKeyRotation",
                "multiRegion",
                "policy",
                "rotationPeriodInDays",
                "tags",
            }
        ),
    ),
    "aws:kms/replicaKey:ReplicaKey": ResourceType(
        _create_replica,
        _schedule_deletion,
        frozenset({"deletionWindowInDays", "description", "policy", "primaryKeyArn", "tags"}),
    ),
    "aws:kms/alias:Alias": ResourceType(_create_alias, _delete_alias, frozenset({"name", "targetKeyId"})),
}
