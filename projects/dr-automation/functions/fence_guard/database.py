"""The guard's own database instance, through the RDS API of its own region: look, shut, reboot. It can do no more."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from failover.clients import code_of
from failover.databases import INVALID_STATES, NotInThisStateError, instance_from
from failover.readings import Instance

ABSENT = frozenset({"DBInstanceNotFound", "DBInstanceNotFoundFault"})


class OwnDatabase:
    """One instance.

    Every method raises botocore's errors where RDS does not answer or refuses for good.

    Args:
        rds: RDS's client in the instance's region.
        instance_id: its identifier.
        quarantine_group_id: the security group without rules.
    """

    def __init__(self, rds: Any, instance_id: str, quarantine_group_id: str) -> None:
        self._rds = rds
        self._instance_id = instance_id
        self._quarantine_group_id = quarantine_group_id

    def describe(self) -> Instance | None:
        """The instance, None where there is none (any more)."""
        try:
            answer = self._rds.describe_db_instances(DBInstanceIdentifier=self._instance_id)
        except ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise
        return instance_from(answer["DBInstances"][0])

    def is_quarantined(self, instance: Instance) -> bool:
        """Whether no new connection reaches it: the group without rules is the only one, and in force."""
        return dict(instance.security_groups) == {self._quarantine_group_id: "active"}

    def quarantine(self) -> None:
        """Replace its security groups with the one that has no rules.

        Raises:
            NotInThisStateError: not in its present state.
        """
        self._ask(
            self._rds.modify_db_instance,
            VpcSecurityGroupIds=[self._quarantine_group_id],
            ApplyImmediately=True,
        )

    def reboot(self) -> None:
        """Reboot it, which ends every connection.

        Raises:
            NotInThisStateError: not in its present state.
        """
        self._ask(self._rds.reboot_db_instance)

    def _ask(self, operation: Any, **parameters: Any) -> None:
        try:
            operation(DBInstanceIdentifier=self._instance_id, **parameters)
        except ClientError as error:
            if code_of(error) in INVALID_STATES:
                raise NotInThisStateError(str(error)) from error
            raise
