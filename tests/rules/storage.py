"""Rules for S3."""

from __future__ import annotations

from lab.engine.recording import RecordedResource
from tests.rules.graph import Resources, listed, maybe, some, statements, text, violations

BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _configured(resources: Resources, bucket: RecordedResource, *kinds: str) -> list[RecordedResource]:
    return [one for one in maybe(resources, *kinds) if one.inputs["bucket"] == bucket.id]


def _log_targets(resources: Resources) -> set[str]:
    return {one.inputs["targetBucket"] for one in maybe(resources, "BucketLogging")}


def every_bucket_is_versioned(resources: Resources) -> list[str]:
    """Replication wants versioning on both sides.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
    """

    def wrong(bucket: RecordedResource) -> bool:
        found = _configured(resources, bucket, "BucketVersioning")
        return [one.inputs["versioningConfiguration"]["status"] for one in found] != ["Enabled"]

    return violations(some(resources, "Bucket"), wrong, "is not versioned")


def every_bucket_blocks_public_access(resources: Resources) -> list[str]:
    """All four blocks are on.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """

    def wrong(bucket: RecordedResource) -> bool:
        found = _configured(resources, bucket, "BucketPublicAccessBlock")
        return not any(all(one.inputs.get(block) is True for block in BLOCKS) for one in found)

    return violations(some(resources, "Bucket"), wrong, "does not block all public access")


def every_bucket_refuses_requests_without_tls(resources: Resources) -> list[str]:
    """A deny for everyone and every action on bucket and objects where `aws:SecureTransport` is false.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """

    def wrong(bucket: RecordedResource) -> bool:
        everything = {f"arn:aws:s3:::{bucket.id}", f"arn:aws:s3:::{bucket.id}/*"}
        return not any(
            statement["Effect"] == "Deny"
            and statement["Principal"] in ("*", {"AWS": "*"})
            and listed(statement["Action"]) == ["s3:*"]
            and everything <= set(listed(statement["Resource"]))
            and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
            for policy in _configured(resources, bucket, "BucketPolicy")
            for statement in statements(policy.inputs["policy"])
        )

    return violations(some(resources, "Bucket"), wrong, "has no TLS-only policy")


def every_bucket_is_encrypted_with_a_key_of_its_region(resources: Resources) -> list[str]:
    """A customer key of the bucket's region with a bucket key; targets of access logs may use SSE-S3.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html and, for log targets,
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    targets = _log_targets(resources)

    def right(bucket: RecordedResource, encryption: RecordedResource) -> bool:
        (rule,) = encryption.inputs["rules"]
        default = rule["applyServerSideEncryptionByDefault"]
        if default["sseAlgorithm"] == "AES256":
            return bucket.id in targets
        key = str(default.get("kmsMasterKeyId"))
        return default["sseAlgorithm"] == "aws:kms" and f":{bucket.region}:" in key and rule["bucketKeyEnabled"] is True

    def wrong(bucket: RecordedResource) -> bool:
        found = _configured(resources, bucket, "BucketServerSideEncryptionConfiguration")
        return not any(right(bucket, one) for one in found)

    return violations(some(resources, "Bucket"), wrong, "is not encrypted with a key of its region and a bucket key")


def every_bucket_expires_old_versions_and_unfinished_uploads(resources: Resources) -> list[str]:
    """Current and old versions and unfinished uploads each have an end; lifecycle actions do not replicate.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
    """
    lines: list[str] = []
    for bucket in some(resources, "Bucket"):
        rules = [
            rule
            for one in _configured(resources, bucket, "BucketLifecycleConfiguration")
            for rule in one.inputs["rules"]
            if rule["status"] == "Enabled"
        ]
        ends = {
            "current versions": any("days" in rule.get("expiration", {}) for rule in rules),
            "old versions": any("noncurrentVersionExpiration" in rule for rule in rules),
            "unfinished uploads": any("abortIncompleteMultipartUpload" in rule for rule in rules),
        }
        lines += [f"{text(bucket)}: nothing ends its {what}" for what, present in ends.items() if not present]
    return lines


def every_bucket_has_its_owner_enforced(resources: Resources) -> list[str]:
    """ACLs are off.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    """

    def wrong(bucket: RecordedResource) -> bool:
        found = _configured(resources, bucket, "BucketOwnershipControls")
        return [one.inputs["rule"]["objectOwnership"] for one in found] != ["BucketOwnerEnforced"]

    return violations(some(resources, "Bucket"), wrong, "lets objects have other owners")


def replication_is_complete(resources: Resources) -> list[str]:
    """Delete markers are decided where a filter is used, SSE-KMS objects selected with a replica key, and timed.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html,
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html and
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html
    """
    lines: list[str] = []
    for one in some(resources, "BucketReplicationConfig"):
        for rule in one.inputs["rules"]:
            destination = rule["destination"]
            selected = rule.get("sourceSelectionCriteria", {}).get("sseKmsEncryptedObjects", {}).get("status")
            timed = {destination.get(key, {}).get("status") for key in ("replicationTime", "metrics")}
            parts = {
                "deleteMarkerReplication": "filter" not in rule or "deleteMarkerReplication" in rule,
                "sseKmsEncryptedObjects": selected == "Enabled",
                "replicaKmsKeyId": "replicaKmsKeyId" in destination.get("encryptionConfiguration", {}),
                "replicationTime and metrics": timed == {"Enabled"},
            }
            lines += [f"{text(one)}: rule {rule['id']} lacks {part}" for part, there in parts.items() if not there]
    return lines
