"""What RDS's words for an instance's status mean for a failover.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html#Overview.DBInstance.Status
"""

from __future__ import annotations

REBOOTING = "rebooting"
# The database takes connections in these; that RDS says so does not prove that it does.
OPERATIONAL = frozenset(
    {
        "available",
        "storage-optimization",  # documented as fully operational, and may last a day and more
        "storage-config-upgrade",
        "configuring-enhanced-monitoring",
        "configuring-log-exports",
    }
)
# A backup, which RDS begins by itself, may last for hours and keeps nobody out: a database that falls silent in one has
# not been taken away by RDS.
WORKING = OPERATIONAL | {"backing-up"}
# Something was asked for, by people or by a maintenance window, and will end by itself.
IN_MAINTENANCE = frozenset(
    {
        "configuring-iam-database-auth",
        "converting-to-vpc",
        "creating",
        "delete-precheck",
        "deleting",
        "maintenance",
        "modifying",
        "moving-to-vpc",
        REBOOTING,
        "renaming",
        "resetting-master-credentials",
        "starting",
        "stopped",
        "stopping",
        "storage-initialization",
        "upgrading",
    }
)
# Of these, what does not end with a database that works.
GOING = frozenset({"delete-precheck", "deleting", "stopped", "stopping"})
# RDS cannot recover it.
LOST = "failed"
# RDS itself says that the database does not work.
FAILED = frozenset(
    {
        LOST,
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "insufficient-capacity",
        "restore-error",
        "storage-full",
    }
)


def is_maintenance(status: str) -> bool:
    """Whether the status is work in progress; RDS adds new ``configuring-...`` words over time."""
    return status in IN_MAINTENANCE or (status.startswith("configuring-") and status not in OPERATIONAL)
