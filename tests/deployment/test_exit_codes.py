"""0 done, 1 Pulumi failed, 2 bad input or refused before anything was touched, 3 a no or drift."""

from __future__ import annotations

import builtins
from pathlib import Path

import pytest

from deployment.__main__ import _ask as ask
from shared.environment import Environment
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import Account, Dr
from tests.deployment.recorder import StandIn
from tests.deployment.standing import UPWARDS

COMMANDS = ("deploy", "preview", "destroy", "refresh", "drift", "outputs")
CHANGING = ("deploy", "destroy", "refresh")
each_command = pytest.mark.parametrize("command", COMMANDS)


@each_command
def test_done_is_0(dr: Dr, pulumi: StandIn, dev: Environment, command: str) -> None:
    pulumi.has_all_of(dev, "network")
    ended = dr(command, "network", "--yes")
    assert (ended.exit_code, ended.err) == (0, [])


def test_a_first_deploy_of_everything_is_0(dr: Dr, pulumi: StandIn, checkout: Checkout) -> None:
    assert dr("deploy", "--yes").exit_code == 0
    assert [len(pulumi.resources(name)) for name in UPWARDS] == [2, 2, 2, 2]
    assert checkout.flat_outputs.exists()


@pytest.mark.parametrize(
    ("command", "verb"), [("deploy", "up"), ("preview", "preview"), ("destroy", "destroy"), ("refresh", "refresh")]
)
def test_a_failed_layer_is_1(dr: Dr, pulumi: StandIn, dev: Environment, command: str, verb: str) -> None:
    pulumi.has_all_of(dev, "network")
    pulumi.fails("network", verb)
    ended = dr(command, "network", "--yes")
    assert ended.exit_code == 1
    assert f"{command} stopped at network: pulumi {verb} --stack dev" in "\n".join(ended.err)


def test_a_layer_that_cannot_be_looked_at_is_1_and_nothing_is_touched(
    dr: Dr, pulumi: StandIn, dev: Environment
) -> None:
    pulumi.has_all_of(dev, "data")
    pulumi.fails("data", "stack export")
    ended = dr("deploy", "--yes")
    assert ended.exit_code == 1
    assert ended.err[-1] == "data: pulumi stack export --stack dev ended with exit code 255"
    assert not pulumi.touched


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("command", CHANGING)
def test_a_no_is_3_and_nothing_is_changed(
    dr: Dr, pulumi: StandIn, dev: Environment, account: Account, command: str
) -> None:
    pulumi.has_all_of(dev, "network")
    account.says = False
    ended = dr(command, "network")
    assert ended.exit_code == 3
    assert "you said no, and nothing of network was changed" in ended.err[0]
    assert len(pulumi.resources("network")) == 2


@pytest.mark.usefixtures("terminal")
def test_a_yes_is_0(dr: Dr, pulumi: StandIn) -> None:
    assert dr("deploy", "network").exit_code == 0
    assert pulumi.resources("network")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "error: command = (not set): give one of: deploy, preview, destroy, refresh, drift, outputs, environment"),
        (["redeploy"], "error: command = redeploy: give one of: deploy, "),
        (["deploy", "nolayer", "--yes"], "error: layer = nolayer: name one of: "),
        (["destroy", "--stack", "nostack", "--yes"], "error: stack = nostack: "),
        (["preview", "--config", "a=b"], "error: --config = (given): "),
        (["environment"], "error: environment = (not set): give its name"),
        (["environment", "lab"], "error: environment = lab: environments/lab.yaml is there already"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_2_in_one_line_and_pulumi_is_not_called(
    dr: Dr, pulumi: StandIn, words: list[str], message: str
) -> None:
    ended = dr(*words)
    assert (ended.exit_code, ended.out) == (2, [])
    (line,) = ended.err
    assert line.startswith(message)
    assert not pulumi.calls


@pytest.mark.parametrize("command", CHANGING)
def test_without_a_terminal_a_change_needs_yes(dr: Dr, pulumi: StandIn, command: str) -> None:
    ended = dr(command)
    assert ended.exit_code == 2
    assert ended.err == ["error: --yes = (not given): add it: there is no terminal here to ask a question at"]
    assert not pulumi.calls


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in CHANGING])
def test_without_a_terminal_looking_needs_no_yes(dr: Dr, pulumi: StandIn, dev: Environment, command: str) -> None:
    pulumi.has_all_of(dev, "network")
    assert dr(command).exit_code == 0


@each_command
def test_another_environment_in_the_stack_is_2_and_nothing_is_touched(
    dr: Dr, pulumi: StandIn, dev: Environment, checkout: Checkout, command: str
) -> None:
    pulumi.has_all_of(dev, "network")
    checkout.set_environment(accountId="999999999999")
    ended = dr(command, "--yes")
    assert (ended.exit_code, len(ended.err)) == (2, 1)
    assert ended.err[0].startswith("error: accountId = 999999999999: stack dev is deployed with 111122223333")
    assert not pulumi.operations
    assert not pulumi.touched
    assert not checkout.flat_outputs.exists()


@pytest.mark.parametrize("command", CHANGING)
def test_production_without_the_word_is_2_and_nothing_is_touched(
    dr: Dr, pulumi: StandIn, dev: Environment, checkout: Checkout, command: str
) -> None:
    checkout.make_production()
    pulumi.has_all_of(dev, "network")
    assert dr(command, "network", "--yes").exit_code == 2
    assert not pulumi.touched
    assert dr(command, "network", "--yes", "--production").exit_code == 0
    assert pulumi.touched
    assert all("--production" not in call.arguments for call in pulumi.calls)


@pytest.mark.parametrize("command", ["deploy", "preview"])
def test_a_wrong_setting_is_2_before_pulumi_runs_anything(
    dr: Dr, pulumi: StandIn, checkout: Checkout, account: Account, command: str
) -> None:
    checkout.configure("observability", lagPeriod=6)
    ended = dr(command, "--yes")
    assert (ended.exit_code, len(ended.err)) == (2, 1)
    assert ended.err[0].startswith("error: observability: lagPeriod = 6: no such setting; known are: ")
    assert not pulumi.operations


def test_a_preview_of_nothing_but_impossible_layers_is_2(dr: Dr, pulumi: StandIn) -> None:
    ended = dr("preview", "data", "observability")
    assert (ended.exit_code, len(ended.err)) == (2, 1)
    assert ended.err[0].startswith("error: layer = data: it reads network; stack dev of network is not deployed")
    assert not pulumi.operations


def test_secure_values_are_said_first_and_all_layers_are_deployed(
    dr: Dr, pulumi: StandIn, dev: Environment, checkout: Checkout
) -> None:
    pulumi.has_all_of(dev, "network", "data")
    checkout.configure("network", databasePort={"secure": "v1:person/NTQzMg=="})
    ended = dr("deploy", "network", "data", "--yes")
    assert ended.exit_code == 0
    assert ended.out[0].startswith("WARNING: network: databasePort has an encrypted value")
    assert [call.layer for call in pulumi.operations if call.arguments[0] == "up"] == ["network", "data"]


def test_a_machine_without_the_cli_is_2(dr: Dr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = dr("preview")
    assert (ended.exit_code, len(ended.err)) == (2, 1)
    assert "install the Pulumi CLI" in ended.err[0]


def test_a_person_who_is_not_logged_in_is_2(dr: Dr, pulumi: StandIn) -> None:
    pulumi.is_not_logged_in()
    ended = dr("preview")
    assert (ended.exit_code, len(ended.err)) == (2, 1)
    assert "pulumi login" in ended.err[0]


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [
        ("yes", True),
        (" Yes ", True),
        ("y", False),
        ("", False),
        ("no", False),
        ("yes, but", False),
        (EOFError(), False),
        (KeyboardInterrupt(), False),
    ],
    ids=repr,
)
def test_only_yes_means_yes(answer: str | BaseException, agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def answered(question: str) -> str:
        assert question.startswith("deploy network in stack dev? ")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(builtins, "input", answered)
    assert ask("deploy network in stack dev?") is agreed
