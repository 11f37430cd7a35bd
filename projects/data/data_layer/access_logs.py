"""A site's bucket for the access logs of its backup bucket."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from data_layer.bucket_policies import log_delivery_policy
from data_layer.buckets import BackupBucket
from data_layer.hardened_bucket import HardenedBucket, everything, leftovers_rule
from shared.naming import Names

LOG_PREFIX = "backups/"


@dataclass(frozen=True)
class AccessLogBucketArgs:
    """What a log bucket is made of.

    Attributes:
        source: the bucket whose accesses are logged; logs are delivered within a region only.
        account_id: the account of both.
        force_destroy: delete it with what is in it.
        protect: Pulumi refuses to delete it.
        log_retention_days: how long logs are kept.
        old_version_retention_days: how long overwritten and deleted versions are kept.
    """

    source: BackupBucket
    account_id: str
    force_destroy: bool
    protect: bool
    log_retention_days: int
    old_version_retention_days: int


class AccessLogBucket(HardenedBucket):
    """Protected like the bucket it serves. It has no access logs itself: they would log their own delivery.

    Encrypted with S3's keys: S3 delivers no access logs to a bucket with a KMS key as its default.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """

    def __init__(self, names: Names, args: AccessLogBucketArgs, provider: aws.Provider) -> None:
        source = args.source
        super().__init__(
            "postgres-dr:data:AccessLogBucket",
            names.of("access-logs", source.site),
            force_destroy=args.force_destroy,
            protect=args.protect,
            data_key_arn=None,
            provider=provider,
        )
        policy = self.close(
            pulumi.Output.all(log_bucket_arn=self.bucket.arn, source_bucket_arn=source.bucket.arn).apply(
                lambda arns: log_delivery_policy(**arns, prefix=LOG_PREFIX, account_id=args.account_id)
            )
        )
        self.tidy(
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="retention",
                status="Enabled",
                filter=everything(),
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.log_retention_days),
                noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                    noncurrent_days=args.old_version_retention_days
                ),
            ),
            leftovers_rule(),
        )
        aws.s3.BucketLogging(
            names.of("access-logs", source.site),
            bucket=source.bucket.bucket,
            target_bucket=self.bucket.bucket,
            target_prefix=LOG_PREFIX,
            # Logs that S3 cannot deliver are lost, so the policy comes first.
            opts=self.after(policy),
        )

        self.register_outputs({})
