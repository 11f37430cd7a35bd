"""A DB instance: moto's, with what moto leaves out."""

from __future__ import annotations

import random
import string
import threading
from datetime import datetime, timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.rds.models import DBInstance, DBParameterGroup, RDSBackend

from lab.rds.catalogue import ENGINE, family_of, hosted_zone

AVAILABLE = "available"
BACKING_UP = "backing-up"
CREATING = "creating"
DELETING = "deleting"
FAILED = "failed"
MODIFYING = "modifying"
REBOOTING = "rebooting"
STARTING = "starting"
STORAGE_FULL = "storage-full"
STORAGE_OPTIMIZATION = "storage-optimization"
STOPPED = "stopped"
STOPPING = "stopping"

_RESOURCE_ID_LETTERS = string.ascii_uppercase + string.digits


class LabInstance(DBInstance):
    """One instance. What moto takes from its own EC2, or makes up, is the lab's here."""

    def __init__(self, backend: RDSBackend, address: str, **settings: Any) -> None:
        """An instance in the state `creating`.

        Args:
            backend: the state of its region.
            address: the loopback address of its endpoint.
            settings: moto's own arguments, which are the request's in snake case.
        """
        super().__init__(backend, **settings)
        self._address = address
        self.status = CREATING
        self.resting_status = AVAILABLE
        """What it is called while nothing is done to it."""
        # The Terraform provider identifies instances by it, so it must be unique; moto's is a constant.
        self.dbi_resource_id = "db-" + "".join(random.choices(_RESOURCE_ID_LETTERS, k=26))  # noqa: S311
        self.workflow = threading.Lock()
        self.reachable = False
        self.lost_its_server = False
        self.has_backup = False
        self.replication_terminated = False
        self.db_instance_automated_backups_replications: list[dict[str, str]] = []
        self.parameter_apply_status = "in-sync"
        self.pending_modified_values: dict[str, Any] = {}
        self.license_model = "postgresql-license"
        self.performance_insights_enabled = bool(settings.get("enable_performance_insights", False))
        self.performance_insights_kms_key_id = settings.get("performance_insights_kms_key_id")
        self.performance_insights_retention_period = settings.get("performance_insights_retention_period")
        self.engine_lifecycle_support = settings.get("engine_lifecycle_support", "open-source-rds-extended-support")
        self.network_type = settings.get("network_type", "IPV4")
        self.backup_target = settings.get("backup_target", "region")
        self.database_insights_mode = settings.get("database_insights_mode", "standard")
        self.dedicated_log_volume = bool(settings.get("dedicated_log_volume", False))
        self.customer_owned_ip_enabled = False
        self.is_storage_config_upgrade_available = False
        self.activity_stream_status = "stopped"
        self.certificate_details = {"CAIdentifier": self.ca_certificate_identifier}
        self.publicly_accessible = bool(self.publicly_accessible)
        if not self.option_group_supplied:
            self.option_group_name = f"default:{ENGINE}-{self.engine_version.partition('.')[0]}"

    @property
    def master_password(self) -> str:
        """The master user's password."""
        return str(self._master_user_password)

    @property
    def vpc_id(self) -> str:
        """The VPC of its subnet group."""
        return str(self.db_subnet_group.vpc_id)

    @property
    def slot(self) -> str:
        """The replication slot that it streams from where it is a replica."""
        return f"rds_{self.region}_{self.dbi_resource_id}".lower().replace("-", "_")

    @property
    def is_read_replica(self) -> bool:
        """Whether it is a read replica."""
        return self.source_db_instance_identifier is not None

    @property
    def address(self) -> str:
        """The host of the endpoint."""
        return self._address

    @property
    def endpoint(self) -> dict[str, Any] | None:  # type: ignore[override] # None is left out of answers
        """Where clients connect; None until the instance is created, as on AWS."""
        if not self.reachable:
            return None
        return {"Address": self._address, "Port": self.port, "HostedZoneId": hosted_zone(self.region)}

    @property
    def db_instance_port(self) -> int:
        """Zero for instances outside clusters, as AWS answers."""
        return 0

    @property
    def latest_restorable_time(self) -> datetime | None:  # type: ignore[override]
        """The latest time that point-in-time recovery reaches: AWS uploads the logs every five minutes."""
        return utcnow() - timedelta(minutes=5) if self.has_backup and self.backup_retention_period > 0 else None

    @property
    def db_parameter_group_status_list(self) -> list[dict[str, str]]:
        """The parameter group and whether all of it has been applied."""
        return [
            {"DBParameterGroupName": group.name, "ParameterApplyStatus": self.parameter_apply_status}
            for group in self.db_parameter_groups()
        ]

    @property
    def status_infos(self) -> list[dict[str, Any]] | None:
        """The state of replication, for replicas."""
        if not self.is_read_replica:
            return None
        status = "terminated" if self.replication_terminated else "replicating"
        return [{"StatusType": "read replication", "Normal": not self.replication_terminated, "Status": status}]

    @property
    def storage_throughput(self) -> int | None:
        """Throughput of gp3 storage in MiB/s: its baseline where nothing was asked for."""
        if self.storage_type != "gp3":
            return None
        return 125 if self._storage_throughput is None else self._storage_throughput

    @storage_throughput.setter
    def storage_throughput(self, value: int | None) -> None:
        self._storage_throughput = value

    def default_db_parameter_group_details(self) -> tuple[str, str]:
        """Family and name of the default parameter group."""
        family = family_of(self.engine_version)
        return family, f"default.{family}"

    def is_default_parameter_group(self, param_group_name: str) -> bool:
        """Whether a group is one of RDS's default groups."""
        return param_group_name.startswith(f"default.{ENGINE}")

    def parameter_group(self) -> DBParameterGroup:
        """The instance's parameter group."""
        return self.db_parameter_groups()[0]

    def parameters(self) -> dict[str, str]:
        """The parameters that the parameter group sets, by name."""
        return {
            name: str(parameter["ParameterValue"])
            for name, parameter in self.parameter_group().parameters.items()
            if "ParameterValue" in parameter
        }

    def requires_tls(self) -> bool:
        """Whether clients need TLS: `rds.force_ssl`, which RDS sets from PostgreSQL 15 on."""
        default = "1" if int(self.engine_version.partition(".")[0]) >= 15 else "0"
        return self.parameters().get("rds.force_ssl", default) == "1"

    def remove_replica(self, replica: DBInstance) -> None:
        """Remove a replica from the list of replicas, which has those of other regions by ARN."""
        named = (replica.db_instance_arn, replica.db_instance_identifier)
        self.replicas = [known for known in self.replicas if known not in named]
