"""Enhanced monitoring: the role by which RDS writes the operating system's metrics to CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from shared.naming import Names
from shared.policy_documents import as_json, trust
from shared.providers import on

# What MonitoringInterval of RDS takes, in seconds; 0 turns it off.
MONITORING_INTERVALS_SECONDS = (0, 1, 5, 10, 15, 30, 60)
MONITORING_POLICY_ARN = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"


class DatabaseMonitoring(pulumi.ComponentResource):
    """One role for both instances: IAM has no regions.

    Attributes:
        role_arn: the role, known once it may write.
    """

    role_arn: pulumi.Output[str]

    def __init__(self, names: Names, *, account_id: str, database_arns: Sequence[str], provider: aws.Provider) -> None:
        """Declare the role.

        Args:
            names: names of the environment.
            account_id: its account.
            database_arns: the instances that are monitored.
            provider: of the site that makes what has no region.
        """
        name = names.of("database-monitoring", "data")
        super().__init__("postgres-dr:data:DatabaseMonitoring", name, None, None)
        options = on(provider, parent=self)
        role = aws.iam.Role(
            name,
            name=name,
            description="RDS writes the metrics of the databases' operating systems",
            assume_role_policy=monitoring_trust_policy(account_id, database_arns),
            tags={"Name": name},
            opts=options,
        )
        attachment = aws.iam.RolePolicyAttachment(name, role=role.name, policy_arn=MONITORING_POLICY_ARN, opts=options)
        # RDS refuses an instance with a role that may not write yet.
        self.role_arn = pulumi.Output.all(role.arn, attachment.id).apply(lambda known: str(known[0]))

        self.register_outputs({})


def monitoring_trust_policy(account_id: str, database_arns: Sequence[str]) -> str:
    """Who may take the role: RDS's monitoring on behalf of these instances alone, as JSON.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.Enabling.html
    """
    condition = {
        "StringEquals": {"aws:SourceAccount": account_id},
        "ArnLike": {"aws:SourceArn": list(database_arns)},
    }
    return as_json(trust("monitoring.rds.amazonaws.com", condition))
