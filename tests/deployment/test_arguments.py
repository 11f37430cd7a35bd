"""What the deployment commands understand, and what they hand to Pulumi untouched."""

from __future__ import annotations

import pytest

from deployment.arguments import Command, parse
from shared.errors import SettingsError
from shared.layers import LAYERS

UPWARDS = [known.name for known in LAYERS]


def names(command: Command, *arguments: str) -> list[str]:
    return [chosen.name for chosen in parse(command, arguments).layers]


def test_without_a_name_all_layers_are_meant_lowest_first() -> None:
    assert names(Command.DEPLOY) == UPWARDS


def test_destroy_goes_from_the_top_down() -> None:
    assert names(Command.DESTROY) == UPWARDS[::-1]


def test_named_layers_are_taken_in_the_order_of_the_registry() -> None:
    assert names(Command.DEPLOY, "dr-automation", "network") == ["network", "dr-automation"]
    assert names(Command.DESTROY, "network", "dr-automation") == ["dr-automation", "network"]


@pytest.mark.parametrize("arguments", [["--stack", "lab"], ["--stack=lab"], ["-s", "lab"]])
def test_the_stack_can_be_given_in_pulumis_ways(arguments: list[str]) -> None:
    assert parse(Command.PREVIEW, ["network", *arguments]).stack == "lab"


def test_the_rest_is_handed_on_in_order() -> None:
    request = parse(Command.DEPLOY, ["data", "--refresh", "--yes", "--parallel", "4", "--diff", "--stack", "lab"])
    assert request.handed_on == ("--refresh", "--parallel", "4", "--diff")
    assert request.yes


def test_an_unknown_layer_is_refused_with_the_layers_there_are() -> None:
    with pytest.raises(SettingsError, match="layer = netwrok: name one of: network, data"):
        parse(Command.DEPLOY, ["netwrok"])


@pytest.mark.parametrize("stack", ["nowhere", "../dev", ""])
def test_an_unknown_stack_is_refused_with_the_stacks_there_are(stack: str) -> None:
    with pytest.raises(SettingsError, match=r"stack = .*layer network has .*dev.*lab"):
        parse(Command.DEPLOY, [f"--stack={stack}"])


def test_a_layer_after_pulumis_options_is_refused_because_it_could_be_an_options_value() -> None:
    with pytest.raises(SettingsError, match="name layers before Pulumi's own options"):
        parse(Command.DEPLOY, ["--refresh", "network"])


def test_a_stack_option_without_a_name_is_refused() -> None:
    with pytest.raises(SettingsError, match="--stack"):
        parse(Command.DEPLOY, ["--stack"])


def test_outputs_takes_none_of_pulumis_options() -> None:
    with pytest.raises(SettingsError, match="--show-secrets"):
        parse(Command.OUTPUTS, ["--show-secrets"])


def test_the_command_to_go_on_with_names_what_is_left_and_keeps_the_options() -> None:
    request = parse(Command.DEPLOY, ["--stack", "lab", "--yes", "--parallel", "4"])
    line = request.to_go_on(request.layers[2:])
    assert line == "./dr deploy -- dr-automation observability --stack lab --yes --parallel 4"
    assert parse(Command.DEPLOY, line.split()[3:]).layers == request.layers[2:]
