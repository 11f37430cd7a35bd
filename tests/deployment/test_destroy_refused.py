"""A destroy is refused before anything changes, if a part of it would fail or a deployed layer needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from deployment import destroying
from deployment.arguments import Command, parse
from deployment.deployed import Deployed
from deployment.preflight import check
from deployment.situation import Condition, Situation
from shared.environment import Environment
from shared.errors import SettingsError
from shared.sites import Site
from tests.deployment.answers import resource
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import Account, Dr
from tests.deployment.recorder import StandIn
from tests.deployment.standing import NOTHING, UPWARDS, contract_outputs, refused, standing

refused_destroy = partial(refused, Command.DESTROY)


@pytest.fixture(autouse=True)
def account(account: Account) -> Account:
    return account


def protected(survey: dict[str, Deployed], name: str, resources: Sequence[str]) -> dict[str, Deployed]:
    return {**survey, name: replace(survey[name], protected=tuple(resources))}


@pytest.mark.parametrize("name", UPWARDS)
def test_protected_resources_in_any_chosen_layer_refuse_all_of_it(name: str, dev: Environment) -> None:
    survey = protected(standing(dev, *UPWARDS), name, ["Key data (protected by Pulumi)"])
    message = refused_destroy([], survey)
    assert message.startswith("stack = dev: 1 protected resources would be destroyed, nothing was touched: ")
    assert f"{name}: Key data (protected by Pulumi)" in message


def test_the_refusal_says_how_such_an_environment_is_ended(dev: Environment) -> None:
    message = refused_destroy([], protected(standing(dev, *UPWARDS), "data", ["Instance database"]))
    assert "set deletionProtection: false in environments/dev.yaml" in message
    assert "./dr deploy -- --stack dev, then destroy again" in message


def test_of_many_protected_resources_some_are_named_and_all_are_counted(dev: Environment) -> None:
    buckets = [f"Bucket {number}" for number in range(7)]
    message = refused_destroy([], protected(standing(dev, *UPWARDS), "data", buckets))
    assert "7 protected resources" in message
    assert "data: Bucket 4 and 2 more" in message
    assert "Bucket 5" not in message
    five = refused_destroy([], protected(standing(dev, *UPWARDS), "data", buckets[:5]))
    assert "data: Bucket 4. To end" in five


def test_protected_resources_of_other_layers_do_not_matter(dev: Environment) -> None:
    survey = protected(standing(dev, *UPWARDS), "network", ["Key data"])
    assert check(parse(Command.DESTROY, ["observability"]), survey).environment == dev


def test_a_refused_destroy_changes_nothing(dr: Dr, pulumi: StandIn, dev: Environment) -> None:
    pulumi.has_all_of(dev)
    table = resource("postgres-dr-automation", "dev", "aws:dynamodb/table:Table", "failover-state", protect=True)
    pulumi.has("dr-automation", contract_outputs("dr-automation", dev), [table])
    ended = dr("destroy", "--yes")
    assert (ended.exit_code, len(ended.err)) == (2, 1)
    assert "dr-automation: Table failover-state (protected by Pulumi)" in ended.err[0]
    assert not pulumi.touched
    assert not pulumi.operations


@pytest.mark.parametrize(
    ("chosen", "above"), [("network", "data"), ("data", "dr-automation"), ("dr-automation", "observability")]
)
def test_a_layer_is_not_destroyed_while_one_above_stands_on_it(chosen: str, above: str, dev: Environment) -> None:
    message = refused_destroy([chosen], standing(dev, *UPWARDS))
    assert message.startswith(f"layer = {chosen}: {above} stands on it, with 1 resources: destroy that first, or ")
    assert f"./dr destroy -- {above} {chosen} --stack dev" in message


def test_a_layer_that_reads_it_indirectly_counts_too(dev: Environment) -> None:
    assert "observability stands on it" in refused_destroy(["network"], standing(dev, "network", "observability"))


def test_a_layer_is_destroyed_alone_where_nothing_stands_above(dev: Environment) -> None:
    request = parse(Command.DESTROY, ["data"])
    assert check(request, standing(dev, "network", "data")).environment == dev
    empty = {**standing(dev, "network", "data"), "dr-automation": Deployed(exists=True)}
    assert check(request, empty).environment == dev


def test_layers_that_stand_on_each_other_are_destroyed_together(dev: Environment) -> None:
    request = parse(Command.DESTROY, ["data", "dr-automation", "observability"])
    assert check(request, standing(dev, *UPWARDS)).environment == dev


def test_destroying_what_was_never_there_is_not_refused(dev: Environment) -> None:
    assert check(parse(Command.DESTROY, []), NOTHING).environment == dev


def test_what_is_protected_in_aws_alone_refuses_all_of_it_too(account: Account, dev: Environment) -> None:
    account.protected = ["database-primary-dev"]
    message = refused_destroy([], standing(dev, *UPWARDS))
    assert message.startswith("deletion protection = database-primary-dev: it was enabled in AWS and not by Pulumi")


@pytest.mark.parametrize(
    ("words", "there", "looked_at"),
    [
        ([], UPWARDS, {"databases": True, "table": True}),
        (["observability"], UPWARDS, {"databases": False, "table": False}),
        (["dr-automation", "observability"], UPWARDS, {"databases": False, "table": True}),
        (["data"], ("network", "data"), {"databases": True, "table": False}),
        ([], ("network",), {"databases": False, "table": False}),
    ],
    ids=str,
)
def test_aws_is_asked_about_what_would_be_destroyed_and_nothing_else(
    words: list[str],
    there: tuple[str, ...],
    looked_at: dict[str, bool],
    dev: Environment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, bool]] = []

    def protected_in_aws(environment: Environment, **about: bool) -> list[str]:
        asked.append(about)
        return []

    monkeypatch.setattr(destroying, "protected_in_aws", protected_in_aws)
    check(parse(Command.DESTROY, words), standing(dev, *there))
    assert asked == [looked_at]


@pytest.mark.parametrize("writer", list(Site))
def test_the_database_that_takes_writes_is_not_destroyed_without_a_last_snapshot(
    writer: Site, account: Account, checkout: Checkout, dev: Environment
) -> None:
    account.situation = Situation(Condition.NOT_FOLLOWED, Site.PRIMARY, writer)
    survey = standing(dev, *UPWARDS)
    lacking = {**survey, "data": replace(survey["data"], without_final_snapshot=(f"database-{writer}-dev",))}
    # A short-lived environment says so.
    assert check(parse(Command.DESTROY, []), lacking).environment == dev
    checkout.configure("data", skipFinalSnapshot="false")
    message = refused_destroy([], lacking)
    assert message.startswith(f"layer = data: the {writer} site's database takes writes, and the state has it go")
    assert "./dr deploy -- data --stack dev first" in message
    check(parse(Command.DESTROY, []), survey)
    of_the_other = {**survey, "data": replace(survey["data"], without_final_snapshot=(f"database-{writer.other}-dev",))}
    check(parse(Command.DESTROY, []), of_the_other)


@pytest.mark.parametrize("command", [Command.DEPLOY, Command.DESTROY])
def test_what_was_killed_while_it_made_something_is_cleared_up_first(command: Command, dev: Environment) -> None:
    urn = "urn:pulumi:dev::postgres-dr-data::aws:rds/instance:Instance::database-primary-dev"
    survey = standing(dev, *UPWARDS)
    with pytest.raises(SettingsError, match=r"layer data = .interrupted while making database-primary-dev.: ") as it:
        check(parse(command, []), {**survey, "data": replace(survey["data"], interrupted=(urn,))})
    assert f"--import-pending-creates '{urn}'" in str(it.value)
    check(parse(Command.REFRESH, []), {**survey, "data": replace(survey["data"], interrupted=(urn,))})


@pytest.mark.parametrize("command", ["destroy", "refresh", "drift"])
def test_a_stack_that_is_in_no_layer_is_the_wrong_backend(dr: Dr, pulumi: StandIn, command: str) -> None:
    ended = dr(command, "--yes")
    assert ended.exit_code == 2
    assert "no layer has it in the backend" in ended.err[0]


def test_what_was_deployed_as_production_needs_the_option_to_be_destroyed(checkout: Checkout, dev: Environment) -> None:
    survey = standing(dev, *UPWARDS)
    outputs = {**survey["network"].outputs, "environmentKind": "production"}
    survey["network"] = replace(survey["network"], outputs=outputs)
    assert refused_destroy([], survey).startswith("stack = dev: it is deployed as production: add --production")
    check(parse(Command.DESTROY, ["--production"]), survey)
