"""S3: a bucket and the resources that are its settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.engine.registration import Created, EngineError, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, capitalised, required
from lab.engine.tags import tag_list

# The one region that CreateBucket does not take as a constraint.
UNCONSTRAINED_REGION = "us-east-1"

_ACRONYMS = {
    "id": "ID",
    "kmsMasterKeyId": "KMSMasterKeyID",
    "replicaKmsKeyId": "ReplicaKmsKeyID",
    "sseAlgorithm": "SSEAlgorithm",
}


def _create_bucket(ctx: Context, inputs: Values) -> Created:
    name = required(inputs, "bucket")
    s3 = ctx.client("s3")
    place = (
        {} if ctx.region == UNCONSTRAINED_REGION else {"CreateBucketConfiguration": {"LocationConstraint": ctx.region}}
    )
    s3.create_bucket(Bucket=name, **place)
    if ctx.tags:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(ctx.tags)})
    return Created(
        name,
        {
            "bucket": name,
            "arn": f"arn:aws:s3:::{name}",
            "bucketDomainName": f"{name}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{name}.s3.{ctx.region}.amazonaws.com",
            "bucketRegion": ctx.region,
        },
    )


def _delete_bucket(ctx: Context, made: Made) -> None:
    s3 = ctx.client("s3")
    with absence_is_fine("NoSuchBucket"):
        if made.inputs.get("forceDestroy") is True:
            _empty(s3, made.id)
        s3.delete_bucket(Bucket=made.id)


def _empty(s3: Any, bucket: str) -> None:
    """Delete all versions and delete markers."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        objects = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        if not objects:
            continue
        errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True}).get("Errors", [])
        if errors:
            raise EngineError(f"bucket {bucket} could not be emptied: {errors[0]}")


def _setting(put: Callable[[Any, str, Values], None]) -> Callable[[Context, Values], Created]:
    """Makes a resource that is a setting of a bucket: known by the bucket's name, gone with it."""

    def create(ctx: Context, inputs: Values) -> Created:
        bucket = required(inputs, "bucket")
        put(ctx.client("s3"), bucket, inputs)
        return Created(bucket, {"bucket": bucket})

    return create


def _shaped(inputs: Values, key: str) -> Any:
    return capitalised(required(inputs, key), _ACRONYMS)


def _put_versioning(s3: Any, bucket: str, inputs: Values) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=_shaped(inputs, "versioningConfiguration"))


def _put_encryption(s3: Any, bucket: str, inputs: Values) -> None:
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": _shaped(inputs, "rules")})


_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _put_public_access_block(s3: Any, bucket: str, inputs: Values) -> None:
    blocks = {key: inputs[key] for key in _BLOCKS if key in inputs}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=capitalised(blocks, _ACRONYMS))


def _put_ownership(s3: Any, bucket: str, inputs: Values) -> None:
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [_shaped(inputs, "rule")]})


def _put_lifecycle(s3: Any, bucket: str, inputs: Values) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": _shaped(inputs, "rules")})


def _put_policy(s3: Any, bucket: str, inputs: Values) -> None:
    s3.put_bucket_policy(Bucket=bucket, Policy=required(inputs, "policy"))


def _delete_policy(ctx: Context, made: Made) -> None:
    with absence_is_fine("NoSuchBucket", "NoSuchBucketPolicy"):
        ctx.client("s3").delete_bucket_policy(Bucket=made.id)


def _put_replication(s3: Any, bucket: str, inputs: Values) -> None:
    s3.put_bucket_replication(
        Bucket=bucket,
        ReplicationConfiguration={"Role": required(inputs, "role"), "Rules": _shaped(inputs, "rules")},
    )


def _delete_replication(ctx: Context, made: Made) -> None:
    with absence_is_fine("NoSuchBucket", "ReplicationConfigurationNotFoundError"):
        ctx.client("s3").delete_bucket_replication(Bucket=made.id)


def _put_logging(s3: Any, bucket: str, inputs: Values) -> None:
    target = {"TargetBucket": required(inputs, "targetBucket"), "TargetPrefix": required(inputs, "targetPrefix")}
    if "targetObjectKeyFormat" in inputs:
        target["TargetObjectKeyFormat"] = _shaped(inputs, "targetObjectKeyFormat")
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": target})


def _delete_logging(ctx: Context, made: Made) -> None:
    with absence_is_fine("NoSuchBucket"):
        ctx.client("s3").put_bucket_logging(Bucket=made.id, BucketLoggingStatus={})


TYPES: Types = {
    "aws:s3/bucket:Bucket": ResourceType(_create_bucket, _delete_bucket, frozenset({"bucket", "forceDestroy", "tags"})),
    "aws:s3/bucketVersioning:BucketVersioning": ResourceType(
        _setting(_put_versioning), None, frozenset({"bucket", "versioningConfiguration"})
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ResourceType(
        _setting(_put_encryption), None, frozenset({"bucket", "rules"})
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ResourceType(
        _setting(_put_public_access_block), None, frozenset({"bucket", *_BLOCKS})
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ResourceType(
        _setting(_put_ownership), None, frozenset({"bucket", "rule"})
    ),
    "aws:s3/bucketPolicy:BucketPolicy": ResourceType(
        _setting(_put_policy), _delete_policy, frozenset({"bucket", "policy"})
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ResourceType(
        _setting(_put_lifecycle), None, frozenset({"bucket", "rules"})
    ),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": ResourceType(
        _setting(_put_replication), _delete_replication, frozenset({"bucket", "role", "rules"})
    ),
    "aws:s3/bucketLogging:BucketLogging": ResourceType(
        _setting(_put_logging),
        _delete_logging,
        frozenset({"bucket", "targetBucket", "targetPrefix", "targetObjectKeyFormat"}),
    ),
}
