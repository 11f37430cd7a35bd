"""What can be known beforehand is checked beforehand: whose environment it is, and that every layer's settings load."""

from __future__ import annotations

import pytest

from deployment import judging, preflight
from deployment.arguments import Command, Request, parse
from deployment.preflight import Cleared, check
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import Layer
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import FOLLOWED, Account
from tests.deployment.standing import NOTHING, UPWARDS, standing

CHANGING = (Command.DEPLOY, Command.DESTROY, Command.REFRESH)
each_command = pytest.mark.parametrize("command", Command)
running_programs = pytest.mark.parametrize("command", [Command.DEPLOY, Command.PREVIEW])
SECURE = {"secure": "v1:nonce:c2VjcmV0"}


def asked(command: Command, *words: str) -> Request:
    return parse(command, words)


@each_command
def test_a_request_about_a_deployed_environment_is_cleared(
    command: Command, account: Account, dev: Environment
) -> None:
    cleared = check(asked(command), standing(dev, *UPWARDS))
    assert cleared == Cleared(dev, cleared.situation)
    assert cleared.situation is FOLLOWED or command is Command.OUTPUTS


@pytest.mark.parametrize("command", [command for command in Command if command not in CHANGING])
def test_production_is_looked_at_without_a_word(command: Command, account: Account, checkout: Checkout) -> None:
    checkout.make_production()
    production = Environment.load("dev")
    assert check(asked(command), standing(production, *UPWARDS)).environment == production


@each_command
def test_an_environment_whose_file_is_wrong_is_refused(command: Command, account: Account, checkout: Checkout) -> None:
    checkout.set_environment("dev", environment="prod")
    with pytest.raises(SettingsError, match="environment = prod: give one of: production"):
        check(asked(command), NOTHING)


@running_programs
def test_a_setting_the_program_would_refuse_is_refused_with_its_layer(
    command: Command, account: Account, checkout: Checkout
) -> None:
    checkout.configure("network", keyDeletionDays="3")
    with pytest.raises(SettingsError, match="network: keyDeletionDays = 3: give a whole number from 7 to 30"):
        check(asked(command), NOTHING)


@running_programs
def test_settings_of_all_layers_are_checked_before_aws_is_asked_anything(
    command: Command, account: Account, checkout: Checkout
) -> None:
    checkout.configure("observability", lagPeriods="many")
    with pytest.raises(SettingsError, match="observability: lagPeriods"):
        check(asked(command), NOTHING)
    assert account.needs_checked == []


@pytest.mark.parametrize("command", [command for command in Command if not command.runs_programs])
def test_what_runs_no_program_does_not_need_settings_that_load(
    command: Command, account: Account, checkout: Checkout, dev: Environment
) -> None:
    checkout.configure("data", instanceClas="db.t3.large")
    assert check(asked(command), standing(dev, *UPWARDS)).warnings == ()
    assert account.needs_checked == []


def test_every_layer_that_is_deployed_has_its_needs_checked_with_its_own_settings(
    account: Account, dev: Environment
) -> None:
    check(asked(Command.DEPLOY), NOTHING)
    assert account.needs_checked == list(UPWARDS)
    account.needs_checked.clear()
    check(asked(Command.DEPLOY, "data"), standing(dev, "network"))
    assert account.needs_checked == ["data"]


@running_programs
def test_secure_values_are_known_to_be_set_and_the_rest_of_the_request_goes_on(
    command: Command, account: Account, checkout: Checkout, dev: Environment
) -> None:
    checkout.configure("data", secretId=SECURE, databaseName=SECURE)
    cleared = check(asked(command), standing(dev, *UPWARDS))
    assert cleared.warnings == (
        "data: databaseName, secretId has an encrypted value, so its settings are checked by its program only",
    )
    assert account.needs_checked == ["network", "dr-automation", "observability"]


@running_programs
def test_an_unknown_setting_is_refused_beside_a_secure_one(
    command: Command, account: Account, checkout: Checkout
) -> None:
    checkout.configure("data", secretId=SECURE, instanceClas="db.t3.large")
    with pytest.raises(SettingsError, match="data: instanceClas"):
        check(asked(command), NOTHING)


def test_the_data_layer_is_not_deployed_without_credentials(monkeypatch: pytest.MonkeyPatch, dev: Environment) -> None:
    with pytest.raises(SettingsError, match=r"AWS = .NoCredentialsError.: give credentials"):
        check(asked(Command.DEPLOY, "data"), standing(dev, "network"))


def test_each_layers_needs_are_looked_for_in_its_own_package(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[str, str]] = []

    def module(chosen: Layer, name: str) -> None:
        found.append((chosen.name, name))

    monkeypatch.setattr(preflight, "layer_module", module)
    monkeypatch.setattr(judging, "situation_of", Account().situation_of)
    check(asked(Command.DEPLOY), NOTHING)
    assert found == [(name, "preflight") for name in UPWARDS]
