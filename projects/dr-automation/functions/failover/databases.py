"""The two database instances, through the RDS API of their own regions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from failover.clients import Clients, code_of
from failover.readings import Instance
from failover.settings import Settings
from function_runtime.sites import Site

INVALID_STATES = frozenset({"InvalidDBInstanceState", "InvalidDBInstanceStateFault"})


class NotInThisStateError(Exception):
    """RDS refuses what was asked in the instance's present state; asked later it may agree."""


class Databases:
    """What a failover does with the instances.

    Every method raises botocore's errors where RDS does not answer or refuses for good.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings

    def describe(self, site: Site) -> Instance:
        """The instance of the site."""
        answer = self._rds(site).describe_db_instances(DBInstanceIdentifier=self._settings.instance_ids[site])
        return instance_from(answer["DBInstances"][0])

    def quarantine(self, site: Site) -> None:
        """Replace the site's security groups with the one that has no rules.

        Raises:
            NotInThisStateError: not in this state.
        """
        self._put_into_group(site, self._settings.quarantine_group_ids[site])

    def open_again(self, site: Site) -> None:
        """Give the site's instance the database's own security group back.

        Raises:
            NotInThisStateError: not in this state.
        """
        self._put_into_group(site, self._settings.database_group_ids[site])

    def reboot(self, site: Site) -> None:
        """Reboot, which ends every connection.

        Raises:
            NotInThisStateError: not in this state.
        """
        self._ask(self._rds(site).reboot_db_instance, DBInstanceIdentifier=self._settings.instance_ids[site])

    def promote(self, site: Site) -> None:
        """Make the replica a database of its own.

        Raises:
            NotInThisStateError: not in this state, for instance during a backup.
        """
        self._ask(
            self._rds(site).promote_read_replica,
            DBInstanceIdentifier=self._settings.instance_ids[site],
            # The default is 1 day, less than what was asked of the old writer.
            BackupRetentionPeriod=self._settings.promoted_backup_retention_days,
        )

    def _put_into_group(self, site: Site, group_id: str) -> None:
        self._ask(
            self._rds(site).modify_db_instance,
            DBInstanceIdentifier=self._settings.instance_ids[site],
            VpcSecurityGroupIds=[group_id],
            ApplyImmediately=True,
        )

    def _rds(self, site: Site) -> Any:
        return self._clients.of("rds", self._settings.regions[site])

    @staticmethod
    def _ask(operation: Any, **parameters: Any) -> None:
        try:
            operation(**parameters)
        except ClientError as error:
            if code_of(error) in INVALID_STATES:
                raise NotInThisStateError(str(error)) from error
            raise


def instance_from(description: Mapping[str, Any]) -> Instance:
    """The instance out of RDS's description."""
    source = description.get("ReadReplicaSourceDBInstanceIdentifier")
    return Instance(
        status=description["DBInstanceStatus"],
        replica_of=source if source else None,
        security_groups={
            group["VpcSecurityGroupId"]: group["Status"] for group in description.get("VpcSecurityGroups", [])
        },
        replication_ended=any(
            info.get("StatusType") == "read replication" and info.get("Status") == "terminated"
            for info in description.get("StatusInfos", [])
        ),
    )
