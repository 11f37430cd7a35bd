"""What a fence-guard may do: shut and reboot its own database, and nothing that could open or promote one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from automation_layer.policies import read_state, tell_people, use_state_key, write_state
from shared.policy_documents import Statement, allow
from shared.sites import Site


@dataclass(frozen=True)
class GuardReach:
    """What a fence-guard works on.

    Attributes:
        site: the site it is in.
        region: the site's region.
        database_arn: the site's RDS instance.
        state_region: region of the state table and the topics.
        state_table_arn: the controller's table.
        state_key_arn: its KMS key.
        topic_arn: the topic it tells people through.
        topics_key_arn: its KMS key.
    """

    site: Site
    region: str
    database_arn: str
    state_region: str
    state_table_arn: str
    state_key_arn: str
    topic_arn: str
    topics_key_arn: str


def fence_guard(reach: GuardReach) -> list[Statement]:
    """What a fence-guard calls; IAM has no condition on which security group a database is given."""
    own_item = f"fence#{reach.site}"
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
        read_state(reach.state_table_arn, ["controller", "incident#*", own_item]),
        write_state(reach.state_table_arn, [own_item]),
        use_state_key(reach.state_key_arn, reach.state_region),
        *tell_people([reach.topic_arn], reach.topics_key_arn, reach.state_region),
    ]
