"""A layer without a stack can be previewed: no stack is created, and no file is changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from deployment.arguments import Command
from deployment.deployed import MASKED
from deployment.operation import Stopped
from shared.environment import Environment
from tests.deployment.answers import secret
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import Carry, Dr
from tests.deployment.recorder import Call, StandIn
from tests.deployment.standing import UPWARDS, contract_outputs

OF_THE_PERSONS_BACKEND = {
    "encryptionsalt": "v1:person",
    "secretsprovider": "awskms://alias/person",
    "encryptedkey": "cGVyc29u",
}


def previewed(pulumi: StandIn) -> Call:
    (call,) = pulumi.operations
    return call


def outputs_in(pulumi: StandIn, name: str, backend: str) -> object:
    (stack,) = pulumi.resources(name, backend=backend)
    return stack["outputs"]


@pytest.fixture
def below(pulumi: StandIn, dev: Environment) -> None:
    """Everything is deployed but the topmost layer."""
    pulumi.has_all_of(dev, "network", "data", "dr-automation")


def test_no_stack_is_made_in_the_persons_backend(carry: Carry, pulumi: StandIn) -> None:
    carry(Command.PREVIEW, "network")
    assert pulumi.stacks("network") == []
    assert not pulumi.touched
    assert previewed(pulumi).backend != pulumi.url


def test_the_layer_is_previewed_as_it_would_be_deployed(carry: Carry, pulumi: StandIn, said: list[str]) -> None:
    carry(Command.PREVIEW, "network", "--diff")
    assert pulumi.in_order == [("network", ["preview", "--stack", "dev", "--diff"])]
    assert said[-1].startswith("  network        2 to create; there is no stack yet")


def test_the_backend_is_gone_afterwards(carry: Carry, pulumi: StandIn) -> None:
    carry(Command.PREVIEW, "network")
    backend = previewed(pulumi).backend
    assert backend.startswith("file:///")
    assert not Path(backend.removeprefix("file://")).exists()


def test_the_backend_is_gone_after_a_preview_that_failed_too(carry: Carry, pulumi: StandIn) -> None:
    pulumi.fails("network", "preview")
    with pytest.raises(
        Stopped, match="preview stopped at network: pulumi preview --stack dev ended with exit code 255"
    ):
        carry(Command.PREVIEW, "network")
    assert not Path(previewed(pulumi).backend.removeprefix("file://")).exists()


def test_outputs_that_cannot_be_taken_over_stop_the_preview(carry: Carry, pulumi: StandIn, dev: Environment) -> None:
    pulumi.has_all_of(dev, "network")
    pulumi.fails("network", "stack import")
    with pytest.raises(Stopped, match="preview stopped at data: pulumi stack import --stack dev ended with"):
        carry(Command.PREVIEW, "data")
    assert not pulumi.operations


def test_temporary_stacks_are_not_mentioned_to_the_person(dr: Dr, pulumi: StandIn) -> None:
    assert not any("Created stack" in line for line in dr("preview", "network").out)
    assert "Created stack 'dev'" in dr("deploy", "network", "--yes").out


@pytest.mark.usefixtures("below")
def test_the_outputs_of_the_layers_below_are_there(carry: Carry, pulumi: StandIn, dev: Environment) -> None:
    carry(Command.PREVIEW, "observability")
    aside = previewed(pulumi).backend
    for name in ("network", "data", "dr-automation"):
        assert outputs_in(pulumi, name, aside) == contract_outputs(name, dev)


def test_nothing_but_the_layer_and_those_it_reads_is_there(carry: Carry, pulumi: StandIn, dev: Environment) -> None:
    pulumi.has_all_of(dev, "network", "data", "observability")
    carry(Command.PREVIEW, "data", "dr-automation")
    (aside,) = [call.backend for call in pulumi.operations if call.layer == "dr-automation"]
    there = [name for name in UPWARDS if pulumi.stacks(name, backend=aside)]
    assert there == ["network", "data", "dr-automation"]


def test_a_secret_of_a_layer_below_stays_where_it_is(carry: Carry, pulumi: StandIn, dev: Environment) -> None:
    pulumi.has("network", {**contract_outputs("network", dev), "primaryVpcId": secret("v1:abc")})
    carry(Command.PREVIEW, "data")
    outputs = outputs_in(pulumi, "network", previewed(pulumi).backend)
    assert outputs == {**contract_outputs("network", dev), "primaryVpcId": MASKED}


def test_the_settings_are_those_of_the_stacks_file(carry: Carry, pulumi: StandIn, checkout: Checkout) -> None:
    carry(Command.PREVIEW, "network")
    configuration = previewed(pulumi).configuration
    assert configuration is not None
    assert yaml.safe_load(configuration) == yaml.safe_load(checkout.stack_file("network").read_text())


def test_what_belongs_to_the_secrets_of_another_backend_is_not_copied(
    carry: Carry, pulumi: StandIn, checkout: Checkout
) -> None:
    file = checkout.stack_file("network")
    plain = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({**plain, **OF_THE_PERSONS_BACKEND}))
    carry(Command.PREVIEW, "network")
    configuration = previewed(pulumi).configuration
    assert configuration is not None
    assert yaml.safe_load(configuration) == plain


@pytest.mark.parametrize("salted", [False, True], ids=["plain files", "files with a salt"])
@pytest.mark.usefixtures("below")
def test_no_file_of_the_repository_is_changed(carry: Carry, checkout: Checkout, salted: bool) -> None:
    if salted:
        for name in UPWARDS:
            with checkout.stack_file(name).open("a") as file:
                file.write("encryptionsalt: v1:person\n")
    before = checkout.contents()
    carry(Command.PREVIEW)
    assert checkout.contents() == before


@pytest.mark.usefixtures("below")
def test_layers_with_and_without_a_stack_are_previewed_in_one_go(carry: Carry, pulumi: StandIn) -> None:
    carry(Command.PREVIEW)
    aside = {call.layer for call in pulumi.operations if call.backend != pulumi.url}
    assert aside == {"observability"}
    assert [call.layer for call in pulumi.operations] == list(UPWARDS)


def test_a_stack_with_nothing_in_it_is_previewed_where_it_is(carry: Carry, pulumi: StandIn, said: list[str]) -> None:
    pulumi.has_empty("network")
    carry(Command.PREVIEW, "network")
    assert previewed(pulumi).backend == pulumi.url
    assert said[-1].startswith("  network        2 to create (")


def test_what_cannot_be_previewed_is_said_and_the_rest_done(dr: Dr, pulumi: StandIn, dev: Environment) -> None:
    pulumi.has_all_of(dev, "network")
    ended = dr("preview")
    assert ended.exit_code == 0
    assert [call.layer for call in pulumi.operations] == ["network", "data"]
    assert any(
        line.startswith("  dr-automation  not previewed: it reads data; stack dev of data is not") for line in ended.out
    )


def test_a_layer_with_secure_values_waits_for_its_stack_and_the_rest_is_previewed(
    dr: Dr, pulumi: StandIn, checkout: Checkout, dev: Environment
) -> None:
    pulumi.has_all_of(dev, "network")
    checkout.configure("data", secretId={"secure": "v1:person/c2VjcmV0"})
    ended = dr("preview", "network", "data")
    assert ended.exit_code == 0
    assert [call.layer for call in pulumi.operations] == ["network"]
    assert any(
        line.startswith("  data           not previewed: its secure values can be read only") for line in ended.out
    )


def test_a_layer_with_secure_values_is_previewed_where_it_has_a_stack(
    dr: Dr, pulumi: StandIn, checkout: Checkout, dev: Environment
) -> None:
    pulumi.has_all_of(dev, "network")
    pulumi.has_empty("data")
    checkout.configure("data", secretId={"secure": "v1:person/c2VjcmV0"})
    assert dr("preview", "data").exit_code == 0
    assert previewed(pulumi).backend == pulumi.url
