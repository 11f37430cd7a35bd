"""What each role and topic allows, as IAM statements. Pure: from names and ARNs to plain data.

Nothing here is broader than what the code calls. ``Resource: "*"`` stands only where AWS offers nothing narrower.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from health_probe.login_token import USER
from shared.policy_documents import Condition, Statement, allow, deny, document, trust
from shared.sites import Site


def lambda_trust(account_id: str) -> dict[str, Any]:
    """Lambda may assume the role, for functions of this account only."""
    return document(
        trust("lambda.amazonaws.com", {"StringEquals": {"aws:SourceAccount": account_id}}, sid="LambdaOfThisAccount")
    )


def own_logs(log_group_arn: str) -> Statement:
    """Write to the function's own log group, which exists already: no right to create others."""
    return allow("WriteOwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{log_group_arn}:*")


def vpc_attachment(account_id: str, region: str, function_arn: str) -> list[Statement]:
    """What Lambda itself needs to put a function into a VPC, and what the function's code therefore must not do.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html: describing works on all resources only, and a
    delete limited to single interfaces can cut the function off.
    """
    return [
        allow("LambdaSeesNetworks", ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"], "*"),
        allow(
            "LambdaAttachesFunction",
            [
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:AssignPrivateIpAddresses",
                "ec2:UnassignPrivateIpAddresses",
            ],
            f"arn:aws:ec2:{region}:{account_id}:*/*",
        ),
        # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
        deny("CodeLeavesNetworksAlone", "ec2:*", "*", {"ArnEquals": {"lambda:SourceFunctionArn": function_arn}}),
    ]


def probe(account_id: str, regions: Iterable[str]) -> list[Statement]:
    """What the probes do: log in to the databases of both regions as their one role, in any instance of the account.

    A resource id would be narrower, but every instance gets a new one when it is born, and the probe must get in to a
    replica that is made after a failover. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
    """
    users = [f"arn:aws:rds-db:{region}:{account_id}:dbuser:*/{USER}" for region in regions]
    return [allow("LogInAsProbe", "rds-db:connect", users)]


def fence_in(regions: Sequence[str]) -> list[Statement]:
    """What a fence needs besides the rights to the database itself. Neither call has a narrower resource.

    RDS looks the new security group up with the caller's rights, and tells of a restart in its events.
    """
    there = {"StringEquals": {"aws:RequestedRegion": list(regions)}}
    return [
        allow("FenceNamesSecurityGroup", "ec2:DescribeSecurityGroups", "*", there),
        allow("FenceSeesRestart", "rds:DescribeEvents", "*", there),
    ]


def read_state(table_arn: str, items: Sequence[str] | None = None, site: Site | None = None) -> Statement:
    """Read items of a state table.

    Args:
        table_arn: the table.
        items: their keys, ``*`` for any end; None for all.
        site: the table's site, where a policy is about both.
    """
    return allow(_in("ReadState", site), "dynamodb:GetItem", table_arn, None if items is None else _leading(items))


def find_history(table_arns: Sequence[str]) -> Statement:
    """Find the incidents and handovers of state tables, whatever else is there: a scan knows no condition on keys."""
    return allow("FindHistory", "dynamodb:Scan", list(table_arns))


def write_state(table_arn: str, items: Sequence[str], site: Site | None = None) -> Statement:
    """Write those items of a state table that belong to the caller.

    Args:
        table_arn: the table.
        items: their keys, ``*`` for any end.
        site: the table's site, where a policy is about both.
    """
    return allow(_in("WriteOwnState", site), "dynamodb:PutItem", table_arn, _leading(items))


def use_state_key(key_arn: str, region: str, site: Site | None = None) -> Statement:
    """Use a state table's key, through DynamoDB of the table's region."""
    return allow(
        _in("UseStateKey", site),
        ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
        key_arn,
        {"StringEquals": {"kms:ViaService": f"dynamodb.{region}.amazonaws.com"}},
    )


def see_secrets(arns: Iterable[str]) -> Statement:
    """See whether secrets are there, and nothing of their content."""
    return allow("SeeWhetherSecretIsThere", "secretsmanager:DescribeSecret", list(arns))


def tell_people(topic_arns: Sequence[str], key_arn: str, region: str, site: Site | None = None) -> list[Statement]:
    """Publish to topics, and use their key through SNS of the topics' region."""
    return [
        allow(_in("TellPeople", site), "sns:Publish", list(topic_arns)),
        allow(
            _in("UseTopicsKey", site),
            ["kms:Decrypt", "kms:GenerateDataKey"],
            key_arn,
            {"StringEquals": {"kms:ViaService": f"sns.{region}.amazonaws.com"}},
        ),
    ]


def _in(sid: str, site: Site | None) -> str:
    """The id of a statement: each once in a policy."""
    return sid if site is None else f"{sid}In{site.capitalize()}"


def _leading(items: Sequence[str]) -> Condition:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(items)}}


def topic(topic_arn: str, *, account_id: str, region: str, alarms_publish: bool) -> dict[str, Any]:
    """Who may publish to a topic beside this account's own principals, whose IAM policies decide.

    Args:
        topic_arn: the topic.
        account_id: the account.
        region: the topic's region.
        alarms_publish: whether CloudWatch alarms of this account and region may.
    """
    tls_only = deny("TlsOnly", "sns:Publish", topic_arn, {"Bool": {"aws:SecureTransport": "false"}}, to="*")
    if not alarms_publish:
        return document(tls_only)
    of_this_account = {
        "StringEquals": {"aws:SourceAccount": account_id},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{region}:{account_id}:alarm:*"},
    }
    alarms = {"Service": "cloudwatch.amazonaws.com"}
    return document(tls_only, allow("AlarmsOfThisAccount", "sns:Publish", topic_arn, of_this_account, to=alarms))
