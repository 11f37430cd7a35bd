"""Policies around the buckets. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from shared.policy_documents import Condition, Statement, allow, as_json, deny, trust

OLDEST_TLS_VERSION = "1.2"


def tls_only_policy(bucket_arn: str) -> str:
    """A bucket policy that refuses everybody without TLS, and with an outdated one, as JSON."""
    return as_json(*_tls_only(bucket_arn))


def log_delivery_policy(*, log_bucket_arn: str, source_bucket_arn: str, prefix: str, account_id: str) -> str:
    """A bucket policy that lets S3 deliver one bucket's access logs, and refuses whom `tls_only_policy` does. As JSON.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    source = {
        "StringEquals": {"aws:SourceAccount": account_id},
        "ArnLike": {"aws:SourceArn": source_bucket_arn},
    }
    logging = {"Service": "logging.s3.amazonaws.com"}
    delivery = allow("DeliverAccessLogs", "s3:PutObject", f"{log_bucket_arn}/{prefix}*", source, to=logging)
    return as_json(*_tls_only(log_bucket_arn), delivery)


def _tls_only(bucket_arn: str) -> Sequence[Statement]:
    everything = [bucket_arn, f"{bucket_arn}/*"]
    outdated = {"NumericLessThan": {"s3:TlsVersion": OLDEST_TLS_VERSION}}
    return (
        deny("RefuseWithoutTls", "s3:*", everything, {"Bool": {"aws:SecureTransport": "false"}}, to="*"),
        deny("RefuseOutdatedTls", "s3:*", everything, outdated, to="*"),
    )


def replication_trust_policy() -> str:
    """Who may take the replication role: S3 alone, as JSON."""
    return as_json(trust("s3.amazonaws.com"))


def replication_policy(
    *,
    source_bucket_arn: str,
    source_key_arn: str,
    source_region: str,
    destination_bucket_arn: str,
    destination_key_arn: str,
    destination_region: str,
) -> str:
    """What the replication role may do: read from one bucket with its key, write to the other with its key. As JSON.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html and
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
    """
    return as_json(
        allow(
            "ReadConfiguration",
            ["s3:GetReplicationConfiguration", "s3:ListBucket"],
            source_bucket_arn,
        ),
        allow(
            "ReadVersions",
            ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
            f"{source_bucket_arn}/*",
        ),
        allow(
            "WriteReplicas",
            ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
            f"{destination_bucket_arn}/*",
        ),
        allow(
            "DecryptAtTheSource",
            ["kms:Decrypt"],
            source_key_arn,
            _through_s3(source_region, source_bucket_arn),
        ),
        allow(
            "EncryptAtTheDestination",
            ["kms:Encrypt", "kms:GenerateDataKey"],
            destination_key_arn,
            _through_s3(destination_region, destination_bucket_arn),
        ),
    )


def _through_s3(region: str, bucket_arn: str) -> Condition:
    # With bucket keys the encryption context names the bucket; without them (an object uploaded with its own setting)
    # it names the object.
    return {
        "StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket_arn, f"{bucket_arn}/*"]},
    }
