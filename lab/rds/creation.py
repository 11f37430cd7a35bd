"""New instances and replicas: what RDS refuses, and which address an instance gets."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, cast

from moto.rds.exceptions import DBInstanceAlreadyExists
from moto.rds.models import DBInstance

from lab.aws import LabNetwork, loopback_address
from lab.rds.catalogue import ENGINE
from lab.rds.errors import (
    InvalidCombinationError,
    InvalidDBInstanceStateError,
    InvalidValueError,
    KeyNotAccessibleError,
)
from lab.rds.fleet import DatabaseFleet
from lab.rds.groups import Groups
from lab.rds.instance import AVAILABLE, BACKING_UP, MODIFYING, LabInstance
from lab.rds.listening import AddressInUseError, listening_socket
from lab.rds.lookups import Subnet
from lab.rds.validation import engine_version, require_class, require_login
from shared.errors import SettingsError

# More labs than this on one machine, each with a database in the same subnet, are not expected.
_ADDRESSES_TRIED = 100
_REQUEST_ONLY = ("apply_immediately", "allow_major_version_upgrade", "pre_signed_url", "source_region")
INHERITED = (
    "engine",
    "engine_version",
    "db_instance_class",
    "allocated_storage",
    "storage_type",
    "iops",
    "port",
    "master_username",
    "db_name",
    "auto_minor_version_upgrade",
    "storage_encrypted",
    "engine_lifecycle_support",
    "preferred_backup_window",
    "preferred_maintenance_window",
)


def settings_of(db_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What a request says about the instance itself."""
    return {name: db_kwargs[name] for name in dict(**db_kwargs) if name not in _REQUEST_ONLY}


class Creation(Groups):
    """The actions of one region that create instances."""

    fleet: DatabaseFleet
    network: LabNetwork

    def create_db_instance(self, db_kwargs: Mapping[str, Any]) -> DBInstance:
        """CreateDBInstance: the instance is `creating` until its server is up."""
        settings = settings_of(db_kwargs)
        self._require_new(settings["db_instance_identifier"])
        if settings.get("engine") != ENGINE:
            raise InvalidValueError(f"Invalid DB engine: {settings.get('engine')}. The lab runs {ENGINE} only.")
        if settings.get("db_cluster_identifier") is not None:
            raise InvalidCombinationError("The lab has no DB clusters.")
        settings["engine_version"] = engine_version(settings.get("engine_version"))
        require_class(settings["db_instance_class"])
        if settings.get("manage_master_user_password"):
            raise InvalidCombinationError("The lab manages no master passwords; give MasterUserPassword.")
        require_login(settings.get("master_username"), settings.get("master_user_password"))
        if not settings.get("allocated_storage"):
            raise InvalidCombinationError("You must specify a value for AllocatedStorage.")
        instance = self._created(settings)
        self.workflows.create(instance)
        return instance

    def create_db_instance_read_replica(self, db_kwargs: Mapping[str, Any]) -> DBInstance:
        """CreateDBInstanceReadReplica, of an instance of this or another region."""
        settings = settings_of(db_kwargs)
        self._require_new(settings["db_instance_identifier"])
        source = self.find(settings["source_db_instance_identifier"])
        crosses = source.region != self.region_name
        if source.status not in (AVAILABLE, BACKING_UP, MODIFYING):
            raise InvalidDBInstanceStateError(f"DB instance {source.db_instance_identifier} is not in available state.")
        if source.backup_retention_period == 0:
            raise InvalidDBInstanceStateError(
                f"Automated backups are not enabled for this database instance. To enable automated backups, use "
                f"ModifyDBInstance to set the backup retention period to a non-zero value. "
                f"(DB instance {source.db_instance_identifier})"
            )
        if crosses and source.storage_encrypted and settings.get("kms_key_id") is None:
            raise InvalidCombinationError(
                "Cannot create a cross region unencrypted read replica from encrypted source: "
                f"KmsKeyId of a key in {self.region_name} is required."
            )
        inherited = {name: getattr(source, name) for name in INHERITED}
        inherited["master_user_password"] = source.master_password
        if not crosses:
            inherited["kms_key_id"] = source.kms_key_id
            inherited["db_parameter_group_name"] = source.db_parameter_group_name
            inherited["db_subnet_group_name"] = source.db_subnet_group.name
        settings = {
            **inherited,
            **{name: value for name, value in settings.items() if value is not None},
            "backup_retention_period": 0,
            "source_db_instance_identifier": source.db_instance_arn if crosses else source.db_instance_identifier,
        }
        require_class(settings["db_instance_class"])
        instance = self._created(settings)
        instance.set_as_replica()
        source.add_replica(instance)
        self.workflows.create_replica(instance, source)
        return instance

    def _require_new(self, identifier: str) -> None:
        self._validate_db_identifier(identifier)
        if identifier in self.databases:
            raise DBInstanceAlreadyExists

    def _created(self, settings: dict[str, Any]) -> LabInstance:
        """An instance whose endpoint already has its address, and rejects everybody until its server is up."""
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
        settings["kms_key_id"] = self._key(
            settings.get("kms_key_id"), encrypted=bool(settings.get("storage_encrypted"))
        )
        settings.setdefault("ca_certificate_identifier", "rds-ca-rsa2048-g1")
        settings["port"] = int(settings.get("port") or 5432)
        self.network.register(self.network.site_in(self.region_name), self.lookups.vpc_cidr(group.vpc_id))
        subnets, zone = cast(list[Subnet], group._subnets), settings.get("availability_zone")
        settings["availability_zone"], listening = self._free_address(subnets, zone, settings["port"])
        try:
            # moto leaves the methods for CloudFormation abstract, and so do we.
            instance = LabInstance(self, listening.getsockname()[0], **settings)  # type: ignore[abstract]
        except BaseException:
            listening.close()
            raise
        self.fleet.add(
            self.region_name,
            instance.db_instance_identifier,
            listening,
            lambda: list(instance.vpc_security_group_ids),
            instance.requires_tls,
            lambda: bool(instance.iam_database_authentication_enabled),
            str(instance.dbi_resource_id),
        )
        self.databases[instance.db_instance_identifier] = instance
        return instance

    def _key(self, key: str | None, *, encrypted: bool) -> str | None:
        if key is None:
            return f"arn:aws:kms:{self.region_name}:{self.account_id}:alias/aws/rds" if encrypted else None
        if not encrypted:
            raise InvalidCombinationError("KmsKeyId is only for encrypted storage: set StorageEncrypted.")
        if key.startswith("arn:") and key.split(":")[3] != self.region_name:
            raise KeyNotAccessibleError(key)
        return self.lookups.key_arn(key)

    def _free_address(self, subnets: list[Subnet], zone: str | None, port: int) -> tuple[str, socket.socket]:
        """The zone of the first free address, and a socket that listens there.

        On AWS a VPC's addresses belong to the VPC alone. Here several labs share the machine's, so an address where
        somebody else listens on the port is not free either.
        """
        reason = f"No free address in the subnet group (zone {zone})."
        for subnet, address in islice(self._unused_addresses(subnets, zone), _ADDRESSES_TRIED):
            try:
                return subnet.availability_zone, listening_socket(address, port)
            except AddressInUseError as error:
                reason = str(error)
            except SettingsError as error:
                raise InvalidCombinationError(str(error)) from error
        raise InvalidCombinationError(reason)

    def _unused_addresses(self, subnets: list[Subnet], zone: str | None) -> Iterator[tuple[Subnet, str]]:
        """The addresses that no network interface and no instance of this lab has, as loopback addresses."""
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
                    yield subnet, translated
