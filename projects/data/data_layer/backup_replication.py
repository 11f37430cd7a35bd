"""Replication of the writer's automated backups to the other site's region, for point-in-time recovery there."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from data_layer.births import Arn
from data_layer.database import Database
from data_layer.declared import DeclaredInstance
from shared.naming import Names


class BackupReplication(pulumi.ComponentResource):
    """Replication of the writer's snapshots and logs. A mistake reaches a replica at once, but not an older backup.

    It belongs to one instance: a successor has the same ARN and needs another. After a failover and until `activeSite`
    follows, the snapshot copier has RDS replicate the new writer's.
    """

    def __init__(
        self,
        names: Names,
        *,
        declared: DeclaredInstance,
        source: Database,
        source_arn: Arn,
        data_key_arn: pulumi.Input[str],
        retention_days: int,
        provider: aws.Provider,
    ) -> None:
        """Declare the replication.

        Args:
            names: names of the environment.
            declared: the active instance.
            source: its resource.
            source_arn: its ARN, a literal.
            data_key_arn: key of the other site: what is encrypted in one region needs a key of the other.
            retention_days: how long backups are kept there.
            provider: of the other site, where replication is started and stopped.
        """
        name = declared.numbered(names.of("database-backups", declared.site.other))
        super().__init__("postgres-dr:data:BackupReplication", name, None, None)
        aws.rds.InstanceAutomatedBackupsReplication(
            name,
            source_db_instance_arn=str(source_arn),
            kms_key_id=data_key_arn,
            retention_period=retention_days,
            # The first copy of a large database crosses regions before RDS calls it replicating.
            opts=pulumi.ResourceOptions(
                provider=provider,
                parent=self,
                depends_on=[source.instance],
                custom_timeouts=pulumi.CustomTimeouts(create="3h", delete="2h"),
            ),
        )
        self.register_outputs({})
