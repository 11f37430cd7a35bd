"""What the data layer's stack configures, read and checked in one place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from data_layer.adopted import KEPT
from data_layer.births import parse_birth
from data_layer.declared import FIRST_GENERATION, DeclaredInstance, declared_instances
from data_layer.monitoring import MONITORING_INTERVALS_SECONDS
from data_layer.parameters import Parameter
from data_layer.secret_id import secret_id_of_a_site
from data_layer.windows import Window, backup_window, maintenance_window, refuse_collisions
from shared.cloudwatch import log_retention_days
from shared.environment import Environment, Kind
from shared.errors import SettingsError
from shared.settings import SettingsReader
from shared.sites import Site

DATABASE_NAME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
RESERVED_DATABASE_NAMES = ("rdsadmin", "template0", "template1")
INSTANCE_CLASS_PATTERN = re.compile(r"db\.[a-z0-9-]+\.[a-z0-9]+")
CERTIFICATE_AUTHORITIES = ("rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")
# gp3 on RDS for PostgreSQL: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html
SMALLEST_STORAGE_GIB = 20
LARGEST_STORAGE_GIB = 65536
DEFAULT_BACKUP_WINDOWS = {Site.PRIMARY: "14:00-14:45", Site.RECOVERY: "18:00-18:45"}
DEFAULT_BIRTHS = {Site.PRIMARY: "original", Site.RECOVERY: "replica"}
NO_SITE = "none"
NO_KEY = "none"
EVERYTHING = "all"
KEY_ARN = re.compile(r"arn:aws:kms:(?P<region>[a-z0-9-]+):\d{12}:key/\S+")
PARAMETER = re.compile(r"(?P<name>[a-z][a-z0-9_.]*)=(?P<value>.*)")
MOST_GENERATIONS = 9999
DEFAULT_MAINTENANCE_WINDOWS = {Site.PRIMARY: "sat:15:30-sat:16:30", Site.RECOVERY: "sun:19:30-sun:20:30"}


@dataclass(frozen=True)
class DataSettings:
    """Settings of the data layer.

    Attributes:
        environment: what all layers share.
        active_site: the site whose database takes writes.
        instances: by site, which instance it has; they do not contradict each other.
        secret_id: entry of Secrets Manager with the master user's name and password; name or ARN.
        database_name: database made with the instance.
        engine_major_version: major version of PostgreSQL.
        extended_support: pay to stay on a major version past its standard support.
        instance_class: of both instances.
        multi_az: a standby of the writer within its region.
        allocated_storage_gib: storage of the databases.
        maximum_storage_gib: up to which size it grows by itself.
        backup_retention_days: of both instances' automated backups.
        backup_replication_retention_days: of the writer's automated backups in the other site's region; 0 declares no
            replication, and leaves it to the snapshot copier.
        backup_windows: of each site's instance.
        maintenance_windows: of each site's instance.
        apply_immediately: apply changes at once instead of in the maintenance window.
        certificate_authority: of the server certificates.
        max_slot_wal_keep_size_megabytes: WAL a lagging replica may pin on the writer.
        replication_timeout_seconds: after how much silence the replication connection is given up.
        slow_statement_milliseconds: from which duration statements are logged; -1 for none.
        log_retention_days: of the exported logs.
        further_parameters: of both databases, beside the layer's own.
        taken_over: the arguments of an adopted instance that a deploy sets.
        database_key_arns: of those sites whose database has another key than the network layer's.
        log_groups_exist: by site, whether RDS has made the log groups of its database already.
        monitoring_interval_seconds: between two readings of the operating systems; 0 for none.
        skip_final_snapshot: delete the writer without a last snapshot and with its automated backups.
        force_destroy_buckets: delete the buckets with what is in them.
        object_retention_days: how long objects in the buckets are kept.
        access_log_retention_days: how long the access logs of the buckets are kept.
        old_version_retention_days: how long their old versions are kept.
    """

    environment: Environment
    active_site: Site
    instances: Mapping[Site, DeclaredInstance]
    secret_id: str
    database_name: str
    engine_major_version: int
    extended_support: bool
    instance_class: str
    multi_az: bool
    allocated_storage_gib: int
    maximum_storage_gib: int
    backup_retention_days: int
    backup_replication_retention_days: int
    backup_windows: Mapping[Site, Window]
    maintenance_windows: Mapping[Site, Window]
    apply_immediately: bool
    certificate_authority: str
    max_slot_wal_keep_size_megabytes: int
    replication_timeout_seconds: int
    slow_statement_milliseconds: int
    log_retention_days: int
    further_parameters: tuple[Parameter, ...]
    taken_over: frozenset[str]
    database_key_arns: Mapping[Site, str]
    log_groups_exist: Mapping[Site, bool]
    monitoring_interval_seconds: int
    skip_final_snapshot: bool
    force_destroy_buckets: bool
    object_retention_days: int
    access_log_retention_days: int
    old_version_retention_days: int

    @classmethod
    def load(cls, reader: SettingsReader | None = None) -> DataSettings:
        """Read the stack's configuration and check it.

        Raises:
            SettingsError: a value is missing or cannot be used, or a production stack is not protected.
        """
        reader = SettingsReader() if reader is None else reader
        environment = Environment.load()
        active_site = Site(reader.choice("activeSite", Site.PRIMARY, tuple(Site)))
        backup_windows = {
            site: backup_window(f"{site}BackupWindow", reader.text(f"{site}BackupWindow", default))
            for site, default in DEFAULT_BACKUP_WINDOWS.items()
        }
        maintenance_windows = {
            site: maintenance_window(f"{site}MaintenanceWindow", reader.text(f"{site}MaintenanceWindow", default))
            for site, default in DEFAULT_MAINTENANCE_WINDOWS.items()
        }
        refuse_collisions(*backup_windows.values(), *maintenance_windows.values())
        allocated_storage_gib = reader.whole_number(
            "allocatedStorageGib", 20, minimum=SMALLEST_STORAGE_GIB, maximum=LARGEST_STORAGE_GIB
        )
        settings = cls(
            environment=environment,
            active_site=active_site,
            instances=_instances(reader, environment, active_site),
            secret_id=secret_id_of_a_site(reader.text("secretId"), environment),
            database_name=_database_name(reader),
            engine_major_version=reader.whole_number("engineMajorVersion", 14, minimum=14, maximum=17),
            extended_support=reader.switch("extendedSupport", default=False),
            instance_class=_instance_class(reader),
            multi_az=reader.switch("multiAz", default=False),
            allocated_storage_gib=allocated_storage_gib,
            maximum_storage_gib=_maximum_storage_gib(reader, allocated_storage_gib),
            # 0 would turn backups off, and RDS makes no replica of an instance without them.
            backup_retention_days=reader.whole_number("backupRetentionDays", 7, minimum=1, maximum=35),
            backup_replication_retention_days=reader.whole_number(
                "backupReplicationRetentionDays", 7, minimum=0, maximum=35
            ),
            backup_windows=MappingProxyType(backup_windows),
            maintenance_windows=MappingProxyType(maintenance_windows),
            apply_immediately=reader.switch("applyImmediately", default=False),
            certificate_authority=reader.choice("certificateAuthority", "rds-ca-rsa2048-g1", CERTIFICATE_AUTHORITIES),
            # At most half the storage, so that WAL kept for a lagging replica cannot fill the disk.
            max_slot_wal_keep_size_megabytes=reader.whole_number(
                "maxSlotWalKeepSizeMegabytes", 4096, minimum=64, maximum=allocated_storage_gib * 1024 // 2
            ),
            replication_timeout_seconds=reader.whole_number("replicationTimeoutSeconds", 30, minimum=3, maximum=300),
            slow_statement_milliseconds=reader.whole_number(
                "slowStatementMilliseconds", 1000, minimum=-1, maximum=2_147_483_647
            ),
            log_retention_days=log_retention_days(reader, "logRetentionDays", 30),
            further_parameters=_further_parameters(reader),
            taken_over=_taken_over(reader),
            database_key_arns=_database_key_arns(reader, environment),
            log_groups_exist=MappingProxyType(
                {site: reader.switch(f"{site}LogGroupsExist", default=False) for site in Site}
            ),
            monitoring_interval_seconds=_monitoring_interval_seconds(reader),
            skip_final_snapshot=reader.switch("skipFinalSnapshot", default=True),
            force_destroy_buckets=reader.switch("forceDestroyBuckets", default=True),
            # Objects move to infrequent access after 30 days, and S3 lets none expire before it moves.
            object_retention_days=reader.whole_number("objectRetentionDays", 90, minimum=31, maximum=3650),
            access_log_retention_days=reader.whole_number("accessLogRetentionDays", 90, minimum=1, maximum=3650),
            old_version_retention_days=reader.whole_number("oldVersionRetentionDays", 30, minimum=1, maximum=3650),
        )
        settings.refuse_unprotected_production()
        return settings

    def refuse_unprotected_production(self) -> None:
        """Refuse production settings with which one command could delete the data.

        Raises:
            SettingsError: it is a production stack, and a setting allows that.
        """
        if self.environment.kind is not Kind.PRODUCTION:
            return
        for key, value in (
            ("skipFinalSnapshot", self.skip_final_snapshot),
            ("forceDestroyBuckets", self.force_destroy_buckets),
        ):
            if value:
                raise SettingsError(
                    key,
                    "true",
                    "a production environment needs false: put "
                    f'postgres-dr-data:{key}: "false" into projects/data/Pulumi.{self.environment.stack}.yaml',
                )


def _instances(reader: SettingsReader, environment: Environment, active_site: Site) -> Mapping[Site, DeclaredInstance]:
    retiring = reader.choice("retiring", NO_SITE, (NO_SITE, *Site))
    return MappingProxyType(
        declared_instances(
            environment,
            active_site,
            retiring=None if retiring == NO_SITE else Site(retiring),
            generations={
                site: reader.whole_number(
                    f"{site}Generation", FIRST_GENERATION, minimum=FIRST_GENERATION, maximum=MOST_GENERATIONS
                )
                for site in Site
            },
            births={
                site: parse_birth(f"{site}Birth", reader.text(f"{site}Birth", default))
                for site, default in DEFAULT_BIRTHS.items()
            },
        )
    )


def _further_parameters(reader: SettingsReader) -> tuple[Parameter, ...]:
    key, found = "furtherParameters", {}
    for text in reader.texts(key):
        match = PARAMETER.fullmatch(text)
        if match is None or match["name"] in found:
            raise SettingsError(key, text, "give each parameter once, as name=value in PostgreSQL's base unit")
        # RDS refuses to apply a static one at once, and which ones are static is its own affair.
        found[match["name"]] = Parameter(match["name"], match["value"], "pending-reboot")
    return tuple(found.values())


def _taken_over(reader: SettingsReader) -> frozenset[str]:
    key, given = "takenOver", reader.texts("takenOver")
    for argument in given:
        if argument not in (*KEPT, EVERYTHING):
            raise SettingsError(key, argument, f"give {EVERYTHING}, or some of: {', '.join(KEPT)}")
    return frozenset(KEPT if EVERYTHING in given else given)


def _database_key_arns(reader: SettingsReader, environment: Environment) -> Mapping[Site, str]:
    found = {}
    for site, region in environment.regions.items():
        key = f"{site}DatabaseKeyArn"
        arn = reader.text(key, NO_KEY)
        if arn == NO_KEY:
            continue
        match = KEY_ARN.fullmatch(arn)
        if match is None or match["region"] != region:
            raise SettingsError(key, arn, f"give the ARN of a KMS key in {region} (arn:aws:kms:{region}:...), or none")
        found[site] = arn
    return MappingProxyType(found)


def _database_name(reader: SettingsReader) -> str:
    name = reader.text("databaseName", "app")
    if not DATABASE_NAME_PATTERN.fullmatch(name) or name.lower() in RESERVED_DATABASE_NAMES:
        raise SettingsError(
            "databaseName",
            name,
            "start with a letter, then at most 62 letters, digits and underscores; not a name RDS uses itself",
        )
    return name


def _instance_class(reader: SettingsReader) -> str:
    instance_class = reader.text("instanceClass", "db.t3.medium")
    if not INSTANCE_CLASS_PATTERN.fullmatch(instance_class):
        raise SettingsError("instanceClass", instance_class, "give an RDS instance class such as db.t3.medium")
    return instance_class


def smallest_limit_gib(allocated_storage_gib: int) -> int:
    """The least that storage may grow to: RDS refuses a limit less than a tenth above what is allocated.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
    """
    return -(-allocated_storage_gib * 11 // 10)


def _maximum_storage_gib(reader: SettingsReader, allocated_storage_gib: int) -> int:
    smallest = smallest_limit_gib(allocated_storage_gib)
    return reader.whole_number(
        "maximumStorageGib", max(100, smallest), minimum=smallest, maximum=max(smallest, LARGEST_STORAGE_GIB)
    )


def _monitoring_interval_seconds(reader: SettingsReader) -> int:
    seconds = reader.whole_number("monitoringIntervalSeconds", 60, minimum=0, maximum=60)
    if seconds not in MONITORING_INTERVALS_SECONDS:
        raise SettingsError(
            "monitoringIntervalSeconds", seconds, f"RDS takes {', '.join(map(str, MONITORING_INTERVALS_SECONDS))}"
        )
    return seconds
