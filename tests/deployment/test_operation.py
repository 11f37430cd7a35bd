"""The calls to the Pulumi CLI: their order, flags, folder and configuration (D4, D6)."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deployment.arguments import Command
from deployment.operation import Stopped
from deployment.situation import Condition, Situation
from shared.environment import Environment
from shared.sites import Site
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import Account, Carry
from tests.deployment.recorder import StandIn
from tests.deployment.standing import UPWARDS


def test_deploy_runs_every_layer_in_its_own_folder_lowest_first(
    carry: Carry, pulumi: StandIn, checkout: Checkout
) -> None:
    carry(Command.DEPLOY, "--yes", "--parallel=4")
    assert pulumi.in_order == [(name, ["up", "--stack", "dev", "--yes", "--parallel=4"]) for name in UPWARDS]
    assert [call.folder for call in pulumi.operations] == [checkout.root / "projects" / name for name in UPWARDS]


def test_deploy_makes_a_layers_stack_right_before_it_is_first_used(carry: Carry, pulumi: StandIn) -> None:
    carry(Command.DEPLOY, "network", "data", "--yes")
    init, up = ["stack", "init", "dev", "--no-select"], ["up", "--stack", "dev", "--yes"]
    touching = [(call.layer, call.plain) for call in pulumi.touched]
    assert touching == [("network", init), ("network", up), ("data", init), ("data", up)]
    assert (pulumi.stacks("network"), pulumi.stacks("dr-automation")) == (["dev"], [])


def test_a_stack_that_is_there_is_not_made_again(carry: Carry, pulumi: StandIn, dev: Environment) -> None:
    pulumi.has_all_of(dev, "network")
    carry(Command.DEPLOY, "network", "--yes")
    assert [call.plain[0] for call in pulumi.touched] == ["up"]


def test_one_layer_is_deployed_alone(carry: Carry, pulumi: StandIn, dev: Environment) -> None:
    pulumi.has_all_of(dev, "network", "data")
    carry(Command.DEPLOY, "dr-automation", "--yes")
    assert [call.layer for call in pulumi.operations] == ["dr-automation"]


def test_without_yes_a_person_sees_a_preview_and_is_asked(carry: Carry, pulumi: StandIn, account: Account) -> None:
    carry(Command.DEPLOY, "network", "--diff")
    assert pulumi.in_order == [
        ("network", ["preview", "--stack", "dev", "--diff"]),
        ("network", ["up", "--stack", "dev", "--yes", "--skip-preview", "--diff"]),
    ]
    assert account.asked == ["deploy network in stack dev?"]
    assert pulumi.resources("network")


def test_a_person_who_skips_the_preview_is_asked_all_the_same(carry: Carry, pulumi: StandIn, account: Account) -> None:
    carry(Command.DEPLOY, "network", "--skip-preview")
    assert pulumi.in_order == [("network", ["up", "--stack", "dev", "--yes", "--skip-preview"])]
    assert account.asked == ["deploy network in stack dev?"]


@pytest.mark.parametrize("option", ["--continue-on-error", "--strict"])
def test_an_option_of_pulumi_up_alone_reaches_it_where_a_person_is_asked(
    carry: Carry, pulumi: StandIn, option: str
) -> None:
    carry(Command.DEPLOY, "network", option)
    assert pulumi.in_order[-1] == ("network", ["up", "--stack", "dev", "--yes", "--skip-preview", option])


def test_a_deploy_that_nobody_agreed_to_makes_no_stack_either(carry: Carry, pulumi: StandIn, account: Account) -> None:
    account.says = False
    with pytest.raises(Stopped):
        carry(Command.DEPLOY, "network")
    assert not pulumi.touched
    assert pulumi.stacks("network") == []


def test_a_person_who_is_asked_deploys_a_new_environment_in_one_go(
    carry: Carry, pulumi: StandIn, account: Account
) -> None:
    carry(Command.DEPLOY, "network", "data")
    assert account.asked == ["deploy network in stack dev?", "deploy data in stack dev?"]
    assert pulumi.resources("data")


@pytest.mark.parametrize("words", [[], ["--yes"]], ids=["after a question", "without one"])
def test_a_new_layer_with_secure_values_is_deployed_with_the_salt_in_its_file(
    carry: Carry, pulumi: StandIn, checkout: Checkout, words: list[str]
) -> None:
    with checkout.stack_file("network").open("a") as file:
        file.write("encryptionsalt: v1:kept\n")
    checkout.configure("network", databasePort={"secure": "v1:kept/NTQzMg=="})
    carry(Command.DEPLOY, "network", *words)
    assert pulumi.resources("network")


@pytest.mark.parametrize("command", [Command.DEPLOY, Command.DESTROY])
def test_a_failover_while_the_question_stands_there_stops_the_data_layer(
    carry: Carry, pulumi: StandIn, account: Account, dev: Environment, command: Command
) -> None:
    pulumi.has_all_of(dev, "network", "data")
    account.meanwhile = Situation(Condition.INCIDENT, Site.PRIMARY, None, "incident 000001-x, a failover, is under way")
    with pytest.raises(Stopped, match=rf"{command} stopped at data: layer = data: incident 000001-x"):
        carry(command, "data")
    assert not pulumi.touched


def test_a_destroyed_stack_is_removed_where_that_is_asked_for(
    carry: Carry, pulumi: StandIn, dev: Environment, checkout: Checkout
) -> None:
    pulumi.has_all_of(dev, "network")
    carry(Command.DESTROY, "network", "--yes", "--remove")
    assert ("network", ["stack", "rm", "dev", "--yes", "--preserve-config"]) in [
        (call.layer, call.plain) for call in pulumi.touched
    ]
    assert checkout.stack_file("network").exists()


@pytest.mark.parametrize(
    ("command", "calls"),
    [
        (Command.PREVIEW, ["preview", "--stack", "dev"]),
        (Command.REFRESH, ["refresh", "--stack", "dev", "--yes"]),
        (Command.DRIFT, ["refresh", "--stack", "dev", "--preview-only", "--expect-no-changes"]),
    ],
)
def test_each_command_is_one_of_pulumis_for_every_layer(
    carry: Carry, pulumi: StandIn, dev: Environment, command: Command, calls: list[str]
) -> None:
    pulumi.has_all_of(dev)
    carry(command, "--yes")
    assert pulumi.in_order == [(name, calls) for name in UPWARDS]


def test_destroy_runs_from_the_top_down(carry: Carry, pulumi: StandIn, dev: Environment) -> None:
    pulumi.has_all_of(dev)
    carry(Command.DESTROY, "--yes")
    assert pulumi.in_order == [(name, ["destroy", "--stack", "dev", "--yes"]) for name in UPWARDS[::-1]]


@pytest.mark.parametrize("command", [Command.DESTROY, Command.REFRESH, Command.DRIFT])
def test_layers_without_a_stack_are_passed_over(
    carry: Carry, pulumi: StandIn, dev: Environment, said: list[str], command: Command
) -> None:
    pulumi.has_all_of(dev, "network", "data")
    carry(command, "--yes")
    assert {call.layer for call in pulumi.operations} == {"network", "data"}
    assert any(line.startswith(f"  dr-automation  no stack dev, nothing to {command} (") for line in said)
    assert pulumi.stacks("dr-automation") == []


def test_progress_is_told_before_each_layer_and_the_changes_at_the_end(carry: Carry, said: list[str]) -> None:
    carry(Command.DEPLOY, "network", "data", "--yes")
    assert said[:3] == [
        "deploy 1/2: network (stack dev)",
        "deploy 2/2: data (stack dev)",
        "deploy of stack dev: done",
    ]
    assert [line.rpartition(" (")[0] for line in said[3:5]] == [
        "  network        2 created",
        "  data           2 created",
    ]


def test_another_stack_is_worked_on_with_its_own_settings(carry: Carry, pulumi: StandIn, checkout: Checkout) -> None:
    carry(Command.DEPLOY, "network", "--stack", "lab", "--yes")
    (up,) = pulumi.operations
    assert up.plain == ["up", "--stack", "lab", "--yes"]
    assert up.configuration == checkout.stack_file("network", "lab").read_text()


def test_the_stacks_file_is_handed_over_as_a_copy_and_stays_as_it_is(
    carry: Carry, pulumi: StandIn, checkout: Checkout
) -> None:
    before = checkout.contents()
    for command in (Command.DEPLOY, Command.PREVIEW, Command.DRIFT, Command.REFRESH, Command.DESTROY):
        carry(command, "network", "--yes")
    assert len(pulumi.operations) == 5
    assert checkout.contents() == before
    for call in pulumi.operations:
        assert call.layer is not None
        assert call.configuration == checkout.stack_file(call.layer).read_text()
        given = Path(call.arguments[call.arguments.index("--config-file") + 1])
        assert given.name == "Pulumi.dev.yaml"
        assert checkout.root not in given.parents
        assert not given.exists()


def test_a_stack_is_made_outside_of_the_checkout(carry: Carry, pulumi: StandIn, checkout: Checkout) -> None:
    carry(Command.DEPLOY, "network", "--yes")
    (init,) = [call for call in pulumi.calls if call.arguments[:2] == ("stack", "init")]
    assert init.layer == "network"
    assert checkout.root not in init.folder.parents
    assert not init.folder.exists()


@pytest.fixture
def with_a_provider(checkout: Checkout) -> Callable[[], str]:
    """The network layer's file names a secrets provider; what the file holds."""
    file = checkout.stack_file("network")
    file.write_text(f"secretsprovider: awskms://alias/secrets\n{file.read_text()}")
    return file.read_text


def test_a_stack_whose_file_names_a_secrets_provider_is_made_with_it_and_remembers_the_key(
    carry: Carry, pulumi: StandIn, with_a_provider: Callable[[], str], checkout: Checkout
) -> None:
    before = with_a_provider()
    carry(Command.DEPLOY, "network", "--yes")
    (init,) = [call for call in pulumi.calls if call.arguments[:2] == ("stack", "init")]
    assert init.plain[2:] == ["dev", "--no-select", "--secrets-provider", "awskms://alias/secrets"]
    assert init.folder == checkout.root / "projects" / "network"
    assert with_a_provider() == f"{before}encryptedkey: a2V5\n"


@pytest.mark.parametrize("command", [Command.DEPLOY, Command.PREVIEW, Command.REFRESH, Command.DRIFT, Command.DESTROY])
def test_where_a_secrets_provider_is_named_the_file_itself_is_used(
    carry: Carry, pulumi: StandIn, dev: Environment, with_a_provider: Callable[[], str], command: Command
) -> None:
    pulumi.has_all_of(dev, "network")
    carry(command, "network", "--yes")
    (operation,) = pulumi.operations
    assert "--config-file" not in operation.arguments


def test_a_closed_terminal_does_not_end_pulumi_in_the_middle(
    carry: Carry, pulumi: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait, before = subprocess.Popen.wait, signal.getsignal(signal.SIGHUP)
    meanwhile: list[object] = []

    def watched(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        if isinstance(process.args, list) and "up" in process.args:
            meanwhile.append(signal.getsignal(signal.SIGHUP))
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", watched)
    carry(Command.DEPLOY, "network", "--yes")
    assert set(meanwhile) == {signal.SIG_IGN}
    assert signal.getsignal(signal.SIGHUP) == before


def test_an_interrupt_is_pulumis_to_handle_and_its_end_is_waited_for(
    carry: Carry, pulumi: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = subprocess.Popen.wait
    interrupted: list[object] = []

    def interrupted_once(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        if isinstance(process.args, list) and "up" in process.args and not interrupted:
            interrupted.append(process)
            raise KeyboardInterrupt
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted_once)
    carry(Command.DEPLOY, "network", "--yes")
    assert len(interrupted) == 1
    assert pulumi.resources("network")
