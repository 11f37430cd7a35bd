"""What is deployed in a lab, from the stack outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.sites import Site


@dataclass(frozen=True)
class DeployedDatabase:
    """One site's database instance.

    Attributes:
        region: the site's region.
        identifier: the RDS instance identifier.
        address: its endpoint's IP address.
    """

    region: str
    identifier: str
    address: str


@dataclass(frozen=True)
class Credentials:
    """User and password; the password is not in its repr."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Target:
    """The deployed system.

    Attributes:
        databases: the database of each site.
        database_name: the database clients use.
        database_port: its TCP port.
        credentials: the master user's.
        writer_name: DNS name under which clients reach the writer.
        writer_uri: libpq's URI of both databases, which finds the writer without DNS; it has no user and no password.
        reader_name: DNS name under which clients reach the replica.
        failover_function_name: the controller, in the recovery site.
        probe_function_names: the probe of each site.
        failures_topic_arn: topic that tells people about failures.
        recovery_topic_arn: topic that tells people about recovery.
        state_table_name: the controller's state, in the recovery site.
        trigger_alarm_name: the alarm that invokes the controller, in the recovery site.
        latch_alarm_name: the alarm of the writer's health check, in the recovery site.
    """

    databases: Mapping[Site, DeployedDatabase]
    database_name: str
    database_port: int
    credentials: Credentials
    writer_name: str
    writer_uri: str
    reader_name: str
    failover_function_name: str
    probe_function_names: Mapping[Site, str]
    failures_topic_arn: str
    recovery_topic_arn: str
    state_table_name: str
    trigger_alarm_name: str
    latch_alarm_name: str

    @property
    def recovery_region(self) -> str:
        """Where the controller, its state and its alarms live."""
        return self.databases[Site.RECOVERY].region
