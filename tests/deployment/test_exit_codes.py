"""Exit codes of the deployment commands: 0 done, 1 Pulumi failed, 2 bad input; bad input touches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from deployment import __main__ as command_line
from deployment import flat_outputs
from shared.errors import SettingsError
from shared.layers import Layer
from tests.deployment.conftest import StandIn


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flat_outputs, "FLAT_OUTPUTS_FILE", tmp_path / "flat-outputs.json")


def accept(layers: Sequence[Layer], stack: str) -> None:
    """A preflight without complaints."""


def refuse(layers: Sequence[Layer], stack: str) -> None:
    raise SettingsError("recoveryRegion", "ap-southeast-2", "choose another region than primaryRegion")


def test_done_is_0(pulumi: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "check_before_deploy", accept)
    assert command_line.main(["deploy", "--yes"]) == 0


def test_a_failed_layer_is_1(
    pulumi: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "check_before_deploy", accept)
    pulumi.fails("network", "up", exit_code=2)
    assert command_line.main(["deploy", "--yes"]) == 1
    assert "stopped at network" in capsys.readouterr().err


def test_refused_settings_are_2_and_pulumi_is_not_called(
    pulumi: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "check_before_deploy", refuse)
    assert command_line.main(["deploy", "--yes"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "recoveryRegion = ap-southeast-2: choose another region than primaryRegion"
    ]
    assert not pulumi.calls


@pytest.mark.parametrize(
    "arguments", [["deploy", "nolayer"], ["destroy", "--stack", "nostack"], ["redeploy"], []], ids=" ".join
)
def test_bad_input_is_2_in_one_line(arguments: list[str], pulumi: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not pulumi.calls


def test_a_machine_without_the_cli_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command_line.main(["preview"]) == 2
    assert "install the Pulumi CLI" in capsys.readouterr().err
