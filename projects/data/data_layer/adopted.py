"""What of an adopted instance a deploy may change: nothing, until a setting says so. Pure."""

from __future__ import annotations

from data_layer.births import Adopted
from data_layer.declared import DeclaredInstance, Role

KEPT = (
    "allowMajorVersionUpgrade",
    "applyImmediately",
    "autoMinorVersionUpgrade",
    "backupRetentionPeriod",
    "backupWindow",
    "caCertIdentifier",
    "copyTagsToSnapshot",
    "databaseInsightsMode",
    "deletionProtection",
    "enabledCloudwatchLogsExports",
    "iamDatabaseAuthenticationEnabled",
    "instanceClass",
    "maintenanceWindow",
    "maxAllocatedStorage",
    "monitoringInterval",
    "monitoringRoleArn",
    "multiAz",
    "networkType",
    "parameterGroupName",
    "password",
    "performanceInsightsEnabled",
    "performanceInsightsKmsKeyId",
    "performanceInsightsRetentionPeriod",
    "port",
    "publiclyAccessible",
    "storageType",
    "tags",
)
"""Arguments of an adopted instance that stay as they were found until the setting `takenOver` names them.

All that a deploy could change of it: Pulumi's engine does not stop where what it imports differs from what the program
says, but changes it in the same update. What is left are arguments that only a deletion reads.
"""
NEVER_TAKEN_OVER = ("dbSubnetGroupName", "identifier")
"""Another subnet group moves an instance into another VPC, another identifier renames and reboots it."""
UNSAID = (
    "customerOwnedIpEnabled",
    "dedicatedLogVolume",
    "domain",
    "domainAuthSecretArn",
    "domainDnsIps",
    "domainFqdn",
    "domainIamRoleName",
    "domainOu",
    "manageMasterUserPassword",
    "masterUserSecretKmsKeyId",
)
"""What the program says of no instance and the provider does not compute: of an imported one it would take it away.

Without its directory nobody logs in by Kerberos any more; a dedicated log volume goes with a restart.
"""
OF_ITS_STORAGE = ("iops", "storageThroughput")
"""The same, until the setting `takenOver` names `storageType`."""


def kept_of(declared: DeclaredInstance, taken_over: frozenset[str]) -> list[str]:
    """The arguments of which a change is not applied because the instance was adopted.

    Args:
        declared: which instance it is.
        taken_over: those of `KEPT` that a deploy sets. Of one that is retired, its protection is among them:
            AWS would refuse to delete it.
    """
    if not isinstance(declared.birth, Adopted):
        return []
    managed = {*taken_over, "deletionProtection"} if declared.role is Role.RETIRING else taken_over
    kept = [*(key for key in KEPT if key not in managed), *NEVER_TAKEN_OVER, *UNSAID]
    kept += OF_ITS_STORAGE if "storageType" in kept else ()
    # The provider adds its default tags to those of the program, under another name.
    return [*kept, "tagsAll"] if "tags" in kept else kept
