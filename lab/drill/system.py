"""What a drill needs from the system it rehearses on, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.sites import Site


@dataclass(frozen=True)
class DatabaseUnderDrill:
    """One site's database instance.

    Attributes:
        region: the site's region.
        identifier: the RDS instance identifier.
        address: the literal IP its endpoint answers on.
    """

    region: str
    identifier: str
    address: str


@dataclass(frozen=True)
class Credentials:
    """How a client signs in; never printed, never reported."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Target:
    """The deployed system as its contracts describe it.

    Attributes:
        databases: the database of each site.
        database_name: the database clients use.
        database_port: its TCP port.
        credentials: the master user's.
        writer_name: DNS name under which clients reach the writer.
        failures_topic_arn: topic that tells people about failures.
        recovery_topic_arn: topic that tells people about recovery.
        state_table_name: the controller's state, in the recovery site.
        trigger_alarm_name: the alarm that wakes the failover, in the recovery site.
        latch_alarm_name: the alarm that drives the writer's health check, in the recovery site.
    """

    databases: Mapping[Site, DatabaseUnderDrill]
    database_name: str
    database_port: int
    credentials: Credentials
    writer_name: str
    failures_topic_arn: str
    recovery_topic_arn: str
    state_table_name: str
    trigger_alarm_name: str
    latch_alarm_name: str

    @property
    def recovery_region(self) -> str:
        """Where the controller, its state and its alarms live."""
        return self.databases[Site.RECOVERY].region


class DatabaseServer(Protocol):
    """The PostgreSQL server behind one instance: what a drill can do to it."""

    def kill(self) -> None:
        """End every process of the server at once, as SIGKILL does; return when they are gone."""

    def freeze(self) -> None:
        """Stop every process of the server (SIGSTOP): it accepts connections and never answers."""

    def thaw(self) -> None:
        """Let a frozen server go on."""


class LabSystem(Protocol):
    """A running system a drill can break and watch."""

    @property
    def target(self) -> Target:
        """What is deployed."""

    @property
    def dns_server(self) -> tuple[str, int]:
        """Address and UDP port of the resolver clients ask."""

    def client(self, service: str, region: str) -> Any:
        """A boto3 client for a service in a region, allowed to read everything and to make a queue."""

    def server(self, region: str, identifier: str) -> DatabaseServer:
        """The server behind an instance.

        Raises:
            SettingsError: there is no such instance.
        """

    def versions(self) -> Mapping[str, str]:
        """What runs: at least ``project``, ``python``, ``postgresql`` and ``ministack``."""
