"""What a snapshot copier may do: copy to its own site, and delete nothing but its own copies. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation_layer.reporter import OwnItem, StateReach, report
from shared.policy_documents import Statement, allow, document, trust
from shared.sites import Site


@dataclass(frozen=True)
class CopierReach:
    """What a snapshot copier works on.

    Attributes:
        site: the site it is in, and copies to.
        account_id: the account.
        region: the site's region.
        source_region: the other site's region.
        source_database_arn: the other site's RDS instance.
        source_database_id: its identifier, which the names of its snapshots begin with.
        key_arn: the data key of its own site.
        source_key_arn: the data key of the other site.
        source_database_key_arn: the key of the other site's database, the same unless it was adopted with its own.
        copied_by: the value of the tag that its copies bear.
        export_role_arn: the role that RDS exports with; None where nothing is exported.
        states: the state table and the topics of each site.
    """

    site: Site
    account_id: str
    region: str
    source_region: str
    source_database_arn: str
    source_database_id: str
    key_arn: str
    source_key_arn: str
    source_database_key_arn: str
    copied_by: str
    export_role_arn: str | None
    states: Mapping[Site, StateReach]


def snapshot_copier(reach: CopierReach) -> list[Statement]:
    """What a snapshot copier calls.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
    """
    here = f"arn:aws:rds:{reach.region}:{reach.account_id}"
    there = f"arn:aws:rds:{reach.source_region}:{reach.account_id}"
    # RDS takes one by itself before an upgrade of the engine, too. The year keeps other environments' databases out.
    names = [f"{prefix}{reach.source_database_id}-{suffix}" for prefix, suffix in (("", "2*"), ("preupgrade-", "*"))]
    source_snapshots = [f"{there}:snapshot:rds:{name}" for name in names]
    copies = [f"{here}:snapshot:copy-{name}" for name in names]
    return [
        # The quota counts all manual snapshots of the region, so all of them are listed.
        allow(
            "ListSnapshots",
            "rds:DescribeDBSnapshots",
            [f"{here}:snapshot:*", f"{here}:db:*", reach.source_database_arn, f"{there}:snapshot:*"],
        ),
        allow("CopyToOwnSite", "rds:CopyDBSnapshot", [*source_snapshots, *copies]),
        allow("TagCopies", "rds:AddTagsToResource", copies),
        allow(
            "DeleteOwnCopies",
            "rds:DeleteDBSnapshot",
            copies,
            {"StringEquals": {"aws:ResourceTag/DR-CopiedBy": reach.copied_by}},
        ),
        allow(
            "SeeReplicatedBackups",
            "rds:DescribeDBInstanceAutomatedBackups",
            [f"{here}:auto-backup:*", f"{here}:db:*"],
        ),
        allow(
            "KeepBackupsHere",
            "rds:StartDBInstanceAutomatedBackupsReplication",
            [reach.source_database_arn, f"{here}:auto-backup:*"],
        ),
        *_use_keys(reach),
        *_export(reach),
        *report(reach.states, OwnItem(f"copies#{reach.site}", reach.site), ["birth", "controller", "reprotect"]),
    ]


def export_trust(account_id: str) -> dict[str, Any]:
    """RDS's export may assume the role, for this account only."""
    condition = {"StringEquals": {"aws:SourceAccount": account_id}}
    return document(trust("export.rds.amazonaws.com", condition, sid="ExportOfThisAccount"))


def export(bucket_arn: str, key_arn: str) -> list[Statement]:
    """What an export writes: objects of its bucket, and nothing else.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ExportSnapshot.Setup.html
    """
    return [
        allow("SeeBucket", ["s3:GetBucketLocation", "s3:ListBucket"], bucket_arn),
        allow("WriteExports", ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], f"{bucket_arn}/exports/*"),
        allow("EncryptExports", ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"], key_arn),
    ]


def _use_keys(reach: CopierReach) -> list[Statement]:
    """RDS copies under both keys on the caller's behalf, and goes on by a grant when the call is over."""
    services = [f"rds.{reach.region}.amazonaws.com", f"rds.{reach.source_region}.amazonaws.com"]
    keys = list(dict.fromkeys([reach.key_arn, reach.source_key_arn, reach.source_database_key_arn]))
    return [
        allow(
            "UseKeysThroughRds",
            [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            keys,
            {"StringEquals": {"kms:ViaService": services}},
        ),
        allow(
            "RdsGetsGrants",
            "kms:CreateGrant",
            keys,
            {
                "StringEquals": {"kms:ViaService": services},
                "Bool": {"kms:GrantIsForAWSResource": "true"},
            },
        ),
    ]


def _export(reach: CopierReach) -> list[Statement]:
    if reach.export_role_arn is None:
        return []
    return [
        # Neither call has a narrower resource for tasks that do not exist yet.
        allow(
            "ExportSnapshots",
            ["rds:DescribeExportTasks", "rds:StartExportTask"],
            "*",
            {"StringEquals": {"aws:RequestedRegion": [reach.region]}},
        ),
        allow(
            "ExportWithItsRole",
            "iam:PassRole",
            reach.export_role_arn,
            {"StringEquals": {"iam:PassedToService": "export.rds.amazonaws.com"}},
        ),
    ]
