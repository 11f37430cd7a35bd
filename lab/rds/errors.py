"""Errors of RDS that moto does not raise, or raises under another code than AWS."""

from __future__ import annotations

from typing import ClassVar

from moto.rds.exceptions import RDSClientError


class _RefusedError(RDSClientError):
    aws_code: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(self.aws_code, message)


class InvalidDBInstanceStateError(_RefusedError):
    """The instance's state does not allow what is asked."""

    aws_code = "InvalidDBInstanceState"


class InvalidSnapshotStateError(_RefusedError):
    """The snapshot's state does not allow what is asked."""

    aws_code = "InvalidDBSnapshotState"


class InvalidSubnetError(_RefusedError):
    """A subnet does not exist, or is in another VPC than the others."""

    aws_code = "InvalidSubnet"


class InvalidValueError(_RefusedError):
    """A parameter of the request has a value that RDS does not accept."""

    aws_code = "InvalidParameterValue"


class InvalidCombinationError(_RefusedError):
    """Parameters of the request do not go together."""

    aws_code = "InvalidParameterCombination"


class KeyNotAccessibleError(RDSClientError):
    """A KMS key does not exist in the region, or cannot be used."""

    def __init__(self, key: str) -> None:
        super().__init__(
            "KMSKeyNotAccessibleFault",
            f"The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to "
            "access it.",
        )
