"""The outputs file says which deployment a command is for, the command refuses another, and prints which one it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from aws_in_memory.deployed import healthy
from function_runtime.sites import Site
from operations.__main__ import main
from operations.deployment import ACCOUNT_KEY, OF_A_SITE, OPERATOR_ROLE_KEY, Deployment
from operations.errors import RefusedError
from shared.contracts import AutomationContract, NetworkContract
from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT
from tests.operations.terminal import COMMANDS, DEPLOYMENT, Terminal, outputs_file, silence

FIRST_LINE = "stack test, account 111122223333, controller in ap-southeast-1 (recovery)"
FIELDS = {"stack_name": "test", "account_id": "111122223333", "controller_site": "recovery"}


KEYS = {OPERATOR_ROLE_KEY, *(f"{site}{key}" for site in Site for key in OF_A_SITE.values())}


def test_the_outputs_are_in_the_layers_contracts() -> None:
    promised = {field.key for kind in (AutomationContract, NetworkContract) for field in kind.fields()}
    assert promised >= KEYS
    assert ACCOUNT_KEY in promised


@pytest.mark.parametrize("stack", [None, "test"])
def test_the_deployment_is_found_in_the_outputs(tmp_path: Path, stack: str | None) -> None:
    assert Deployment.read(outputs_file(tmp_path), stack) == DEPLOYMENT


def test_without_the_network_layers_outputs_the_account_is_that_of_the_role(tmp_path: Path) -> None:
    file = outputs_file(tmp_path)
    outputs = json.loads(file.read_text())
    del outputs[ACCOUNT_KEY]
    file.write_text(json.dumps(outputs))
    assert Deployment.read(file) == DEPLOYMENT


@pytest.mark.parametrize("value", ["999999999999", 111122223333, None])
def test_a_role_of_another_account_than_the_network_layer_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(SettingsError, match=r"accountId = .*operatorRoleArn is of account 111122223333"):
        Deployment.read(outputs_file(tmp_path, accountId=value))


@pytest.mark.parametrize("value", ["operator", "arn:aws:iam::111122223333:user/operator"])
def test_an_output_that_is_not_the_arn_of_a_role_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match=f"operatorRoleArn = {value} in .*: not the ARN of a role"):
        Deployment.read(outputs_file(tmp_path, operatorRoleArn=value))


@pytest.mark.parametrize("value", [None, "", 7])
@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_missing_output_is_named(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"{key} = .*deploy all layers, .*/dr outputs -- --stack test"):
        Deployment.read(outputs_file(tmp_path, **{key: value}))


@pytest.mark.parametrize("command", COMMANDS)
def test_outputs_of_another_stack_are_refused_before_aws_is_called(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.__main__.take_role", lambda deployment: pytest.fail("AWS was called"))
    file = outputs_file(tmp_path)
    assert main([*command.split(), "--outputs", str(file), "--stack", "prod"]) == 2
    printed = capsys.readouterr()
    assert printed.err == (
        f"error: --stack = prod: {file} holds the outputs of stack test: write those of prod with "
        "./dr outputs -- --stack prod, or name their file with --outputs\n"
    )
    assert printed.out == ""


def test_outputs_without_a_stacks_name_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--outputs", str(outputs_file(tmp_path, stackName=None))]) == 2
    assert "(of no stack): write it again with ./dr outputs -- --stack NAME" in capsys.readouterr().err


def test_an_outputs_file_that_is_not_json_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "flat-outputs.json"
    file.write_text("{")
    assert main(["status", "--outputs", str(file)]) == 2
    assert "write it again with ./dr outputs" in capsys.readouterr().err


@pytest.mark.parametrize("command", [command for command in COMMANDS if "--json" not in command])
def test_the_first_line_says_stack_account_and_region(command: str) -> None:
    terminal = Terminal(healthy())
    terminal.person.types = ["000001-ordered"]
    with suppress(RefusedError):  # there is nothing to abandon or to adopt
        terminal.give(command)
    assert terminal.person.lines[0] == FIRST_LINE
    assert terminal.person.lines.count(FIRST_LINE) == 1


@pytest.mark.parametrize("failure", [None, silence()], ids=["seen", "recorded"])
def test_json_has_them_as_fields_and_nothing_else_is_printed(failure: Exception | None) -> None:
    terminal = Terminal(healthy())
    terminal.function.failure = failure
    terminal.give("status --json")
    told = json.loads("\n".join(terminal.person.lines))
    assert FIELDS.items() <= told.items()


def test_no_command_imports_pulumi() -> None:
    # Importing it takes longer than running a command.
    program = "import sys, operations.__main__; sys.exit('pulumi' in sys.modules)"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY_ROOT, env=environment)
