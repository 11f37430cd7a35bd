"""DB subnet groups and DB parameter groups, validated as RDS does it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from moto.rds.exceptions import DBParameterGroupNotFoundError, DBSubnetGroupNotFoundError, RDSClientError
from moto.rds.models import DBParameterGroup, DBSubnetGroup

from lab.rds.catalogue import ENGINE, families, family_of
from lab.rds.errors import InvalidCombinationError, InvalidValueError
from lab.rds.instance import DELETING, LabInstance
from lab.rds.lookups import Lookups, Subnet
from lab.rds.region_state import RegionState
from lab.rds.workflows import Workflows

_EXTENSION_PREFIXES = ("rds.", "pg_stat_statements.", "auto_explain.", "pgaudit.", "cron.", "pglogical.", "plpgsql.")
# In PostgreSQL 14, but not in every later one.
_RETIRED = frozenset(
    {"stats_temp_directory", "vacuum_defer_cleanup_age", "force_parallel_mode", "promote_trigger_file"}
)


class Groups(RegionState):
    """The groups of one region."""

    lookups: Lookups
    known_parameters: frozenset[str]
    workflows: Workflows

    def subnets(self, subnet_ids: Sequence[str]) -> list[Subnet]:
        """The subnets a group may be made of.

        Raises:
            RDSClientError: one does not exist or is in another VPC, or all are in one zone.
        """
        found = self.lookups.subnets(subnet_ids)
        if len({subnet.availability_zone for subnet in found}) < 2:
            raise RDSClientError(
                "DBSubnetGroupDoesNotCoverEnoughAZs",
                "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
                "one. Add subnets to cover at least 2 AZs.",
            )
        return found

    def create_subnet_group(
        self, subnet_name: str, description: str, subnets: list[Any], tags: list[dict[str, str]]
    ) -> DBSubnetGroup:
        """Create a subnet group; moto would overwrite one of the same name."""
        if subnet_name in self.subnet_groups:
            raise RDSClientError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{subnet_name}' already exists.")
        return super().create_subnet_group(subnet_name, description, subnets, tags)

    def modify_db_subnet_group(self, subnet_name: str, description: str, subnets: list[Any]) -> DBSubnetGroup:
        """Change a subnet group; moto would lose it."""
        if subnet_name not in self.subnet_groups:
            raise DBSubnetGroupNotFoundError(subnet_name)
        group = super().modify_db_subnet_group(subnet_name, description, subnets)
        self.subnet_groups[subnet_name] = group
        return group

    def delete_subnet_group(self, subnet_name: str) -> DBSubnetGroup:
        """Delete a subnet group that no instance uses."""
        group = self.subnet_groups.get(subnet_name)
        if group is not None and any(instance.db_subnet_group is group for instance in self.instances()):
            raise RDSClientError(
                "InvalidDBSubnetGroupStateFault",
                f"Cannot delete the subnet group '{subnet_name}' because at least one database instance is still using "
                "it.",
            )
        return super().delete_subnet_group(subnet_name)

    def create_db_parameter_group(self, db_parameter_group_kwargs: dict[str, Any]) -> DBParameterGroup:
        """Create a parameter group of a family that RDS has."""
        family = db_parameter_group_kwargs.get("db_parameter_group_family")
        if family not in families():
            raise InvalidValueError(f"ParameterGroupFamily {family} is not a valid parameter group family")
        return super().create_db_parameter_group(db_parameter_group_kwargs)

    def describe_db_parameter_groups(self, db_parameter_group_kwargs: dict[str, Any]) -> list[DBParameterGroup]:
        """The groups, or the one named; unlike with moto, it is an error if that does not exist."""
        found: list[DBParameterGroup] = super().describe_db_parameter_groups(db_parameter_group_kwargs)
        name = db_parameter_group_kwargs.get("db_parameter_group_name")
        if name and not found:
            raise DBParameterGroupNotFoundError(name)
        return found

    def modify_db_parameter_group(
        self, db_parameter_group_name: str, db_parameter_group_parameters: Iterable[dict[str, Any]]
    ) -> DBParameterGroup:
        """Set parameters: dynamic ones are applied at once, static ones at the next reboot."""
        changed = list(db_parameter_group_parameters)
        for parameter in changed:
            self._require_parameter(str(parameter["ParameterName"]))
        group = super().modify_db_parameter_group(db_parameter_group_name, changed)
        waits = any(parameter.get("ApplyMethod") == "pending-reboot" for parameter in changed)
        self._changed(group, waits_for_reboot=waits)
        return group

    def reset_db_parameter_group(
        self, name: str, *, everything: bool, parameters: Iterable[dict[str, Any]]
    ) -> DBParameterGroup:
        """Reset parameters to their defaults: all of them (``everything``), or those given."""
        if name not in self.db_parameter_groups:
            raise DBParameterGroupNotFoundError(name)
        group = self.db_parameter_groups[name]
        if everything:
            waits = any(found.get("ApplyMethod") == "pending-reboot" for found in group.parameters.values())
            group.parameters.clear()
        else:
            named = list(parameters)
            waits = any(parameter.get("ApplyMethod") == "pending-reboot" for parameter in named)
            for parameter in named:
                group.parameters.pop(parameter["ParameterName"], None)
        self._changed(group, waits_for_reboot=waits)
        return group

    def delete_db_parameter_group(self, db_parameter_group_name: str) -> DBParameterGroup:
        """Delete a parameter group that no instance uses."""
        group = self.db_parameter_groups.get(db_parameter_group_name)
        if group is not None and self._users_of(group):
            raise RDSClientError(
                "InvalidDBParameterGroupState",
                f"One or more database instances are still members of this parameter group {db_parameter_group_name}, "
                "so the group cannot be deleted.",
            )
        return super().delete_db_parameter_group(db_parameter_group_name)

    def require_parameter_group(self, name: str, version: str) -> None:
        """Refuse a parameter group that does not exist, or is of another family than an engine version's."""
        if name.startswith(f"default.{ENGINE}"):
            family: str | None = name.removeprefix("default.")
        elif name in self.db_parameter_groups:
            family = self.db_parameter_groups[name].family
        else:
            raise DBParameterGroupNotFoundError(name)
        if family != family_of(version):
            raise InvalidCombinationError(
                f"The parameter group {name} with DBParameterGroupFamily {family} can't be used for this instance. "
                f"Please use a parameter group with DBParameterGroupFamily {family_of(version)}"
            )

    def _users_of(self, group: DBParameterGroup) -> list[LabInstance]:
        return [instance for instance in self.instances() if instance.parameter_group() is group]

    def _changed(self, group: DBParameterGroup, *, waits_for_reboot: bool) -> None:
        for instance in self._users_of(group):
            if waits_for_reboot:
                instance.parameter_apply_status = "pending-reboot"
            if instance.reachable and instance.status != DELETING:
                self.workflows.reload_parameters(instance)

    def _require_parameter(self, name: str) -> None:
        if name not in self.known_parameters and name not in _RETIRED and not name.startswith(_EXTENSION_PREFIXES):
            raise InvalidValueError(f"Could not find parameter with name: {name}")
