"""Replication of the primary's automated backups to the recovery region, for point-in-time recovery there."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from data_layer.database import PrimaryDatabase
from shared.naming import Names
from shared.sites import Site


class BackupReplication(pulumi.ComponentResource):
    """Replication of the primary's snapshots and logs. A mistake reaches a replica at once, but not an older backup."""

    def __init__(
        self,
        names: Names,
        *,
        source: PrimaryDatabase,
        data_key_arn: pulumi.Input[str],
        retention_days: int,
        provider: aws.Provider,
    ) -> None:
        """Declare the replication.

        Args:
            names: names of the environment.
            source: the primary.
            data_key_arn: key of the recovery site: what is encrypted in one region needs a key of the other.
            retention_days: how long backups are kept there.
            provider: of the recovery site, where replication is started and stopped.
        """
        name = names.of("database-backups", Site.RECOVERY)
        super().__init__("postgres-dr:data:BackupReplication", name, None, None)
        aws.rds.InstanceAutomatedBackupsReplication(
            name,
            source_db_instance_arn=source.instance.arn,
            kms_key_id=data_key_arn,
            retention_period=retention_days,
            # The first copy of a large database crosses regions before RDS calls it replicating.
            opts=pulumi.ResourceOptions(
                provider=provider, parent=self, custom_timeouts=pulumi.CustomTimeouts(create="3h", delete="2h")
            ),
        )
        self.register_outputs({})
