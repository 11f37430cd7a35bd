"""The outputs file: always complete, of one stack, which it names (P2)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployment.arguments import Command
from deployment.flat_outputs import merged, owner, read, remove, write
from deployment.operation import Stopped
from shared.environment import Environment
from shared.errors import SettingsError
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import Carry, Dr
from tests.deployment.recorder import StandIn
from tests.deployment.standing import UPWARDS, contract_outputs


@pytest.fixture
def file(checkout: Checkout) -> Path:
    return checkout.flat_outputs


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(file: Path) -> None:
    write({"a": "old"}, file)
    before = file.read_text()
    with pytest.raises(TypeError):
        write({"a": object()}, file)
    assert file.read_text() == before
    assert list(file.parent.iterdir()) == [file]


def test_every_tool_on_the_machine_can_read_it(file: Path) -> None:
    write({}, file)
    assert file.stat().st_mode & 0o044 == 0o044


def test_it_names_its_stack() -> None:
    assert merged("dev", {"network": {"primaryVpcId": "vpc-1"}, "data": {"databaseName": "app"}}) == {
        "stackName": "dev",
        "primaryVpcId": "vpc-1",
        "databaseName": "app",
    }


def test_two_layers_exporting_one_key_is_an_error_that_names_both() -> None:
    with pytest.raises(SettingsError, match="vpcId = exported by network and by data: rename it"):
        merged("dev", {"network": {"vpcId": "vpc-1"}, "data": {"vpcId": "vpc-2"}})


def test_no_layer_can_export_the_stacks_name() -> None:
    with pytest.raises(SettingsError, match="stackName = exported by the file itself and by network"):
        merged("dev", {"network": {"stackName": "lab"}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("{", "unreadable"),
        ("{}", "of no stack"),
        ("[]", "of no stack"),
        ('{"stackName": 1}', "of no stack"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_way_to_a_good_one(
    file: Path, text: str | None, message: str
) -> None:
    file.parent.mkdir()
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=rf"{message}.*\./dr outputs"):
        read(file)
    assert owner(file) is None


def test_a_stacks_own_file_is_taken_away_with_it_and_another_stacks_is_not(file: Path) -> None:
    write(merged("lab", {}), file)
    remove("dev", file)
    assert owner(file) == "lab"
    remove("lab", file)
    assert not file.exists()


def test_a_file_without_a_stacks_name_is_deleted(file: Path) -> None:
    write({"primaryVpcId": "vpc-1"}, file)
    remove("dev", file)
    assert not file.exists()


def test_a_deploy_writes_the_outputs_of_all_layers(carry: Carry, file: Path, dev: Environment, said: list[str]) -> None:
    carry(Command.DEPLOY, "--yes")
    assert json.loads(file.read_text()) == merged("dev", {name: contract_outputs(name, dev) for name in UPWARDS})
    assert said[-1] == f"outputs of stack dev: {file}"


def test_deploying_one_layer_writes_the_outputs_of_all_that_are_there(
    carry: Carry, pulumi: StandIn, file: Path, dev: Environment
) -> None:
    pulumi.has_all_of(dev, "network", "observability")
    carry(Command.DEPLOY, "data", "--yes")
    there = ("network", "data", "observability")
    assert json.loads(file.read_text()) == merged("dev", {name: contract_outputs(name, dev) for name in there})


@pytest.mark.parametrize("when", ["at once", "half-way"])
def test_the_layers_before_a_failure_have_their_outputs_in_it(
    carry: Carry, pulumi: StandIn, file: Path, dev: Environment, when: str
) -> None:
    pulumi.fails("dr-automation", "up", when=when)
    with pytest.raises(Stopped):
        carry(Command.DEPLOY, "--yes")
    done = ("network", "data")
    assert json.loads(file.read_text()) == merged("dev", {name: contract_outputs(name, dev) for name in done})


def test_a_deploy_that_fails_at_once_leaves_no_outputs(carry: Carry, pulumi: StandIn, file: Path) -> None:
    write(merged("dev", {"network": {"primaryVpcId": "gone-long-ago"}}), file)
    pulumi.fails("network", "up")
    with pytest.raises(Stopped):
        carry(Command.DEPLOY, "--yes")
    assert not file.exists()


@pytest.mark.parametrize("command", [Command.PREVIEW, Command.REFRESH, Command.DRIFT])
def test_other_commands_leave_it_alone(
    carry: Carry, pulumi: StandIn, file: Path, dev: Environment, command: Command
) -> None:
    pulumi.has_all_of(dev, "network")
    carry(command, "network", "--yes")
    assert not file.exists()


def test_it_holds_what_is_left_while_a_destroy_goes_on_and_is_gone_after_the_last(
    carry: Carry, pulumi: StandIn, file: Path, dev: Environment
) -> None:
    pulumi.has_all_of(dev, "network", "data", "observability")
    carry(Command.DESTROY, "observability", "--yes")
    assert json.loads(file.read_text()) == merged(
        "dev", {name: contract_outputs(name, dev) for name in ("network", "data")}
    )
    carry(Command.DESTROY, "data", "network", "--yes")
    assert not file.exists()


@pytest.mark.parametrize("there", [("network",), ("network", "data")], ids=" and ".join)
def test_a_destroy_leaves_the_file_of_another_stack(
    carry: Carry, pulumi: StandIn, file: Path, dev: Environment, there: tuple[str, ...]
) -> None:
    write(merged("lab", {"network": {"primaryVpcId": "vpc-1"}}), file)
    before = file.read_bytes()
    pulumi.has_all_of(dev, *there)
    carry(Command.DESTROY, *there, "--yes")
    assert file.read_bytes() == before


def test_the_outputs_command_writes_it_and_touches_nothing(
    carry: Carry, pulumi: StandIn, file: Path, dev: Environment, said: list[str]
) -> None:
    pulumi.has_all_of(dev, "network")
    pulumi.has_empty("data")
    carry(Command.OUTPUTS)
    assert json.loads(file.read_text()) == merged("dev", {"network": contract_outputs("network", dev)})
    assert said == [
        "data: nothing is deployed in stack dev, no outputs",
        "dr-automation: no stack dev, no outputs",
        "observability: no stack dev, no outputs",
        f"outputs of stack dev: {file}",
    ]
    assert not pulumi.operations


def test_the_outputs_command_takes_the_layers_it_is_given(
    carry: Carry, pulumi: StandIn, file: Path, dev: Environment
) -> None:
    pulumi.has_all_of(dev, "network", "data")
    carry(Command.OUTPUTS, "data")
    assert json.loads(file.read_text()) == merged("dev", {"data": contract_outputs("data", dev)})


@pytest.mark.parametrize("empty", [False, True], ids=["no stack", "an empty stack"])
def test_outputs_of_nothing_are_2_and_leave_the_file(dr: Dr, pulumi: StandIn, file: Path, empty: bool) -> None:
    write(merged("lab", {}), file)
    before = file.read_bytes()
    if empty:
        pulumi.has_empty("network")
    ended = dr("outputs")
    assert ended.exit_code == 2
    assert ended.err == ["error: stack = dev: nothing is deployed there; ./dr deploy -- --stack dev comes first"]
    assert file.read_bytes() == before
