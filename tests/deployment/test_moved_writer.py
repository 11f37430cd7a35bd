"""After a failover the data layer's program no longer describes the databases: deploying it is refused."""

from __future__ import annotations

import pytest

from deployment.arguments import Command, parse
from deployment.preflight import check
from shared.environment import Environment
from shared.errors import SettingsError
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import Account, Dr
from tests.deployment.recorder import StandIn
from tests.deployment.standing import NOTHING, UPWARDS, refused, standing

MOVED = "the recovery site is the writer since a failover (epoch 3)"


@pytest.fixture
def failed_over(account: Account) -> Account:
    account.moved = MOVED
    return account


@pytest.fixture
def unknown(account: Account) -> Account:
    account.unreadable = SettingsError("failover-state-recovery-dev", "(unknown writer)", "allow these credentials")
    return account


@pytest.mark.parametrize("words", [[], ["data"], ["network", "data"]], ids=str)
def test_the_data_layer_is_not_deployed(words: list[str], failed_over: Account, dev: Environment) -> None:
    message = refused(Command.DEPLOY, words, standing(dev, *UPWARDS))
    assert message.startswith(f"layer = data: {MOVED}, and this layer's program declares the primary as the writer: ")
    assert "switch back first (docs/runbook.md)" in message


def test_the_refusal_names_a_deploy_of_the_others(failed_over: Account, dev: Environment) -> None:
    message = refused(Command.DEPLOY, [], standing(dev, *UPWARDS))
    remedy = message.partition("./dr deploy -- ")[2]
    assert remedy == "network dr-automation observability --stack dev"
    assert check(parse(Command.DEPLOY, remedy.split()), standing(dev, *UPWARDS)).warnings == ()


@pytest.mark.parametrize("name", [name for name in UPWARDS if name != "data"])
def test_the_other_layers_are_deployed(name: str, failed_over: Account, dev: Environment) -> None:
    assert check(parse(Command.DEPLOY, [name]), standing(dev, *UPWARDS)).warnings == ()


def test_a_preview_is_warned(failed_over: Account, dev: Environment) -> None:
    cleared = check(parse(Command.PREVIEW, []), standing(dev, *UPWARDS))
    assert cleared.warnings == (f"{MOVED}: a deploy of the data layer would be refused",)


@pytest.mark.parametrize("command", [Command.REFRESH, Command.DRIFT, Command.OUTPUTS])
def test_looking_is_not_refused(command: Command, failed_over: Account, dev: Environment) -> None:
    assert check(parse(command, []), standing(dev, *UPWARDS)).warnings == ()


def test_a_destroy_is_refused_with_what_to_do_first(failed_over: Account, dev: Environment) -> None:
    message = refused(Command.DESTROY, [], standing(dev, *UPWARDS))
    assert message.startswith(f"stack = dev: {MOVED}. Nothing was touched: take a snapshot of the writer first")
    assert "--after-failover" in message


def test_a_refused_destroy_touches_nothing_and_the_word_lets_it_through(
    dr: Dr, pulumi: StandIn, failed_over: Account, dev: Environment
) -> None:
    pulumi.has_all_of(dev)
    assert dr("destroy", "--yes").exit_code == 2
    assert not pulumi.touched
    assert dr("destroy", "--yes", "--after-failover").exit_code == 0
    assert [pulumi.resources(name) for name in UPWARDS] == [[], [], [], []]


def test_a_destroy_without_databases_does_not_look_for_the_writer(unknown: Account, dev: Environment) -> None:
    assert check(parse(Command.DESTROY, []), standing(dev, "network")).environment == dev
    assert check(parse(Command.DESTROY, []), NOTHING).environment == dev


def test_where_the_writer_is_unknown_a_destroy_is_refused_with_both_remedies(
    unknown: Account, dev: Environment
) -> None:
    message = refused(Command.DESTROY, [], standing(dev, *UPWARDS))
    assert message.startswith("failover-state-recovery-dev = (unknown writer): allow these credentials; ")
    assert "take a snapshot of the writer first" in message
    assert check(parse(Command.DESTROY, ["--after-failover"]), standing(dev, *UPWARDS)).environment == dev


def test_where_the_writer_is_unknown_a_deploy_of_the_data_layer_is_refused(unknown: Account, dev: Environment) -> None:
    assert refused(Command.DEPLOY, ["data"], standing(dev, *UPWARDS)).startswith(
        "failover-state-recovery-dev = (unknown writer): "
    )
    assert check(parse(Command.DEPLOY, ["network"]), standing(dev, *UPWARDS)).warnings == ()


def test_where_the_writer_is_unknown_a_preview_goes_on_with_a_warning(unknown: Account, dev: Environment) -> None:
    (warning,) = check(parse(Command.PREVIEW, ["data"]), standing(dev, *UPWARDS)).warnings
    assert warning.startswith("it is unknown which database is the writer (failover-state-recovery-dev = ")


def test_the_writer_comes_before_every_other_warning(
    failed_over: Account, dev: Environment, checkout: Checkout
) -> None:
    checkout.configure("network", databasePort={"secure": "v1:x"})
    cleared = check(parse(Command.PREVIEW, []), standing(dev, *UPWARDS))
    assert len(cleared.warnings) == 2
    assert cleared.warnings[0].startswith(MOVED)
