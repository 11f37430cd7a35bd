"""What all buckets of the layer have: versioning, encryption, no public access, one owner."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from shared.providers import on

# Bucket names are globally unique, so they end with a random id.
NAME_RANDOM_BYTES = 4
UNFINISHED_UPLOAD_DAYS = 7


class HardenedBucket(pulumi.ComponentResource):
    """A versioned, encrypted bucket without public access and without ACLs.

    Attributes:
        bucket: the bucket.
        versioning: its versioning, which replication waits for.
    """

    bucket: aws.s3.Bucket
    versioning: aws.s3.BucketVersioning

    def __init__(
        self,
        component_type: str,
        name: str,
        *,
        force_destroy: bool,
        protect: bool,
        data_key_arn: pulumi.Output[str] | None,
        provider: aws.Provider,
    ) -> None:
        """Declare the bucket.

        Args:
            component_type: type of the component it is.
            name: its name, to which a random id is added.
            force_destroy: delete it with what is in it.
            protect: Pulumi refuses to delete it.
            data_key_arn: the key it is encrypted with; None for S3's own.
            provider: of its site.
        """
        super().__init__(component_type, name, None, None)
        self._bucket_name = name
        self._aws = provider

        ending = random.RandomId(
            self._bucket_name, byte_length=NAME_RANDOM_BYTES, opts=pulumi.ResourceOptions(parent=self)
        )
        self.bucket = aws.s3.Bucket(
            self._bucket_name,
            bucket=pulumi.Output.concat(self._bucket_name, "-", ending.hex),
            force_destroy=force_destroy,
            tags={"Name": self._bucket_name},
            opts=on(provider, parent=self, protect=protect),
        )
        self.versioning = aws.s3.BucketVersioning(
            self._bucket_name,
            bucket=self.bucket.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=on(provider, parent=self),
        )
        self._encrypt(data_key_arn)

    def _encrypt(self, data_key_arn: pulumi.Output[str] | None) -> None:
        by_default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs
        aws.s3.BucketServerSideEncryptionConfiguration(
            self._bucket_name,
            bucket=self.bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        by_default(sse_algorithm="AES256")
                        if data_key_arn is None
                        else by_default(sse_algorithm="aws:kms", kms_master_key_id=data_key_arn)
                    ),
                    # One KMS request serves many objects; an export writes thousands.
                    bucket_key_enabled=data_key_arn is not None,
                )
            ],
            opts=on(self._aws, parent=self),
        )

    def close(self, policy: pulumi.Output[str]) -> aws.s3.BucketPolicy:
        """Shut everybody out but the owner and whom the policy lets in; the bucket's policy is what comes last."""
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
            opts=self.after(block),
        )
        return aws.s3.BucketPolicy(
            self._bucket_name,
            bucket=self.bucket.bucket,
            policy=policy,
            opts=self.after(ownership),
        )

    def tidy(self, *rules: aws.s3.BucketLifecycleConfigurationRuleArgs) -> None:
        """Give what is in the bucket an end."""
        aws.s3.BucketLifecycleConfiguration(
            self._bucket_name,
            bucket=self.bucket.bucket,
            rules=list(rules),
            opts=self.after(self.versioning),
        )

    def after(self, resource: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a setting of this bucket that is made after another resource."""
        return pulumi.ResourceOptions(provider=self._aws, parent=self, depends_on=[resource])


def everything() -> aws.s3.BucketLifecycleConfigurationRuleFilterArgs:
    """The filter of a lifecycle rule that leaves nothing out."""
    return aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")


def leftovers_rule() -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    """The rule that clears unfinished uploads and markers of what is gone."""
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="leftovers",
        status="Enabled",
        filter=everything(),
        # A marker that hides nothing any more; S3 takes this in no rule that also names days.
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
        abort_incomplete_multipart_upload=(
            aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=UNFINISHED_UPLOAD_DAYS
            )
        ),
    )
