"""Each role can do what its function's code calls, on the resources it works on, and nothing else (R10, P5)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from botocore import xform_name

from automation_layer import copier_policy, guard_policy, policies, witness_policy
from automation_layer.artifact import FUNCTIONS_FOLDER
from automation_layer.imports import imported_by
from automation_layer.reporter import StateReach
from shared.policy_documents import Statement
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
PROBE = policies.probe(ACCOUNT, REGIONS.values())
STATE = StateReach(
    region=REGIONS[Site.RECOVERY],
    table_arn=REACH.state_table_arn,
    key_arn=REACH.state_key_arn,
    topic_arn=REACH.topic_arns[0],
    topics_key_arn=REACH.topics_key_arn,
)
GUARDS = {
    site: guard_policy.fence_guard(
        guard_policy.GuardReach(
            site=site,
            region=REGIONS[site],
            database_arn=DATABASES[site],
            other_database_arn=DATABASES[site.other],
            own_topic_arn=f"arn:aws:sns:{REGIONS[site]}:failures-{site}-dev",
            own_topics_key_arn=f"arn:aws:kms:{REGIONS[site]}:key/messages",
            state=STATE,
        )
    )
    for site in Site
}
WITNESS = witness_policy.witness(
    witness_policy.WitnessReach(site_regions=list(REGIONS.values()), database_arns=list(DATABASES.values()))
)
COPIER = copier_policy.snapshot_copier(
    copier_policy.CopierReach(
        site=Site.RECOVERY,
        account_id=ACCOUNT,
        region=REGIONS[Site.RECOVERY],
        source_region=REGIONS[Site.PRIMARY],
        source_database_arn=DATABASES[Site.PRIMARY],
        source_database_id="database-primary-dev",
        key_arn=REACH.state_key_arn,
        source_key_arn="arn:aws:kms:ap-southeast-2:123456789012:key/data",
        copied_by="snapshot-copier-dev",
        export_role_arn=f"arn:aws:iam::{ACCOUNT}:role/snapshot-export-recovery-dev",
        state=STATE,
    )
)
# By the package of the function.
ROLES = {"failover": FAILOVER, "fence_guard": GUARDS[Site.PRIMARY], "snapshot_copier": COPIER, "witness": WITNESS}
# Services whose calls the functions' code makes itself.
CALLED_SERVICES = ("rds", "cloudwatch", "dynamodb", "sns", "sts")
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
NEED_NO_PERMISSION = {"sts:GetCallerIdentity"}
# What AWS's services do with a function's rights, never its own code.
NEEDED_BY_SERVICES = {
    "ec2:DescribeSecurityGroups",
    "iam:PassRole",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "rds:AddTagsToResource",
}


@pytest.fixture(params=list(ROLES))
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def granted_actions(statements: list[Statement]) -> set[str]:
    return {action for each in statements if each["Effect"] == "Allow" for action in as_list(each["Action"])}


def allowing(statements: list[Statement], action: str, resource: str) -> Iterator[Statement]:
    for each in statements:
        if action in as_list(each["Action"]) and any(
            fnmatchcase(resource, pattern) for pattern in as_list(each["Resource"])
        ):
            yield each


def keys_of(statement: Statement) -> list[str]:
    keys: list[str] = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    return keys


def attributes_reached_by(package: str) -> set[str]:
    """The attributes used in a function's own package, and in those functions of imported modules that it calls."""
    files = imported_by(f"{package}.handler", FUNCTIONS_FOLDER).files
    modules = {entry: ast.parse(path.read_bytes()) for entry, path in files.items()}
    own = {entry for entry in modules if entry.startswith(f"{package}/")}
    reached: list[ast.AST] = [modules[entry] for entry in own]
    functions = [
        node for entry in modules.keys() - own for node in ast.walk(modules[entry]) if isinstance(node, ast.FunctionDef)
    ]
    while True:
        names = {name for tree in reached for name in names_in(tree)} | attributes_in(*reached)
        called = [each for each in functions if each.name in names and each not in reached]
        if not called:
            return attributes_in(*reached)
        reached += called


def attributes_in(*trees: ast.AST) -> set[str]:
    return {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def names_in(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def called_actions(package: str) -> set[str]:
    """IAM actions of the API calls that a function's code reaches, found by the names of boto3's methods."""
    attributes = attributes_reached_by(package)
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


def test_each_function_may_call_exactly_what_its_code_calls(role: str) -> None:
    assert granted_actions(ROLES[role]) - NEEDED_BY_SERVICES == called_actions(role) - NEED_NO_PERMISSION


@pytest.mark.parametrize(
    ("package", "action"),
    [
        ("failover", "rds:PromoteReadReplica"),
        ("fence_guard", "rds:RebootDBInstance"),
        ("witness", "sts:GetCallerIdentity"),
    ],
)
def test_the_calls_are_found(package: str, action: str) -> None:
    assert action in called_actions(package)


def test_no_action_is_a_pattern(role: str) -> None:
    assert [action for action in granted_actions(ROLES[role]) if "*" in action] == []


@pytest.mark.parametrize("action", ["rds:ModifyDBInstance", "rds:RebootDBInstance", "rds:PromoteReadReplica"])
def test_only_the_two_databases_can_be_touched(action: str) -> None:
    for site in Site:
        assert list(allowing(FAILOVER, action, DATABASES[site]))
    assert not list(allowing(FAILOVER, action, f"arn:aws:rds:{HOME}:db:somebody-elses"))
    # The same name in another region is another database.
    assert not list(allowing(FAILOVER, action, DATABASES[Site.PRIMARY].replace("southeast-2", "southeast-3")))


def test_every_resource_stands_only_where_aws_offers_no_narrower_one() -> None:
    everywhere = {action for each in FAILOVER if each["Resource"] == "*" for action in as_list(each["Action"])}
    assert everywhere == {
        "cloudwatch:GetMetricData",
        "cloudwatch:PutMetricData",
        "ec2:DescribeSecurityGroups",
        "rds:DescribeEvents",
    }


def test_metrics_are_written_to_the_environments_own_namespace_only() -> None:
    (statement,) = allowing(FAILOVER, "cloudwatch:PutMetricData", "*")
    assert statement["Condition"] == {"StringEquals": {"cloudwatch:namespace": "PostgresDR/dev"}}


def test_keys_are_used_through_the_services_that_need_them_only() -> None:
    used = [each for each in FAILOVER if any(action.startswith("kms:") for action in as_list(each["Action"]))]
    assert {each["Resource"]: each["Condition"]["StringEquals"]["kms:ViaService"] for each in used} == {
        REACH.state_key_arn: "dynamodb.ap-southeast-1.amazonaws.com",
        REACH.topics_key_arn: "sns.ap-southeast-1.amazonaws.com",
    }


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_guard_touches_its_own_database_only(site: Site) -> None:
    for action in ("rds:ModifyDBInstance", "rds:RebootDBInstance"):
        assert list(allowing(GUARDS[site], action, DATABASES[site]))
        assert not list(allowing(GUARDS[site], action, DATABASES[site.other]))
    for each in Site:
        assert list(allowing(GUARDS[site], "rds:DescribeDBInstances", DATABASES[each])), "it looks at both"


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_guard_writes_its_own_record_only(site: Site) -> None:
    (writing,) = allowing(GUARDS[site], "dynamodb:PutItem", REACH.state_table_arn)
    assert keys_of(writing) == [f"fence#{site}"]
    (reading,) = allowing(GUARDS[site], "dynamodb:GetItem", REACH.state_table_arn)
    assert "control" not in keys_of(reading)


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_guard_uses_the_states_and_the_topics_key_where_they_are(site: Site) -> None:
    used = [each for each in GUARDS[site] if any(action.startswith("kms:") for action in as_list(each["Action"]))]
    assert {(each["Resource"], each["Condition"]["StringEquals"]["kms:ViaService"]) for each in used} == {
        (REACH.state_key_arn, "dynamodb.ap-southeast-1.amazonaws.com"),
        (REACH.topics_key_arn, "sns.ap-southeast-1.amazonaws.com"),
        (f"arn:aws:kms:{REGIONS[site]}:key/messages", f"sns.{REGIONS[site]}.amazonaws.com"),
    }


def test_a_copier_deletes_nothing_but_its_own_copies() -> None:
    snapshots = f"arn:aws:rds:{HOME}:snapshot"
    (deleting,) = allowing(COPIER, "rds:DeleteDBSnapshot", f"{snapshots}:copy-database-primary-dev-2026-01-01")
    assert deleting["Condition"] == {"StringEquals": {"aws:ResourceTag/DR-CopiedBy": "snapshot-copier-dev"}}
    for somebody_elses in ("by-hand", "rds:database-primary-dev-2026-01-01", "copy-of-something"):
        assert not list(allowing(COPIER, "rds:DeleteDBSnapshot", f"{snapshots}:{somebody_elses}"))
    assert not list(allowing(COPIER, "rds:DeleteDBSnapshot", f"{snapshots}:copy".replace("-1:", "-2:")))


def test_a_copier_touches_no_database_and_writes_its_own_record_only() -> None:
    forbidden = {"rds:ModifyDBInstance", "rds:DeleteDBInstance", "rds:RebootDBInstance", "rds:PromoteReadReplica"}
    assert not forbidden & granted_actions(COPIER)
    (writing,) = allowing(COPIER, "dynamodb:PutItem", REACH.state_table_arn)
    assert keys_of(writing) == ["copies#recovery"]
    (passing,) = allowing(COPIER, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/snapshot-export-recovery-dev")
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "export.rds.amazonaws.com"}}


def test_a_probe_logs_in_to_both_regions_databases_as_its_one_role_and_calls_no_api() -> None:
    assert granted_actions(PROBE) == {"rds-db:connect"}
    assert called_actions("health_probe") == set()
    # The resource id is another one for each instance that is made.
    for region in REGIONS.values():
        users = f"arn:aws:rds-db:{region}:{ACCOUNT}:dbuser:db-ABCDEFGHIJKL01234"
        assert list(allowing(PROBE, "rds-db:connect", f"{users}/dr_probe"))
        assert not list(allowing(PROBE, "rds-db:connect", f"{users}/owner"))
    for elsewhere in (f"ap-southeast-3:{ACCOUNT}", f"{REGIONS[Site.PRIMARY]}:999999999999"):
        assert not list(allowing(PROBE, "rds-db:connect", f"arn:aws:rds-db:{elsewhere}:dbuser:db-ABC/dr_probe"))


def test_the_failover_writes_neither_what_people_say_nor_what_guards_did() -> None:
    (writing,) = allowing(FAILOVER, "dynamodb:PutItem", REACH.state_table_arn)
    matched = {
        key
        for key in ("controller", "incident#000001-x", "control", "fence#primary", "fence#recovery")
        if any(fnmatchcase(key, pattern) for pattern in keys_of(writing))
    }
    assert matched == {"controller", "incident#000001-x"}


def test_the_witness_changes_nothing() -> None:
    assert all(action.partition(":")[2].startswith(("Get", "Describe")) for action in granted_actions(WITNESS))


def test_the_witness_reads_metrics_of_the_sites_regions_only() -> None:
    (reading,) = allowing(WITNESS, "cloudwatch:GetMetricData", "*")
    assert reading["Condition"] == {"StringEquals": {"aws:RequestedRegion": list(REGIONS.values())}}


def test_the_key_of_the_witnesss_logs_is_for_its_log_group_alone() -> None:
    group = "/aws/lambda/witness-dr-automation-dev"
    administration, logs = witness_policy.logs_key(ACCOUNT, "ap-northeast-1", group)["Statement"]
    assert not {"kms:Decrypt", "kms:*"} & set(administration["Action"])
    assert logs["Principal"] == {"Service": "logs.ap-northeast-1.amazonaws.com"}
    assert logs["Condition"] == {
        "ArnEquals": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:ap-northeast-1:{ACCOUNT}:log-group:{group}"}
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
