"""An operation stops at the first layer that fails or is declined, and says how far it got and how to continue (P3)."""

from __future__ import annotations

import pytest

from deployment.arguments import Command
from deployment.operation import Stopped
from shared.environment import Environment
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import Account, Carry, Dr
from tests.deployment.recorder import StandIn


def stopped(carry: Carry, *words: str, command: Command = Command.DEPLOY) -> Stopped:
    with pytest.raises(Stopped) as failure:
        carry(command, *words)
    return failure.value


@pytest.mark.parametrize("when", ["at once", "half-way"])
def test_a_failed_layer_stops_everything_after_it(carry: Carry, pulumi: StandIn, when: str) -> None:
    pulumi.fails("data", "up", exit_code=1, when=when)
    failure = stopped(carry, "--yes")
    assert str(failure).splitlines() == [
        "deploy stopped at data: pulumi up --stack dev --yes ended with exit code 1",
        "  done:      network",
        "  not done:  data, dr-automation, observability",
        "  go on with: ./dr deploy -- data dr-automation observability --yes",
    ]
    assert not failure.declined
    assert [call.layer for call in pulumi.operations] == ["network", "data"]


def test_a_failure_in_the_first_layer_says_that_none_is_done(carry: Carry, pulumi: StandIn) -> None:
    pulumi.fails("network", "up")
    assert "  done:      none\n" in str(stopped(carry, "--yes"))


def test_a_stack_that_cannot_be_made_stops_everything_too(carry: Carry, pulumi: StandIn) -> None:
    pulumi.fails("data", "stack init")
    assert "stopped at data: pulumi stack init dev --no-select ended with" in str(stopped(carry, "--yes"))
    assert [call.layer for call in pulumi.operations] == ["network"]


def test_a_destroy_that_stops_goes_on_with_the_layers_below(carry: Carry, pulumi: StandIn, dev: Environment) -> None:
    pulumi.has_all_of(dev)
    pulumi.fails("data", "destroy", when="half-way")
    message = str(stopped(carry, "--yes", command=Command.DESTROY))
    assert "  done:      observability, dr-automation\n" in message
    assert message.endswith("./dr destroy -- data network --yes")


def test_what_is_said_to_go_on_with_finishes_the_deploy(dr: Dr, pulumi: StandIn) -> None:
    pulumi.fails("data", "up")
    first = dr("deploy", "--yes")
    pulumi.recovers()
    again = first.err[-1].partition("./dr deploy -- ")[2].split()
    assert dr("deploy", *again).exit_code == 0
    ups = [call.layer for call in pulumi.operations if call.arguments[0] == "up"]
    assert ups == ["network", "data", "data", "dr-automation", "observability"]


@pytest.mark.parametrize(
    ("command", "first"), [(Command.DEPLOY, "network"), (Command.REFRESH, "network"), (Command.DESTROY, "data")]
)
def test_a_no_is_not_a_failure_and_nothing_was_changed(
    carry: Carry, pulumi: StandIn, dev: Environment, account: Account, command: Command, first: str
) -> None:
    pulumi.has_all_of(dev, "network", "data")
    account.says = False
    before = {name: pulumi.resources(name) for name in ("network", "data")}
    failure = stopped(carry, "network", "data", command=command)
    assert failure.declined
    assert str(failure).startswith(
        f"{command} stopped at {first}: you said no, and nothing of {first} was changed\n  done:      none\n"
    )
    assert {name: pulumi.resources(name) for name in before} == before
    assert len(pulumi.operations) == 1


@pytest.mark.parametrize("when", ["at once", "half-way"])
def test_a_failure_is_not_taken_for_a_no(carry: Carry, pulumi: StandIn, when: str) -> None:
    pulumi.fails("network", "up", when=when)
    assert not stopped(carry, "network").declined


def test_a_failed_preview_is_not_taken_for_a_no(carry: Carry, pulumi: StandIn, dev: Environment) -> None:
    pulumi.has_all_of(dev, "network")
    pulumi.fails("network", "preview")
    assert not stopped(carry, "network", command=Command.PREVIEW).declined


def test_a_failure_without_a_question_is_not_taken_for_a_no(carry: Carry, pulumi: StandIn) -> None:
    pulumi.fails("network", "up", exit_code=1, when="after the preview")
    assert not stopped(carry, "network", "--yes").declined


def test_a_failure_after_a_yes_is_not_taken_for_a_no(carry: Carry, pulumi: StandIn) -> None:
    pulumi.fails("network", "up", exit_code=1, when="after the preview")
    assert not stopped(carry, "network").declined


@pytest.mark.parametrize("failing", [True, False], ids=["a layer that failed", "a layer that was deployed"])
def test_how_far_it_got_is_told_even_where_the_layer_cannot_be_looked_at_afterwards(
    carry: Carry, pulumi: StandIn, failing: bool
) -> None:
    if failing:
        pulumi.fails("data", "up")
    pulumi.fails("data", "stack ls", when="after an operation")
    assert "./dr deploy -- data dr-automation observability --yes" in str(stopped(carry, "--yes"))


def test_what_went_wrong_after_something_was_touched_is_not_refused_input(dr: Dr, pulumi: StandIn) -> None:
    pulumi.program_gives("data", {"primaryVpcId": "exported by the network layer too"})
    ended = dr("deploy", "network", "data", "--yes")
    assert pulumi.touched
    assert (ended.exit_code, "  done:      network" in ended.err) == (1, True)


@pytest.mark.parametrize("command", ["destroy", "refresh"])
def test_a_stacks_file_that_cannot_be_read_is_refused_before_anything_is_touched(
    dr: Dr, pulumi: StandIn, dev: Environment, checkout: Checkout, command: str
) -> None:
    pulumi.has_all_of(dev)
    last = "network" if command == "destroy" else "observability"
    checkout.stack_file(last).write_text("config: [")
    assert dr(command, "--yes").exit_code == 2
    assert [call.layer for call in pulumi.touched] == []
