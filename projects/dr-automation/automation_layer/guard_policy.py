"""What a fence-guard may do: shut and reboot its own database, and nothing that could open or promote one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from automation_layer import policies
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
        other_database_arn: the other site's RDS instance.
        own_topic_arn: the site's own topic of failures.
        own_topics_key_arn: its KMS key.
        state: the state table and the topic.
    """

    site: Site
    region: str
    database_arn: str
    other_database_arn: str
    own_topic_arn: str
    own_topics_key_arn: str
    state: StateReach


def fence_guard(reach: GuardReach) -> list[Statement]:
    """What a fence-guard calls; IAM has no condition on which security group a database is given."""
    return [
        allow("ObserveDatabases", "rds:DescribeDBInstances", [reach.database_arn, reach.other_database_arn]),
        allow("FenceOwnDatabase", ["rds:ModifyDBInstance", "rds:RebootDBInstance"], reach.database_arn),
        *policies.fence_in([reach.region]),
        *report(reach.state, f"fence#{reach.site}", ["controller", "incident#*"]),
        policies.find_incidents(reach.state.table_arn),
        *_tell_at_home(reach),
    ]


def _tell_at_home(reach: GuardReach) -> list[Statement]:
    """Where the state's region is silent, people hear through the guard's own."""
    if reach.own_topic_arn == reach.state.topic_arn:
        return []
    return [
        allow("TellPeopleAtHome", "sns:Publish", reach.own_topic_arn),
        allow(
            "UseOwnTopicsKey",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            reach.own_topics_key_arn,
            {"StringEquals": {"kms:ViaService": f"sns.{reach.region}.amazonaws.com"}},
        ),
    ]
