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
class DeployedAutomation:
    """The automation in one site.

    Attributes:
        failover_function_name: its controller.
        probe_function_name: its probe.
        failures_topic_arn: topic that tells people about failures.
        recoveries_topic_arn: topic that tells people about recoveries.
        state_table_name: the controller's state.
        trigger_alarm_name: the alarm that invokes the controller.
        word_alarm_names: the alarms on the controller's word, which the health checks of the writer's name follow.
    """

    failover_function_name: str
    probe_function_name: str
    failures_topic_arn: str
    recoveries_topic_arn: str
    state_table_name: str
    trigger_alarm_name: str
    word_alarm_names: tuple[str, ...]


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
        automation: the automation in each site.
        database_name: the database clients use.
        database_port: its TCP port.
        credentials: the master user's.
        writer_name: DNS name under which clients reach the writer.
        writer_uri: URI of both databases, which finds the writer without DNS; it has no user and no password, nor have
            the next two.
        writer_libpq_uri: the same with libpq's own deadlines for a host that falls silent.
        writer_jdbc_url: the same for pgjdbc.
        writer_hosts: ``host:port`` of both databases, in the order they are to be tried.
        reader_name: DNS name under which clients reach the standby.
    """

    databases: Mapping[Site, DeployedDatabase]
    automation: Mapping[Site, DeployedAutomation]
    database_name: str
    database_port: int
    credentials: Credentials
    writer_name: str
    writer_uri: str
    writer_libpq_uri: str
    writer_jdbc_url: str
    writer_hosts: tuple[str, ...]
    reader_name: str

    def region(self, site: Site) -> str:
        """A site's region."""
        return self.databases[site].region
