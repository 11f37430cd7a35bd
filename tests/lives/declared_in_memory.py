"""What the data layer's program declares of databases and of the replication of their backups.

The product's own rules say what: `declared_instances`, `InstanceProfile` and `ignored_changes`. Running the program
itself takes a second; that it declares the same is a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from data_layer.births import Original, Replica, parse_birth
from data_layer.declared import DeclaredInstance, database_arn, declared_instances
from data_layer.instance import InstanceProfile, ignored_changes
from data_layer.settings import DataSettings
from operations.reprotect.data_layer import Declared
from shared.environment import Environment, Kind
from shared.naming import DATABASE, Names
from shared.sites import Site
from tests.contracts.settings_of import settings_of

INSTANCE = "aws:rds/instance:Instance"
REPLICATION = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"


@dataclass(frozen=True)
class Resource:
    """A resource as it is declared.

    Attributes:
        kind: its type.
        name: its logical name.
        site: in whose region it is.
        inputs: those that matter to a database's life.
        protect: Pulumi refuses to delete it.
        ignored: inputs for which the state's value counts.
    """

    kind: str
    name: str
    site: Site
    inputs: Mapping[str, Any]
    protect: bool = False
    ignored: frozenset[str] = frozenset()

    @property
    def urn(self) -> str:
        """Its URN, as far as it differs from another resource's."""
        return f"urn:pulumi:lab::postgres-dr-data::{self.kind}::{self.name}"


class PlainNames(Names):
    """The names in memory, which have no suffix."""

    def of(self, what: str, where: str) -> str:
        """Without it."""
        return f"{what}-{where}"


@dataclass(frozen=True)
class InMemory(Environment):
    """An environment in memory."""

    @property
    def names(self) -> Names:
        """Its names."""
        return PlainNames(self.suffix)


@cache
def environment(kind: Kind) -> Environment:
    """An environment whose databases are worth something: production, or one that keeps final snapshots."""
    return InMemory(
        stack="lab",
        account_id="111122223333",
        kind=kind,
        owner="team",
        suffix="test",
        regions={Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"},
        given_database_ids={},
        witness_region=None,
        sts_region=None,
        extra_tags={},
        protected=kind is Kind.PRODUCTION,
        s3_use_path_style=False,
    )


@cache
def _defaults() -> DataSettings:
    settings: DataSettings = settings_of("data", "lab")
    return settings


def settings_in(kind: Kind, configuration: Mapping[str, str]) -> DataSettings:
    """The data layer's settings.

    Raises:
        SettingsError: they contradict each other.
    """
    known, read = environment(kind), Declared.of(configuration)
    active = Site(read.active_site)
    instances = declared_instances(
        known,
        active,
        None if read.retiring is None else Site(read.retiring),
        {Site(site): generation for site, generation in read.generations.items()},
        {Site(site): parse_birth(f"{site}Birth", birth) for site, birth in read.births.items()},
    )
    return replace(_defaults(), environment=known, active_site=active, instances=instances, skip_final_snapshot=False)


def declared(settings: DataSettings, data_key: str = "1") -> list[Resource]:
    """The resources, in the order of their registration.

    Args:
        settings: the layer's.
        data_key: which one of each site's keys the network layer has.
    """
    active = settings.active_site
    instances = [settings.instances[site] for site in (active, active.other)]
    return [*(_instance(each, settings, data_key) for each in instances if each.exists), _replication(settings)]


def outputs(settings: DataSettings) -> dict[str, object]:
    """Those that a later deploy is held against."""
    of_sites = {
        f"{site}Database{key}": value
        for site, each in settings.instances.items()
        for key, value in {
            "Generation": each.generation,
            "Birth": str(each.birth),
            "Address": f"{site}.example",
        }.items()
    }
    return {**of_sites, "databaseName": settings.database_name, "masterUsername": "app"}


def _instance(each: DeclaredInstance, settings: DataSettings, data_key: str) -> Resource:
    names, site = settings.environment.names, each.site
    profile = _profile(settings)
    inputs: dict[str, Any] = {
        "identifier": names.of(DATABASE, site),
        "vpcSecurityGroupIds": [f"sg-database-{site}"],
        "kmsKeyId": f"key-{site}-{data_key}",
        "deletionProtection": profile.refuses_deletion(each.role),
        "skipFinalSnapshot": profile.skips_final_snapshot(each),
    }
    match each.birth:
        case Original():
            inputs |= {"engine": "postgres", "dbName": settings.database_name, "username": "app"}
        case Replica(source):
            arn = database_arn(settings.environment, site.other) if source is None else source
            inputs["replicateSourceDb"] = str(arn)
    return Resource(
        INSTANCE,
        each.numbered(names.of(DATABASE, site)),
        site,
        inputs,
        profile.refuses_deletion(each.role),
        frozenset(ignored_changes(each.role)),
    )


def _replication(settings: DataSettings) -> Resource:
    active, names = settings.active_site, settings.environment.names
    name = settings.instances[active].numbered(names.of("database-backups", active.other))
    arn = str(database_arn(settings.environment, active))
    return Resource(REPLICATION, name, active.other, {"sourceDbInstanceArn": arn})


def _profile(settings: DataSettings) -> InstanceProfile:
    return InstanceProfile(
        instance_class=settings.instance_class,
        port=5432,
        maximum_storage_gib=settings.maximum_storage_gib,
        backup_retention_days=settings.backup_retention_days,
        certificate_authority=settings.certificate_authority,
        apply_immediately=settings.apply_immediately,
        protected=settings.environment.protected,
        skip_final_snapshot=settings.skip_final_snapshot,
        monitoring_interval_seconds=0,
        monitoring_role_arn=None,
    )
