"""The role under which people restore: see what there is, make new instances, and open or close those for a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from automation_layer import policies
from automation_layer.operator_role import role_of_people
from automation_layer.settings import AutomationSettings
from shared.contracts import DataContract, NetworkContract
from shared.policy_documents import Statement, allow
from shared.providers import on
from shared.sites import Site

WHAT = "restore"
# The names of restored instances begin so: an existing instance can never be meant.
RESTORED = "restored-*"
KEY_ACTIONS = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"]


@dataclass(frozen=True)
class SiteReach:
    """What restoring works on in one site.

    Attributes:
        region: its region.
        database_arn: its database, which a fenced one may be and be looked at.
        subnet_group_name: the groups that a restored instance gets.
        parameter_group_name: the same.
        key_arn: the site's data key, of the state table, too.
        database_key_arn: of its database, the same unless it was adopted with its own.
        state_table_arn: its controller's table, which says who the writer is.
    """

    region: str
    database_arn: str
    subnet_group_name: str
    parameter_group_name: str
    key_arn: str
    database_key_arn: str
    state_table_arn: str


def statements(account_id: str, sites: Mapping[Site, SiteReach]) -> list[Statement]:
    """What the command calls. It deletes and reboots nothing.

    To open a fenced database it must be able to change both sites' own ones: the command refuses the writer, and IAM
    cannot.
    """
    granted: list[Statement] = []
    for site, reach in sites.items():
        rds = f"arn:aws:rds:{reach.region}:{account_id}"
        name = site.capitalize()
        restored = f"{rds}:db:{RESTORED}"
        keys = list(dict.fromkeys([reach.key_arn, reach.database_key_arn]))
        through_rds = {"StringEquals": {"kms:ViaService": f"rds.{reach.region}.amazonaws.com"}}
        granted += [
            allow(
                f"SeeWhatThereIsIn{name}",
                ["rds:DescribeDBInstances", "rds:DescribeDBInstanceAutomatedBackups", "rds:DescribeDBSnapshots"],
                [f"{rds}:db:*", f"{rds}:snapshot:*", f"{rds}:auto-backup:*"],
            ),
            allow(
                f"RestoreIn{name}",
                ["rds:RestoreDBInstanceFromDBSnapshot", "rds:RestoreDBInstanceToPointInTime"],
                [
                    restored,
                    f"{rds}:snapshot:*",
                    f"{rds}:auto-backup:*",
                    reach.database_arn,
                    f"{rds}:subgrp:{reach.subnet_group_name}",
                    f"{rds}:pg:{reach.parameter_group_name}",
                    f"{rds}:og:default*",
                ],
            ),
            # Tags say what the copier may delete: of new instances only.
            allow(f"TagRestoredIn{name}", "rds:AddTagsToResource", restored),
            # A fenced database is one of the two; IAM has no condition on what of it is changed.
            allow(f"OpenForALookIn{name}", "rds:ModifyDBInstance", [restored, reach.database_arn]),
            allow(f"UseKeyIn{name}", KEY_ACTIONS, keys, through_rds),
            allow(
                f"RdsGetsGrantsIn{name}",
                "kms:CreateGrant",
                keys,
                {**through_rds, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
            policies.read_state(reach.state_table_arn, ["birth", "controller", "incident#*"], site),
            policies.use_state_key(reach.key_arn, reach.region, site),
        ]
    regions = [reach.region for reach in sites.values()]
    return [
        *granted,
        # RDS looks the security groups up with the caller's rights; describing has no narrower resource.
        allow(
            "NameSecurityGroups",
            "ec2:DescribeSecurityGroups",
            "*",
            {"StringEquals": {"aws:RequestedRegion": regions}},
        ),
    ]


@dataclass(frozen=True)
class RestoreRoleArgs:
    """What the role reaches.

    Attributes:
        network: keys.
        data: databases and their groups.
        state_table_arns: who the writer is, as each site's controller knows it.
    """

    network: NetworkContract
    data: DataContract
    state_table_arns: Mapping[Site, pulumi.Input[str]]


class RestoreRole(pulumi.ComponentResource):
    """One role for all who may operate; to restore is not to operate, so it is another one.

    Attributes:
        arn: the role's ARN.
    """

    arn: pulumi.Output[str]

    def __init__(self, settings: AutomationSettings, args: RestoreRoleArgs, provider: aws.Provider) -> None:
        environment = settings.environment
        name = environment.names.of(WHAT, Site.RECOVERY)
        super().__init__("postgres-dr:automation:RestoreRole", name)
        reaches = [
            pulumi.Output.all(
                region=environment.regions[site],
                database_arn=args.data.at(site).database_arn,
                subnet_group_name=args.data.at(site).subnet_group_name,
                parameter_group_name=args.data.at(site).parameter_group_name,
                key_arn=args.network.at(site).data_key_arn,
                database_key_arn=args.data.at(site).database_key_arn,
                state_table_arn=args.state_table_arns[site],
            )
            for site in Site
        ]
        self.arn = role_of_people(
            name,
            "People: restore a snapshot to a new instance, and look at what it holds",
            settings,
            pulumi.Output.all(*reaches).apply(
                lambda known: statements(
                    environment.account_id,
                    {site: SiteReach(**reach) for site, reach in zip(Site, known, strict=True)},
                )
            ),
            on(provider, parent=self),
        ).arn
        self.register_outputs({})
