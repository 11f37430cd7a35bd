"""Who has which role: what each state table says, what RDS shows of each instance, how often it has been born."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployment.state_tables import REPROTECT
from drills.system import LabSystem
from function_runtime.handover import Handover
from function_runtime.items import Items
from function_runtime.sites import Site as FunctionSite
from function_runtime.state import State
from operations.reprotect.record import Record
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient


@dataclass(frozen=True)
class Said:
    """What the state table of a site says.

    Attributes:
        writer: the site whose database takes writes.
        authority: the site whose controller has the say.
        epoch: how many failovers it knows.
    """

    writer: Site
    authority: Site
    epoch: int


@dataclass(frozen=True)
class Shown:
    """What RDS shows of a site's instance.

    Attributes:
        resource_id: its ``DbiResourceId``, which no other instance ever has.
        status: its status.
        is_replica: whether it replicates another one.
    """

    resource_id: str
    status: str
    is_replica: bool


@dataclass(frozen=True)
class Roles:
    """The roles at one moment.

    Attributes:
        said: what each site's state table says.
        shown: what RDS shows of each site's instance; None where there is none.
        generations: how often each site's database has been born, by the data layer's configuration.
    """

    said: Mapping[Site, Said]
    shown: Mapping[Site, Shown | None]
    generations: Mapping[Site, int]


def roles(system: LabSystem) -> Roles:
    """The roles now.

    Raises:
        NoRecordError: a state table is lost.
        ClientError, BotoCoreError: AWS does not answer.
    """
    configuration = system.data_layer.configuration()
    return Roles(
        said={site: _said(system, site) for site in Site},
        shown={site: _shown(system, site) for site in Site},
        generations={site: int(configuration.get(f"{site}Generation", "1")) for site in Site},
    )


def handovers(system: LabSystem) -> tuple[Handover, ...]:
    """Every handover of authority in the history of both sites, oldest epoch first."""
    found = [each for site in Site for each in _state_of(system, site).history().handovers]
    return tuple(sorted(found, key=lambda each: each.epoch))


def reprotection(system: LabSystem, writer: Site) -> Record | None:
    """What ``nox -s reprotect`` has recorded of its last run for a writer, in the table of the writer's site."""
    item = Items(*_table(system, writer)).get(REPROTECT)
    return None if item is None else Record.from_item(item)


def _state_of(system: LabSystem, site: Site) -> State:
    return State(*_table(system, site))


def _table(system: LabSystem, site: Site) -> tuple[Any, str]:
    target = system.target
    return system.client("dynamodb", target.region(site)), target.automation[site].state_table_name


def shared_site(site: FunctionSite) -> Site:
    """A site as the functions' code has it, as the programs have it."""
    return Site(site.value)


def _said(system: LabSystem, site: Site) -> Said:
    record = _state_of(system, site).controller()
    return Said(shared_site(record.writer_site), shared_site(record.authority), record.epoch)


def _shown(system: LabSystem, site: Site) -> Shown | None:
    database = system.target.databases[site]
    client: RDSClient = system.client("rds", database.region)
    for found in client.describe_db_instances()["DBInstances"]:
        if found["DBInstanceIdentifier"] == database.identifier:
            source = found.get("ReadReplicaSourceDBInstanceIdentifier")
            return Shown(found["DbiResourceId"], found["DBInstanceStatus"], is_replica=bool(source))
    return None
