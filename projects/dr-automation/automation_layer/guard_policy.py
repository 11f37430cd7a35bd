"""What a fence-guard may do: shut and reboot its own database, and nothing that could open or promote one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from automation_layer import policies
from automation_layer.reporter import OwnItem, StateReach, report
from shared.policy_documents import Statement, allow
from shared.sites import Site


@dataclass(frozen=True)
class GuardReach:
    """What a fence-guard works on.

    Attributes:
        site: the site it is in.
        region: the site's region.
        database_arn: the site's RDS instance.
        other_database_arn: the other site's RDS instance.
        states: the state table and the topics of each site.
    """

    site: Site
    region: str
    database_arn: str
    other_database_arn: str
    states: Mapping[Site, StateReach]


def fence_guard(reach: GuardReach) -> list[Statement]:
    """What a fence-guard calls; IAM has no condition on which security group a database is given."""
    # The other site's controller made the new writer, and tells people what became of the old one.
    own = OwnItem(f"fence#{reach.site}", reach.site.other)
    return [
        allow("ObserveDatabases", "rds:DescribeDBInstances", [reach.database_arn, reach.other_database_arn]),
        allow("FenceOwnDatabase", ["rds:ModifyDBInstance", "rds:RebootDBInstance"], reach.database_arn),
        *policies.fence_in([reach.region]),
        *report(reach.states, own, ["birth", "controller", "incident#*"]),
        policies.find_history([state.table_arn for state in reach.states.values()]),
    ]
