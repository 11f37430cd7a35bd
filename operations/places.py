"""Where snapshots and backups are, and what a restored instance gets, from the outputs of the layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment import flat_outputs
from function_runtime.sites import Site
from shared.errors import SettingsError

# By field; the keys begin with the site's name. Not taken from the contracts: they import Pulumi, which takes long.
OF_A_SITE = {
    "region": "Region",
    "database_id": "DatabaseId",
    "subnet_group_name": "SubnetGroupName",
    "parameter_group_name": "ParameterGroupName",
    "quarantine_group_id": "QuarantineSecurityGroupId",
    "inspection_group_id": "InspectionSecurityGroupId",
    "data_key_arn": "DataKeyArn",
}


@dataclass(frozen=True)
class Place:
    """What restoring needs to know of one site.

    Attributes:
        region: its region.
        database_id: the identifier of its database.
        subnet_group_name: the subnet group of a restored instance.
        parameter_group_name: the parameter group of a restored instance.
        quarantine_group_id: the security group without rules, which a restored instance gets first.
        inspection_group_id: the security group that admits only the operators' network.
        data_key_arn: the site's KMS key, the only one under which the role may restore.
    """

    region: str
    database_id: str
    subnet_group_name: str
    parameter_group_name: str
    quarantine_group_id: str
    inspection_group_id: str
    data_key_arn: str


@dataclass(frozen=True)
class Places:
    """Both sites.

    Attributes:
        at: each site.
        environment_suffix: part of every name.
        database_port: the databases' port.
        database_name: the database that clients use.
        master_username: the user that can sign in to a restored instance.
        restore_role_arn: the role to take.
        operators_are_clients: whether the operators' network has addresses of clients.
    """

    at: Mapping[Site, Place]
    environment_suffix: str
    database_port: int
    database_name: str
    master_username: str
    restore_role_arn: str
    operators_are_clients: bool

    @classmethod
    def read(cls, file: Path) -> Places:
        """Read the flat outputs.

        Raises:
            SettingsError: there is no such file, or an output is missing because a layer was deployed before it had it.
        """
        return cls.of(flat_outputs.read(file))

    @classmethod
    def of(cls, outputs: Mapping[str, Any]) -> Places:
        """Take them from outputs that were read.

        Raises:
            SettingsError: an output is missing.
        """

        def given(key: str) -> Any:
            if outputs.get(key) in (None, ""):
                owner = outputs[flat_outputs.STACK_KEY]
                raise SettingsError(
                    key, "(not in the outputs)", f"deploy all layers, then run ./dr outputs -- --stack {owner}"
                )
            return outputs[key]

        return cls(
            at={
                site: Place(**{field: str(given(f"{site}{key}")) for field, key in OF_A_SITE.items()}) for site in Site
            },
            environment_suffix=str(given("environmentSuffix")),
            database_port=int(given("databasePort")),
            database_name=str(given("databaseName")),
            master_username=str(given("masterUsername")),
            restore_role_arn=str(given("restoreRoleArn")),
            operators_are_clients=given("inspectionAdmits") != "operators",
        )
