"""DB subnet groups and DB parameter groups, validated as RDS does it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from moto.rds.exceptions import DBParameterGroupNotFoundError, DBSubnetGroupNotFoundError
from moto.rds.models import DBParameterGroup, DBSubnetGroup, RDSBackend

from lab.rds.catalogue import families
from lab.rds.errors import (
    InvalidValueError,
    NotEnoughZonesError,
    ParameterGroupInUseError,
    SubnetGroupExistsError,
    SubnetGroupInUseError,
)
from lab.rds.instance import LabInstance
from lab.rds.lookups import Lookups, Subnet

_EXTENSION_PREFIXES = ("rds.", "pg_stat_statements.", "auto_explain.", "pgaudit.", "cron.", "pglogical.", "plpgsql.")
# In PostgreSQL 14, but not in every later one.
_RETIRED = frozenset(
    {"stats_temp_directory", "vacuum_defer_cleanup_age", "force_parallel_mode", "promote_trigger_file"}
)


class GroupBooks(RDSBackend):
    """The part of a region's books that holds groups."""

    lookups: Lookups
    known_parameters: frozenset[str]

    def subnets(self, subnet_ids: Sequence[str]) -> list[Subnet]:
        """The subnets a group may be made of.

        Raises:
            InvalidSubnetError: one does not exist, or not in the same VPC.
            NotEnoughZonesError: they lie in one zone.
        """
        found = self.lookups.subnets(subnet_ids)
        if len({subnet.availability_zone for subnet in found}) < 2:
            raise NotEnoughZonesError
        return found

    def create_subnet_group(
        self, subnet_name: str, description: str, subnets: list[Any], tags: list[dict[str, str]]
    ) -> DBSubnetGroup:
        """Enter a subnet group; moto would overwrite one of the same name."""
        if subnet_name in self.subnet_groups:
            raise SubnetGroupExistsError(subnet_name)
        return super().create_subnet_group(subnet_name, description, subnets, tags)

    def modify_db_subnet_group(self, subnet_name: str, description: str, subnets: list[Any]) -> DBSubnetGroup:
        """Change a subnet group; moto loses it from its books."""
        if subnet_name not in self.subnet_groups:
            raise DBSubnetGroupNotFoundError(subnet_name)
        group = super().modify_db_subnet_group(subnet_name, description, subnets)
        self.subnet_groups[subnet_name] = group
        return group

    def delete_subnet_group(self, subnet_name: str) -> DBSubnetGroup:
        """Remove a subnet group that no instance lies in."""
        group = self.subnet_groups.get(subnet_name)
        if group is not None and any(instance.db_subnet_group is group for instance in self.instances()):
            raise SubnetGroupInUseError(subnet_name)
        return super().delete_subnet_group(subnet_name)

    def create_db_parameter_group(self, db_parameter_group_kwargs: dict[str, Any]) -> DBParameterGroup:
        """Enter a parameter group of a family RDS has."""
        family = db_parameter_group_kwargs.get("db_parameter_group_family")
        if family not in families():
            raise InvalidValueError(f"ParameterGroupFamily {family} is not a valid parameter group family")
        return super().create_db_parameter_group(db_parameter_group_kwargs)

    def describe_db_parameter_groups(self, db_parameter_group_kwargs: dict[str, Any]) -> list[DBParameterGroup]:
        """The groups, or the one named; unlike moto's, one that is named and missing is an error."""
        found: list[DBParameterGroup] = super().describe_db_parameter_groups(db_parameter_group_kwargs)
        name = db_parameter_group_kwargs.get("db_parameter_group_name")
        if name and not found:
            raise DBParameterGroupNotFoundError(name)
        return found

    def modify_db_parameter_group(
        self, db_parameter_group_name: str, db_parameter_group_parameters: Iterable[dict[str, Any]]
    ) -> DBParameterGroup:
        """Set parameters: dynamic ones take effect at once, the others with the next reboot."""
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
        """Give parameters their defaults again.

        Args:
            name: the group.
            everything: all of them.
            parameters: the ones meant otherwise.
        """
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
        """Remove a parameter group that no instance has."""
        group = self.db_parameter_groups.get(db_parameter_group_name)
        if group is not None and self._users_of(group):
            raise ParameterGroupInUseError(db_parameter_group_name)
        return super().delete_db_parameter_group(db_parameter_group_name)

    def instances(self) -> list[LabInstance]:
        """Every instance of the region."""
        return [instance for instance in self.databases.values() if isinstance(instance, LabInstance)]

    def parameters_changed(self, instance: LabInstance) -> None:
        """Bring a changed group to a server."""
        raise NotImplementedError

    def _users_of(self, group: DBParameterGroup) -> list[LabInstance]:
        return [instance for instance in self.instances() if instance.parameter_group() is group]

    def _changed(self, group: DBParameterGroup, *, waits_for_reboot: bool) -> None:
        for instance in self._users_of(group):
            if waits_for_reboot:
                instance.parameter_apply_status = "pending-reboot"
            self.parameters_changed(instance)

    def _require_parameter(self, name: str) -> None:
        if name not in self.known_parameters and name not in _RETIRED and not name.startswith(_EXTENSION_PREFIXES):
            raise InvalidValueError(f"Could not find parameter with name: {name}")
