"""Each role can do what its function's code calls, on the resources it works on, and nothing else (R10, P5)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from botocore import xform_name

from automation_layer import copier_policy, failover_policy, guard_policy, policies, witness_policy
from automation_layer.artifact import FUNCTIONS_FOLDER
from automation_layer.imports import imported_by
from automation_layer.reporter import StateReach
from shared.policy_documents import Statement
from shared.sites import Site

ACCOUNT = "123456789012"
REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
DATABASES = {site: f"arn:aws:rds:{REGIONS[site]}:{ACCOUNT}:db:database-{site}-dev" for site in Site}
HOME = f"{REGIONS[Site.RECOVERY]}:{ACCOUNT}"
STATES = {
    site: StateReach(
        region=REGIONS[site],
        table_arn=f"arn:aws:dynamodb:{REGIONS[site]}:{ACCOUNT}:table/failover-state-{site}-dev",
        key_arn=f"arn:aws:kms:{REGIONS[site]}:{ACCOUNT}:key/data",
        failures_topic_arn=f"arn:aws:sns:{REGIONS[site]}:{ACCOUNT}:failures-{site}-dev",
        recoveries_topic_arn=f"arn:aws:sns:{REGIONS[site]}:{ACCOUNT}:recoveries-{site}-dev",
        topics_key_arn=f"arn:aws:kms:{REGIONS[site]}:{ACCOUNT}:key/messages",
    )
    for site in Site
}
SECRETS = {site: f"arn:aws:secretsmanager:{REGIONS[site]}:{ACCOUNT}:secret:master-??????" for site in Site}
PROBES = {site: f"arn:aws:lambda:{REGIONS[site]}:{ACCOUNT}:function:health-probe-{site}-dev" for site in Site}
FAILOVERS = {
    site: failover_policy.failover(
        failover_policy.FailoverReach(
            site=site,
            account_id=ACCOUNT,
            regions=REGIONS,
            database_arns=DATABASES,
            probe_arns=list(PROBES.values()),
            metric_namespace="PostgresDR/dev",
            states=STATES,
            secret_arn=SECRETS[site],
        )
    )
    for site in Site
}
FAILOVER = FAILOVERS[Site.RECOVERY]
PROBE = policies.probe(ACCOUNT, REGIONS.values())
GUARDS = {
    site: guard_policy.fence_guard(
        guard_policy.GuardReach(
            site=site,
            region=REGIONS[site],
            database_arn=DATABASES[site],
            other_database_arn=DATABASES[site.other],
            states=STATES,
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
        key_arn=STATES[Site.RECOVERY].key_arn,
        source_key_arn=STATES[Site.PRIMARY].key_arn,
        source_database_key_arn=STATES[Site.PRIMARY].key_arn,
        copied_by="snapshot-copier-dev",
        export_role_arn=f"arn:aws:iam::{ACCOUNT}:role/snapshot-export-recovery-dev",
        states=STATES,
    )
)
# By the package of the function.
ROLES = {"failover": FAILOVER, "fence_guard": GUARDS[Site.PRIMARY], "snapshot_copier": COPIER, "witness": WITNESS}
# Services whose calls the functions' code makes itself.
CALLED_SERVICES = ("rds", "cloudwatch", "dynamodb", "secretsmanager", "sns", "sts", "lambda")
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
NEED_NO_PERMISSION = {"sts:GetCallerIdentity"}
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
NAMED_OTHERWISE = {"lambda:Invoke": "lambda:InvokeFunction"}
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


def tables(statements: list[Statement], action: str) -> dict[Site, list[str]]:
    """The keys of the items that an action is allowed on, by the table's site."""
    found = {site: list(allowing(statements, action, STATES[site].table_arn)) for site in Site}
    return {site: [key for each in of for key in keys_of(each)] for site, of in found.items() if of}


def through(statements: list[Statement]) -> set[tuple[str, str]]:
    """Which key may be used through which service."""
    used = [each for each in statements if any(action.startswith("kms:") for action in as_list(each["Action"]))]
    return {(each["Resource"], each["Condition"]["StringEquals"]["kms:ViaService"]) for each in used}


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
    return {NAMED_OTHERWISE.get(action, action) for action in called}


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


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_controller_sees_whether_its_own_regions_secret_is_there_and_reads_none(site: Site) -> None:
    about_secrets = {action for action in granted_actions(FAILOVERS[site]) if action.startswith("secretsmanager:")}
    assert about_secrets == {"secretsmanager:DescribeSecret"}
    (seeing,) = [each for each in FAILOVERS[site] if "secretsmanager:DescribeSecret" in as_list(each["Action"])]
    assert seeing["Resource"] == [SECRETS[site]]


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_controller_asks_the_two_probes_and_no_other_function(site: Site) -> None:
    (asking,) = [each for each in FAILOVERS[site] if "lambda:InvokeFunction" in as_list(each["Action"])]
    assert asking["Resource"] == [PROBES[each] for each in Site]
    assert as_list(asking["Action"]) == ["lambda:InvokeFunction"]


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


OF_BOTH_SITES = {
    pair
    for site, reach in STATES.items()
    for pair in (
        (reach.key_arn, f"dynamodb.{REGIONS[site]}.amazonaws.com"),
        (reach.topics_key_arn, f"sns.{REGIONS[site]}.amazonaws.com"),
    )
}
"""Each site's keys, through the services of its region that need them."""


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_keys_are_used_through_the_services_that_need_them_only(site: Site) -> None:
    assert through(FAILOVERS[site]) == OF_BOTH_SITES
    assert through(GUARDS[site]) == OF_BOTH_SITES


def test_every_statement_of_a_policy_has_an_id_of_its_own(role: str) -> None:
    ids = [each["Sid"] for each in ROLES[role]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_controller_sees_which_words_are_out_in_both_regions_and_in_no_other(site: Site) -> None:
    (seeing,) = [each for each in FAILOVERS[site] if "cloudwatch:DescribeAlarms" in as_list(each["Action"])]
    assert {resource.split(":")[3] for resource in seeing["Resource"]} == set(REGIONS.values())
    assert all(resource.endswith(f":{ACCOUNT}:alarm:*") for resource in seeing["Resource"])


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_controller_tells_people_of_failures_in_both_sites_and_of_recoveries_in_its_own(site: Site) -> None:
    published = {
        arn for each in FAILOVERS[site] if "sns:Publish" in as_list(each["Action"]) for arn in each["Resource"]
    }
    assert published == {
        *(reach.failures_topic_arn for reach in STATES.values()),
        STATES[site].recoveries_topic_arn,
    }


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_controller_reaches_the_other_ones_record_and_nothing_else_of_its_table(site: Site) -> None:
    other = STATES[site.other].table_arn
    for action, keys in {"dynamodb:GetItem": ["birth", "controller"], "dynamodb:PutItem": ["controller"]}.items():
        (reaching,) = allowing(FAILOVERS[site], action, other)
        assert keys_of(reaching) == keys
    assert not list(allowing(FAILOVERS[site], "dynamodb:Scan", other))


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_guard_touches_its_own_database_only(site: Site) -> None:
    for action in ("rds:ModifyDBInstance", "rds:RebootDBInstance"):
        assert list(allowing(GUARDS[site], action, DATABASES[site]))
        assert not list(allowing(GUARDS[site], action, DATABASES[site.other]))
    for each in Site:
        assert list(allowing(GUARDS[site], "rds:DescribeDBInstances", DATABASES[each])), "it looks at both"


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_guard_reads_both_tables_and_writes_its_own_record_in_the_other_sites(site: Site) -> None:
    assert tables(GUARDS[site], "dynamodb:PutItem") == {site.other: [f"fence#{site}"]}
    read = tables(GUARDS[site], "dynamodb:GetItem")
    assert read.keys() == set(Site)
    assert all({"birth", "controller", "incident#*"} <= set(keys) and "control" not in keys for keys in read.values())


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
    assert tables(COPIER, "dynamodb:PutItem") == {Site.RECOVERY: ["copies#recovery"]}
    assert all("reprotect" in keys for keys in tables(COPIER, "dynamodb:GetItem").values())
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


def test_the_failover_writes_neither_what_people_say_nor_what_guards_and_the_program_did() -> None:
    written = tables(FAILOVER, "dynamodb:PutItem")[Site.RECOVERY]
    items = ("controller", "handover#000002", "incident#000001-x", "birth", "control", "reprotect", "fence#primary")
    matched = {key for key in items if any(fnmatchcase(key, pattern) for pattern in written)}
    assert matched == {"controller", "handover#000002", "incident#000001-x"}


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
    arn = STATES[Site.RECOVERY].failures_topic_arn
    tls_only, alarms = policies.topic(arn, account_id=ACCOUNT, region="ap-southeast-1", alarms_publish=True)[
        "Statement"
    ]
    assert (tls_only["Effect"], tls_only["Principal"]) == ("Deny", "*")
    assert tls_only["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert alarms["Condition"]["ArnLike"] == {"aws:SourceArn": f"arn:aws:cloudwatch:ap-southeast-1:{ACCOUNT}:alarm:*"}


def test_a_topic_that_no_alarm_needs_lets_none_publish() -> None:
    policy = policies.topic(
        STATES[Site.RECOVERY].recoveries_topic_arn, account_id=ACCOUNT, region="ap-southeast-1", alarms_publish=False
    )
    assert [each["Effect"] for each in policy["Statement"]] == ["Deny"]
