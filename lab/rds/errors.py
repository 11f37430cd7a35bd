"""Errors of RDS that moto does not raise, or raises under another code than AWS."""

from __future__ import annotations

from moto.rds.exceptions import RDSClientError


class InvalidDBInstanceStateError(RDSClientError):
    """The instance is in no state for what is asked."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidDBInstanceState", message)


class InvalidBackupStateError(RDSClientError):
    """An automated backup is in no state for what is asked."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidDBInstanceAutomatedBackupState", message)


class BackupNotFoundError(RDSClientError):
    """There is no such automated backup."""

    def __init__(self, arn: str) -> None:
        super().__init__("DBInstanceAutomatedBackupNotFound", f"The automated backup {arn} was not found.")


class NotEnoughZonesError(RDSClientError):
    """A subnet group lies in one zone."""

    def __init__(self) -> None:
        super().__init__(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: one. "
            "Add subnets to cover at least 2 AZs.",
        )


class InvalidSubnetError(RDSClientError):
    """A subnet does not exist, or not beside the others."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidSubnet", message)


class InvalidValueError(RDSClientError):
    """A parameter of the request has a value RDS does not take."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidParameterValue", message)


class InvalidCombinationError(RDSClientError):
    """Parameters of the request do not go together."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidParameterCombination", message)


class KeyNotAccessibleError(RDSClientError):
    """A KMS key does not exist in the region, or cannot be used."""

    def __init__(self, key: str) -> None:
        super().__init__(
            "KMSKeyNotAccessibleFault",
            f"The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to "
            "access it.",
        )


class SubnetGroupInUseError(RDSClientError):
    """A subnet group still holds an instance."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "InvalidDBSubnetGroupStateFault", f"Cannot delete the subnet group '{name}' because at least one database "
            "instance is still using it.",
        )  # fmt: skip


class SubnetGroupExistsError(RDSClientError):
    """A subnet group of this name is there."""

    def __init__(self, name: str) -> None:
        super().__init__("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")


class ParameterGroupInUseError(RDSClientError):
    """A parameter group still belongs to an instance."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "InvalidDBParameterGroupState", f"One or more database instances are still members of this parameter group "
            f"{name}, so the group cannot be deleted.",
        )  # fmt: skip
