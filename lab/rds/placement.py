"""Where an instance goes: its groups, its key, its address."""

from __future__ import annotations

from typing import Any, cast

from moto.rds.exceptions import DBInstanceAlreadyExists, DBParameterGroupNotFoundError

from lab.aws import LabNetwork, loopback_address
from lab.rds.catalogue import ENGINE, family_of
from lab.rds.errors import InvalidCombinationError, KeyNotAccessibleError
from lab.rds.fleet import DatabaseFleet
from lab.rds.groups import GroupBooks
from lab.rds.instance import LabInstance
from lab.rds.lookups import Subnet
from shared.errors import SettingsError


class PlacementBooks(GroupBooks):
    """The part of a region's books that finds a place for a new instance."""

    fleet: DatabaseFleet
    network: LabNetwork

    def require_new(self, identifier: str) -> None:
        """Refuse an identifier that is malformed or taken."""
        self._validate_db_identifier(identifier)
        if identifier in self.databases:
            raise DBInstanceAlreadyExists

    def require_parameter_group(self, name: str, version: str) -> None:
        """Refuse a parameter group that is missing or of another family than the version\'s."""
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

    def complete(self, settings: dict[str, Any]) -> None:
        """Check what an instance refers to, and fill in what RDS chooses itself."""
        group_name = settings.get("db_subnet_group_name")
        if group_name is None:
            raise InvalidCombinationError("The lab has no default VPC: give DBSubnetGroupName.")
        group = self.describe_db_subnet_groups(group_name)[0]
        if settings.get("db_parameter_group_name") is not None:
            self.require_parameter_group(settings["db_parameter_group_name"], settings["engine_version"])
        if settings.get("vpc_security_group_ids"):
            self.lookups.require_security_groups(settings["vpc_security_group_ids"], group.vpc_id)
        else:
            settings["vpc_security_group_ids"] = [self.lookups.default_security_group(group.vpc_id)]
        key = settings.get("kms_key_id")
        if key is not None:
            if not settings.get("storage_encrypted"):
                raise InvalidCombinationError("KmsKeyId is only for encrypted storage: set StorageEncrypted.")
            settings["kms_key_id"] = self._key_arn(key)
        elif settings.get("storage_encrypted"):
            settings["kms_key_id"] = f"arn:aws:kms:{self.region_name}:{self.account_id}:alias/aws/rds"

    def _key_arn(self, key: str) -> str:
        if key.startswith("arn:") and key.split(":")[3] != self.region_name:
            raise KeyNotAccessibleError(key)
        return self.lookups.key_arn(key)

    def admit(self, settings: dict[str, Any]) -> LabInstance:
        """Enter an instance, with an address of its own and its door open."""
        group = self.describe_db_subnet_groups(settings["db_subnet_group_name"])[0]
        self.network.register(self.network.site_in(self.region_name), self.lookups.vpc_cidr(group.vpc_id))
        subnet, vpc_address = self._free_address(cast(list[Subnet], group._subnets), settings.get("availability_zone"))
        settings["availability_zone"] = subnet.availability_zone
        settings.setdefault("ca_certificate_identifier", "rds-ca-rsa2048-g1")
        # moto leaves its CloudFormation part abstract, and so do we.
        instance = LabInstance(  # type: ignore[abstract]
            self, loopback_address=loopback_address(vpc_address), vpc_address=vpc_address, **settings
        )
        try:
            self.fleet.add(
                self.region_name,
                instance.db_instance_identifier,
                instance.loopback_address,
                int(instance.port or 0),
                lambda: list(instance.vpc_security_group_ids),
                instance.requires_tls,
            )
        except SettingsError as error:
            raise InvalidCombinationError(str(error)) from error
        self.databases[instance.db_instance_identifier] = instance
        return instance

    def _free_address(self, subnets: list[Subnet], zone: str | None) -> tuple[Subnet, str]:
        used = self.lookups.used_addresses()
        held = self.fleet.addresses()
        for subnet in sorted(subnets, key=lambda each: each.availability_zone):
            if zone is not None and subnet.availability_zone != zone:
                continue
            for address in subnet.addresses():
                try:
                    translated = loopback_address(address)
                except ValueError as error:
                    raise InvalidCombinationError(f"The lab's VPCs lie in 10.0.0.0/8: {error}.") from error
                if address not in used and translated not in held:
                    return subnet, address
        raise InvalidCombinationError(f"No free address in the subnet group (zone {zone}).")
