"""What a fence-guard may do: shut and reboot its own database, and nothing that could open or promote one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from automation_layer.reporter import StateReach, report
from shared.policy_documents import Statement, allow
from shared.sites import Site


@dataclass(frozen=True)
class GuardReach:
    """What a fence-guard works on.

    Attributes:
        site: the site it is in.
        region: the site's region.
        database_arn: the site's RDS instance.
        state: the state table and the topic.
    """

    site: Site
    region: str
    database_arn: str
    state: StateReach


def fence_guard(reach: GuardReach) -> list[Statement]:
    """What a fence-guard calls; IAM has no condition on which security group a database is given."""
    return [
        allow("ObserveOwnDatabase", "rds:DescribeDBInstances", reach.database_arn),
        allow("FenceOwnDatabase", ["rds:ModifyDBInstance", "rds:RebootDBInstance"], reach.database_arn),
        # RDS looks the new security group up with the caller's rights; describing has no narrower resource.
        allow(
            "FenceNamesSecurityGroup",
            "ec2:DescribeSecurityGroups",
            "*",
            {"StringEquals": {"aws:RequestedRegion": [reach.region]}},
        ),
        *report(reach.state, f"fence#{reach.site}", ["controller", "incident#*"]),
    ]
