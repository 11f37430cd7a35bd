"""What the deployment commands understand, and what they hand to Pulumi untouched."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from deployment.arguments import Command, Request, parse
from shared.errors import SettingsError
from shared.sites import Site
from tests.deployment.checkout import Checkout
from tests.deployment.standing import UPWARDS

each_command = pytest.mark.parametrize("command", Command)


def each_command_except(one: Command) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("command", [command for command in Command if command is not one])


def names(command: Command, *arguments: str) -> list[str]:
    return [chosen.name for chosen in parse(command, arguments).layers]


def as_a_shell_reads(line: str) -> list[str]:
    """The words of a command line that somebody pastes."""
    printed = subprocess.run(["/bin/sh", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True)
    return printed.stdout.splitlines()


def pasted(line: str) -> Request:
    """What a command line that was printed asks for."""
    dr, command, dashes, *arguments = as_a_shell_reads(line)
    assert (dr, dashes) == ("./dr", "--")
    return parse(Command(command), arguments)


def test_three_commands_change_something() -> None:
    changing = [command for command in Command if command.changes_state]
    assert changing == [Command.DEPLOY, Command.DESTROY, Command.REFRESH]
    assert [command for command in Command if command.runs_programs] == [Command.DEPLOY, Command.PREVIEW]


@each_command_except(Command.DESTROY)
def test_without_a_name_all_layers_are_meant_lowest_first(command: Command) -> None:
    assert names(command) == list(UPWARDS)


def test_destroy_goes_from_the_top_down() -> None:
    assert names(Command.DESTROY) == list(UPWARDS[::-1])


def test_named_layers_are_taken_in_the_order_of_the_registry() -> None:
    assert names(Command.DEPLOY, "dr-automation", "network") == ["network", "dr-automation"]
    assert names(Command.DESTROY, "network", "dr-automation") == ["dr-automation", "network"]


def test_a_layer_named_twice_is_meant_once() -> None:
    assert names(Command.DEPLOY, "data", "data") == ["data"]


@each_command
@pytest.mark.parametrize("arguments", [["--stack", "lab"], ["--stack=lab"], ["-s", "lab"], ["-s=lab"]])
def test_the_stack_can_be_given_in_pulumis_ways(command: Command, arguments: list[str]) -> None:
    assert parse(command, ["network", *arguments]).stack == "lab"
    assert parse(command, [*arguments, "network"]).stack == "lab"


def test_the_stack_is_dev_where_none_is_given() -> None:
    assert parse(Command.DEPLOY, []).stack == "dev"


@each_command
def test_nothing_is_agreed_to_by_default(command: Command) -> None:
    request = parse(command, [])
    assert (request.yes, request.production, request.writer) == (False, False, None)


@each_command
@pytest.mark.parametrize("word", ["--yes", "-y"])
def test_yes_and_production_are_not_handed_on_to_pulumi(command: Command, word: str) -> None:
    request = parse(command, [word, "--production"])
    assert (request.yes, request.production, request.handed_on) == (True, True, ())


def test_some_options_are_of_some_commands_only() -> None:
    assert parse(Command.DESTROY, ["--writer", "recovery"]).writer is Site.RECOVERY
    assert parse(Command.DEPLOY, ["data", "--writer=primary"]).writer is Site.PRIMARY
    assert parse(Command.DESTROY, ["--remove"]).remove


@pytest.mark.parametrize("command", [Command.REFRESH, Command.DRIFT, Command.OUTPUTS])
def test_nobody_has_to_say_who_the_writer_is_where_nothing_depends_on_it(command: Command) -> None:
    with pytest.raises(SettingsError, match=r"--writer = .given.: it is an option of deploy and preview and destroy"):
        parse(command, ["--writer", "primary"])


@pytest.mark.parametrize(("words", "told"), [(["--writer"], "(not set)"), (["--writer", "moon"], "moon")])
def test_a_writer_is_one_of_the_sites(words: list[str], told: str) -> None:
    with pytest.raises(SettingsError, match="give one of primary, recovery") as refused:
        parse(Command.DEPLOY, words)
    assert refused.value.value == told


@pytest.mark.parametrize("command", [Command.DESTROY, Command.REFRESH])
def test_a_preview_alone_changes_nothing(command: Command) -> None:
    assert parse(command, []).changes_something
    assert not parse(command, ["--preview-only"]).changes_something


def test_the_rest_is_handed_on_in_order() -> None:
    request = parse(Command.DEPLOY, ["data", "--refresh", "--yes", "--parallel=4", "--diff", "--stack", "lab"])
    assert request.handed_on == ("--refresh", "--parallel=4", "--diff")
    assert (request.yes, request.stack) == (True, "lab")


def test_a_deploy_without_a_change_is_a_preview() -> None:
    with pytest.raises(SettingsError, match=r"--preview-only = .given.: that is \./dr preview"):
        parse(Command.DEPLOY, ["--preview-only"])


@pytest.mark.parametrize("word", ["--preview-only=false", "--preview-only=true", "--skip-preview=false", "--yes=true"])
def test_a_switch_takes_no_value_that_could_undo_it(word: str) -> None:
    with pytest.raises(SettingsError, match=r"= .given.: give --"):
        parse(Command.DESTROY, ["--preview-only", word])


@each_command_except(Command.OUTPUTS)
@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "a:b=c"],
        ["--config=a:b=c"],
        ["--config-path", "--config"],
        ["--config-file", "other.yaml"],
        ["--config-file=other.yaml"],
        ["--cwd", "elsewhere"],
        ["--cwd=elsewhere"],
    ],
    ids=" ".join,
)
def test_what_would_deploy_something_else_than_was_checked_is_refused(command: Command, arguments: list[str]) -> None:
    with pytest.raises(SettingsError, match=r"the stack's file|from its own folder"):
        parse(command, arguments)


@each_command
@pytest.mark.parametrize(
    "argument",
    ["-c", "-c=a:b=c", "-ckey=v", "-C", "-C=elsewhere", "-C/elsewhere", "-C..", "-slab", "-yslab", "-yC..", "-p", "-"],
)
def test_short_options_are_refused_because_pulumi_reads_more_than_one_in_a_word(
    command: Command, argument: str
) -> None:
    with pytest.raises(SettingsError, match="give Pulumi's options by their long names"):
        parse(command, [argument, "x"])


@each_command
def test_an_unknown_layer_is_refused_with_the_layers_there_are(command: Command) -> None:
    with pytest.raises(SettingsError, match="layer = netwrok: name one of: network, data"):
        parse(command, ["netwrok"])


@each_command
@pytest.mark.parametrize("stack", ["nowhere", "../dev", ""])
def test_an_unknown_stack_is_refused(command: Command, stack: str) -> None:
    with pytest.raises(SettingsError, match=r"^stack = "):
        parse(command, [f"--stack={stack}"])


def test_an_unknown_stack_is_refused_with_those_there_are_and_the_way_to_another() -> None:
    with pytest.raises(SettingsError, match=r"layer network has dev, lab; .*\./dr environment -- staging --from dev"):
        parse(Command.DEPLOY, ["--stack", "staging"])


def test_a_stack_needs_both_its_environment_and_a_file_in_every_layer(checkout: Checkout) -> None:
    checkout.stack_file("observability", "lab").unlink()
    assert parse(Command.DEPLOY, ["network", "--stack", "lab"]).stack == "lab"
    with pytest.raises(SettingsError, match="layer observability has dev"):
        parse(Command.DEPLOY, ["--stack", "lab"])
    checkout.environment_file("lab").unlink()
    with pytest.raises(SettingsError, match="layer network has dev"):
        parse(Command.DEPLOY, ["network", "--stack", "lab"])


@pytest.mark.parametrize("stack", ["organization/postgres-dr-network/dev", "organization/dev", "organization/"])
def test_a_qualified_stack_is_refused_with_its_own_name_as_the_remedy(stack: str) -> None:
    with pytest.raises(
        SettingsError, match=f"stack = {stack}: give the stack's own name, dev: .*pulumi org set-default"
    ):
        parse(Command.DEPLOY, ["--stack", stack])


def test_a_layer_may_come_after_pulumis_options() -> None:
    assert [chosen.name for chosen in parse(Command.DEPLOY, ["--refresh", "network"]).layers] == ["network"]


@pytest.mark.parametrize("word", ["4", "staging", "lab"])
def test_no_other_word_reaches_pulumi(word: str) -> None:
    with pytest.raises(SettingsError, match=rf"--parallel = {word}: give .* with =, as in --parallel={word}"):
        parse(Command.DEPLOY, ["--parallel", word])


@pytest.mark.parametrize("option", ["--stack", "-s"])
def test_a_stack_option_without_a_name_is_refused(option: str) -> None:
    with pytest.raises(SettingsError, match=r"--stack = .not set."):
        parse(Command.DEPLOY, ["network", option])


def test_outputs_takes_none_of_pulumis_options() -> None:
    with pytest.raises(SettingsError, match=r"--show-secrets = .given.: outputs takes layers and --stack only"):
        parse(Command.OUTPUTS, ["--show-secrets"])


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (Command.DEPLOY, []),
        (Command.DEPLOY, ["--stack", "lab", "--yes", "--parallel=4"]),
        (Command.DEPLOY, ["--production", "-y", "--refresh"]),
        (Command.DESTROY, ["--production", "--writer", "recovery", "--yes"]),
        (Command.REFRESH, ["data", "observability", "--production"]),
        (Command.DRIFT, ["--stack=lab"]),
        (Command.PREVIEW, ["--diff"]),
        (Command.OUTPUTS, ["--stack", "lab"]),
    ],
)
def test_the_command_to_go_on_with_asks_for_the_same_with_what_is_left(command: Command, arguments: list[str]) -> None:
    request = parse(command, arguments)
    left = request.layers[1:]
    assert pasted(request.to_go_on(left)) == replace(request, layers=left)


def test_the_command_to_go_on_with_is_one_a_person_would_write() -> None:
    request = parse(Command.DEPLOY, ["--production", "--stack", "lab", "--yes", "--parallel=4"])
    assert (
        request.to_go_on(request.layers[2:])
        == "./dr deploy -- dr-automation observability --stack lab --yes --production --parallel=4"
    )


@pytest.mark.parametrize(
    "arguments",
    [["--message=after the incident"], ["--target=urn:pulumi:dev::p::a:b:Site$aws:ec2/vpc:Vpc::vpc"]],
    ids=["words", "a child's URN"],
)
def test_the_command_to_go_on_with_survives_a_shell(arguments: list[str]) -> None:
    request = parse(Command.DEPLOY, arguments)
    assert pasted(request.to_go_on(request.layers)).handed_on == request.handed_on
