"""The commands work under a role that allows what they call and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

import operations
from automation_layer import restore_role
from automation_layer.operator_role import OperatorReach, statements, trust
from function_runtime import items
from function_runtime.sites import Site as FunctionSite
from operations.__main__ import main
from operations.access import is_session_of, session_name, take_role
from operations.errors import RefusedError
from shared.errors import SettingsError
from shared.sites import Site
from snapshot_copier import snapshots
from tests.operations.terminal import ACCOUNT, ALICE, COMMANDS, DEPLOYMENT, HOME, denied, outputs_file

ANOTHER = "999999999999"
REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
TABLES = {site: f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/failover-state-{site}" for site, region in REGIONS.items()}
REACHES = {
    site: OperatorReach(
        region=region,
        function_arn=f"arn:aws:lambda:{region}:{ACCOUNT}:function:failover-{site}-dev",
        state_table_arn=TABLES[site],
        state_key_arn=f"arn:aws:kms:{region}:{ACCOUNT}:key/data",
        secret_arn=f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:master-??????",
    )
    for site, region in REGIONS.items()
}
STATEMENTS = statements(ACCOUNT, REACHES)
RESTORE_STATEMENTS = restore_role.statements(
    ACCOUNT,
    {
        site: restore_role.SiteReach(
            region,
            f"arn:aws:rds:{region}:{ACCOUNT}:db:database-{site}",
            "subnets",
            "parameters",
            "arn:key",
            "arn:key",
            TABLES[site],
        )
        for site, region in REGIONS.items()
    },
)
OPERATIONS = Path(operations.__file__).parent
# The commands under the other role.
RESTORING = {"inspect_command.py", "restore_command.py"}
# Before the role is taken, with the person's own rights.
BEFORE = {"sts:AssumeRole", "sts:GetCallerIdentity"}
# What DynamoDB does with the role's rights, never the commands' own code.
BY_DYNAMODB = {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"}
# What the functions call in the code that the commands share with them, and the commands do not.
BY_FUNCTIONS = {"rds:DescribeExportTasks", "dynamodb:Scan"}
# boto3 names Lambda's API differently from IAM: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction"}


def called_actions(files: Iterable[Path]) -> set[str]:
    trees = [ast.parse(file.read_text()) for file in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    # A plan names its operation as a text.
    attributes |= {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    called = set()
    for service in ("lambda", "dynamodb", "sts", "rds", "sns", "cloudwatch", "iam", "kms", "secretsmanager"):
        client: Any = boto3.client(
            service, region_name="ap-southeast-1", aws_access_key_id="-", aws_secret_access_key="-"
        )
        for operation in client.meta.service_model.operation_names:
            if xform_name(operation) in attributes:
                called.add(ACTIONS.get(f"{service}:{operation}", f"{service}:{operation}"))
    return called


def granted_actions(statements: Sequence[Mapping[str, Any]]) -> set[str]:
    return {
        action
        for each in statements
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    }


def test_the_role_allows_exactly_what_the_commands_call() -> None:
    own = {file for file in OPERATIONS.glob("*.py") if file.name not in RESTORING}
    # What they say and list goes through the functions' own code.
    called = called_actions({*own, Path(items.__file__), Path(snapshots.__file__)})
    assert granted_actions(STATEMENTS) - BY_DYNAMODB == called - BEFORE - BY_FUNCTIONS


def test_the_role_for_restoring_allows_exactly_what_that_command_calls() -> None:
    files = [*(OPERATIONS / name for name in sorted(RESTORING)), OPERATIONS / "restorable.py", Path(snapshots.__file__)]
    called = called_actions([*files, Path(items.__file__)])
    # Tags and security groups are named in the calls; the record is only read.
    called |= {"rds:AddTagsToResource", "rds:ModifyDBInstance", "ec2:DescribeSecurityGroups"}
    called -= BY_FUNCTIONS | {"dynamodb:PutItem"}
    granted = granted_actions(RESTORE_STATEMENTS)
    assert {action for action in granted if not action.startswith("kms:")} == called


def test_the_role_for_restoring_changes_no_instance_but_restored_ones_and_the_two_databases() -> None:
    for each in RESTORE_STATEMENTS:
        if any("Modify" in action or "Delete" in action for action in [each["Action"]]):
            assert all(re.search(r":db:(restored-\*|database-\w+)$", resource) for resource in each["Resource"])
    assert not any("Delete" in action or "Reboot" in action for action in granted_actions(RESTORE_STATEMENTS))


def test_the_role_is_for_the_function_the_table_and_the_key_of_each_site() -> None:
    (asking,) = [each for each in STATEMENTS if each["Action"] == "lambda:InvokeFunction"]
    assert asking["Resource"] == [reach.function_arn for reach in REACHES.values()]
    resources = {each["Resource"] for each in STATEMENTS if isinstance(each["Resource"], str)}
    assert resources == {arn for each in REACHES.values() for arn in (each.state_table_arn, each.state_key_arn)}
    assert {each["Effect"] for each in STATEMENTS} == {"Allow"}


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_operators_write_what_they_want_and_how_far_a_new_standby_is_and_nothing_else(site: Site) -> None:
    writing = [each for each in STATEMENTS if "dynamodb:PutItem" in each["Action"] and each["Resource"] == TABLES[site]]
    assert [each["Action"] for each in writing] == ["dynamodb:PutItem"]
    assert writing[0]["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["control", "reprotect"]}}


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_key_is_used_through_dynamodb_only(site: Site) -> None:
    (using,) = [each for each in STATEMENTS if each["Resource"] == REACHES[site].state_key_arn]
    assert using["Condition"] == {"StringEquals": {"kms:ViaService": f"dynamodb.{REGIONS[site]}.amazonaws.com"}}


def test_without_named_principals_the_accounts_own_policies_decide_who_may_take_the_role() -> None:
    (statement,) = trust(ACCOUNT, [], require_mfa=False)["Statement"]
    assert statement["Principal"] == {"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]}
    assert "Condition" not in statement


def test_named_principals_are_the_only_ones() -> None:
    (statement,) = trust(ACCOUNT, [ALICE], require_mfa=True)["Statement"]
    assert statement["Principal"] == {"AWS": [ALICE]}
    # Bool, not BoolIfExists: long-lived keys have no such attribute, and must not pass.
    assert statement["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@pytest.mark.parametrize(
    ("caller", "name"),
    [
        (ALICE, "alice"),
        (f"arn:aws:iam::{ACCOUNT}:root", "root"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Ops_0/alice@example.com", "alice@example.com"),
        (f"arn:aws:iam::{ACCOUNT}:user/team/a", "a-"),
        (f"arn:aws:iam::{ACCOUNT}:user/ünï", "-n-"),
        (f"arn:aws:iam::{ACCOUNT}:user/{'x' * 80}", "x" * 64),
    ],
)
def test_the_session_carries_the_callers_name(caller: str, name: str) -> None:
    assert session_name(caller) == name


def test_a_session_of_the_role_is_recognised() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/operator-recovery-dev"
    assert is_session_of(f"arn:aws:sts::{ACCOUNT}:assumed-role/operator-recovery-dev/alice", role)
    assert not is_session_of(f"arn:aws:sts::{ACCOUNT}:assumed-role/operator-recovery-dev2/alice", role)
    assert not is_session_of("arn:aws:sts::999999999999:assumed-role/operator-recovery-dev/alice", role)


class Sessions:
    """boto3's sessions, and an STS behind them."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.clients: list[tuple[str, str, str]] = []
        self.asked: list[dict[str, Any]] = []

    def __call__(self, **keys: str) -> Any:
        return _Session(self, keys.get("aws_access_key_id", "own"))


class _Session:
    def __init__(self, sessions: Sessions, key: str) -> None:
        self.sessions, self.key = sessions, key

    def client(self, service: str, *, region_name: str, config: object) -> Any:
        self.sessions.clients.append((service, region_name, self.key))
        return self

    def get_caller_identity(self) -> Any:
        return self._answer("identity")

    def get_item(self, **_: Any) -> Any:
        return {}

    def assume_role(self, **parameters: Any) -> Any:
        self.sessions.asked.append(parameters)
        return self._answer("role")

    def _answer(self, name: str) -> Any:
        answer = self.sessions.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return answer


CREDENTIALS = {"Credentials": {"AccessKeyId": "role", "SecretAccessKey": "s", "SessionToken": "t"}}


def sessions(monkeypatch: pytest.MonkeyPatch, identity: Any = None, role: Any = CREDENTIALS) -> Sessions:
    made = Sessions({"identity": {"Account": ACCOUNT, "Arn": ALICE} if identity is None else identity, "role": role})
    monkeypatch.setattr(boto3.session, "Session", made)
    return made


def test_all_work_is_done_in_the_controllers_region_under_the_role(monkeypatch: pytest.MonkeyPatch) -> None:
    made = sessions(monkeypatch)
    role = take_role(DEPLOYMENT)
    assert role.by == ALICE
    assert made.asked == [{"RoleArn": DEPLOYMENT.operator_role_arn, "RoleSessionName": "alice"}]
    primary, recovery = (DEPLOYMENT.at[site].region for site in FunctionSite)
    tables = [("dynamodb", primary, "role"), ("dynamodb", recovery, "role")]
    assert made.clients == [("sts", recovery, "own"), *tables]
    role.toward(FunctionSite.PRIMARY, DEPLOYMENT)
    assert made.clients[-1] == ("lambda", primary, "role")


def test_a_refused_role_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions(monkeypatch, role=denied("AssumeRole"))
    with pytest.raises(RefusedError, match=f"role = .*{ALICE} may not take this role.*operatorPrincipals"):
        take_role(DEPLOYMENT)


@pytest.mark.parametrize("command", COMMANDS)
def test_credentials_of_another_account_are_refused_before_the_role_is_taken(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = f"arn:aws:iam::{ANOTHER}:user/bob"
    made = sessions(monkeypatch, identity={"Account": ANOTHER, "Arn": bob})
    assert main([*command.split(), "--outputs", str(outputs_file(tmp_path))]) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith(
        f"error: AWS credentials = of account {ANOTHER} ({bob}): stack test is in account {ACCOUNT}: set AWS_PROFILE"
    )
    assert printed.out == ""
    assert made.clients == [("sts", HOME.region, "own")]
    assert made.asked == []


def test_with_a_session_of_the_role_it_is_not_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    by = f"arn:aws:sts::{ACCOUNT}:assumed-role/operator-recovery-test/bob-of-another-account"
    made = sessions(monkeypatch, identity={"Account": ACCOUNT, "Arn": by})
    assert take_role(DEPLOYMENT).by == by
    assert made.asked == []


@pytest.mark.parametrize(
    ("identity", "refusal", "told"),
    [
        (NoCredentialsError(), SettingsError, f"AWS credentials = .*set AWS_PROFILE or log in, to account {ACCOUNT}"),
        (denied("GetCallerIdentity"), RefusedError, f"log in again, to account {ACCOUNT} of stack test"),
        (EndpointConnectionError(endpoint_url="-"), RefusedError, "STS in ap-southeast-2 = .no answer"),
    ],
    ids=["none", "refused", "no answer"],
)
def test_without_an_identity_it_ends_with_the_remedy(
    identity: Exception, refusal: type[Exception], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions(monkeypatch, identity=identity)
    with pytest.raises(refusal, match=told):
        take_role(DEPLOYMENT)
