"""Each role can do what its function's code calls, on the resources it works on, and nothing else (R10, P5)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from botocore import xform_name

from automation_layer import policies
from automation_layer.artifact import FUNCTIONS_FOLDER
from shared.sites import Site

ACCOUNT = "123456789012"
REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
DATABASES = {site: f"arn:aws:rds:{REGIONS[site]}:{ACCOUNT}:db:database-{site}-dev" for site in Site}
HOME = f"{REGIONS[Site.RECOVERY]}:{ACCOUNT}"
REACH = policies.FailoverReach(
    regions=REGIONS,
    database_arns=DATABASES,
    metric_namespace="PostgresDR/dev",
    state_table_arn=f"arn:aws:dynamodb:{HOME}:table/failover-state-recovery-dev",
    state_key_arn=f"arn:aws:kms:{HOME}:key/data",
    topic_arns=[f"arn:aws:sns:{HOME}:failures-recovery-dev", f"arn:aws:sns:{HOME}:recoveries-recovery-dev"],
    topics_key_arn=f"arn:aws:kms:{HOME}:key/messages",
)
FAILOVER = policies.failover(REACH)
# Services whose calls the failover function's code makes itself.
CALLED_SERVICES = ("rds", "cloudwatch", "dynamodb", "sns")
# What AWS's services do with the function's rights, never its own code.
NEEDED_BY_SERVICES = {
    "ec2:DescribeSecurityGroups",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
}


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def granted_actions(statements: list[policies.Statement]) -> set[str]:
    return {action for each in statements if each["Effect"] == "Allow" for action in as_list(each["Action"])}


def allowing(statements: list[policies.Statement], action: str, resource: str) -> Iterator[policies.Statement]:
    for each in statements:
        if action in as_list(each["Action"]) and any(
            fnmatchcase(resource, pattern) for pattern in as_list(each["Resource"])
        ):
            yield each


def called_actions(package: str) -> set[str]:
    """IAM actions of the API calls in a function's sources, found by the names of boto3's methods."""
    attributes = {
        node.attr
        for path in (FUNCTIONS_FOLDER / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    session = boto3.session.Session()
    called = set()
    for service in CALLED_SERVICES:
        client: Any = session.client(
            service, region_name="ap-southeast-1", aws_access_key_id="-", aws_secret_access_key="-"
        )
        for operation in client.meta.service_model.operation_names:
            if xform_name(operation) in attributes:
                called.add(f"{service}:{operation}")
    return called


def test_the_failover_may_call_exactly_what_its_code_calls() -> None:
    assert granted_actions(FAILOVER) - NEEDED_BY_SERVICES == called_actions("failover")


def test_no_action_is_a_pattern() -> None:
    assert [action for action in granted_actions(FAILOVER) if "*" in action] == []


@pytest.mark.parametrize("action", ["rds:ModifyDBInstance", "rds:RebootDBInstance", "rds:PromoteReadReplica"])
def test_only_the_two_databases_can_be_touched(action: str) -> None:
    for site in Site:
        assert list(allowing(FAILOVER, action, DATABASES[site]))
    assert not list(allowing(FAILOVER, action, f"arn:aws:rds:{HOME}:db:somebody-elses"))
    # The same name in another region is another database.
    assert not list(allowing(FAILOVER, action, DATABASES[Site.PRIMARY].replace("southeast-2", "southeast-3")))


def test_every_resource_stands_only_where_aws_offers_no_narrower_one() -> None:
    everywhere = {action for each in FAILOVER if each["Resource"] == "*" for action in as_list(each["Action"])}
    assert everywhere == {"cloudwatch:GetMetricData", "cloudwatch:PutMetricData", "ec2:DescribeSecurityGroups"}


def test_metrics_are_written_to_the_environments_own_namespace_only() -> None:
    (statement,) = allowing(FAILOVER, "cloudwatch:PutMetricData", "*")
    assert statement["Condition"] == {"StringEquals": {"cloudwatch:namespace": "PostgresDR/dev"}}


def test_keys_are_used_through_the_services_that_need_them_only() -> None:
    used = [each for each in FAILOVER if any(action.startswith("kms:") for action in as_list(each["Action"]))]
    assert {each["Resource"]: each["Condition"]["StringEquals"]["kms:ViaService"] for each in used} == {
        REACH.state_key_arn: "dynamodb.ap-southeast-1.amazonaws.com",
        REACH.topics_key_arn: "sns.ap-southeast-1.amazonaws.com",
    }


def test_the_probes_code_may_not_do_what_lambda_needs_to_attach_it() -> None:
    function = f"arn:aws:lambda:{HOME}:function:health-probe-recovery-dev"
    statements = policies.vpc_attachment(ACCOUNT, REGIONS[Site.RECOVERY], function)
    (denied,) = [each for each in statements if each["Effect"] == "Deny"]
    assert denied["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": function}}
    assert all(fnmatchcase(action, denied["Action"]) for action in granted_actions(statements))


def test_a_function_writes_to_its_own_log_group_and_makes_none() -> None:
    group = f"arn:aws:logs:{HOME}:log-group:/aws/lambda/failover-recovery-dev"
    statement = policies.own_logs(group)
    assert statement["Resource"] == f"{group}:*"
    assert "logs:CreateLogGroup" not in statement["Action"]


def test_a_role_is_for_lambda_of_this_account() -> None:
    (statement,) = policies.lambda_trust(ACCOUNT)["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_a_topic_takes_nothing_in_the_clear_and_alarms_of_this_account_and_region_only() -> None:
    arn = REACH.topic_arns[0]
    tls_only, alarms = policies.topic(arn, account_id=ACCOUNT, region="ap-southeast-1", alarms_publish=True)[
        "Statement"
    ]
    assert (tls_only["Effect"], tls_only["Principal"]) == ("Deny", "*")
    assert tls_only["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert alarms["Condition"]["ArnLike"] == {"aws:SourceArn": f"arn:aws:cloudwatch:ap-southeast-1:{ACCOUNT}:alarm:*"}


def test_a_topic_that_no_alarm_needs_lets_none_publish() -> None:
    policy = policies.topic(REACH.topic_arns[1], account_id=ACCOUNT, region="ap-southeast-1", alarms_publish=False)
    assert [each["Effect"] for each in policy["Statement"]] == ["Deny"]
