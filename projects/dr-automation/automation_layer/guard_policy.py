"""What a fence-guard may do: shut and reboot its own database, and nothing that could open or promote one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from automation_layer.policies import Statement, read_state, tell_people, use_state_key, write_state
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
        {
            "Sid": "ObserveOwnDatabase",
            "Effect": "Allow",
            "Action": "rds:DescribeDBInstances",
            "Resource": reach.database_arn,
        },
        {
            "Sid": "FenceOwnDatabase",
            "Effect": "Allow",
            "Action": ["rds:ModifyDBInstance", "rds:RebootDBInstance"],
            "Resource": reach.database_arn,
        },
        {
            # RDS looks the new security group up with the caller's rights; describing has no narrower resource.
            "Sid": "FenceNamesSecurityGroup",
            "Effect": "Allow",
            "Action": "ec2:DescribeSecurityGroups",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": [reach.region]}},
        },
        read_state(reach.state_table_arn, ["controller", "incident#*", own_item]),
        write_state(reach.state_table_arn, [own_item], ["dynamodb:PutItem"]),
        use_state_key(reach.state_key_arn, reach.state_region),
        *tell_people([reach.topic_arn], reach.topics_key_arn, reach.state_region),
    ]
