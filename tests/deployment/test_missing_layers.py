"""A layer can be deployed or previewed only if the layers it reads are deployed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deployment.arguments import Command, parse
from deployment.deployed import Deployed
from deployment.preflight import check
from shared.environment import Environment
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import Account
from tests.deployment.standing import NOTHING, UPWARDS, refused, standing


@pytest.fixture(autouse=True)
def account(account: Account) -> Account:
    return account


def test_a_deploy_above_a_missing_layer_is_refused_in_one_line_that_names_both() -> None:
    assert refused(Command.DEPLOY, ["data"], NOTHING) == (
        "layer = data: it reads network; stack dev of network is not deployed: "
        "./dr deploy -- --stack dev takes all of them in order"
    )


def test_all_that_is_missing_is_named(dev: Environment) -> None:
    message = refused(Command.DEPLOY, ["observability"], standing(dev, "network"))
    assert message.startswith("layer = observability: it reads data and dr-automation; stack dev of data is not")


def test_a_stack_with_nothing_in_it_is_not_deployed(dev: Environment) -> None:
    message = refused(Command.DEPLOY, ["data"], {**NOTHING, "network": Deployed(exists=True)})
    assert "stack dev of network is not deployed" in message


def test_a_layer_that_is_deployed_with_another_version_is_named_with_what_it_lacks(dev: Environment) -> None:
    survey = standing(dev, "network")
    outputs = {key: value for key, value in survey["network"].outputs.items() if key != "recoveryVpcId"}
    survey["network"] = replace(survey["network"], outputs=outputs)
    message = refused(Command.DEPLOY, ["data"], survey)
    assert "stack dev of network has no output recoveryVpcId: deploy network again" in message


@pytest.mark.parametrize("words", [[], ["network", "data"], ["data", "network"]], ids=str)
def test_a_lower_layer_in_the_same_request_is_deployed_first_and_so_not_missing(words: list[str]) -> None:
    assert check(parse(Command.DEPLOY, words), NOTHING).impossible == {}


def test_a_request_that_leaves_out_a_layer_in_between_is_refused(dev: Environment) -> None:
    message = refused(Command.DEPLOY, ["network", "dr-automation"], NOTHING)
    assert message.startswith("layer = dr-automation: it reads data;")


def test_a_layer_above_deployed_ones_is_deployed_alone(dev: Environment) -> None:
    assert check(parse(Command.DEPLOY, ["data"]), standing(dev, "network")).impossible == {}


def test_a_preview_goes_on_with_what_can_be_previewed_and_says_what_cannot(dev: Environment) -> None:
    assert set(check(parse(Command.PREVIEW, []), NOTHING).impossible) == set(UPWARDS) - {"network"}
    impossible = check(parse(Command.PREVIEW, []), standing(dev, "network")).impossible
    assert impossible == {
        "dr-automation": "it reads data; stack dev of data is not deployed",
        "observability": "it reads data and dr-automation; stack dev of data is not deployed",
    }


def test_a_lower_layer_in_the_same_preview_is_missing_all_the_same() -> None:
    assert "data" in check(parse(Command.PREVIEW, ["network", "data"]), NOTHING).impossible


def test_secure_values_cannot_be_previewed_before_there_is_a_stack_that_can_read_them(
    checkout: Checkout, dev: Environment
) -> None:
    checkout.configure("network", databasePort={"secure": "v1:x"})
    reason = "its secure values can be read only where it has a stack, and it has none yet"
    message = refused(Command.PREVIEW, ["network"], NOTHING)
    assert message.startswith(f"layer = network: {reason}")
    assert check(parse(Command.PREVIEW, ["network"]), standing(dev, "network")).impossible == {}
    assert check(parse(Command.DEPLOY, ["network"]), NOTHING).impossible == {}


def test_what_cannot_be_previewed_has_no_needs_to_be_checked(account: Account) -> None:
    check(parse(Command.PREVIEW, []), NOTHING)
    assert account.needs_checked == ["network"]


@pytest.mark.parametrize("command", [command for command in Command if not command.runs_programs])
def test_what_runs_no_program_needs_no_layer_below(command: Command) -> None:
    assert check(parse(command, ["observability"]), NOTHING).impossible == {}


def test_the_remedy_keeps_the_stack() -> None:
    assert "./dr deploy -- --stack lab takes all of them" in refused(
        Command.DEPLOY, ["data", "--stack", "lab"], NOTHING
    )
