"""A site's bucket for backup snapshots (R3)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from data_layer.bucket_policies import tls_only_policy
from shared.naming import Names
from shared.providers import on
from shared.sites import Site

# Bucket names are unique in the world, so a random end completes them.
NAME_RANDOM_BYTES = 4
# The shortest stay S3 takes before an object may move to infrequent access.
INFREQUENT_ACCESS_AFTER_DAYS = 30
UNFINISHED_UPLOAD_DAYS = 7


@dataclass(frozen=True)
class BackupBucketArgs:
    """What a bucket is made of.

    Attributes:
        site: where it is.
        data_key_arn: the site's key.
        force_destroy: delete it with what is in it.
        object_retention_days: how long objects are kept.
        old_version_retention_days: how long overwritten and deleted versions are kept.
    """

    site: Site
    data_key_arn: pulumi.Output[str]
    force_destroy: bool
    object_retention_days: int
    old_version_retention_days: int


class BackupBucket(pulumi.ComponentResource):
    """A versioned, encrypted and closed bucket.

    Attributes:
        site: where it is.
        data_key_arn: the key it is encrypted with.
        bucket: the bucket.
        versioning: its versioning, which replication waits for.
    """

    site: Site
    data_key_arn: pulumi.Output[str]
    bucket: aws.s3.Bucket
    versioning: aws.s3.BucketVersioning

    def __init__(self, names: Names, args: BackupBucketArgs, provider: aws.Provider) -> None:
        self._bucket_name = names.of("backups", args.site)
        super().__init__("postgres-dr:data:BackupBucket", self._bucket_name, None, None)
        self._args = args
        self._aws = provider
        self.site = args.site
        self.data_key_arn = args.data_key_arn

        ending = random.RandomId(
            self._bucket_name, byte_length=NAME_RANDOM_BYTES, opts=pulumi.ResourceOptions(parent=self)
        )
        self.bucket = aws.s3.Bucket(
            self._bucket_name,
            bucket=pulumi.Output.concat(self._bucket_name, "-", ending.hex),
            force_destroy=args.force_destroy,
            tags={"Name": self._bucket_name},
            opts=on(provider, parent=self),
        )
        self.versioning = aws.s3.BucketVersioning(
            self._bucket_name,
            bucket=self.bucket.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=on(provider, parent=self),
        )
        self._encrypt()
        self._close()
        self._tidy()

        self.register_outputs({})

    def _encrypt(self) -> None:
        aws.s3.BucketServerSideEncryptionConfiguration(
            self._bucket_name,
            bucket=self.bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                            sse_algorithm="aws:kms", kms_master_key_id=self.data_key_arn
                        )
                    ),
                    # One call to KMS for many objects; an export writes thousands.
                    bucket_key_enabled=True,
                )
            ],
            opts=on(self._aws, parent=self),
        )

    def _close(self) -> None:
        block = aws.s3.BucketPublicAccessBlock(
            self._bucket_name,
            bucket=self.bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=on(self._aws, parent=self),
        )
        ownership = aws.s3.BucketOwnershipControls(
            self._bucket_name,
            bucket=self.bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            # S3 answers "a conflicting conditional operation is in progress" when these are set at the same time.
            opts=self._after(block),
        )
        aws.s3.BucketPolicy(
            self._bucket_name,
            bucket=self.bucket.bucket,
            policy=self.bucket.arn.apply(tls_only_policy),
            opts=self._after(ownership),
        )

    def _tidy(self) -> None:
        everything = aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")
        aws.s3.BucketLifecycleConfiguration(
            self._bucket_name,
            bucket=self.bucket.bucket,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="retention",
                    status="Enabled",
                    filter=everything,
                    transitions=[
                        aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
                            days=INFREQUENT_ACCESS_AFTER_DAYS, storage_class="STANDARD_IA"
                        )
                    ],
                    expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
                        days=self._args.object_retention_days
                    ),
                    # Lifecycle actions do not replicate and expiry only hides: old versions need an end of their own.
                    noncurrent_version_expiration=(
                        aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                            noncurrent_days=self._args.old_version_retention_days
                        )
                    ),
                ),
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="leftovers",
                    status="Enabled",
                    filter=everything,
                    # A marker that hides nothing any more; S3 takes this in no rule that also names days.
                    expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
                    abort_incomplete_multipart_upload=(
                        aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                            days_after_initiation=UNFINISHED_UPLOAD_DAYS
                        )
                    ),
                ),
            ],
            opts=self._after(self.versioning),
        )

    def _after(self, resource: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(provider=self._aws, parent=self, depends_on=[resource])
