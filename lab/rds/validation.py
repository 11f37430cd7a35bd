"""What RDS checks in a request."""

from __future__ import annotations

import re

from lab.rds.catalogue import ENGINE, is_instance_class, resolve_engine_version
from lab.rds.errors import InvalidCombinationError, InvalidDBInstanceStateError, InvalidValueError
from lab.rds.instance import AVAILABLE, LabInstance


def require_available(instance: LabInstance) -> None:
    """Refuse an instance that is not `available`."""
    if instance.status != AVAILABLE:
        raise InvalidDBInstanceStateError(
            f"Instance {instance.db_instance_identifier} is not in available state (it is {instance.status})."
        )


def engine_version(asked: str | None) -> str:
    """The minor version that RDS runs; refuse a version that it does not have."""
    version = resolve_engine_version(asked)
    if version is None:
        raise InvalidCombinationError(f"Cannot find version {asked} for {ENGINE}")
    return version


def require_class(name: str) -> None:
    """Refuse an instance class that RDS does not have."""
    if not is_instance_class(name):
        raise InvalidValueError(f"Invalid DB Instance class: {name}")


def require_login(user: str | None, password: str | None) -> None:
    """Refuse a master user or a password that RDS does not accept."""
    if user is None or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", user) or user.lower() == "rdsadmin":
        raise InvalidValueError("The parameter MasterUsername is not a valid identifier.")
    if password is None or not 8 <= len(password) <= 128:
        raise InvalidValueError(
            "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters "
            "or longer than 128."
        )
    if re.search(r"[/@\" ]", password):
        raise InvalidValueError(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides "
            "'/', '@', '\"', ' ' may be used."
        )
