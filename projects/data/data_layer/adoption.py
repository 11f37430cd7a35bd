"""An instance that is there already against what this layer would declare, and what a difference would mean. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from data_layer.foundation import LOG_EXPORTS
from data_layer.settings import CERTIFICATE_AUTHORITIES, DataSettings, smallest_limit_gib
from shared.sites import Site

OLDEST, NEWEST = 14, 17
BASELINE_IOPS = 3000


class Effect(StrEnum):
    """What comes of a difference, the worst first."""

    IMPOSSIBLE = "cannot be adopted so"
    FIRST = "change it yourself first"
    SETTING = "becomes a setting"
    CLIENT = "to be let in by the layer's own group, before ./dr groups"
    PARAMETER = "set in its parameter group, without a restart"
    RESTART = "taken over, it restarts the database"
    IN_PLACE = "taken over, it is modified in place without a restart"
    STAYS = "stays as it is"


@dataclass(frozen=True)
class Facet:
    """One difference.

    Attributes:
        what: of the instance.
        found: as it is.
        declared: as this layer would have it.
        effect: what comes of it.
        note: why, and what to do.
        argument: what `takenOver` calls it; empty where it is not taken over.
        settings: what to write into the layer's stack file, so that it is no difference any more.
    """

    what: str
    found: object
    declared: object
    effect: Effect
    note: str = ""
    argument: str = ""
    settings: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Found:
    """What AWS says of an instance.

    Attributes:
        instance: as `DescribeDBInstances` shows it.
        is_offered: whether its engine version can be created in the other site's region.
        key_is_awss: whether its key is managed by AWS (``aws/rds``).
        log_groups: names of the log groups for its logs that are there, but for those that this layer has made.
    """

    instance: Mapping[str, Any]
    is_offered: bool
    key_is_awss: bool
    log_groups: frozenset[str]


def facets(found: Found, settings: DataSettings, site: Site, database_port: int) -> list[Facet]:
    """Every difference, the worst first.

    Args:
        found: the instance.
        settings: of this layer.
        site: whose database it is to be.
        database_port: which the network layer is configured with.
    """
    every = [
        *_what_cannot_be(found, settings),
        *_what_comes_first(found, settings),
        *_what_is_configured(found, settings, site, database_port),
        *_what_can_be_taken_over(found, settings),
        *_what_stays(found),
    ]
    return sorted(every, key=lambda facet: list(Effect).index(facet.effect))


def _what_cannot_be(found: Found, settings: DataSettings) -> Iterator[Facet]:
    one = found.instance
    if one["Engine"] != "postgres" or one.get("DBClusterIdentifier"):
        kind = f"{one['Engine']}{' in a cluster' if one.get('DBClusterIdentifier') else ''}"
        yield Facet("engine", kind, "postgres, an instance of its own", Effect.IMPOSSIBLE, "this is another system")
    source = one.get("ReadReplicaSourceDBInstanceIdentifier")
    if source:
        yield Facet("role", f"replica of {source}", "writer", Effect.IMPOSSIBLE, "name the instance that takes writes")
    if not one.get("StorageEncrypted"):
        yield Facet(
            "storage encryption",
            "off",
            "on",
            Effect.IMPOSSIBLE,
            "RDS makes no encrypted replica of an unencrypted instance, and encrypts none that is there: copy a "
            "snapshot of it with a key, restore that, move the clients to it and adopt that one",
        )
    major = int(str(one["EngineVersion"]).partition(".")[0])
    if not OLDEST <= major <= NEWEST:
        yield Facet("engine version", one["EngineVersion"], f"{OLDEST} to {NEWEST}", Effect.IMPOSSIBLE, "upgrade it")
    elif major != settings.engine_major_version:
        yield _setting("engine version", one["EngineVersion"], settings.engine_major_version, engineMajorVersion=major)


def _what_comes_first(found: Found, settings: DataSettings) -> Iterator[Facet]:
    one = found.instance
    if one["DBInstanceStatus"] not in ("available", "storage-optimization"):
        yield Facet("status", one["DBInstanceStatus"], "available", Effect.FIRST, "wait, or repair it")
    if one.get("PendingModifiedValues"):
        yield Facet(
            "pending changes",
            ", ".join(sorted(one["PendingModifiedValues"])),
            "none",
            Effect.FIRST,
            "they wait for its maintenance window, and any change with applyImmediately would make all of them: let "
            "them be made, or take them back",
        )
    if one.get("MasterUserSecret"):
        yield Facet(
            "master password",
            "managed by RDS",
            f"in the secret {settings.secret_id}",
            Effect.FIRST,
            "RDS makes no replica of PostgreSQL with a password that it manages: aws rds modify-db-instance "
            "--no-manage-master-user-password --master-user-password ..., and keep that one in the secret",
        )
    if not one["BackupRetentionPeriod"]:
        yield Facet(
            "automated backups",
            "off",
            f"{settings.backup_retention_days} days",
            Effect.FIRST,
            "RDS makes no replica of it. To turn them on interrupts the database: choose the moment, then aws "
            f"rds modify-db-instance --backup-retention-period {settings.backup_retention_days} --apply-immediately",
        )
    if not found.is_offered:
        yield Facet(
            "engine version",
            one["EngineVersion"],
            "one that RDS offers in the other region",
            Effect.FIRST,
            "a replica has its source's version, or a newer one: upgrade the minor version, which restarts it",
        )


def _what_is_configured(found: Found, settings: DataSettings, site: Site, database_port: int) -> Iterator[Facet]:
    one, authority = found.instance, found.instance.get("CACertificateIdentifier")
    pairs: list[tuple[str, str, object, object]] = [
        ("instance class", "instanceClass", one["DBInstanceClass"], settings.instance_class),
        ("second zone", "multiAz", one["MultiAZ"], settings.multi_az),
        ("storage in GiB", "allocatedStorageGib", one["AllocatedStorage"], settings.allocated_storage_gib),
        ("backup window", f"{site}BackupWindow", one["PreferredBackupWindow"], settings.backup_windows[site].text),
        (
            "maintenance window",
            f"{site}MaintenanceWindow",
            one["PreferredMaintenanceWindow"],
            settings.maintenance_windows[site].text,
        ),
        (
            "seconds between readings",
            "monitoringIntervalSeconds",
            one.get("MonitoringInterval", 0),
            settings.monitoring_interval_seconds,
        ),
        ("database", "databaseName", one.get("DBName", settings.database_name), settings.database_name),
    ]
    if one["BackupRetentionPeriod"]:
        pairs.append(
            ("days of backups", "backupRetentionDays", one["BackupRetentionPeriod"], settings.backup_retention_days)
        )
    # What grew up to near its limit is no setting.
    if one.get("MaxAllocatedStorage", 0) >= smallest_limit_gib(one["AllocatedStorage"]):
        pairs.append(
            ("largest storage in GiB", "maximumStorageGib", one["MaxAllocatedStorage"], settings.maximum_storage_gib)
        )
    if authority in CERTIFICATE_AUTHORITIES:
        pairs.append(("certificate authority", "certificateAuthority", authority, settings.certificate_authority))
    for what, key, there, declared in pairs:
        if there != declared:
            yield _setting(what, there, declared, **{key: there})
    port = one["Endpoint"]["Port"]
    if port != database_port:
        yield Facet(
            "port",
            port,
            database_port,
            Effect.SETTING,
            f"set postgres-dr-network:databasePort: {port!r} before that layer is deployed",
        )
    key_arn = one.get("KmsKeyId")
    if key_arn and key_arn != settings.database_key_arns.get(site):
        yield Facet(
            "key",
            key_arn,
            "the network layer's data key",
            Effect.SETTING,
            "AWS manages it (aws/rds): within this account RDS copies and replicates with it, other accounts can never "
            "read what is encrypted with it"
            if found.key_is_awss
            else "its policy has to leave this account's roles to IAM, so that snapshots can be copied and restored",
            settings={f"{site}DatabaseKeyArn": key_arn},
        )
    if found.log_groups and not settings.log_groups_exist[site]:
        yield _setting(
            "log groups", ", ".join(sorted(found.log_groups)), "made by this layer", **{f"{site}LogGroupsExist": True}
        )


def _what_can_be_taken_over(found: Found, settings: DataSettings) -> Iterator[Facet]:
    one, protected = found.instance, settings.environment.protected
    logs, group = one.get("EnabledCloudwatchLogsExports", []), one["DBParameterGroups"][0]["DBParameterGroupName"]
    if not one.get("IAMDatabaseAuthenticationEnabled"):
        yield _in_place(
            "login by IAM token",
            "off",
            "on",
            "iamDatabaseAuthenticationEnabled",
            "the probes need it before the automation",
        )
    if one.get("PubliclyAccessible"):
        yield _in_place(
            "public address", "yes", "no", "publiclyAccessible", "whoever comes over the internet loses it at once"
        )
    if bool(one.get("DeletionProtection")) != protected:
        wanted = ("off", "on") if protected else ("on", "off")
        yield _in_place("deletion protection", *wanted, "deletionProtection")
    if sorted(logs) != sorted(LOG_EXPORTS):
        yield _in_place(
            "exported logs", ", ".join(logs) or "none", ", ".join(LOG_EXPORTS), "enabledCloudwatchLogsExports"
        )
    if not one.get("PerformanceInsightsEnabled"):
        yield _in_place("Performance Insights", "off", "on", "performanceInsightsEnabled")
    if not one.get("AutoMinorVersionUpgrade"):
        yield _in_place("minor upgrades", "by hand", "by RDS, in the maintenance window", "autoMinorVersionUpgrade")
    if not one.get("CopyTagsToSnapshot"):
        yield _in_place("tags of snapshots", "none", "the instance's", "copyTagsToSnapshot")
    largest = one.get("MaxAllocatedStorage", 0)
    if largest < smallest_limit_gib(one["AllocatedStorage"]):
        grows = f"up to {largest} GiB, of which it has {one['AllocatedStorage']}" if largest else "no"
        yield _in_place("storage that grows", grows, f"up to {settings.maximum_storage_gib} GiB", "maxAllocatedStorage")
    if one.get("MonitoringRoleArn") and settings.monitoring_interval_seconds:
        yield _in_place("role of its monitoring", one["MonitoringRoleArn"], "this layer's", "monitoringRoleArn")
    if one.get("StorageType") != "gp3":
        fast = int(one.get("Iops") or 0) > BASELINE_IOPS
        yield _in_place(
            "storage type",
            one.get("StorageType"),
            "gp3",
            "storageType",
            "it is slower for hours meanwhile"
            + (f"; the replica has gp3 with {BASELINE_IOPS} IOPS and may not keep up: watch its lag" if fast else ""),
        )
    yield Facet(
        "parameter group",
        group,
        "this layer's",
        Effect.RESTART,
        "one of RDS's own, which nobody can edit: without this layer's a replica that is gone fills the writer's disk"
        if group.startswith("default.")
        else "it can stay: set what this layer sets in it, see below",
        "parameterGroupName",
    )
    if one["DBParameterGroups"][0].get("ParameterApplyStatus", "in-sync") != "in-sync":
        yield Facet(
            "values of its parameter group",
            one["DBParameterGroups"][0]["ParameterApplyStatus"],
            "in-sync",
            Effect.PARAMETER,
            "what waits in it is not in effect before a restart, whatever is said of it here: make no replica before",
        )
    if one.get("CACertificateIdentifier") not in CERTIFICATE_AUTHORITIES:
        yield Facet(
            "certificate authority",
            one.get("CACertificateIdentifier"),
            settings.certificate_authority,
            Effect.RESTART,
            "clients need the new authority's certificate before",
            "caCertIdentifier",
        )


def _what_stays(found: Found) -> Iterator[Facet]:
    one = found.instance
    yield Facet(
        "subnet group", one["DBSubnetGroup"]["DBSubnetGroupName"], "this layer's", Effect.STAYS, "of the same VPC"
    )
    for group in one.get("OptionGroupMemberships", []):
        if not group["OptionGroupName"].startswith("default:"):
            yield Facet(
                "option group", group["OptionGroupName"], "RDS's own", Effect.STAYS, "the replica has RDS's own"
            )
    if one.get("ReadReplicaDBInstanceIdentifiers"):
        yield Facet(
            "replicas",
            ", ".join(one["ReadReplicaDBInstanceIdentifiers"]),
            "none",
            Effect.STAYS,
            "after a failover they go on following the old writer: nobody moves them",
        )
    if one.get("NetworkType", "IPV4") != "IPV4":
        yield Facet("network", one["NetworkType"], "IPV4", Effect.STAYS, "the replica has addresses of IPv4 only")
    if one.get("DatabaseInsightsMode", "standard") != "standard":
        yield Facet(
            "Database Insights", one["DatabaseInsightsMode"], "standard", Effect.STAYS, "RDS has it for no replica"
        )
    for membership in one.get("DomainMemberships", []):
        yield Facet("directory", membership.get("Domain"), "none", Effect.STAYS, "the replica has no login by Kerberos")
    if one.get("DedicatedLogVolume"):
        yield Facet("dedicated log volume", "on", "off", Effect.STAYS, "the replica has none, and may be slower")
    if one.get("AssociatedRoles"):
        yield Facet(
            "roles of its features",
            ", ".join(each["FeatureName"] for each in one["AssociatedRoles"]),
            "none",
            Effect.STAYS,
            "a replica has none: after a failover, associate them with the new writer",
        )


def _setting(what: str, found: object, declared: object, **settings: object) -> Facet:
    return Facet(what, found, declared, Effect.SETTING, settings=settings)


def _in_place(what: str, found: object, declared: object, argument: str, note: str = "") -> Facet:
    return Facet(what, found, declared, Effect.IN_PLACE, note, argument)
