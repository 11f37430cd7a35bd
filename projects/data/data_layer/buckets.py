"""A site's bucket for backup snapshots (R3)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from data_layer.bucket_policies import tls_only_policy
from data_layer.hardened_bucket import HardenedBucket, everything, leftovers_rule
from shared.naming import Names
from shared.sites import Site

# S3 transitions objects to STANDARD_IA after 30 days at the earliest.
INFREQUENT_ACCESS_AFTER_DAYS = 30


@dataclass(frozen=True)
class BackupBucketArgs:
    """What a bucket is made of.

    Attributes:
        site: where it is.
        data_key_arn: the site's key.
        force_destroy: delete it with what is in it.
        protect: Pulumi refuses to delete it.
        object_retention_days: how long objects are kept.
        old_version_retention_days: how long overwritten and deleted versions are kept.
    """

    site: Site
    data_key_arn: pulumi.Output[str]
    force_destroy: bool
    protect: bool
    object_retention_days: int
    old_version_retention_days: int


class BackupBucket(HardenedBucket):
    """A versioned, encrypted bucket without public access.

    Attributes:
        site: where it is.
        data_key_arn: the key it is encrypted with.
    """

    site: Site
    data_key_arn: pulumi.Output[str]

    def __init__(self, names: Names, args: BackupBucketArgs, provider: aws.Provider) -> None:
        super().__init__(
            "postgres-dr:data:BackupBucket",
            names.of("backups", args.site),
            force_destroy=args.force_destroy,
            protect=args.protect,
            data_key_arn=args.data_key_arn,
            provider=provider,
        )
        self.site = args.site
        self.data_key_arn = args.data_key_arn
        self.close(self.bucket.arn.apply(tls_only_policy))
        self.tidy(
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="retention",
                status="Enabled",
                filter=everything(),
                transitions=[
                    aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
                        days=INFREQUENT_ACCESS_AFTER_DAYS, storage_class="STANDARD_IA"
                    )
                ],
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.object_retention_days),
                # Expiration only adds a delete marker, and lifecycle actions are not replicated.
                noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                    noncurrent_days=args.old_version_retention_days
                ),
            ),
            leftovers_rule(),
        )

        self.register_outputs({})
