"""Rules for RDS."""

from __future__ import annotations

from collections.abc import Mapping

from lab.engine.recording import RecordedResource
from tests.rules.graph import Resources, arn, looked_at, maybe, some, text, violations

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES


def _replicas(resources: Resources) -> list[RecordedResource]:
    replicas = [one for one in some(resources, "Instance") if "replicateSourceDb" in one.inputs]
    return looked_at(replicas, "replica")


def _source(resources: Resources, replica: RecordedResource) -> RecordedResource:
    (source,) = [one for one in some(resources, "Instance") if arn(one) == replica.inputs["replicateSourceDb"]]
    return source


def _parameters(resources: Resources, instance: RecordedResource) -> Mapping[str, str]:
    named = (instance.region, instance.inputs.get("parameterGroupName"))
    return {
        parameter["name"]: str(parameter["value"])
        for one in some(resources, "ParameterGroup")
        if (one.region, one.inputs["name"]) == named
        for parameter in one.inputs["parameters"]
    }


def a_replica_has_the_parameters_of_its_source(resources: Resources) -> list[str]:
    """A promoted replica keeps its own parameter group, so both are equal from the start.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html
    """

    def wrong(replica: RecordedResource) -> bool:
        source = _parameters(resources, _source(resources, replica))
        return not source or _parameters(resources, replica) != source

    return violations(_replicas(resources), wrong, "its parameters are not those of its source")


def a_replica_is_equipped_to_be_promoted(resources: Resources) -> list[str]:
    """Own key of its region, own subnet group of its region, backups on.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.html
    """
    groups = {(one.region, one.inputs["name"]) for one in some(resources, "SubnetGroup")}
    lines: list[str] = []
    for one in _replicas(resources):
        parts = {
            "no key of its region": f":{one.region}:" in str(one.inputs.get("kmsKeyId")),
            "no subnet group of its own region": (one.region, one.inputs.get("dbSubnetGroupName")) in groups,
            "no backups": one.inputs.get("backupRetentionPeriod", 0) > 0,
        }
        lines += [f"{text(one)}: {what}" for what, right in parts.items() if not right]
    return lines


def every_source_of_a_replica_has_backups(resources: Resources) -> list[str]:
    """A replica can only be made of an instance with automated backups.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.Create.html
    """
    sources = [_source(resources, replica) for replica in _replicas(resources)]
    return violations(sources, lambda one: one.inputs.get("backupRetentionPeriod", 0) < 1, "no backups")


def no_database_has_a_password_managed_by_rds(resources: Resources) -> list[str]:
    """`manageMasterUserPassword` blocks read replicas of PostgreSQL.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-limitations
    """
    return violations(
        some(resources, "Instance"), lambda one: "manageMasterUserPassword" in one.inputs, "RDS manages its password"
    )


def every_database_is_encrypted_and_private(resources: Resources) -> list[str]:
    """Storage encrypted with a customer key, no public address.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html
    """

    def wrong(one: RecordedResource) -> bool:
        encrypted = one.inputs.get("storageEncrypted") is True and "kmsKeyId" in one.inputs
        return not encrypted or one.inputs.get("publiclyAccessible") is not False

    return violations(some(resources, "Instance"), wrong, "is not encrypted with a customer key, or is public")


def only_the_major_version_is_pinned(resources: Resources) -> list[str]:
    """A pinned minor gets deprecated; a major follows the newest minor. A replica takes its source's.

    https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html
    """

    def wrong(one: RecordedResource) -> bool:
        if "replicateSourceDb" in one.inputs and "engineVersion" not in one.inputs:
            return False
        return not str(one.inputs.get("engineVersion")).isdigit()

    return violations(some(resources, "Instance"), wrong, "engineVersion is not a major version only")


def extended_support_is_decided(resources: Resources) -> list[str]:
    """Paid extended support is the default, so it is decided; a replica inherits its source's decision.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/extended-support.html
    """
    originals = [one for one in some(resources, "Instance") if "replicateSourceDb" not in one.inputs]
    return violations(
        looked_at(originals, "instance that is no replica"),
        lambda one: "engineLifecycleSupport" not in one.inputs,
        "extended support is not decided",
    )


def a_dead_replica_cannot_fill_the_disk_and_tls_is_forced(resources: Resources) -> list[str]:
    """`max_slot_wal_keep_size` is unlimited by default and a replica lives on a slot; `rds.force_ssl` is 1.

    https://www.postgresql.org/docs/14/runtime-config-replication.html#GUC-MAX-SLOT-WAL-KEEP-SIZE and
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
    """

    def wrong(one: RecordedResource) -> bool:
        parameters = _parameters(resources, one)
        return int(parameters.get("max_slot_wal_keep_size", "-1")) < 1 or parameters.get("rds.force_ssl") != "1"

    return violations(some(resources, "Instance"), wrong, "max_slot_wal_keep_size is unlimited or rds.force_ssl not 1")


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _span(start: int, end: int) -> set[int]:
    length = (end - start) % WEEK_MINUTES
    return {(start + minute) % WEEK_MINUTES for minute in range(length)}


def _maintenance(one: RecordedResource) -> set[int]:
    start, end = (
        DAYS.index(moment[:3].lower()) * DAY_MINUTES + _minute(moment[4:])
        for moment in one.inputs["maintenanceWindow"].split("-")
    )
    return _span(start, end)


def _backup(one: RecordedResource) -> set[int]:
    start, end = (_minute(moment) for moment in one.inputs["backupWindow"].split("-"))
    length = (end - start) % DAY_MINUTES
    return {
        minute for day in range(7) for minute in _span(day * DAY_MINUTES + start, day * DAY_MINUTES + start + length)
    }


def no_windows_collide(resources: Resources) -> list[str]:
    """No backup or maintenance window overlaps another, of either site: a replica that backs up cannot be promoted.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html
    """
    instances = some(resources, "Instance")
    chosen = [one for one in instances if {"backupWindow", "maintenanceWindow"} <= one.inputs.keys()]
    lines = [f"{text(one)}: leaves a window to AWS" for one in instances if one not in chosen]
    windows = [
        (text(one), what, of(one))
        for one in chosen
        for what, of in (("backup", _backup), ("maintenance", _maintenance))
    ]
    for index, (name, what, span) in enumerate(windows):
        lines += [
            f"{name}: {what} window collides with the {other} window of {of}"
            for of, other, taken in windows[index + 1 :]
            if span & taken
        ]
    return lines


def subnet_groups_span_zones(resources: Resources) -> list[str]:
    """A DB subnet group needs subnets in two zones at least.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
    """
    zones = {one.id: one.inputs["availabilityZone"] for one in maybe(resources, "Subnet")}

    def wrong(one: RecordedResource) -> bool:
        return len({zones[subnet] for subnet in one.inputs["subnetIds"]}) < 2

    return violations(some(resources, "SubnetGroup"), wrong, "spans fewer than two zones")
