"""What the witness may do, which is only to read, and who may use the key of its log group. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.key_policies import USE, account_administers
from shared.policy_documents import Statement, allow, document


@dataclass(frozen=True)
class WitnessReach:
    """What the witness looks at.

    Attributes:
        site_regions: the regions of the sites.
        database_arns: their RDS instances.
    """

    site_regions: Sequence[str]
    database_arns: Sequence[str]


def witness(reach: WitnessReach) -> list[Statement]:
    """What the witness calls; sts:GetCallerIdentity needs no permission."""
    return [
        allow("ObserveDatabases", "rds:DescribeDBInstances", list(reach.database_arns)),
        # CloudWatch offers no resource for reading metrics.
        allow(
            "ReadProbes",
            "cloudwatch:GetMetricData",
            "*",
            {"StringEquals": {"aws:RequestedRegion": list(reach.site_regions)}},
        ),
    ]


def logs_key(account_id: str, region: str, log_group_name: str) -> dict[str, Any]:
    """The policy of the key of one log group: the account administers it, CloudWatch Logs alone uses it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html

    Args:
        account_id: the account.
        region: the key's and the log group's region.
        log_group_name: the log group.
    """
    log_group = f"arn:aws:logs:{region}:{account_id}:log-group:{log_group_name}"
    return document(
        account_administers(account_id),
        allow(
            "LogGroupOfTheWitness",
            USE,
            "*",
            {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": log_group}},
            to={"Service": f"logs.{region}.amazonaws.com"},
        ),
    )
