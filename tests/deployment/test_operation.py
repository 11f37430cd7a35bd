"""The calls to the Pulumi CLI: order, flags, folder, and what happens when one of them fails (D4, D6, P2, P3)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployment.arguments import Command, parse
from deployment.operation import Stopped, carry_out
from deployment.pulumi_cli import PulumiCli
from shared.errors import SettingsError
from shared.layers import LAYERS
from tests.deployment.conftest import StandIn

UPWARDS = [known.name for known in LAYERS]


@pytest.fixture
def outputs_file(tmp_path: Path) -> Path:
    return tmp_path / "cfn-outputs" / "flat-outputs.json"


@pytest.fixture
def said() -> list[str]:
    return []


def run(command: Command, said: list[str], outputs_file: Path, *arguments: str) -> None:
    carry_out(parse(command, arguments), PulumiCli.on_path(), said.append, outputs_file)


def test_deploy_runs_every_layer_in_its_own_folder_lowest_first(
    pulumi: StandIn, said: list[str], outputs_file: Path
) -> None:
    run(Command.DEPLOY, said, outputs_file, "--yes", "--parallel", "4")
    assert pulumi.changes() == [(name, ["up", "--stack", "dev", "--yes", "--parallel", "4"]) for name in UPWARDS]


def test_deploy_creates_a_layers_stack_right_before_it_is_first_used(
    pulumi: StandIn, said: list[str], outputs_file: Path
) -> None:
    run(Command.DEPLOY, said, outputs_file, "network", "data", "--yes")
    create = ["stack", "select", "--create", "dev"]
    up = ["up", "--stack", "dev", "--yes"]
    assert pulumi.calls[:4] == [("network", create), ("network", up), ("data", create), ("data", up)]


def test_one_layer_is_deployed_alone(pulumi: StandIn, said: list[str], outputs_file: Path) -> None:
    run(Command.DEPLOY, said, outputs_file, "dr-automation", "--yes")
    assert [layer for layer, _ in pulumi.changes()] == ["dr-automation"]


def test_without_yes_pulumi_asks(pulumi: StandIn, said: list[str], outputs_file: Path) -> None:
    run(Command.DEPLOY, said, outputs_file, "network")
    assert pulumi.changes() == [("network", ["up", "--stack", "dev"])]


def test_preview_changes_nothing_and_knows_no_yes(pulumi: StandIn, said: list[str], outputs_file: Path) -> None:
    run(Command.PREVIEW, said, outputs_file, "--yes", "--diff")
    assert pulumi.changes() == [(name, ["preview", "--stack", "dev", "--diff"]) for name in UPWARDS]
    assert not outputs_file.exists()


def test_destroy_runs_from_the_top_down(pulumi: StandIn, said: list[str], outputs_file: Path) -> None:
    pulumi.has({name: {} for name in UPWARDS})
    run(Command.DESTROY, said, outputs_file, "--yes")
    assert pulumi.changes() == [(name, ["destroy", "--stack", "dev", "--yes"]) for name in UPWARDS[::-1]]


def test_destroy_after_a_deploy_that_stopped_half_way_passes_over_layers_without_a_stack(
    pulumi: StandIn, said: list[str], outputs_file: Path
) -> None:
    pulumi.has({"network": {}, "data": {}})
    run(Command.DESTROY, said, outputs_file, "--yes")
    assert [layer for layer, _ in pulumi.changes()] == ["data", "network"]
    assert "dr-automation: no stack dev, nothing to destroy" in said


def test_after_destroying_everything_no_outputs_are_left(pulumi: StandIn, said: list[str], outputs_file: Path) -> None:
    pulumi.has({name: {} for name in UPWARDS})
    outputs_file.parent.mkdir()
    outputs_file.write_text('{"primaryVpcId": "vpc-1"}')
    run(Command.DESTROY, said, outputs_file, "--yes")
    assert not outputs_file.exists()


@pytest.mark.parametrize("first_words", [("up",), ("stack", "select")])
def test_a_failed_layer_stops_everything_after_it(
    pulumi: StandIn, said: list[str], outputs_file: Path, first_words: tuple[str, ...]
) -> None:
    pulumi.fails("data", *first_words)
    with pytest.raises(Stopped) as stopped:
        run(Command.DEPLOY, said, outputs_file, "--yes")
    assert {layer for layer, _ in pulumi.calls} == {"network", "data"}
    message = str(stopped.value)
    assert "stopped at data" in message
    assert "exit code 255" in message
    assert "done:      network\n" in message
    assert "not done:  data, dr-automation, observability\n" in message
    assert "./dr deploy -- data dr-automation observability --yes" in message
    assert not outputs_file.exists()


def test_deploying_one_layer_writes_the_outputs_of_all_that_are_there(
    pulumi: StandIn, said: list[str], outputs_file: Path
) -> None:
    pulumi.has({"network": {"primaryVpcId": "vpc-1"}, "data": {"databaseName": "orders"}})
    run(Command.DEPLOY, said, outputs_file, "data", "--yes")
    assert json.loads(outputs_file.read_text()) == {"primaryVpcId": "vpc-1", "databaseName": "orders"}


def test_outputs_writes_the_layers_that_are_deployed(pulumi: StandIn, said: list[str], outputs_file: Path) -> None:
    pulumi.has({"network": {"primaryVpcId": "vpc-1", "databasePort": 5432}})
    run(Command.OUTPUTS, said, outputs_file)
    assert json.loads(outputs_file.read_text()) == {"primaryVpcId": "vpc-1", "databasePort": 5432}
    assert not pulumi.changes()


def test_outputs_of_nothing_is_an_error_and_keeps_the_old_file(
    pulumi: StandIn, said: list[str], outputs_file: Path
) -> None:
    outputs_file.parent.mkdir()
    outputs_file.write_text("{}")
    with pytest.raises(SettingsError, match="nothing is deployed there"):
        run(Command.OUTPUTS, said, outputs_file)
    assert outputs_file.read_text() == "{}"


def test_two_layers_exporting_one_key_is_an_error_that_names_both(
    pulumi: StandIn, said: list[str], outputs_file: Path
) -> None:
    pulumi.has({"network": {"vpcId": "vpc-1"}, "data": {"vpcId": "vpc-2"}})
    with pytest.raises(SettingsError, match="vpcId = exported by network and by data"):
        run(Command.OUTPUTS, said, outputs_file)
    assert not outputs_file.exists()
