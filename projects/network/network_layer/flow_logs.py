"""A site's VPC flow logs."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared.naming import Names
from shared.policy_documents import allow, as_json, trust
from shared.providers import on
from shared.sites import Site

# The shorter of the two that AWS offers (60 and 600): an investigation asks in which minute connections moved.
AGGREGATION_SECONDS = 60


@dataclass(frozen=True)
class FlowLogsArgs:
    """What a site's flow logs are made of.

    Attributes:
        site: where they are.
        account_id: the account.
        region: the site's region.
        vpc_id: the VPC whose traffic is recorded.
        messages_key_arn: key of the log group; its policy admits log groups whose names end in the suffix.
        retention_days: how long records are kept.
    """

    site: Site
    account_id: str
    region: str
    vpc_id: pulumi.Input[str]
    messages_key_arn: pulumi.Input[str]
    retention_days: int


class FlowLogs(pulumi.ComponentResource):
    """Accepted and rejected traffic of a VPC, in a log group encrypted with the site's messages key.

    The role needs nothing of KMS: CloudWatch Logs encrypts, by the key's policy.

    Attributes:
        log_group: where the records are.
        flow_log: the recording.
    """

    log_group: aws.cloudwatch.LogGroup
    flow_log: aws.ec2.FlowLog

    def __init__(self, names: Names, args: FlowLogsArgs, provider: aws.Provider) -> None:
        name = names.of("flow-logs", args.site)
        super().__init__("postgres-dr:network:FlowLogs", name, None, None)
        options = on(provider, parent=self)

        self.log_group = aws.cloudwatch.LogGroup(
            name,
            name=name,
            retention_in_days=args.retention_days,
            kms_key_id=args.messages_key_arn,
            tags={"Name": name},
            opts=options,
        )
        role = aws.iam.Role(
            name,
            name=name,
            description=f"VPC flow logs of the {args.site} site write their log group",
            assume_role_policy=trust_policy(args.account_id, args.region),
            tags={"Name": name},
            opts=options,
        )
        permissions = aws.iam.RolePolicy(
            name,
            name=name,
            role=role.name,
            policy=delivery_policy(args.account_id, args.region, name),
            opts=options,
        )
        self.flow_log = aws.ec2.FlowLog(
            name,
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=self.log_group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=AGGREGATION_SECONDS,
            tags={"Name": name},
            # AWS accepts a flow log whose role may not write yet, and then reports "Access error" in its status only.
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[permissions])),
        )
        self.register_outputs({})


def trust_policy(account_id: str, region: str) -> str:
    """Who may take the role, as JSON: the flow logs of this account and region, so that no other account's can.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """
    condition = {
        "StringEquals": {"aws:SourceAccount": account_id},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:{region}:{account_id}:vpc-flow-log/*"},
    }
    return as_json(trust("vpc-flow-logs.amazonaws.com", condition, sid="FlowLogsOfThisAccount"))


def delivery_policy(account_id: str, region: str, log_group: str) -> str:
    """What the role may do, as JSON: write to the one group, but create none, which would have no key."""
    groups = f"arn:aws:logs:{region}:{account_id}:log-group"
    return as_json(
        allow(
            "WriteStreamsOfTheGroup",
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [f"{groups}:{log_group}", f"{groups}:{log_group}:log-stream:*"],
        ),
        # The delivery lists all log groups to find its own; AWS cannot limit that to one.
        allow("FindTheGroup", "logs:DescribeLogGroups", f"{groups}:*"),
    )
