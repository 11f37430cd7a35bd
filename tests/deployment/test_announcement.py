"""Before anything is touched, a person reads what is about to happen, to what, and where."""

from __future__ import annotations

import pytest

from deployment.announcement import announcement
from deployment.arguments import Command, parse
from deployment.preflight import Cleared
from deployment.pulumi_cli import Backend
from shared.environment import Environment
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import FOLLOWED, Dr
from tests.deployment.recorder import StandIn

BACKEND = Backend(url="s3://states", user="somebody")


def announced(environment: Environment, *words: str, warnings: tuple[str, ...] = ()) -> list[str]:
    request = parse(Command.DEPLOY, words)
    return announcement(request, Cleared(environment, FOLLOWED, warnings), BACKEND)


def test_it_says_what_is_done_to_which_environment_and_where(dev: Environment) -> None:
    assert announced(dev, "data", "network") == [
        "deploy of stack dev",
        "  environment  development, account 111122223333, suffix dev",
        "  regions      ap-southeast-2 (primary), ap-southeast-1 (recovery), ap-northeast-1 (witness)",
        "  layers       network, data",
        "  backend      s3://states as somebody",
    ]


def test_warnings_come_first(dev: Environment) -> None:
    lines = announced(dev, warnings=("the writer has moved", "a value is secure"))
    assert lines[:3] == ["WARNING: the writer has moved", "WARNING: a value is secure", "deploy of stack dev"]


def test_an_environment_without_a_witness_has_two_regions(checkout: Checkout) -> None:
    checkout.set_environment(witnessRegion=None)
    assert "  regions      ap-southeast-2 (primary), ap-southeast-1 (recovery)" in announced(Environment.load("dev"))


def test_production_is_written_in_capitals(checkout: Checkout) -> None:
    checkout.make_production()
    (line,) = [line for line in announced(Environment.load("dev")) if "environment" in line]
    assert line.split()[1:3] == ["PRODUCTION,", "protected,"]


def test_other_protected_environments_are_called_protected(checkout: Checkout) -> None:
    checkout.set_environment(deletionProtection=True)
    (line,) = [line for line in announced(Environment.load("dev")) if "environment" in line]
    assert line == "  environment  development, protected, account 111122223333, suffix dev"


@pytest.mark.parametrize("command", ["preview", "drift"])
def test_it_is_printed_before_the_first_layer(dr: Dr, pulumi: StandIn, dev: Environment, command: str) -> None:
    pulumi.has_all_of(dev)
    out = dr(command, "network").out
    assert out[0] == f"{command} of stack dev"
    assert out[4] == f"  backend      {pulumi.url} as somebody"
    assert out[5] == f"{command} 1/1: network (stack dev)"
