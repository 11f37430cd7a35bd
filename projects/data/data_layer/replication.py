"""Replication of one backup bucket into the other site's (C4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from data_layer.bucket_policies import replication_policy, replication_trust_policy
from data_layer.buckets import BackupBucket
from shared.naming import Names
from shared.providers import GLOBAL_SITE, on
from shared.sites import Site

# The only figure Replication Time Control has: 99.99 % of objects within 15 minutes.
REPLICATION_TIME_MINUTES = 15


@dataclass(frozen=True)
class BucketReplicationArgs:
    """From where to where.

    Attributes:
        source: what is replicated.
        destination: where to, in the other site.
        regions: the region of each site.
    """

    source: BackupBucket
    destination: BackupBucket
    regions: Mapping[Site, str]


class BucketReplication(pulumi.ComponentResource):
    """Replication in one direction, with a role of its own. Named after the site it reads from."""

    def __init__(self, names: Names, args: BucketReplicationArgs, providers: Mapping[Site, aws.Provider]) -> None:
        source, destination = args.source, args.destination
        name = names.of("backup-replication", source.site)
        super().__init__("postgres-dr:data:BucketReplication", name, None, None)

        everywhere = on(providers[GLOBAL_SITE], parent=self)
        role = aws.iam.Role(
            name,
            name=name,
            description=f"S3 replicates backups from the {source.site} to the {destination.site} site",
            assume_role_policy=replication_trust_policy(),
            tags={"Name": name},
            opts=everywhere,
        )
        permissions = aws.iam.RolePolicy(
            name,
            name=name,
            role=role.name,
            policy=pulumi.Output.all(
                source_bucket_arn=source.bucket.arn,
                source_key_arn=source.data_key_arn,
                destination_bucket_arn=destination.bucket.arn,
                destination_key_arn=destination.data_key_arn,
            ).apply(
                lambda known: replication_policy(
                    **known,
                    source_region=args.regions[source.site],
                    destination_region=args.regions[destination.site],
                )
            ),
            opts=everywhere,
        )
        aws.s3.BucketReplicationConfig(
            name,
            bucket=source.bucket.bucket,
            role=role.arn,
            rules=[_rule(destination)],
            opts=pulumi.ResourceOptions(
                provider=providers[source.site],
                parent=self,
                # S3 refuses replication before both sides keep versions, and drops objects before the role may act.
                depends_on=[source.versioning, destination.versioning, permissions],
            ),
        )

        self.register_outputs({})


def _rule(destination: BackupBucket) -> aws.s3.BucketReplicationConfigRuleArgs:
    return aws.s3.BucketReplicationConfigRuleArgs(
        id=f"to-{destination.site}",
        priority=1,
        status="Enabled",
        # With a filter, even an empty one, delete markers are replicated only if that is enabled.
        filter=aws.s3.BucketReplicationConfigRuleFilterArgs(prefix=""),
        delete_marker_replication=aws.s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs(status="Enabled"),
        source_selection_criteria=aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs(
            # Objects encrypted with KMS are left out unless they are selected, and a key of the destination is named.
            sse_kms_encrypted_objects=(
                aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaSseKmsEncryptedObjectsArgs(status="Enabled")
            ),
            replica_modifications=(
                aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaReplicaModificationsArgs(status="Enabled")
            ),
        ),
        destination=aws.s3.BucketReplicationConfigRuleDestinationArgs(
            bucket=destination.bucket.arn,
            storage_class="STANDARD",
            encryption_configuration=aws.s3.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs(
                replica_kms_key_id=destination.data_key_arn
            ),
            replication_time=aws.s3.BucketReplicationConfigRuleDestinationReplicationTimeArgs(
                status="Enabled",
                time=aws.s3.BucketReplicationConfigRuleDestinationReplicationTimeTimeArgs(
                    minutes=REPLICATION_TIME_MINUTES
                ),
            ),
            metrics=aws.s3.BucketReplicationConfigRuleDestinationMetricsArgs(
                status="Enabled",
                event_threshold=aws.s3.BucketReplicationConfigRuleDestinationMetricsEventThresholdArgs(
                    minutes=REPLICATION_TIME_MINUTES
                ),
            ),
        ),
    )
